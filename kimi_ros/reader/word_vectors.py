"""Frozen vectors of English and Chinese words."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from kimi_ros.reader.tokenizer import Token

MAX_WORD_LENGTH = 4  # characters of a Chinese word
# Position of a character in its word.
SINGLE, BEGIN, MIDDLE, END = range(4)
_ENDINGS = (
    ('ies', 'y'),
    ('ied', 'y'),
    ('ves', 'f'),
    ('ves', 'fe'),
    ('es', ''),
    ('s', ''),
    ('ed', ''),
    ('ed', 'e'),
    ('d', ''),
    ('ing', ''),
    ('ing', 'e'),
    ('est', ''),
    ('est', 'e'),
    ('er', ''),
    ('er', 'e'),
    ('ly', ''),
)


class WordVectors:
    """Words and their vectors.

    :ivar vectors: (1 + words, size) int8; row 0, of unknown words, is zero.
    """

    def __init__(self, words: list[str], vectors: np.ndarray):
        if len(vectors) != len(words) + 1 or vectors.dtype != np.int8:
            raise ValueError(f'{len(words)} words need as many int8 vectors and one more')
        self.words, self.vectors = words, vectors
        self._rows = {word: row for row, word in enumerate(words, 1)}
        self.stem = lru_cache(100_000)(self._stem)

    @classmethod
    def load(cls, folder: Path) -> WordVectors:
        """Read words.txt and vectors.npy. Raises OSError, and ValueError if they do not match."""
        words = (folder / 'words.txt').read_text(encoding='utf-8').split('\n')[:-1]
        return cls(words, np.load(folder / 'vectors.npy'))

    def save(self, folder: Path) -> None:
        """Write what `load` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'words.txt').write_text('\n'.join(self.words) + '\n', encoding='utf-8')
        np.save(folder / 'vectors.npy', self.vectors)

    def row(self, word: str) -> int:
        """Return the row of a word, 0 if unknown."""
        return self._rows.get(word, 0)

    def normalized(self) -> np.ndarray:
        """Return (1 + words, 2 * size) float32: vectors of length 1, English left, Chinese right.

        The vectors of the two languages are from different sources, so their dimensions differ.
        """
        vectors = self.vectors.astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
        han = np.array([False, *(word[0] >= '\u3400' for word in self.words)])[:, None]
        return np.concatenate([vectors * ~han, vectors * han], 1)

    def _stem(self, word: str) -> str:
        """Return the stem of an English word: a known word if possible."""
        if word in self._rows:
            return word
        for ending, replacement in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) > 1:
                base = word[: len(word) - len(ending)]
                for stem in (base + replacement, base[:-1] if base[-1:] == base[-2:-1] else ''):
                    if stem in self._rows:
                        return stem
        return re.sub('(?:es|s)$', '', word)

    def word_segments(self, tokens: list[Token]) -> list[tuple[str, int]]:
        """Return for each token its word and its position in the word.

        Chinese is segmented greedily, by the longest known word; of an English token, the stem;
        any other token is itself.
        """
        out: list[tuple[str, int]] = []
        while len(out) < len(tokens):
            at = len(out)
            token = tokens[at]
            if token.kind != 'han':
                out.append((self.stem(token.text) if token.kind == 'word' else token.text, SINGLE))
                continue
            length = self._longest_word(tokens, at)
            word = ''.join(t.text for t in tokens[at : at + length])
            tags = [BEGIN, *[MIDDLE] * (length - 2), END] if length > 1 else [SINGLE]
            out += [(word, place) for place in tags]
        return out

    def _longest_word(self, tokens: list[Token], at: int) -> int:
        run = 1
        while run < MAX_WORD_LENGTH and at + run < len(tokens) and tokens[at + run].kind == 'han':
            run += 1
        while run > 1 and ''.join(t.text for t in tokens[at : at + run]) not in self._rows:
            run -= 1
        return run
