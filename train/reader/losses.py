"""The forward pass of a batch with teacher forcing, and its losses."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from kimi_ros.reader.labels import EVENTS, MATCH_WEIGHT, SIMILARITY_WEIGHT, SLOTS
from kimi_train.reader.batches import CatalogueBatch, InstructionBatch, TokenTensors
from kimi_train.reader.model import MASKED, ReaderModel, one_hot
from kimi_train.reader.targets import IGNORED

LOSS_WEIGHTS = {
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
    'coverage': 0.5,
    'phrase_number': 0.1,
    'phrase_relation': 0.3,
    'landmark': 0.3,
    'other': 0.2,
}


@dataclass
class EncodedCatalogues:
    """The encoded catalogues of a batch; model.py names the sizes."""

    tokens: Tensor
    word_vectors: Tensor
    stem: Tensor
    mask: Tensor
    membership: Tensor
    candidates: Tensor
    arguments: Tensor
    values: Tensor


@dataclass
class EncodedInstructions:
    """The encoded instructions of a batch."""

    hidden_states: Tensor
    mask: Tensor
    similarity: Tensor
    exact_match: Tensor


def encode_sequences(
    network: ReaderModel, word_vectors: Tensor, tokens: TokenTensors, sequence: Tensor
):
    """Return the encoded sequences (n, length, dim), and the vectors of their words.

    :param word_vectors: (words + 1, word), in the model's dtype.
    """
    token_vectors = network.embedding.token_vectors(
        tokens.token_bucket, tokens.ngrams, word_vectors[tokens.token_row]
    )[tokens.token_type]
    word_vector = word_vectors[tokens.word_row]
    segment, position = tokens.segment.clamp(min=0), tokens.position.clamp(min=0)
    return network.encode(
        token_vectors, word_vector, tokens.word_position, segment, position, sequence
    ), word_vector


def encode_catalogues(
    network: ReaderModel, word_vectors: Tensor, batch: CatalogueBatch
) -> EncodedCatalogues:
    """Encode the catalogues."""
    y, word_vector = encode_sequences(network, word_vectors, batch.tokens, batch.skill)
    dtype, events = y.dtype, len(EVENTS)
    skill = one_hot(batch.skill, batch.n_skills, dtype)
    argument = one_hot(batch.argument, batch.n_arguments, dtype)
    value = one_hot(batch.value, batch.n_values, dtype)
    tokens, candidates, arguments, values = network.catalogue(y, skill, argument, value)
    membership = F.pad(skill, (events, 0, events, 0))
    membership[:, :events, :events] = torch.eye(events, dtype=dtype)
    mask = F.pad((batch.skill < 0).float() * MASKED, (events, 0))
    word_vector = F.pad(word_vector, (0, 0, events, 0))
    stem = F.pad(batch.tokens.stem, (events, 0), value=-2)
    return EncodedCatalogues(
        tokens, word_vector, stem, mask, membership, candidates, arguments, values
    )


def encode_instructions(
    network: ReaderModel,
    word_vectors: Tensor,
    batch: InstructionBatch,
    catalogue_states: EncodedCatalogues,
) -> EncodedInstructions:
    """Encode the instructions, with cross-attention to the catalogues."""
    groups = len(catalogue_states.tokens)
    present = batch.tokens.segment >= 0
    sequence = present.long() - 1  # 0, and -1 for none
    x, word_vector = encode_sequences(network, word_vectors, batch.tokens, sequence)
    x, sequence, position, word_vector, stem = (
        t.unflatten(0, (groups, -1))
        for t in (x, sequence, batch.tokens.position.clamp(min=0), word_vector, batch.tokens.stem)
    )
    similarity = (
        word_vector @ catalogue_states.word_vectors.unsqueeze(1).transpose(-1, -2)
    ).float()
    exact_match = (stem.unsqueeze(-1) == catalogue_states.stem[:, None, None]).float()
    fused = network.fuse(
        x,
        position,
        sequence,
        catalogue_states.tokens,
        catalogue_states.mask,
        similarity,
        exact_match,
    )
    mask = ((~present).float() * MASKED).unsqueeze(-2)
    return EncodedInstructions(fused.flatten(0, 1), mask, similarity, exact_match)


def predict(
    network: ReaderModel,
    instructions: EncodedInstructions,
    catalogue_states: EncodedCatalogues,
    catalogues: CatalogueBatch,
    batch: InstructionBatch,
) -> dict[str, Tensor]:
    """Return all logits by name, with teacher forcing."""
    g, n = len(catalogue_states.tokens), len(batch.events)
    x, mask = instructions.hidden_states, instructions.mask
    length, dim = x.shape[-2:]
    rows = torch.arange(n)
    padded = F.pad(x, (0, 0, 0, 1))  # index L, a zero vector, stands for no token

    def states_at(row: Tensor, place: Tensor) -> Tensor:
        return padded[row, place.where(place >= 0, length)]

    per_group = n // g
    events = batch.events.clamp(min=0)
    candidates = catalogue_states.candidates.repeat_interleave(per_group, 0)
    candidate_states = candidates.gather(1, events.unsqueeze(-1).expand(-1, -1, dim))
    verb_states = states_at(rows[:, None], batch.verbs[..., 0])
    # Sums of the argument states of each step, inputs of the next one.
    row, when = batch.step_row, batch.step_at
    firsts = states_at(row[:, None], batch.first[..., 0]) + states_at(
        row[:, None], batch.first[..., 1]
    )
    sums = torch.zeros_like(candidate_states).index_put((row, when), firsts.sum(1), accumulate=True)

    def shift(t: Tensor) -> Tensor:
        return F.pad(t, (0, 0, 1, 0))[:, :-1]

    z = network.decode_step(x, mask, shift(candidate_states), shift(verb_states), shift(sums))
    grouped = (g, per_group)
    out = {}
    out['event'] = network.candidate_scorer(
        z.unflatten(0, grouped),
        x.unflatten(0, grouped),
        mask.unflatten(0, grouped),
        catalogue_states.tokens,
        catalogue_states.membership,
        catalogue_states.candidates,
        instructions.similarity,
        instructions.exact_match,
    ).flatten(0, 1)
    # The verb is found from the decoder state and its candidate.
    query = z + candidate_states
    out['verb'] = network.verb.start_logits(query, x, mask)
    out['verb_end'] = network.verb.end_logits(query, x, mask, verb_states)
    out['role'], out['coverage'] = network.role(x), network.coverage(x)
    # Arguments of each step.
    index = batch.slots.clamp(min=0)
    arguments = catalogue_states.arguments[row // per_group].gather(
        1, index.unsqueeze(-1).expand(-1, -1, dim)
    )
    bias = ((batch.slots < 0).float() * MASKED).unsqueeze(-2)
    step_states, step_mask = x[row], mask[row]
    slot_states = network.decode_arguments(
        step_states,
        step_mask,
        z[row, when].unsqueeze(1),
        candidate_states[row, when].unsqueeze(1),
        verb_states[row, when].unsqueeze(1),
        arguments,
        bias,
    )
    for name, pointer in (('first', network.first), ('second', network.second)):
        start_states = states_at(row[:, None], getattr(batch, name)[..., 0])
        out[name] = pointer.start_logits(slot_states, step_states, step_mask)
        out[f'{name}_end'] = pointer.end_logits(slot_states, step_states, step_mask, start_states)
    for name in ('number', 'relation', 'present', 'truth', 'question'):
        out[name] = getattr(network, name)(slot_states)
    logits = network.value_query(slot_states) @ catalogue_states.values[row // per_group].transpose(
        -1, -2
    )
    logits = logits.float() * network.config.scorer_dim**-0.5
    which = (batch.value >= 0).nonzero(as_tuple=True)
    similarity_bonus = _value_similarity(
        instructions, catalogues, row[which[0]], batch.first[which], per_group
    )
    logits = logits.index_put(which, similarity_bonus, accumulate=True)
    argument_of_value = catalogues.value_argument[row // per_group].unsqueeze(1)
    other_argument = argument_of_value != (batch.slots - len(SLOTS)).unsqueeze(-1)
    out['value'] = logits + other_argument.float() * MASKED
    # Noun phrases.
    row = batch.phrase_row
    h = network.encode_phrases(
        states_at(row, batch.phrase[:, 0]), states_at(row, batch.phrase[:, 1])
    ).unsqueeze(1)
    for name, pointer in (('landmark', network.landmark), ('other', network.other)):
        start_states = states_at(row, getattr(batch, name)[..., 0]).unsqueeze(1)
        out[name] = pointer.start_logits(h, x[row], mask[row]).squeeze(1)
        out[f'{name}_end'] = pointer.end_logits(h, x[row], mask[row], start_states).squeeze(1)
    out['phrase_number'] = network.phrase_number(h).squeeze(1)
    out['phrase_relation'] = network.phrase_relation(h).squeeze(1)
    return out


def _value_similarity(
    instructions: EncodedInstructions, catalogues: CatalogueBatch, row, spans, per_group: int
) -> Tensor:
    """Return (n, values), the best word similarity of each enum value to the words of n spans."""
    group, place = row // per_group, row % per_group
    events = len(EVENTS)
    similarity = (
        SIMILARITY_WEIGHT * instructions.similarity[group, place, :, events:]
        + MATCH_WEIGHT * instructions.exact_match[group, place, :, events:]
    )
    states_at = torch.arange(similarity.shape[1])
    inside = (states_at >= spans[:, :1]) & (states_at <= spans[:, 1:])
    best = similarity.masked_fill(~inside.unsqueeze(-1), -SIMILARITY_WEIGHT).amax(1)  # (n, M')
    membership = one_hot(catalogues.value[group], catalogues.n_values, best.dtype) > 0
    return best.unsqueeze(-1).masked_fill(~membership, -SIMILARITY_WEIGHT).amax(1)


def target_tensors(batch: InstructionBatch) -> dict[str, Tensor]:
    """Return the targets, by the names of `predict`."""
    out = {
        'event': batch.events,
        'role': batch.roles,
        'coverage': batch.coverage,
        'number': batch.number,
        'relation': batch.relation,
        'present': batch.present,
        'truth': batch.truth,
        'value': batch.value,
        'question': batch.question,
        'phrase_number': batch.phrase_number,
        'phrase_relation': batch.phrase_relation,
    }
    for name, spans in (
        ('verb', batch.verbs),
        ('first', batch.first),
        ('second', batch.second),
        ('landmark', batch.landmark),
        ('other', batch.other),
    ):
        out[name], out[f'{name}_end'] = spans[..., 0], spans[..., 1]
    return out


def compute_losses(out: dict[str, Tensor], batch: InstructionBatch) -> dict[str, Tensor]:
    """Return the loss ('total'), and the number of targets and of correct predictions by name.

    Every example weighs the same, except for token tags, which are averaged over tokens.
    """
    counts: dict[str, Tensor] = {}
    total = torch.zeros(())
    for name, target in target_tensors(batch).items():
        logits = out[name].float().flatten(0, -2)
        target = target.flatten()
        loss = F.cross_entropy(logits, target, ignore_index=IGNORED, reduction='sum')
        present = target != IGNORED
        count = present.sum().clamp(min=1)
        weight = LOSS_WEIGHTS[name.removesuffix('_end')]
        # The mean of tags, which are many; the others are summed over an example.
        share = loss / count if name in ('role', 'coverage') else loss / len(batch)
        total = total + weight * share
        counts[f'{name}_correct'] = ((logits.argmax(-1) == target) & present).sum()
        counts[f'{name}_count'] = present.sum()
    return {'total': total, **counts}
