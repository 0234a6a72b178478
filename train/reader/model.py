"""The reader's network: it reads an instruction beside a catalogue, and points.

Names of sizes: G catalogues in a batch, B instructions under each, L tokens of an instruction,
M tokens of a catalogue (the `EVENTS` first, one token each), C candidates for what comes next (the
`EVENTS`, then the skills), T steps, A things or values that a step may hold.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from kimi_ros.reader.features import PARTS, PIECES, UNITS
from kimi_ros.reader.heads import EVENTS, NUMBERS, ROLES, SLOTS, TOLD
from kimi_ros.reader.reading import QUESTIONS, RELATIONS
from kimi_train.reader.layers import HEAD, Block, Norm, rotary

FAR = -1e4  # of attention: never


@dataclass(frozen=True)
class Sizes:
    """How large the network is."""

    dim: int = 192
    unit: int = 96
    piece: int = 96
    word: int = 112
    encoder: int = 4
    mixer: int = 2
    decoder: int = 1
    slots: int = 1
    point: int = 96
    match: int = 64


class Embedding(nn.Module):
    """Tokens as vectors: the token itself, its parts, what it and the word it is in mean."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.unit = nn.Embedding(UNITS, sizes.unit)
        self.piece = nn.Embedding(PIECES, sizes.piece, padding_idx=0)
        self.token = nn.Linear(sizes.unit + sizes.piece + sizes.word, sizes.dim)
        self.cover = nn.Linear(sizes.word, sizes.dim)
        self.place = nn.Embedding(4, sizes.dim)
        self.part = nn.Embedding(PARTS, sizes.dim)
        self.norm = Norm(sizes.dim)

    def kinds(self, unit: Tensor, pieces: Tensor, own: Tensor) -> Tensor:
        """Return (n, dim) of tokens wherever they stand.

        :param unit: (n,).
        :param pieces: (n, PIECES_EACH).
        :param own: (n, word), the vectors of the tokens.
        """
        parts = self.piece(pieces).sum(-2)
        parts = parts * (1 + (pieces > 0).sum(-1, keepdim=True)).to(parts.dtype).rsqrt()
        return self.token(torch.cat([self.unit(unit), parts, own], -1))

    def forward(self, kinds: Tensor, cover: Tensor, place: Tensor, part: Tensor) -> Tensor:
        """Return (..., n, dim).

        :param kinds: (..., n, dim) of `kinds`.
        :param cover: (..., n, word), the vectors of the words that the tokens are in.
        """
        return self.norm(kinds + self.cover(cover) + self.place(place) + self.part(part))


