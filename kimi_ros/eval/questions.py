"""Questions with short answers: is it there, what is it like, where does it stand, how many."""

from __future__ import annotations

import re

from kimi_ros.agent.answers import (
    IDENTITY_ANSWERS,
    PRESENCE_ANSWERS,
    Verdict,
    parse_yes_no,
)
from kimi_ros.agent.prompts import (
    attribute_question,
    count_question,
    presence_question,
    relation_question,
)
from kimi_ros.eval.held_out_scenes import HeldOutScene
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.sim.expression_sampling import PRESENCE_MIX, sample_expression
from kimi_ros.sim.facts import sample_attribute, sample_count, sample_relation
from kimi_ros.sim.referring_expression import ReferringExpression, attribute_name, relation_name
from kimi_ros.vlm import VisionLanguageModel

_SHORT = 8  # tokens
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


def questions(vlm: VisionLanguageModel, world: HeldOutScene, language: str) -> list[Outcome]:
    """Ask about presence, an attribute and a relation; half of the right answers are no."""
    asks = (_presence, _attribute, _relation)
    return [o for ask in asks if (o := ask(vlm, world, language)) is not None]


def counting(vlm: VisionLanguageModel, world: HeldOutScene, language: str) -> list[Outcome]:
    """Ask how many there are of something, 0 to 6, every number as often as the scene allows."""
    what, found = sample_count(world.objects, world.rng('counting'))
    question = count_question(what.name(language), language)
    answer = _answer(vlm, world, question)
    hit = parse_number(answer) == len(found)
    return [
        Outcome(
            question=question,
            expected=str(len(found)),
            predicted=answer,
            correct=hit,
            counts={'exact': binary(hit)},
            expected_at=world.normalized_boxes(found),
        )
    ]


def parse_number(text: str) -> int | None:
    """Return the first number in an answer, in digits or as a word up to ten; or None."""
    found = _NUMBER.search(text.lower())
    if not found:
        return None
    return _NUMBERS[found[0]] if found[0] in _NUMBERS else int(found[0][:9])


def _presence(vlm: VisionLanguageModel, world: HeldOutScene, language: str) -> Outcome:
    rng = world.rng('questions')
    there = bool(rng.integers(2))
    for _ in range(1000):
        what = sample_expression(world.objects, rng, PRESENCE_MIX)
        if bool(what.matches(world.objects)) == there:
            break
    question = presence_question(what.name(language), language)
    at = what.matches(world.objects)
    return _yes_no(vlm, world, language, 'presence', question, bool(at), PRESENCE_ANSWERS, at)


def _attribute(vlm: VisionLanguageModel, world: HeldOutScene, language: str) -> Outcome | None:
    """Ask about the colour, or the size, of something that is the only one of its category."""
    sampled = sample_attribute(world.objects, world.rng('attributes'))
    if sampled is None:
        return None
    what, index, attribute, expected = sampled
    word = attribute_name(attribute, language)
    question = attribute_question(what.name(language), word, language)
    return _yes_no(
        vlm, world, language, 'attributes', question, expected, IDENTITY_ANSWERS, [index]
    )


def _relation(vlm: VisionLanguageModel, world: HeldOutScene, language: str) -> Outcome | None:
    """Ask where one object stands to another; colour and category tell both from all others."""
    sampled = sample_relation(world.objects, world.rng('relations'))
    if sampled is None:
        return None
    i, relation, j, expected = sampled
    one, other = (
        ReferringExpression(o.category, o.color) for o in (world.objects[i], world.objects[j])
    )
    where = relation_name(relation, language)
    question = relation_question(one.name(language), where, other.name(language), language)
    return _yes_no(vlm, world, language, 'relations', question, expected, IDENTITY_ANSWERS, [i, j])


def _yes_no(vlm, world, language, part, question, expected, words, at) -> Outcome:
    answer = _answer(vlm, world, question)
    hit = parse_yes_no(answer, language) is (Verdict.YES if expected else Verdict.NO)
    return Outcome(
        question=question,
        expected=words[language][not expected],
        predicted=answer,
        correct=hit,
        counts={'exact': binary(hit), part: binary(hit)},
        expected_at=world.normalized_boxes(at),
    )


def _answer(vlm: VisionLanguageModel, world: HeldOutScene, question: str) -> str:
    return vlm.query(vlm.encode_image(world.frame.rgb), question, max_tokens=_SHORT).text.strip()
