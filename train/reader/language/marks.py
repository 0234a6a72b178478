"""Texts that carry their spans along: marks in the text open and close what a reading points at.

A text is built by putting strings together in any way; `Marks` wraps a piece in two characters of
the private use area, and `strip` takes them out again at the end and tells where each piece lies.
"""

from __future__ import annotations

import re

__all__ = ['Marks', 'bare', 'strip']

_OPEN, _CLOSE, _MOST = 0xE000, 0xEC00, 0xC00
_OPENING = [chr(_OPEN + i) for i in range(_MOST)]
_CLOSING = [chr(_CLOSE + i) for i in range(_MOST)]
_MARK = re.compile('([\ue000-\uf7ff])')


class Marks:
    """Numbers pieces of one example, from 1."""

    __slots__ = ('count',)

    def __init__(self):
        self.count = 0

    def __call__(self, text: str) -> tuple[int, str]:
        """Return the number of the piece, and the piece between its marks."""
        self.count += 1
        return self.count, _OPENING[self.count] + text + _CLOSING[self.count]

    def open_close(self) -> tuple[int, str, str]:
        """Return a new number and its two marks, for a piece that is written in parts."""
        self.count += 1
        return self.count, _OPENING[self.count], _CLOSING[self.count]


def strip(text: str) -> tuple[str, dict[int, tuple[int, int]]]:
    """Return the text without marks, and start and end of each marked piece by its number.

    A piece that is said twice counts where it is said first.
    """
    starts: dict[int, int] = {}
    spans: dict[int, tuple[int, int]] = {}
    pieces = []
    at = 0
    for i, piece in enumerate(_MARK.split(text)):
        if not i & 1:
            pieces.append(piece)
            at += len(piece)
        elif (code := ord(piece)) < _CLOSE:
            starts.setdefault(code - _OPEN, at)
        else:
            spans.setdefault(code - _CLOSE, (starts[code - _CLOSE], at))
    return ''.join(pieces), spans


def bare(text: str) -> str:
    """Return the text without its marks."""
    return _MARK.sub('', text)
