"""How often readings are right: on generated instructions that training never held."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from kimi_ros.reader import Reader, Reading, Thing
from kimi_train.reader.language import Example, generate

FIRST = 2**41  # seeds from here on are never those of training


@dataclass
class Score:
    """Readings that were right, and what was wrong with the others.

    :ivar asked: how many of the wrong ones were asked back.
    """

    count: int = 0
    exact: int = 0
    asked: int = 0
    wrong: Counter = field(default_factory=Counter)


def examples(
    language: str, count: int, held_out: bool | str, seed: int = 0, each: int = 10
) -> Iterator[Example]:
    """Yield generated examples, `each` under a catalogue."""
    for number in range(-(-count // each)):
        rng = random.Random(FIRST + seed * 2**20 + number)
        yield from generate(rng, language, min(each, count - number * each), held_out)


def score(reader: Reader, language: str, count: int, held_out: bool | str) -> Score:
    """Read generated examples and compare."""
    out = Score()
    for example in examples(language, count, held_out):
        read = reader.read(example.text, example.catalogue, example.lang, example.history)
        fault = difference(read, example.reading)
        out.count += 1
        out.exact += not fault
        if fault:
            out.wrong[fault] += 1
            out.asked += read.outcome == 'unclear'
    return out


def difference(read: Reading, right: Reading) -> str:
    """Return the first thing in which a reading is wrong, '' where it is right.

    The verb's span, how a phrase is taken apart (but for relations and landmarks), and what is told
    back as left out do not count.
    """
    if read.outcome != right.outcome:
        return 'outcome'
    if [s.skill for s in read.steps] != [s.skill for s in right.steps]:
        return 'skills'
    for step, other in zip(read.steps, right.steps, strict=True):
        if _things(step.things) != _things(other.things):
            return 'things'
        if _values(step) != _values(other):
            return 'values'
        if step.relation != other.relation:
            return 'relation'
        if _condition(step) != _condition(other):
            return 'condition'
    if _question(read) != _question(right):
        return 'question'
    if {_thing(t) for t in read.forbidden} != {_thing(t) for t in right.forbidden}:
        return 'forbidden'
    return ''


def _thing(thing: Thing) -> tuple:
    return thing.words, thing.relation, tuple(mark.words for mark in thing.landmarks)


def _things(things) -> dict:
    return {name: tuple(map(_thing, some)) for name, some in things.items()}


def _values(step) -> dict:
    return {name: value.value for name, value in step.values.items()}


def _condition(step) -> tuple | None:
    return step.condition and (_thing(step.condition.thing), step.condition.present)


def _question(reading: Reading) -> tuple | None:
    asked = reading.question
    return asked and (asked.kind, tuple(map(_thing, asked.things)))
