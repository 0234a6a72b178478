"""Batches of examples as tensors: some catalogues, and some instructions under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kimi_ros.reader.features import FEATURES, NOTHING, PIECES_EACH, Features, Featurizer
from kimi_ros.reader.heads import EVENTS
from kimi_train.reader.language.example import Example
from kimi_train.reader.targets import IGNORED, NONE, Target, TargetMaker, Unreadable


@dataclass
class Tokens:
    """Sequences of tokens as tensors; what tells one kind of token from another stands apart.

    :ivar unit: (U,) of the different tokens; pieces: (U, PIECES_EACH); own: (U,).
    :ivar kind: (n, length), which of these a token is; the others likewise, of each token.
    """

    unit: Tensor
    pieces: Tensor
    own: Tensor
    kind: Tensor
    cover: Tensor
    place: Tensor
    part: Tensor
    position: Tensor
    stem: Tensor


@dataclass
class Catalogues:
    """Catalogues as tensors; sizes are named in model.py.

    :ivar skill: (G, M') of each token, as in `Catalogue`; so argument and value.
    :ivar value_argument: (G, values), the argument that each enum value is of.
    """

    tokens: Tokens
    skill: Tensor
    argument: Tensor
    value: Tensor
    value_argument: Tensor
    n_skills: int
    n_arguments: int
    n_values: int


@dataclass
class Batch:
    """Instructions as tensors, as many under each catalogue; N = G * B, P steps and Q phrases.

    Spans are (..., 2): the first token or L for none, and the last token or IGNORED.

    :ivar events: (N, T) candidates; verbs: (N, T, 2).
    :ivar step_row: (P,) the instruction of each step that holds something; step_at: (P,) its T.
    :ivar slots: (P, A) what it holds, NOTHING for none; then their answers.
    :ivar phrase_row: (Q,) the instruction of each phrase; phrase: (Q, 2).
    """

    tokens: Tokens
    events: Tensor
    verbs: Tensor
    roles: Tensor
    told: Tensor
    step_row: Tensor
    step_at: Tensor
    slots: Tensor
    first: Tensor
    second: Tensor
    number: Tensor
    relation: Tensor
    present: Tensor
    truth: Tensor
    value: Tensor
    question: Tensor
    phrase_row: Tensor
    phrase: Tensor
    phrase_number: Tensor
    phrase_relation: Tensor
    landmark: Tensor
    other: Tensor

    def __len__(self) -> int:
        return len(self.events)


class Collator:
    """Makes tensors of examples that share catalogues.

    :param forget: share of words whose meaning is hidden, and of tokens whose spelling is.
    """

    def __init__(self, featurizer: Featurizer, forget: float = 0.0):
        self._featurizer, self._forget = featurizer, forget
        self.unreadable = 0

    def step(
        self, groups: Sequence[Sequence[Example]], cuts: Sequence[int], rng: np.random.Generator
    ) -> tuple[Catalogues, list[Batch]]:
        """Return groups' catalogues and their examples, in batches by length.

        Lest every instruction is filled up to the longest of all.

        :param cuts: how many of each group go into each batch, the shortest first; an example
            that tokens cannot tell gives way to another of its group.
        """
        catalogues = [self._featurizer.catalogue(g[0].catalogue, g[0].lang) for g in groups]
        read = []
        for group, catalogue in zip(groups, catalogues, strict=True):
            told = self._read(group, catalogue)
            told = [told[i % len(told)] for i in range(sum(cuts))]
            read.append(sorted(told, key=lambda pair: len(pair[0])))
        seed = int(rng.integers(2**32))
        batches, at = [], 0
        for cut in cuts:
            rows = [pair for group in read for pair in group[at : at + cut]]
            at += cut
            features, targets = zip(*rows, strict=True)
            tokens = self._tokens(features, 4, seed)
            batches.append(_batch(tokens, targets))
        return self._catalogues(catalogues, seed), batches

    def _read(self, group: Sequence[Example], catalogue) -> list[tuple[Features, Target]]:
        out = []
        for example in group:
            said = self._featurizer.said(example.text, example.history)
            try:
                target = TargetMaker(example, said, catalogue).target()
            except Unreadable:
                self.unreadable += 1
                continue
            out.append((said.features, target))
        if not out:
            raise ValueError(f'no example of a group can be told in tokens: {group[0]}')
        return out

    def _catalogues(self, catalogues, seed: int) -> Catalogues:
        tokens = self._tokens([c.features for c in catalogues], 16, seed)
        length = tokens.kind.shape[1]
        of = [
            torch.from_numpy(_padded([getattr(c, name) for c in catalogues], length))
            for name in ('skill', 'argument', 'value')
        ]
        n_values = max(1, max(1 + max(c.value, default=0) for c in catalogues))
        owner = np.full((len(catalogues), n_values), NOTHING, np.int64)
        for row, catalogue in zip(owner, catalogues, strict=True):
            for argument, values in enumerate(catalogue.values):
                row[values] = argument
        return Catalogues(
            tokens,
            *of,
            torch.from_numpy(owner),
            max(len(c.arguments) for c in catalogues),
            max(1, max(len(c.values) for c in catalogues)),
            n_values,
        )

    def _tokens(self, features: Sequence[Features], multiple: int, seed: int) -> Tokens:
        arrays = _stacked(features, multiple)
        cover, own, stem = (arrays[name] for name in ('cover', 'own', 'stem'))
        unit = arrays['unit']
        if self._forget:
            # By the word, in instructions and catalogues alike.
            unknown = _chance(stem, seed) < self._forget
            cover, own = cover * ~unknown, own * ~unknown
        key = unit * 2**20 + own
        _, first, kind = np.unique(key, return_index=True, return_inverse=True)
        unit, own = unit.reshape(-1)[first], own.reshape(-1)[first]
        pieces = arrays['pieces'].reshape(-1, PIECES_EACH)[first]
        if self._forget:
            dice = _chance(unit, seed + 1)
            unit = unit * (dice >= self._forget)
            pieces = pieces * (dice >= self._forget / 2)[:, None]
        out = {
            'unit': unit, 'pieces': pieces, 'own': own, 'kind': kind.reshape(stem.shape),
            'cover': cover, 'stem': stem,
        }  # fmt: skip
        out |= {name: arrays[name] for name in ('place', 'part', 'position')}
        return Tokens(**{name: torch.from_numpy(array) for name, array in out.items()})


def _chance(numbers: np.ndarray, seed: int) -> np.ndarray:
    """Return a share of 1 for each number, the same for the same number and seed."""
    mixed = (numbers.astype(np.uint64) + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(40)).astype(np.float64) / 2**24


def _batch(tokens: Tokens, targets: Sequence[Target]) -> Batch:
    length = tokens.kind.shape[1]
    arrays = _decisions(targets, length) | _tags(targets, length)
    arrays |= _steps(targets, length) | _phrases(targets, length)
    return Batch(tokens, **{name: torch.from_numpy(array) for name, array in arrays.items()})


def _stacked(features: Sequence[Features], multiple: int) -> dict[str, np.ndarray]:
    length = max(map(len, features))
    length = -(-length // multiple) * multiple
    out = {}
    for name in FEATURES:
        arrays = [getattr(f, name) for f in features]
        out[name] = _padded(arrays, length, NOTHING if name in ('part', 'stem') else 0)
    return out


def _padded(arrays: Sequence[np.ndarray], length: int, fill: int = NOTHING) -> np.ndarray:
    out = np.full((len(arrays), length, *arrays[0].shape[1:]), fill, np.int64)
    for row, array in zip(out, arrays, strict=True):
        row[: len(array)] = array
    return out


def _span(place, length: int) -> tuple[int, int]:
    return (length, IGNORED) if place[0] == NONE else place


def _decisions(targets: Sequence[Target], length: int) -> dict:
    steps = max(len(t.events) for t in targets)
    events = np.full((len(targets), steps), IGNORED, np.int64)
    verbs = np.full((len(targets), steps, 2), IGNORED, np.int64)
    for row, target in enumerate(targets):
        for at, event in enumerate(target.events):
            events[row, at] = event.candidate
            if event.candidate >= len(EVENTS) or event.candidate == EVENTS.index('no_skill'):
                verbs[row, at] = _span(event.verb, length)
    return {'events': events, 'verbs': verbs}


def _tags(targets: Sequence[Target], length: int) -> dict:
    return {
        'roles': _padded([t.roles for t in targets], length, IGNORED),
        'told': _padded([t.told for t in targets], length, IGNORED),
    }


_ANSWERS = ('number', 'relation', 'present', 'truth', 'value', 'question')


def _steps(targets: Sequence[Target], length: int) -> dict:
    steps = [
        (row, at, event)
        for row, target in enumerate(targets)
        for at, event in enumerate(target.events)
        if event.slots
    ]
    steps = steps or [(0, 0, None)]
    most = max([len(event.slots) for *_, event in steps if event], default=1)
    shape = (len(steps), most)
    out = {name: np.full(shape, IGNORED, np.int64) for name in _ANSWERS}
    out['slots'] = np.full(shape, NOTHING, np.int64)
    for name in ('first', 'second'):
        out[name] = np.full((*shape, 2), IGNORED, np.int64)
    for i, (_, _, event) in enumerate(steps):
        for a, slot in enumerate(event.slots if event else ()):
            out['slots'][i, a] = slot.index
            out['first'][i, a] = _span(slot.first, length)
            out['second'][i, a] = _span(slot.second, length)
            for name in _ANSWERS:
                out[name][i, a] = getattr(slot, name)
    out['step_row'] = np.array([row for row, *_ in steps], np.int64)
    out['step_at'] = np.array([at for _, at, _ in steps], np.int64)
    return out


def _phrases(targets: Sequence[Target], length: int) -> dict:
    found = [(row, phrase) for row, target in enumerate(targets) for phrase in target.phrases]
    return {
        'phrase_row': np.array([row for row, _ in found], np.int64),
        'phrase': np.array([p.place for _, p in found], np.int64).reshape(-1, 2),
        'phrase_number': np.array([p.number for _, p in found], np.int64),
        'phrase_relation': np.array([p.relation for _, p in found], np.int64),
        'landmark': np.array([_span(p.landmark, length) for _, p in found], np.int64).reshape(
            -1, 2
        ),
        'other': np.array([_span(p.other, length) for _, p in found], np.int64).reshape(-1, 2),
    }
