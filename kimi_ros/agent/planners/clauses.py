"""The sentences of an instruction that asks for one thing and then for another."""

from __future__ import annotations

import re

_BETWEEN = re.compile(
    r'[.!?;]+\s+(?:(?:and )?(?:then|after that|afterwards|(?:when|once) that is done)\b,?\s+)?'
    r'|,?\s+(?:and then|and after that|after that|and afterwards|when (?:that is|you are|you\'re) '
    r'done|once (?:that is|you are|you\'re) done)\b,?\s+'
    r'|,\s+then\s+'
    r'|[，,]?\s*(?:然后|接着|接下来|之后|做完以后|完了以后|做完之后)[，,]?'
    r'|[，,]再|[。！？；!?;]+',
    re.IGNORECASE,
)
_FIRST = re.compile(r'\s*(?:first(?: of all)?,?\s+|(?:首)?先(?!生))', re.IGNORECASE)
_WORD = re.compile(r'\w')


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the characters [start, end) of each sentence, without what joins them."""
    first = _FIRST.match(text)
    start = first.end() if first else 0
    found: list[tuple[int, int]] = []
    for between in _BETWEEN.finditer(text, start):
        found.append((start, between.start()))
        start = between.end()
    found.append((start, len(text)))
    return [(a, b) for a, b in found if _WORD.search(text[a:b])]
