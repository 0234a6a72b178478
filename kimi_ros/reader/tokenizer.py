"""Tokenizer with offsets: English words, Chinese characters, numbers and punctuation."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_TOKEN = re.compile(
    r'(?P<number>\d+(?:[.,]\d+)*)|(?P<word>[^\W\d_\u3400-\u9fff]+)|(?P<han>[\u3400-\u9fff])'
    r'|(?P<mark>[^\s])'
)


class Token(NamedTuple):
    """A token: its normalized text, and its characters [start, end) in the original.

    :ivar kind: 'word', 'han', 'number' or 'mark'.
    """

    text: str
    start: int
    end: int
    kind: str


def normalize(text: str) -> str:
    """Return the text in NFKC and lower case, with the same number of characters."""
    return ''.join(_normalize_character(character) for character in text)


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text, with offsets into the original."""
    normalized = normalize(text).replace('\u2019', "'")
    return [
        Token(match.group(), match.start(), match.end(), match.lastgroup or '')
        for match in _TOKEN.finditer(normalized)
    ]


def detect_language(text: str) -> str:
    """Return 'zh' for a text with a Chinese character, else 'en'."""
    return 'zh' if re.search(r'[\u3400-\u9fff]', text) else 'en'


def _normalize_character(character: str) -> str:
    normalized = unicodedata.normalize('NFKC', character).lower()
    return (
        normalized
        if len(normalized) == 1
        else character.lower()
        if len(character.lower()) == 1
        else character
    )
