"""Chinese names in English, for models that understand English only."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

_TABLE = Path(__file__).with_name('nouns_zh_en.yaml')
_IGNORED = re.compile(
    '的|[那这][一几]?[个只本把块支张条件台瓶杯碗盘部辆根]?|^[一两][个只本把块支张条件台]'
)


def to_english(name: str) -> str | None:
    """Return a Chinese noun phrase in English, or None if it holds a word that is not in the table.

    红色的杯子 -> 'red cup'.
    """
    adjectives, nouns = _words()
    rest, found_adjectives, found_nouns = _IGNORED.sub('', name), [], []
    while rest:
        length = next((n for n in range(len(rest), 0, -1) if rest[:n] in nouns), 0)
        longer = next((n for n in range(len(rest), length, -1) if rest[:n] in adjectives), 0)
        if longer and (longer > length or longer < len(rest)):
            found_adjectives.append(adjectives[rest[:longer]])
            rest = rest[longer:]
        elif length and length < len(rest) and rest[:length] in adjectives:
            found_adjectives.append(adjectives[rest[:length]])  # 玻璃 of 玻璃瓶
            rest = rest[length:]
        elif length:
            found_nouns.append(nouns[rest[:length]])
            rest = rest[length:]
        else:
            return None
    return ' '.join([*found_adjectives, *found_nouns]) or None


def known_nouns(text: str) -> list[str]:
    """Return the Chinese nouns of the table that a text holds, the longest at each place."""
    nouns, found, at = _words()[1], [], 0
    longest = max(map(len, nouns))
    while at < len(text):
        ends = range(min(longest, len(text) - at), 1, -1)  # one character alone may be anything
        length = next((n for n in ends if text[at : at + n] in nouns), 0)
        if length:
            found.append(text[at : at + length])
        at += length or 1
    return found


@lru_cache(maxsize=1)
def _words() -> tuple[dict[str, str], dict[str, str]]:
    data = yaml.safe_load(_TABLE.read_text(encoding='utf-8'))
    return data['adjectives'], data['nouns']
