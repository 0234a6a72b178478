"""What the network answers to a batch, and how far that is from what it should."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from kimi_ros.reader.heads import EVENTS, SAME, SIM, SLOTS
from kimi_train.reader.batches import Batch, Catalogues, Tokens
from kimi_train.reader.model import FAR, Network, one_hot
from kimi_train.reader.targets import IGNORED

WEIGHTS = {
    'event': 1.5,
    'verb': 0.3,
    'first': 1.0,
    'second': 0.5,
    'number': 0.3,
    'relation': 0.5,
    'present': 0.3,
    'truth': 1.0,
    'value': 2.0,
    'question': 0.5,
    'role': 0.5,
    'told': 0.5,
    'phrase_number': 0.1,
    'phrase_relation': 0.3,
    'landmark': 0.3,
    'other': 0.2,
}


@dataclass
class Offer:
    """A batch's catalogues, encoded; sizes are named in model.py."""

    tokens: Tensor
    cover: Tensor
    stem: Tensor
    away: Tensor
    of: Tensor
    candidates: Tensor
    arguments: Tensor
    values: Tensor


@dataclass
class Heard:
    """A batch's instructions, encoded beside the catalogues."""

    x: Tensor
    away: Tensor
    sim: Tensor
    same: Tensor


def encoded(network: Network, table: Tensor, tokens: Tokens, whose: Tensor):
    """Return sequences (n, length, dim), encoded, and the vectors of the words they are in.

    :param table: (words + 1, word), the words' vectors, in the network's arithmetic.
    """
    kinds = network.embedding.kinds(tokens.unit, tokens.pieces, table[tokens.own])[tokens.kind]
    cover = table[tokens.cover]
    part, position = tokens.part.clamp(min=0), tokens.position.clamp(min=0)
    return network.encode(kinds, cover, tokens.place, part, position, whose), cover


def offer(network: Network, table: Tensor, batch: Catalogues) -> Offer:
    """Return the catalogues, encoded."""
    y, cover = encoded(network, table, batch.tokens, batch.skill)
    dtype, events = y.dtype, len(EVENTS)
    skill = one_hot(batch.skill, batch.n_skills, dtype)
    argument = one_hot(batch.argument, batch.n_arguments, dtype)
    value = one_hot(batch.value, batch.n_values, dtype)
    tokens, candidates, arguments, values = network.catalogue(y, skill, argument, value)
    of = F.pad(skill, (events, 0, events, 0))
    of[:, :events, :events] = torch.eye(events, dtype=dtype)
    away = F.pad((batch.skill < 0).float() * FAR, (events, 0))
    cover = F.pad(cover, (0, 0, events, 0))
    stem = F.pad(batch.tokens.stem, (events, 0), value=-2)
    return Offer(tokens, cover, stem, away, of, candidates, arguments, values)


def hear(network: Network, table: Tensor, batch: Batch, offer: Offer) -> Heard:
    """Return the instructions, encoded beside the catalogues."""
    groups = len(offer.tokens)
    there = batch.tokens.part >= 0
    whose = there.long() - 1  # 0, and -1 for none
    x, cover = encoded(network, table, batch.tokens, whose)
    x, whose, position, cover, stem = (
        t.unflatten(0, (groups, -1))
        for t in (x, whose, batch.tokens.position.clamp(min=0), cover, batch.tokens.stem)
    )
    sim = (cover @ offer.cover.unsqueeze(1).transpose(-1, -2)).float()
    same = (stem.unsqueeze(-1) == offer.stem[:, None, None]).float()
    mixed = network.mix(x, position, whose, offer.tokens, offer.away, sim, same)
    away = ((~there).float() * FAR).unsqueeze(-2)
    return Heard(mixed.flatten(0, 1), away, sim, same)


