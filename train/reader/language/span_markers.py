"""Inline span markers: annotated text that can be concatenated and filled into templates.

`SpanMarkers` wraps a piece of text in two characters of the private use area; `extract_spans`
removes them from the finished text and returns the character offsets of each piece.
"""

from __future__ import annotations

import re

__all__ = ['SpanMarkers', 'remove_markers', 'extract_spans']

_OPEN, _CLOSE, _MAX_SPANS = 0xE000, 0xEC00, 0xC00
_OPENING = [chr(_OPEN + i) for i in range(_MAX_SPANS)]
_CLOSING = [chr(_CLOSE + i) for i in range(_MAX_SPANS)]
_MARK = re.compile('([\ue000-\uf7ff])')


class SpanMarkers:
    """Numbers the spans of one example, from 1."""

    __slots__ = ('count',)

    def __init__(self):
        self.count = 0

    def __call__(self, text: str) -> tuple[int, str]:
        """Return the number of a new span, and its text between markers."""
        self.count += 1
        return self.count, _OPENING[self.count] + text + _CLOSING[self.count]

    def new_pair(self) -> tuple[int, str, str]:
        """Return the number of a new span and its two markers, for text that is built in parts."""
        self.count += 1
        return self.count, _OPENING[self.count], _CLOSING[self.count]


def opening_marker(number: int) -> str:
    """Return the character that opens a span."""
    return _OPENING[number]


def closing_marker(number: int) -> str:
    """Return the character that closes a span."""
    return _CLOSING[number]


def extract_spans(text: str) -> tuple[str, dict[int, tuple[int, int]]]:
    """Return the text without markers, and the [start, end) offsets of each span by its number.

    Of a span that occurs twice, the first occurrence counts.
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


def remove_markers(text: str) -> str:
    """Return the text without markers."""
    return _MARK.sub('', text)
