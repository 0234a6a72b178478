"""Tokenized instructions and skill catalogues, as arrays of input features."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from kimi_ros.reader.skill_card import SkillCard
from kimi_ros.reader.tokenizer import Token, tokenize
from kimi_ros.reader.word_vectors import WordVectors

TOKEN_BUCKETS, NGRAM_BUCKETS = 8192, 4096  # hash buckets of tokens and of their character n-grams
MAX_NGRAMS = 12  # per token
ARGUMENT_TYPES = ('object', 'point', 'region', 'enum', 'number', 'string', 'bool')
# Segment of a token: the turn of an instruction, or a field of a skill.
MAX_TURNS, NAME, DESCRIPTION, VALUE, UNIT, ARGUMENT = 3, 3, 4, 5, 6, 7
SEGMENTS = ARGUMENT + len(ARGUMENT_TYPES)
MAX_TEXT_TOKENS, MAX_DESCRIPTION_TOKENS = 96, 36  # tokens
NO_INDEX = -1


@dataclass
class Features:
    """Arrays over the tokens of a sequence.

    :ivar token_bucket: (n,) int64, the token's hash bucket.
    :ivar ngrams: (n, MAX_NGRAMS) int64, hash buckets of its character n-grams, padded with 0.
    :ivar token_row: (n,) int64, the row of the token in the word vectors, 0 if unknown.
    :ivar word_row: (n,) int64, the row of the word that contains it.
    :ivar word_position: (n,) int64, its tag in that word: `SINGLE`, `BEGIN`, `MIDDLE`, `END`.
    :ivar segment: (n,) int64, its segment: the turn of an instruction, or a field of a skill.
    :ivar position: (n,) int64, its position in the instruction or skill.
    :ivar stem: (n,) int64, hash of the stem of its word.
    """

    token_bucket: np.ndarray
    ngrams: np.ndarray
    token_row: np.ndarray
    word_row: np.ndarray
    word_position: np.ndarray
    segment: np.ndarray
    position: np.ndarray
    stem: np.ndarray

    def __len__(self) -> int:
        return len(self.token_bucket)


@dataclass
class TokenizedInstruction:
    """Tokens of an instruction and the turns before it, oldest first.

    :ivar turns: (n,) of each token, 0 for the instruction.
    """

    tokens: list[Token]
    turns: list[int]
    features: Features


@dataclass
class TokenizedCatalogue:
    """Tokens of all skills, one after the other.

    :ivar texts: (n,), the tokens themselves.
    :ivar skill: (n,) int64, the skill that each token belongs to.
    :ivar argument: (n,) int64, index of its argument over all skills, or `NO_INDEX`.
    :ivar value: (n,) int64, index of its enum value over all skills, or `NO_INDEX`.
    :ivar arguments: argument indices by skill.
    :ivar values: enum value indices by argument.
    """

    features: Features
    texts: list[str]
    skill: np.ndarray
    argument: np.ndarray
    value: np.ndarray
    arguments: list[list[int]]
    values: list[list[int]]


class Featurizer:
    """Tokenizes texts and computes their features."""

    def __init__(self, words: WordVectors):
        self.words = words

    def tokenize_instruction(self, text: str, history: Sequence[str] = ()) -> TokenizedInstruction:
        """Return the tokens of an instruction and of up to two before it.

        :param history: the newest first.
        """
        tokens, turns, words = [], [], []
        for turn, tokenized in reversed(list(enumerate([text, *history][:MAX_TURNS]))):
            found = tokenize(tokenized)[:MAX_TEXT_TOKENS]
            tokens += found
            turns += [turn] * len(found)
            words += self.words.word_segments(found)
        return TokenizedInstruction(
            tokens, turns, self._to_arrays(tokens, words, turns, range(len(tokens)))
        )

    def tokenize_catalogue(self, cards: Sequence[SkillCard], language: str) -> TokenizedCatalogue:
        """Return the tokens of a catalogue, described in the language if possible."""
        tokens: list[Token] = []
        words: list[tuple[str, int]] = []
        segments: list[int] = []
        positions: list[int] = []
        skill: list[int] = []
        argument: list[int] = []
        value: list[int] = []
        arguments: list[list[int]] = []
        values: list[list[int]] = []

        def add(text: str, segment: int, a: int = NO_INDEX, v: int = NO_INDEX) -> None:
            found = tokenize(text.replace('_', ' '))[:MAX_DESCRIPTION_TOKENS]
            words.extend(self.words.word_segments(found))
            tokens.extend(found)
            segments.extend([segment] * len(found))
            skill.extend([len(arguments) - 1] * len(found))
            argument.extend([a] * len(found))
            value.extend([v] * len(found))

        n_values = 0
        for card in cards:
            arguments.append([])
            start = len(tokens)
            add(card.name, NAME)
            described = SkillCard(card.name, card.description).description_in(language)
            add(described, DESCRIPTION)
            for a in card.arguments:
                number = len(values)
                arguments[-1].append(number)
                values.append(list(range(n_values, n_values + len(a.values))))
                n_values += len(a.values)
                add(a.name, ARGUMENT + ARGUMENT_TYPES.index(a.type), number)
                for v, text in zip(values[-1], a.values, strict=True):
                    add(str(text), VALUE, number, v)
                if a.unit:
                    add(a.unit, UNIT, number)
            positions += range(len(tokens) - start)
        features = self._to_arrays(tokens, words, segments, positions)
        return TokenizedCatalogue(
            features,
            [token.text for token in tokens],
            np.array(skill, np.int64),
            np.array(argument, np.int64),
            np.array(value, np.int64),
            arguments,
            values,
        )

    def _to_arrays(
        self,
        tokens: Sequence[Token],
        words: Sequence[tuple[str, int]],
        segments: Sequence[int],
        positions: Sequence[int],
    ) -> Features:
        row = self.words.row
        ngrams = np.zeros((len(tokens), MAX_NGRAMS), np.int64)
        for i, token in enumerate(tokens):
            found = _ngrams(token.text) if token.kind == 'word' else ()
            ngrams[i, : len(found)] = found
        columns = (
            [_token_bucket(token.text, token.kind) for token in tokens],
            ngrams,
            [
                row(t.text) or row(word) * (t.kind == 'word')
                for t, (word, _) in zip(tokens, words, strict=True)
            ],
            [row(word) for word, _ in words],
            [position_in_word for _, position_in_word in words],
            list(segments),
            list(positions),
            [_bucket(word, 2**31) for word, _ in words],
        )
        return Features(*(np.asarray(column, np.int64) for column in columns))


FEATURES = tuple(field.name for field in fields(Features))


@lru_cache(200_000)
def _token_bucket(text: str, kind: str) -> int:
    # A number is represented by its length: rules parse its value.
    return _bucket('0' * len(text) if kind == 'number' else text, TOKEN_BUCKETS)


@lru_cache(200_000)
def _ngrams(word: str) -> tuple[int, ...]:
    padded = f'<{word}>'
    found = [padded[i : i + n] for n in (3, 4, 5) for i in range(len(padded) - n + 1)]
    if len(found) > MAX_NGRAMS:  # keep those at both ends of a long word
        half = MAX_NGRAMS // 2
        threes = [p for p in found if len(p) == 3]
        found = [padded[:5], padded[-5:], padded[:4], padded[-4:], *threes[:half], *threes[-half:]]
    return tuple(1 + _bucket(piece, NGRAM_BUCKETS - 1) for piece in dict.fromkeys(found))[
        :MAX_NGRAMS
    ]


@lru_cache(200_000)
def _bucket(text: str, buckets: int) -> int:
    return zlib.crc32(text.encode()) % buckets
