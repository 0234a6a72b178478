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
from kimi_ros.sim import COLORS, KINDS
from kimi_ros.sim.language import COLOR_ZH, Description, center_x
from kimi_ros.sim.tasks import Mix, some_description
from kimi_ros.vlm import VisionLanguageModel

MOST = 6  # things that are counted
_APART = 0.05  # of the picture's width: two things nearer than this stand on no clear side
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
    rng = world.rng('counting')
    by_number: dict[int, list[Description]] = {}
    for kind in ('', *KINDS):
        for color in ('', *COLORS):
            what = Description(kind, color)
            by_number.setdefault(len(what.matches(world.objects)), []).append(what)
    numbers = sorted(n for n in by_number if n <= MOST)
    wanted = int(rng.choice(numbers))
    what = by_number[wanted][int(rng.integers(len(by_number[wanted])))]
    question = count_question(what.name(language), language)
    answer = _answer(vlm, world, question)
    return [
        Outcome(
            asked=question,
            wanted=str(wanted),
            came=answer,
            right=read_number(answer) == wanted,
            counts={'exact': share(read_number(answer) == wanted)},
            wanted_at=world.places(what.matches(world.objects)),
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
        what = some_description(world.objects, rng, Mix(absent=0.5, sides=0))
        if bool(what.matches(world.objects)) == there:
            break
    question = presence_question(what.name(language), language)
    at = what.matches(world.objects)
    return _yes_no(vlm, world, language, 'presence', question, bool(at), _WORDS, at)


def _attribute(vlm: VisionLanguageModel, world: World, language: str) -> Outcome | None:
    """Ask about the colour of something that is the only one of its kind."""
    rng = world.rng('attributes')
    alone = [
        (i, thing)
        for i, thing in enumerate(world.objects)
        if len(Description(thing.kind).matches(world.objects)) == 1
    ]
    if not alone:
        return None
    index, thing = alone[int(rng.integers(len(alone)))]
    wanted, color = bool(rng.integers(2)), thing.color
    others = [c for c in COLORS if c != color]
    wrong = others[int(rng.integers(len(others)))]
    color = color if wanted else wrong
    word = COLOR_ZH[color] if language == 'zh' else color
    question = attribute_question(Description(thing.kind).name(language), word, language)
    return _yes_no(vlm, world, language, 'attributes', question, wanted, _IS, [index])


def _relation(vlm: VisionLanguageModel, world: World, language: str) -> Outcome | None:
    """Ask about the sides on which two things stand that colour and kind tell from all others."""
    rng = world.rng('relations')
    named = [Description(thing.kind, thing.color) for thing in world.objects]
    width = world.frame.size[0]
    pairs = [
        (i, j)
        for i, a in enumerate(world.objects)
        for j, b in enumerate(world.objects)
        if i != j
        and named.count(named[i]) == named.count(named[j]) == 1
        and abs(center_x(a) - center_x(b)) >= _APART * width
    ]
    if not pairs:
        return None
    i, j = pairs[int(rng.integers(len(pairs)))]
    side = ('left', 'right')[int(rng.integers(2))]
    wanted = (center_x(world.objects[i]) < center_x(world.objects[j])) == (side == 'left')
    names = named[i].name(language), named[j].name(language)
    question = relation_question(names[0], side, names[1], language)
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
