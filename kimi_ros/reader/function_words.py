"""Determiners, prepositions and localizers of place: the words that the rules share."""

from __future__ import annotations

from collections.abc import Iterable

DETERMINER = r'(?:the|an?|my|your|our|his|her|their|this|that|these|those)'
"""A pattern of English determiners, in lower case."""
ENGLISH_RELATIONS = {
    'on top of': 'on',
    'on': 'on',
    'inside of': 'in',
    'inside': 'in',
    'in front of': 'in_front_of',
    'in': 'in',
    'underneath': 'under',
    'beneath': 'under',
    'below': 'under',
    'under': 'under',
    'above': 'above',
    'behind': 'behind',
    'next to': 'next_to',
    'close to': 'next_to',
    'near to': 'next_to',
    'near': 'next_to',
    'beside': 'next_to',
    'alongside': 'next_to',
    'by': 'next_to',
    'to the left of': 'left_of',
    'to the left side of': 'left_of',
    'on the left of': 'left_of',
    'on the left side of': 'left_of',
    'left of': 'left_of',
    'to the right of': 'right_of',
    'to the right side of': 'right_of',
    'on the right of': 'right_of',
    'on the right side of': 'right_of',
    'right of': 'right_of',
}
"""Prepositions of one landmark, and their relation."""
DESTINATIONS = {'into': 'in', 'onto': 'on'}
"""Prepositions of a landmark to which something goes, besides those above."""
CHINESE_RELATIONS = {
    '上面': 'on',
    '上边': 'on',
    '上头': 'on',
    '上': 'on',
    '里面': 'in',
    '里边': 'in',
    '里头': 'in',
    '里': 'in',
    '上方': 'above',
    '下面': 'under',
    '下边': 'under',
    '下方': 'under',
    '底下': 'under',
    '前面': 'in_front_of',
    '前边': 'in_front_of',
    '前方': 'in_front_of',
    '后面': 'behind',
    '后边': 'behind',
    '后方': 'behind',
    '背后': 'behind',
    '旁边': 'next_to',
    '旁': 'next_to',
    '边上': 'next_to',
    '附近': 'next_to',
    '左边': 'left_of',
    '左面': 'left_of',
    '左侧': 'left_of',
    '左方': 'left_of',
    '右边': 'right_of',
    '右面': 'right_of',
    '右侧': 'right_of',
    '右方': 'right_of',
}
"""Localizers of one landmark, and their relation."""


def any_of(words: Iterable[str]) -> str:
    """Return a pattern of any of the words, the longest that fits."""
    return f'(?:{"|".join(sorted(words, key=len, reverse=True))})'
