"""Rules for Chinese words that run together, and for verbs of two meanings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kimi_ros.reader.reading import Reading, Span, Step
from kimi_ros.reader.skill_card import SkillCard

# 打开 and 关上 are said of devices and of what has a lid or a door.
_OPENS, _SHUTS = re.compile('打开|拉开|开'), re.compile('关上|关闭|关好|合上|关')
_HAS_A_DOOR = re.compile(
    r'(?:抽屉|柜子|柜|(?<!阀)门|窗户|窗|盒子|盒|(?<![烤音水])箱子?|盖子|盖|罐子|罐|瓶子|瓶)$'
)
_OPENING, _SHUTTING = re.compile(r'^(?:open|打开)'), re.compile(r'^(?:close|shut|关)')
_SWITCHING = re.compile(r'turn|switch|power|activat|电|开关')
_LIGHT = frozenset('拿放给把取要来去看找用有是在到开关打弄做')


def apply_chinese_rules(
    reading: Reading, texts: Sequence[str], cards: Mapping[str, SkillCard]
) -> Reading:
    """Return the reading with names in one piece, and steps as their verbs are meant.

    :param texts: the instruction and the turns before it, the newest first, normalized.
    :param cards: the robot's skills by name.
    """
    steps: list[Step] = []
    for step in reading.steps:
        if step.verb is not None:
            step = _with_door(step, texts, cards)
            step = _described_by_verb(step, texts, cards)
        if steps and (joined := _joined(steps[-1], step)):
            steps[-1] = joined
        else:
            steps.append(step)
    return replace(reading, steps=tuple(steps))


def _joined(step: Step, following: Step) -> Step | None:
    """Return one step where two are about the parts of one noun: 奶油 and 奶酪 of 奶油奶酪."""
    if (step.skill, step.verb, step.relation) != (
        following.skill,
        following.verb,
        following.relation,
    ) or step.things.keys() != following.things.keys():
        return None
    differing = [name for name in step.things if step.things[name] != following.things[name]]
    if len(differing) != 1:
        return None
    (name,) = differing
    if len(step.things[name]) != 1 or len(following.things[name]) != 1:
        return None
    (one,), (other,) = step.things[name], following.things[name]
    touch = one.words.turn == other.words.turn and one.words.end == other.words.start
    if not touch or one.words != one.head or other.words != other.head:
        return None
    words = Span(one.words.start, other.words.end, other.words.turn)
    return replace(
        following, things=following.things | {name: (replace(other, words=words, head=words),)}
    )


def _with_door(step: Step, texts: Sequence[str], cards: Mapping[str, SkillCard]) -> Step:
    """Return a step of opening or shutting where its skill switches something on or off."""
    assert step.verb is not None
    card, verb = cards[step.skill], step.verb.text_in(texts)
    things = step.all_things
    if len(things) != 1 or not _SWITCHING.search(_name(card)):
        return step
    if not _HAS_A_DOOR.search(things[0].head.text_in(texts)):
        return step
    for verbs, named in ((_OPENS, _OPENING), (_SHUTS, _SHUTTING)):
        found = [other for other in cards.values() if named.search(_name(other))]
        if verbs.match(verb) and len(found) == 1 and len(found[0].grounded) == 1:
            return _as(step, found[0])
    return step


def _described_by_verb(step: Step, texts: Sequence[str], cards: Mapping[str, SkillCard]) -> Step:
    """Return a step with the one skill whose description has its verb, if its own has it not.

    推 asks for pushing, where there is such a skill, and not for taking and putting.
    """
    assert step.verb is not None
    card, verb = cards[step.skill], step.verb.text_in(texts)[:1]
    if not verb or verb.isascii() or verb in _LIGHT or verb in card.description_in('zh'):
        return step
    found = [other for other in cards.values() if verb in other.description_in('zh')]
    if len(found) != 1 or len(found[0].grounded) != len(step.things):
        return step
    return _as(step, found[0])


def _as(step: Step, card: SkillCard) -> Step:
    """Return a step as one of another skill, about the same things in the same order."""
    before = [group for group in step.things.values() if group]
    return replace(step, skill=card.name, things=dict(zip(card.grounded, before, strict=True)))


def _name(card: SkillCard) -> str:
    return card.name.replace('_', ' ').lower()
