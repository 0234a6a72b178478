"""Collates examples into tensors: some catalogues, and some instructions for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kimi_ros.reader.features import FEATURES, MAX_NGRAMS, NO_INDEX, Features, Featurizer
from kimi_ros.reader.labels import EVENTS
from kimi_train.reader.language.example import Example
from kimi_train.reader.targets import (
    IGNORED,
    NO_TOKEN,
    ExampleTargets,
    TargetEncoder,
    UnalignedSpan,
)


@dataclass
class TokenTensors:
    """Padded token sequences, with the features of distinct tokens stored once.

    :ivar token_bucket: (U,) of the distinct tokens; ngrams: (U, MAX_NGRAMS); token_row: (U,).
    :ivar token_type: (n, length), index of the distinct token; the other features: (n, length).
    """

    token_bucket: Tensor
    ngrams: Tensor
    token_row: Tensor
    token_type: Tensor
    word_row: Tensor
    word_position: Tensor
    segment: Tensor
    position: Tensor
    stem: Tensor


@dataclass
class CatalogueBatch:
    """Catalogues as tensors; sizes are named in model.py.

    :ivar skill: (G, M') as in `TokenizedCatalogue`, likewise argument and value.
    :ivar value_argument: (G, values), the argument of each enum value.
    """

    tokens: TokenTensors
    skill: Tensor
    argument: Tensor
    value: Tensor
    value_argument: Tensor
    n_skills: int
    n_arguments: int
    n_values: int


@dataclass
class InstructionBatch:
    """Instructions and targets, equally many per catalogue: N = G * B, P steps, Q phrases.

    Spans are (..., 2): the first token or L for none, and the last token or IGNORED.

    :ivar events: (N, T) candidates; verbs: (N, T, 2).
    :ivar step_row: (P,) the instruction of each step with slots; step_at: (P,) its index T.
    :ivar slots: (P, A) slot indices, `NO_INDEX` for padding; followed by their labels.
    :ivar phrase_row: (Q,) the instruction of each phrase; phrase: (Q, 2).
    """

    tokens: TokenTensors
    events: Tensor
    verbs: Tensor
    roles: Tensor
    coverage: Tensor
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
    """Collates groups of examples that share a catalogue.

    :param word_dropout: share of words without vector, and of tokens without spelling features.
    :ivar skipped: examples with spans that do not align with tokens.
    """

    def __init__(self, featurizer: Featurizer, word_dropout: float = 0.0):
        self._featurizer, self._word_dropout = featurizer, word_dropout
        self.skipped = 0

    def collate(
        self,
        groups: Sequence[Sequence[Example]],
        batch_sizes: Sequence[int],
        rng: np.random.Generator,
    ) -> tuple[CatalogueBatch, list[InstructionBatch]]:
        """Return the groups' catalogues and their examples, in batches of similar length.

        :param batch_sizes: how many examples of each group go into each batch, the shortest first;
            unaligned examples are replaced by others of their group.
        """
        catalogues = [
            self._featurizer.tokenize_catalogue(g[0].catalogue, g[0].lang) for g in groups
        ]
        encoded_groups = []
        for group, catalogue in zip(groups, catalogues, strict=True):
            encoded = self._read(group, catalogue)
            encoded = [encoded[i % len(encoded)] for i in range(sum(batch_sizes))]
            encoded_groups.append(sorted(encoded, key=lambda pair: len(pair[0])))
        seed = int(rng.integers(2**32))
        batches, at = [], 0
        for batch_size in batch_sizes:
            rows = [pair for group in encoded_groups for pair in group[at : at + batch_size]]
            at += batch_size
            features, targets = zip(*rows, strict=True)
            tokens = self._tokens(features, 4, seed)
            batches.append(_batch(tokens, targets))
        return self._catalogues(catalogues, seed), batches

    def _read(self, group: Sequence[Example], catalogue) -> list[tuple[Features, ExampleTargets]]:
        out = []
        for example in group:
            tokenized = self._featurizer.tokenize_instruction(example.text, example.history)
            try:
                target = TargetEncoder(example, tokenized, catalogue).encode()
            except UnalignedSpan:
                self.skipped += 1
                continue
            out.append((tokenized.features, target))
        if not out:
            raise ValueError(f'no example of a group aligns with its tokens: {group[0]}')
        return out

    def _catalogues(self, catalogues, seed: int) -> CatalogueBatch:
        tokens = self._tokens([c.features for c in catalogues], 16, seed)
        length = tokens.token_type.shape[1]
        indices = [
            torch.from_numpy(_pad([getattr(c, name) for c in catalogues], length))
            for name in ('skill', 'argument', 'value')
        ]
        n_values = max(1, max(1 + max(c.value, default=0) for c in catalogues))
        argument_of_value = np.full((len(catalogues), n_values), NO_INDEX, np.int64)
        for row, catalogue in zip(argument_of_value, catalogues, strict=True):
            for argument, values in enumerate(catalogue.values):
                row[values] = argument
        return CatalogueBatch(
            tokens,
            *indices,
            torch.from_numpy(argument_of_value),
            max(len(c.arguments) for c in catalogues),
            max(1, max(len(c.values) for c in catalogues)),
            n_values,
        )

    def _tokens(self, features: Sequence[Features], multiple: int, seed: int) -> TokenTensors:
        arrays = _stack(features, multiple)
        word_row, token_row, stem = (arrays[name] for name in ('word_row', 'token_row', 'stem'))
        token_bucket = arrays['token_bucket']
        if self._word_dropout:
            # By the word, in instructions and catalogues alike.
            dropped = _hash_to_unit(stem, seed) < self._word_dropout
            word_row, token_row = word_row * ~dropped, token_row * ~dropped
        key = token_bucket * 2**20 + token_row
        _, first, token_type = np.unique(key, return_index=True, return_inverse=True)
        token_bucket, token_row = token_bucket.reshape(-1)[first], token_row.reshape(-1)[first]
        ngrams = arrays['ngrams'].reshape(-1, MAX_NGRAMS)[first]
        if self._word_dropout:
            chances = _hash_to_unit(token_bucket, seed + 1)
            token_bucket = token_bucket * (chances >= self._word_dropout)
            ngrams = ngrams * (chances >= self._word_dropout / 2)[:, None]
        out = {
            'token_bucket': token_bucket,
            'ngrams': ngrams,
            'token_row': token_row,
            'token_type': token_type.reshape(stem.shape),
            'word_row': word_row,
            'stem': stem,
        }
        out |= {name: arrays[name] for name in ('word_position', 'segment', 'position')}
        return TokenTensors(**{name: torch.from_numpy(array) for name, array in out.items()})


def _hash_to_unit(numbers: np.ndarray, seed: int) -> np.ndarray:
    """Return a hash in [0, 1) of each number and the seed."""
    mixed = (numbers.astype(np.uint64) + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(40)).astype(np.float64) / 2**24


def _batch(tokens: TokenTensors, targets: Sequence[ExampleTargets]) -> InstructionBatch:
    length = tokens.token_type.shape[1]
    arrays = _event_arrays(targets, length) | _tag_arrays(targets, length)
    arrays |= _slot_arrays(targets, length) | _phrase_arrays(targets, length)
    return InstructionBatch(
        tokens, **{name: torch.from_numpy(array) for name, array in arrays.items()}
    )


def _stack(features: Sequence[Features], multiple: int) -> dict[str, np.ndarray]:
    length = max(map(len, features))
    length = -(-length // multiple) * multiple
    out = {}
    for name in FEATURES:
        arrays = [getattr(f, name) for f in features]
        out[name] = _pad(arrays, length, NO_INDEX if name in ('segment', 'stem') else 0)
    return out


def _pad(arrays: Sequence[np.ndarray], length: int, fill: int = NO_INDEX) -> np.ndarray:
    out = np.full((len(arrays), length, *arrays[0].shape[1:]), fill, np.int64)
    for row, array in zip(out, arrays, strict=True):
        row[: len(array)] = array
    return out


def _span_target(place, length: int) -> tuple[int, int]:
    return (length, IGNORED) if place[0] == NO_TOKEN else place


def _event_arrays(targets: Sequence[ExampleTargets], length: int) -> dict:
    steps = max(len(t.events) for t in targets)
    events = np.full((len(targets), steps), IGNORED, np.int64)
    verbs = np.full((len(targets), steps, 2), IGNORED, np.int64)
    for row, target in enumerate(targets):
        for at, event in enumerate(target.events):
            events[row, at] = event.candidate
            if event.candidate >= len(EVENTS) or event.candidate == EVENTS.index('no_skill'):
                verbs[row, at] = _span_target(event.verb, length)
    return {'events': events, 'verbs': verbs}


def _tag_arrays(targets: Sequence[ExampleTargets], length: int) -> dict:
    return {
        'roles': _pad([t.roles for t in targets], length, IGNORED),
        'coverage': _pad([t.coverage for t in targets], length, IGNORED),
    }


_SLOT_LABELS = ('number', 'relation', 'present', 'truth', 'value', 'question')


def _slot_arrays(targets: Sequence[ExampleTargets], length: int) -> dict:
    steps = [
        (row, at, event)
        for row, target in enumerate(targets)
        for at, event in enumerate(target.events)
        if event.slots
    ]
    steps = steps or [(0, 0, None)]
    most = max([len(event.slots) for *_, event in steps if event], default=1)
    shape = (len(steps), most)
    out = {name: np.full(shape, IGNORED, np.int64) for name in _SLOT_LABELS}
    out['slots'] = np.full(shape, NO_INDEX, np.int64)
    for name in ('first', 'second'):
        out[name] = np.full((*shape, 2), IGNORED, np.int64)
    for i, (_, _, event) in enumerate(steps):
        for a, slot in enumerate(event.slots if event else ()):
            out['slots'][i, a] = slot.index
            out['first'][i, a] = _span_target(slot.first, length)
            out['second'][i, a] = _span_target(slot.second, length)
            for name in _SLOT_LABELS:
                out[name][i, a] = getattr(slot, name)
    out['step_row'] = np.array([row for row, *_ in steps], np.int64)
    out['step_at'] = np.array([at for _, at, _ in steps], np.int64)
    return out


def _phrase_arrays(targets: Sequence[ExampleTargets], length: int) -> dict:
    found = [(row, phrase) for row, target in enumerate(targets) for phrase in target.phrases]
    return {
        'phrase_row': np.array([row for row, _ in found], np.int64),
        'phrase': np.array([p.token_span for _, p in found], np.int64).reshape(-1, 2),
        'phrase_number': np.array([p.number for _, p in found], np.int64),
        'phrase_relation': np.array([p.relation for _, p in found], np.int64),
        'landmark': np.array(
            [_span_target(p.landmark, length) for _, p in found], np.int64
        ).reshape(-1, 2),
        'other': np.array([_span_target(p.other, length) for _, p in found], np.int64).reshape(
            -1, 2
        ),
    }