def answers(
    network: Network, heard: Heard, offer: Offer, catalogues: Catalogues, batch: Batch
) -> dict[str, Tensor]:
    """Return the logits of everything, told what the right decisions before were."""
    g, n = len(offer.tokens), len(batch.events)
    x, away = heard.x, heard.away
    length, dim = x.shape[-2:]
    rows = torch.arange(n)
    padded = F.pad(x, (0, 0, 0, 1))  # one more token, of zeros: none

    def at(row: Tensor, place: Tensor) -> Tensor:
        return padded[row, place.where(place >= 0, length)]

    per_group = n // g
    events = batch.events.clamp(min=0)
    candidates = offer.candidates.repeat_interleave(per_group, 0)
    came = candidates.gather(1, events.unsqueeze(-1).expand(-1, -1, dim))
    verbs = at(rows[:, None], batch.verbs[..., 0])
    # What each step held, for the next one.
    row, when = batch.step_row, batch.step_at
    firsts = at(row[:, None], batch.first[..., 0]) + at(row[:, None], batch.first[..., 1])
    sums = torch.zeros_like(came).index_put((row, when), firsts.sum(1), accumulate=True)

    def before(t: Tensor) -> Tensor:
        return F.pad(t, (0, 0, 1, 0))[:, :-1]

    z = network.decide(x, away, before(came), before(verbs), before(sums))
    grouped = (g, per_group)
    out = {}
    out['event'] = network.match(
        z.unflatten(0, grouped), x.unflatten(0, grouped), away.unflatten(0, grouped), offer.tokens,
        offer.of, offer.candidates, heard.sim, heard.same,
    ).flatten(0, 1)  # fmt: skip
    # A verb is pointed at by the decision and what was decided.
    said = z + came
    out['verb'] = network.verb.starts(said, x, away)
    out['verb_end'] = network.verb.ends(said, x, away, verbs)
    out['role'], out['told'] = network.role(x), network.told(x)
    # What each step holds.
    index = batch.slots.clamp(min=0)
    arguments = offer.arguments[row // per_group].gather(1, index.unsqueeze(-1).expand(-1, -1, dim))
    bias = ((batch.slots < 0).float() * FAR).unsqueeze(-2)
    mine, my_away = x[row], away[row]
    held = network.hold(
        mine, my_away, z[row, when].unsqueeze(1), came[row, when].unsqueeze(1),
        verbs[row, when].unsqueeze(1), arguments, bias,
    )  # fmt: skip
    for name, pointer in (('first', network.first), ('second', network.second)):
        began = at(row[:, None], getattr(batch, name)[..., 0])
        out[name] = pointer.starts(held, mine, my_away)
        out[f'{name}_end'] = pointer.ends(held, mine, my_away, began)
    for name in ('number', 'relation', 'present', 'truth', 'question'):
        out[name] = getattr(network, name)(held)
    logits = network.value(held) @ offer.values[row // per_group].transpose(-1, -2)
    logits = logits.float() * network.sizes.match**-0.5
    which = (batch.value >= 0).nonzero(as_tuple=True)
    alike = _likeness(heard, catalogues, row[which[0]], batch.first[which], per_group)
    logits = logits.index_put(which, alike, accumulate=True)
    owner = catalogues.value_argument[row // per_group].unsqueeze(1)
    theirs = owner != (batch.slots - len(SLOTS)).unsqueeze(-1)
    out['value'] = logits + theirs.float() * FAR
    # What each phrase holds.
    row = batch.phrase_row
    h = network.phrases(at(row, batch.phrase[:, 0]), at(row, batch.phrase[:, 1])).unsqueeze(1)
    for name, pointer in (('landmark', network.landmark), ('other', network.other)):
        began = at(row, getattr(batch, name)[..., 0]).unsqueeze(1)
        out[name] = pointer.starts(h, x[row], away[row]).squeeze(1)
        out[f'{name}_end'] = pointer.ends(h, x[row], away[row], began).squeeze(1)
    out['phrase_number'] = network.phrase_number(h).squeeze(1)
    out['phrase_relation'] = network.phrase_relation(h).squeeze(1)
    return out


def _likeness(heard: Heard, catalogues: Catalogues, row, spans, per_group: int) -> Tensor:
    """Return (n, values), how like the words of n spans each enum value is, word by word."""
    group, place = row // per_group, row % per_group
    events = len(EVENTS)
    like = SIM * heard.sim[group, place, :, events:] + SAME * heard.same[group, place, :, events:]
    at = torch.arange(like.shape[1])
    inside = (at >= spans[:, :1]) & (at <= spans[:, 1:])
    best = like.masked_fill(~inside.unsqueeze(-1), -SIM).amax(1)  # (n, M')
    of = one_hot(catalogues.value[group], catalogues.n_values, best.dtype) > 0
    return best.unsqueeze(-1).masked_fill(~of, -SIM).amax(1)


def wanted(batch: Batch) -> dict[str, Tensor]:
    """Return the right answers by the names of `answers`."""
    out = {
        'event': batch.events, 'role': batch.roles, 'told': batch.told, 'number': batch.number,
        'relation': batch.relation, 'present': batch.present, 'truth': batch.truth,
        'value': batch.value, 'question': batch.question, 'phrase_number': batch.phrase_number,
        'phrase_relation': batch.phrase_relation,
    }  # fmt: skip
    for name, spans in (
        ('verb', batch.verbs), ('first', batch.first), ('second', batch.second),
        ('landmark', batch.landmark), ('other', batch.other),
    ):  # fmt: skip
        out[name], out[f'{name}_end'] = spans[..., 0], spans[..., 1]
    return out


def losses(out: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    """Return the loss ('total') and, per kind of decision, how many there are and are right.

    Every example weighs the same, but for its tags, which are averaged over tokens.
    """
    right: dict[str, Tensor] = {}
    total = torch.zeros(())
    for name, target in wanted(batch).items():
        logits = out[name].float().flatten(0, -2)
        target = target.flatten()
        loss = F.cross_entropy(logits, target, ignore_index=IGNORED, reduction='sum')
        there = target != IGNORED
        count = there.sum().clamp(min=1)
        weight = WEIGHTS[name.removesuffix('_end')]
        # Tags are many: their mean; the others add up over an example, as its mistakes do.
        share = loss / count if name in ('role', 'told') else loss / len(batch)
        total = total + weight * share
        right[f'{name}_right'] = ((logits.argmax(-1) == target) & there).sum()
        right[f'{name}_count'] = there.sum()
    return {'total': total, **right}
