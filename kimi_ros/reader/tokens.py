"""Text as tokens that keep their place: English words, Chinese characters, numbers, marks."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_TOKEN = re.compile(
    r'(?P<number>\d+(?:[.,]\d+)*)|(?P<word>[^\W\d_\u3400-\u9fff]+)|(?P<han>[\u3400-\u9fff])'
    r'|(?P<mark>[^\s])'
)


class Token(NamedTuple):
    """A token: its text as rules and tables spell it, and its characters [start, end).

    :ivar kind: 'word', 'han', 'number' or 'mark'.
    """

    text: str
    start: int
    end: int
    kind: str


def plain(text: str) -> str:
    """Return the text in compatibility form and lower case, as many characters as before."""
    return ''.join(_plain(character) for character in text)


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text; their places are those of the text as it was given."""
    flat = plain(text).replace('\u2019', "'")
    return [
        Token(match.group(), match.start(), match.end(), match.lastgroup)
        for match in _TOKEN.finditer(flat)
    ]


def language_of(text: str) -> str:
    """Return 'zh' for a text with Chinese characters, 'en' for any other."""
    return 'zh' if re.search(r'[\u3400-\u9fff]', text) else 'en'


def _plain(character: str) -> str:
    flat = unicodedata.normalize('NFKC', character).lower()
    return (
        flat if len(flat) == 1 else character.lower() if len(character.lower()) == 1 else character
    )
