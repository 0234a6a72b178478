"""Questions with short answers: is it there, what is it like, where does it stand, how many."""

from __future__ import annotations

import re

from kimi_ros.agent.prompts import (
    attribute_question,
    count_question,
    presence_question,
    relation_question,
)
from kimi_ros.eval.outcome import Outcome, share
from kimi_ros.eval.worlds import World
from kimi_ros.sim.facts import some_attribute, some_number, some_relation
from kimi_ros.sim.meaning import Meaning, attribute_name, relation_name
from kimi_ros.sim.tasks import THERE, some_meaning
from kimi_ros.vlm import VisionLanguageModel

_SHORT = 8  # tokens
_SAID = {
    'en': {'yes': True, 'no': False},
    'zh': dict.fromkeys('有是对在', True) | dict.fromkeys('没不否无', False),
}
_WORDS = {'en': ('no', 'yes'), 'zh': ('没有', '有')}
_IS = {'en': ('no', 'yes'), 'zh': ('不是', '是')}
_NUMBERS = {
    word: number
    for words in (
        'zero one two three four five six seven eight nine ten'.split(),
        '零一二三四五六七八九十',
    )
    for number, word in enumerate(words)
} | {'no': 0, 'none': 0, '没': 0, '两': 2}
_LATIN = '|'.join(word for word in _NUMBERS if word.isascii())
_HAN = ''.join(word for word in _NUMBERS if not word.isascii())
_NUMBER = re.compile(rf'\d+|\b(?:{_LATIN})\b|[{_HAN}]')


def questions(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Ask about presence, an attribute and a relation; half of the right answers are no."""
    asked = (_presence, _attribute, _relation)
    return [o for ask in asked if (o := ask(vlm, world, language)) is not None]


def counting(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Ask how many there are of something, 0 to 6, every number as often as the scene allows."""
    what, found = some_number(world.objects, world.rng('counting'))
    question = count_question(what.name(language), language)
    answer = _answer(vlm, world, question)
    hit = read_number(answer) == len(found)
    return [
        Outcome(
            asked=question,
            wanted=str(len(found)),
            came=answer,
            right=hit,
            counts={'exact': share(hit)},
            wanted_at=world.places(found),
        )
    ]


def read_yes_no(text: str, language: str) -> bool | None:
    """Return what an answer begins with, None where that is neither yes nor no."""
    first = re.match(r'\W*([a-z]+|.)', text.strip().lower())
    return _SAID[language].get(first[1]) if first else None


def read_number(text: str) -> int | None:
    """Return the first number in an answer, in digits or as a word up to ten; or None."""
    found = _NUMBER.search(text.lower())
    if not found:
        return None
    return _NUMBERS[found[0]] if found[0] in _NUMBERS else int(found[0][:9])


def _presence(vlm: VisionLanguageModel, world: World, language: str) -> Outcome:
    rng = world.rng('questions')
    there = bool(rng.integers(2))
    for _ in range(1000):
        what = some_meaning(world.objects, rng, THERE)
        if bool(what.matches(world.objects)) == there:
            break
    question = presence_question(what.name(language), language)
    at = what.matches(world.objects)
    return _yes_no(vlm, world, language, 'presence', question, bool(at), _WORDS, at)


def _attribute(vlm: VisionLanguageModel, world: World, language: str) -> Outcome | None:
    """Ask about the colour, or the size, of something that is the only one of its kind."""
    asked = some_attribute(world.objects, world.rng('attributes'))
    if asked is None:
        return None
    what, index, attribute, wanted = asked
    word = attribute_name(attribute, language)
    question = attribute_question(what.name(language), word, language)
    return _yes_no(vlm, world, language, 'attributes', question, wanted, _IS, [index])


def _relation(vlm: VisionLanguageModel, world: World, language: str) -> Outcome | None:
    """Ask where one thing stands to another; colour and kind tell both from all others."""
    asked = some_relation(world.objects, world.rng('relations'))
    if asked is None:
        return None
    i, relation, j, wanted = asked
    one, other = (Meaning(o.kind, o.color) for o in (world.objects[i], world.objects[j]))
    where = relation_name(relation, language)
    question = relation_question(one.name(language), where, other.name(language), language)
    return _yes_no(vlm, world, language, 'relations', question, wanted, _IS, [i, j])


def _yes_no(vlm, world, language, part, question, wanted, words, at) -> Outcome:
    answer = _answer(vlm, world, question)
    hit = read_yes_no(answer, language) is wanted
    return Outcome(
        asked=question,
        wanted=words[language][wanted],
        came=answer,
        right=hit,
        counts={'exact': share(hit), part: share(hit)},
        wanted_at=world.places(at),
    )


def _answer(vlm: VisionLanguageModel, world: World, question: str) -> str:
    return vlm.query(vlm.encode_image(world.frame.rgb), question, max_tokens=_SHORT).text.strip()
