"""What the network is told of each token of an instruction and of a catalogue."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from kimi_ros.reader.cards import SkillCard
from kimi_ros.reader.tokens import Token, tokens_of
from kimi_ros.reader.words import WordTable

UNITS, PIECES = 8192, 4096  # buckets that whole tokens and parts of words are hashed into
PIECES_EACH = 12  # of a word at most
TYPES = ('object', 'point', 'region', 'enum', 'number', 'string', 'bool')
# What part of the input a token belongs to: an instruction by its turn, or a skill.
TURNS, NAME, DESCRIPTION, VALUE, UNIT, ARGUMENT = 3, 3, 4, 5, 6, 7
PARTS = ARGUMENT + len(TYPES)
LONGEST_TEXT, LONGEST_DESCRIPTION = 96, 36  # tokens
NOTHING = -1


@dataclass
class Features:
    """Arrays over the tokens of a sequence.

    :ivar unit: (n,) int64, the token's own bucket.
    :ivar pieces: (n, PIECES_EACH) int64, buckets of its parts, then 0: the bucket of no part.
    :ivar own: (n,) int64, the row of the token itself in the table of words.
    :ivar cover: (n,) int64, the row of the word that it is part of.
    :ivar place: (n,) int64, its place in that word.
    :ivar part: (n,) int64, what part of the input it belongs to.
    :ivar position: (n,) int64, from 0 in each instruction or skill.
    :ivar stem: (n,) int64, the same for words that are the same but for their endings.
    """

    unit: np.ndarray
    pieces: np.ndarray
    own: np.ndarray
    cover: np.ndarray
    place: np.ndarray
    part: np.ndarray
    position: np.ndarray
    stem: np.ndarray

    def __len__(self) -> int:
        return len(self.unit)


@dataclass
class Said:
    """An instruction, and what was said before it, as tokens; the oldest turn first.

    :ivar turns: (n,) of each token, 0 for the instruction.
    """

    tokens: list[Token]
    turns: list[int]
    features: Features


@dataclass
class Catalogue:
    """Skills as tokens, one skill after the other.

    :ivar texts: (n,), the tokens themselves.
    :ivar skill: (n,) int64, the skill that each token belongs to.
    :ivar argument: (n,) int64, its argument, counted over all skills, or `NOTHING`.
    :ivar value: (n,) int64, its enum value, counted over all skills, or `NOTHING`.
    :ivar arguments: of each skill, its arguments' numbers.
    :ivar values: of each argument, its values' numbers.
    """

    features: Features
    texts: list[str]
    skill: np.ndarray
    argument: np.ndarray
    value: np.ndarray
    arguments: list[list[int]]
    values: list[list[int]]


class Featurizer:
    """Makes arrays of texts, by one table of words."""

    def __init__(self, words: WordTable):
        self.words = words

    def said(self, text: str, history: Sequence[str] = ()) -> Said:
        """Return an instruction with up to two before it (the newest first)."""
        tokens, turns, covers = [], [], []
        for turn, said in reversed(list(enumerate([text, *history][:TURNS]))):
            found = tokens_of(said)[:LONGEST_TEXT]
            tokens += found
            turns += [turn] * len(found)
            covers += self.words.covering(found)
        return Said(tokens, turns, self._features(tokens, covers, turns, range(len(tokens))))

    def catalogue(self, cards: Sequence[SkillCard], language: str) -> Catalogue:
        """Return a catalogue, described in the language if it has that."""
        tokens, covers, parts, positions = [], [], [], []
        skill, argument, value = [], [], []
        arguments, values = [], []

        def add(text: str, part: int, a: int = NOTHING, v: int = NOTHING) -> None:
            found = tokens_of(text.replace('_', ' '))[:LONGEST_DESCRIPTION]
            covers.extend(self.words.covering(found))
            tokens.extend(found)
            parts.extend([part] * len(found))
            skill.extend([len(arguments) - 1] * len(found))
            argument.extend([a] * len(found))
            value.extend([v] * len(found))

        n_values = 0
        for card in cards:
            arguments.append([])
            began = len(tokens)
            add(card.name, NAME)
            described = SkillCard(card.name, card.description).described(language)
            add(described, DESCRIPTION)
            for a in card.arguments:
                number = len(values)
                arguments[-1].append(number)
                values.append(list(range(n_values, n_values + len(a.values))))
                n_values += len(a.values)
                add(a.name, ARGUMENT + TYPES.index(a.type), number)
                for v, text in zip(values[-1], a.values, strict=True):
                    add(str(text), VALUE, number, v)
                if a.unit:
                    add(a.unit, UNIT, number)
            positions += range(len(tokens) - began)
        features = self._features(tokens, covers, parts, positions)
        as_array = [np.array(x, np.int64) for x in (skill, argument, value)]
        return Catalogue(features, [t.text for t in tokens], *as_array, arguments, values)

    def _features(self, tokens, covers, parts, positions) -> Features:
        row = self.words.row
        pieces = np.zeros((len(tokens), PIECES_EACH), np.int64)
        for i, token in enumerate(tokens):
            found = _pieces(token.text) if token.kind == 'word' else ()
            pieces[i, : len(found)] = found
        columns = (
            [_unit(token.text, token.kind) for token in tokens],
            pieces,
            [
                row(t.text) or row(cover) * (t.kind == 'word')
                for t, (cover, _) in zip(tokens, covers, strict=True)
            ],
            [row(cover) for cover, _ in covers],
            [place for _, place in covers],
            list(parts),
            list(positions),
            [_bucket(cover, 2**31) for cover, _ in covers],
        )
        return Features(*(np.asarray(column, np.int64) for column in columns))


FEATURES = tuple(field.name for field in fields(Features))


@lru_cache(200_000)
def _unit(text: str, kind: str) -> int:
    # Of a number its length alone: how it is spelt is read by rules.
    return _bucket('0' * len(text) if kind == 'number' else text, UNITS)


@lru_cache(200_000)
def _pieces(word: str) -> tuple[int, ...]:
    framed = f'<{word}>'
    found = [framed[i : i + n] for n in (3, 4, 5) for i in range(len(framed) - n + 1)]
    if len(found) > PIECES_EACH:  # of a long word its ends tell most
        half = PIECES_EACH // 2
        threes = [p for p in found if len(p) == 3]
        found = [framed[:5], framed[-5:], framed[:4], framed[-4:], *threes[:half], *threes[-half:]]
    return tuple(1 + _bucket(piece, PIECES - 1) for piece in dict.fromkeys(found))[:PIECES_EACH]


@lru_cache(200_000)
def _bucket(text: str, buckets: int) -> int:
    return zlib.crc32(text.encode()) % buckets