class Pointer(nn.Module):
    """Points at a span: a start, and an end that knows the start. Place L means: none."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.size = sizes.point
        self.start = nn.Linear(sizes.dim, sizes.point)
        self.end = nn.Linear(sizes.dim, sizes.point)
        self.began = nn.Linear(sizes.dim, sizes.point)
        self.keys = nn.Linear(sizes.dim, 2 * sizes.point)
        self.none = nn.Linear(sizes.dim, 1)

    def starts(self, q: Tensor, x: Tensor, away: Tensor) -> Tensor:
        """Return logits (..., n, L + 1) of queries (..., n, dim) over tokens (..., L, dim).

        :param away: (..., 1, L), `FAR` where there is no token.
        """
        keys = self.keys(x)[..., : self.size]
        logits = (self.start(q) @ keys.transpose(-1, -2)).float() * self.size**-0.5 + away
        return torch.cat([logits, self.none(q).float()], -1)

    def ends(self, q: Tensor, x: Tensor, away: Tensor, began: Tensor) -> Tensor:
        """Return logits (..., n, L), with began (..., n, dim): the tokens that start the spans."""
        keys = self.keys(x)[..., self.size :]
        asked = self.end(q) + self.began(began)
        return (asked @ keys.transpose(-1, -2)).float() * self.size**-0.5 + away


class Network(nn.Module):
    """All of it. The parts are called one by one, as reading needs them."""

    def __init__(self, sizes: Sizes = Sizes()):  # noqa: B008
        super().__init__()
        self.sizes = sizes
        d, heads = sizes.dim, sizes.dim // HEAD
        self.embedding = Embedding(sizes)
        self.encoder = nn.ModuleList(Block(d, 3, False) for _ in range(sizes.encoder))
        self.mixer = nn.ModuleList(Block(d, 3, True) for _ in range(sizes.mixer))
        # How much likeness of words draws each head's attention; another for the same word.
        self.likeness = nn.Parameter(torch.zeros(sizes.mixer, 2, heads))
        self.mixed = Norm(d)
        self.events = nn.Parameter(torch.randn(len(EVENTS), d) * 0.5)
        self.slots_known = nn.Parameter(torch.randn(len(SLOTS), d) * 0.5)
        self.heed = nn.Linear(d, 1)
        self.candidate = nn.Linear(2 * d, d)
        self.argument = nn.Linear(2 * d, d)
        # What comes next.
        self.begin = nn.Parameter(torch.randn(d) * 0.5)
        self.before = nn.ModuleList(nn.Linear(d, d, bias=False) for _ in range(3))
        self.decoder = nn.ModuleList(Block(d, 3, True) for _ in range(sizes.decoder))
        self.decided = Norm(d)
        self.match = Match(sizes)
        self.verb = Pointer(sizes)
        # What it holds.
        self.asked = nn.ModuleList(nn.Linear(d, d, bias=False) for _ in range(4))
        self.holder = nn.ModuleList(Block(d, 3, True) for _ in range(sizes.slots))
        self.held = Norm(d)
        self.first, self.second = Pointer(sizes), Pointer(sizes)
        self.number = nn.Linear(d, len(NUMBERS))
        self.relation = nn.Linear(d, 1 + len(RELATIONS))
        self.present = nn.Linear(d, 2)
        self.truth = nn.Linear(d, 3)
        self.question = nn.Linear(d, len(QUESTIONS))
        self.value = nn.Linear(d, sizes.match)
        self.value_key = nn.Linear(d, sizes.match)
        # Of each token, and of phrases.
        self.role = nn.Linear(d, len(ROLES))
        self.told = nn.Linear(d, len(TOLD))
        self.phrase = nn.Sequential(nn.Linear(2 * d, d), nn.GELU(), nn.Linear(d, d), Norm(d))
        self.landmark, self.other = Pointer(sizes), Pointer(sizes)
        self.phrase_number = nn.Linear(d, len(NUMBERS))
        self.phrase_relation = nn.Linear(d, 1 + len(RELATIONS))

    def encode(self, kinds, cover, place, part, position, whose: Tensor) -> Tensor:
        """Return (..., n, dim) of sequences that may hold several texts.

        :param whose: (..., n), of each token the text that it belongs to; < 0 for none.
        """
        x = self.embedding(kinds, cover, place, part)
        same = whose.unsqueeze(-1) == whose.unsqueeze(-2)
        bias = ((~same).float() * FAR).unsqueeze(-3)
        joined = (whose == torch.roll(whose, 1, -1)) & (position > 0)
        joined = joined.to(x.dtype).unsqueeze(-1)
        turns = rotary(position, x.dtype)
        for block in self.encoder:
            x = block(x, bias, turns, joined)
        return x

    def catalogue(self, y: Tensor, skill: Tensor, argument: Tensor, value: Tensor):
        """Return what the catalogue's tokens say of its skills, arguments and enum values.

        :param y: (..., M', dim), its encoded tokens.
        :param skill: (..., M', skills), 1 where a token is a skill's; so, too, the other two.
        :return: tokens (..., M, dim), candidates (..., C, dim), arguments
            (..., SLOTS + arguments, dim), values (..., values, match).
        """
        heed = self.heed(y).float().clamp(-8, 8).exp().to(y.dtype)
        mean = _mean(skill, y)
        skills = self.candidate(torch.cat([_mean(skill * heed, y), mean], -1))
        share = argument.transpose(-1, -2) @ skill  # of an argument's tokens, to its skill
        share = share / share.sum(-1, keepdim=True).clamp(min=1)
        arguments = self.argument(torch.cat([_mean(argument, y), share @ mean], -1))
        lead = y.shape[:-2]
        events = self.events.expand(*lead, -1, -1)
        known = self.slots_known.expand(*lead, -1, -1)
        return (
            torch.cat([events, y], -2),
            torch.cat([events, skills], -2),
            torch.cat([known, arguments], -2),
            self.value_key(_mean(value, y)),
        )

    def mix(self, x, position, whose, y, away_y, sim, same) -> Tensor:
        """Return the instruction's tokens after they looked at the catalogue's.

        :param x: (G, B, L, dim).
        :param y: (G, M, dim).
        :param away_y: (G, M), `FAR` where there is no token.
        :param sim: (G, B, L, M), likeness of the words' vectors.
        :param same: (G, B, L, M), 1 where the words are the same.
        """
        kin = whose.unsqueeze(-1) == whose.unsqueeze(-2)
        bias = ((~kin).float() * FAR).unsqueeze(-3)
        joined = (position > 0).to(x.dtype).unsqueeze(-1)
        turns = rotary(position, x.dtype)
        other = y.unsqueeze(1)
        for i, block in enumerate(self.mixer):
            draws = self.likeness[i][..., None, None] * 4
            seen = sim.unsqueeze(-3) * draws[0] + same.unsqueeze(-3) * draws[1]
            seen = seen + away_y[:, None, None, None]
            x = block(x, bias, turns, joined, other, seen)
        return self.mixed(x)

    def decide(self, x, away, came: Tensor, verbs: Tensor, things: Tensor) -> Tensor:
        """Return (..., T, dim), what comes next, of what came before.

        :param x: (..., L, dim); away: (..., 1, L).
        :param came: (..., T, dim), the candidates that came; at T = 0 anything.
        :param verbs: (..., T, dim), their verbs' tokens; zero for none.
        :param things: (..., T, dim), the sum of what they held.
        """
        z = sum(part(a) for part, a in zip(self.before, (came, verbs, things), strict=True))
        n = z.shape[-2]
        first = (torch.arange(n) == 0).to(z.dtype).unsqueeze(-1)
        z = z * (1 - first) + self.begin.to(z.dtype) * first
        order = torch.arange(n)
        bias = (order[:, None] < order[None, :]).float() * FAR
        turns = rotary(order, z.dtype)
        for block in self.decoder:
            z = block(z, bias, turns, None, x, away.unsqueeze(-3))
        return self.decided(z)

    def hold(self, x, away, z, came, verbs, arguments, bias) -> Tensor:
        """Return (..., A, dim), what a step holds.

        :param x: (..., L, dim), the tokens of the step's instruction; away: (..., 1, L).
        :param z: (..., 1, dim), the decision; came: (..., 1, dim), its candidate.
        :param verbs: (..., 1, dim); arguments: (..., A, dim).
        :param bias: (..., 1, A), `FAR` where there is no argument.
        """
        parts = zip(self.asked, (z, came, verbs, arguments), strict=True)
        h = sum(part(a) for part, a in parts)
        for block in self.holder:
            h = block(h, bias.unsqueeze(-3), None, None, x, away.unsqueeze(-3))
        return self.held(h)

    def phrases(self, starts: Tensor, ends: Tensor) -> Tensor:
        """Return (n, dim) of phrases, by their first and last tokens (n, dim)."""
        return self.phrase(torch.cat([starts, ends], -1))

    def config(self) -> dict:
        """Return the sizes, for a file."""
        return asdict(self.sizes)


class Match(nn.Module):
    """How well each candidate is what was decided: by meaning, and token by token."""

    HEADS, WORDS = 4, 2

    def __init__(self, sizes: Sizes):
        super().__init__()
        d, m = sizes.dim, sizes.match
        self.size = m
        self.wanted, self.offered = nn.Linear(d, m), nn.Linear(d, m)
        self.wants, self.offers = nn.Linear(d, self.HEADS * 32), nn.Linear(d, self.HEADS * 32)
        self.word, self.name = nn.Linear(d, self.WORDS * 32), nn.Linear(d, self.WORDS * 32)
        self.heeds, self.heeded = nn.Linear(d, self.WORDS * 32), nn.Linear(d, self.WORDS * 32)
        self.likeness = nn.Parameter(torch.tensor([[2.0, 1.0], [2.0, 1.0]]))
        self.weigh = nn.Parameter(torch.full((self.HEADS + self.WORDS,), 0.5))

    def forward(self, z, x, away, y, of: Tensor, candidates, sim, same) -> Tensor:
        """Return logits (G, B, T, C).

        :param z: (G, B, T, dim); x: (G, B, L, dim); away: (G, B, 1, L).
        :param of: (G, M, C), 1 where a token is a candidate's.
        """
        logits = (self.wanted(z) @ self.offered(candidates).unsqueeze(1).transpose(-1, -2)).float()
        logits = logits * self.size**-0.5
        count = of.float().sum(-2).clamp(min=1)[:, None, None, None]  # (G, 1, 1, 1, C)
        hot = of.float()[:, None, None]
        # Decision against the candidates' tokens.
        q = self.wants(z).unflatten(-1, (self.HEADS, 32)).transpose(-2, -3)
        k = self.offers(y).unflatten(-1, (self.HEADS, 32)).transpose(-2, -3).unsqueeze(1)
        by_token = (q @ k.transpose(-1, -2)).float() * 32**-0.5  # (G, B, H, T, M)
        heads = ((by_token.clamp(-12, 12)).exp() @ hot / count + 1e-6).log()
        logits = logits + (heads * self.weigh[: self.HEADS, None, None]).sum(2)
        # The instruction's tokens against the candidates' tokens, by how much each is heeded.
        q = self.word(x).unflatten(-1, (self.WORDS, 32)).transpose(-2, -3)
        k = self.name(y).unflatten(-1, (self.WORDS, 32)).transpose(-2, -3).unsqueeze(1)
        like = self.likeness[..., None, None]
        pairs = (q @ k.transpose(-1, -2)).float() * 32**-0.5
        pairs = pairs + sim.unsqueeze(2) * like[0] + same.unsqueeze(2) * like[1]
        best = ((pairs.clamp(-12, 12)).exp() @ hot / count + 1e-6).log()  # (G, B, W, L, C)
        q = self.heeds(z).unflatten(-1, (self.WORDS, 32)).transpose(-2, -3)
        k = self.heeded(x).unflatten(-1, (self.WORDS, 32)).transpose(-2, -3)
        heed = ((q @ k.transpose(-1, -2)).float() * 32**-0.5 + away.unsqueeze(2)).softmax(-1)
        logits = logits + ((heed @ best) * self.weigh[self.HEADS :, None, None]).sum(2)
        there = of.amax(-2)[:, None, None].float()
        return logits + (1 - there) * FAR


def one_hot(index: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """Return (..., n, count), 1 where the index is; nothing where it is below 0."""
    return (index.unsqueeze(-1) == torch.arange(count)).to(dtype)


def _mean(weights: Tensor, y: Tensor) -> Tensor:
    total = weights.float().sum(-2).unsqueeze(-1).clamp(min=1e-4)
    return (weights.transpose(-1, -2) @ y) / total.to(y.dtype)
