"""Requests in plain words, English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kimi_ros.reader.plain_chinese import plain_chinese
from kimi_ros.reader.plain_english import plain_english
from kimi_ros.reader.rewriting import Rewriting
from kimi_ros.reader.skill_card import SkillCard
from kimi_ros.reader.tokenizer import detect_language, normalize

_GIVING = re.compile(
    r'bring|fetch|deliver|hand[ _]?over|hand (?:it|an?|the)|give|pass|serve|拿给|递|送|交给'
)
_TAKING = re.compile(r'pick|grasp|grab|take|lift')

# What forbids or denies, besides polite words that do not.
_DENIAL = re.compile(r"\b(?:not|never|without|nobody|no one|instead)\b|n't\b|[不别勿没]")
_NO_DENIAL = re.compile(
    r"if (?:you|that) (?:don't|do not|doesn't) (?:mind|matter)|won't you|"
    r'[找看瞧够拿摸]不[到着见]|不[见急]|不好意思|(.)不\1|知不知道|认不认得|没[影了]|有没有|别[的人]|'
    r'别[拿动碰][，,]先|麻烦不麻烦'
)


class PlainWords(NamedTuple):
    """An instruction in other words; the same text where there are none.

    :ivar sure: in words that surely mean the same.
    :ivar plain: in the plainest words, to be tried where its own are not understood.
    """

    sure: Rewriting
    plain: Rewriting


def plain_words(instruction: str, skills: Sequence[SkillCard]) -> PlainWords:
    """Return an instruction in plain words.

    A verb that names or describes one of the skills stays as it is, and so does what forbids.
    """
    original = Rewriting.of(instruction)
    if _DENIAL.search(_NO_DENIAL.sub('', normalize(instruction).replace('\u2019', "'"))):
        return PlainWords(original, original)
    described = normalize(' '.join(text for card in skills for text in card.texts))

    def is_named(verb: str) -> bool:
        if not verb.isascii():
            return verb in described
        return re.search(rf'(?<![a-z]){re.escape(verb.removesuffix("e"))}', described) is not None

    gives = any(map(_gives, skills))
    if detect_language(instruction) == 'zh':
        give = '把{x}拿给我' if gives else '把{x}拿起来'
        return PlainWords(*plain_chinese(original, is_named, give))
    return PlainWords(*plain_english(original, is_named, 'bring me' if gives else 'pick up'))


def _gives(card: SkillCard) -> bool:
    """Tell whether a skill gives a thing to somebody, and does not only take it."""
    text = normalize(' '.join(card.texts))
    return bool(_GIVING.search(text)) and not _TAKING.match(normalize(card.name))
