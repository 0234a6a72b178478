"""Exact-match accuracy on held-out generated instructions."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from kimi_ros.reader import Reader, Reading, Thing
from kimi_train.reader.language import Example, generate

FIRST_SEED = 2**41  # above all seeds of training


@dataclass
class EvaluationResult:
    """Counts of exact readings, and of the first error of the others.

    :ivar rejected: wrong readings that were rejected as 'unclear'.
    """

    count: int = 0
    correct: int = 0
    rejected: int = 0
    errors: Counter = field(default_factory=Counter)


def examples(
    language: str, count: int, held_out: bool | str, seed: int = 0, per_catalogue: int = 10
) -> Iterator[Example]:
    """Yield generated examples, `per_catalogue` for each catalogue."""
    for number in range(-(-count // per_catalogue)):
        rng = random.Random(FIRST_SEED + seed * 2**20 + number)
        yield from generate(
            rng, language, min(per_catalogue, count - number * per_catalogue), held_out
        )


def evaluate(reader: Reader, language: str, count: int, held_out: bool | str) -> EvaluationResult:
    """Return the accuracy on generated examples."""
    out = EvaluationResult()
    for example in examples(language, count, held_out):
        reading = reader.read(example.text, example.catalogue, example.lang, example.history)
        fault = first_error(reading, example.reading)
        out.count += 1
        out.correct += not fault
        if fault:
            out.errors[fault] += 1
            out.rejected += reading.outcome == 'unclear'
    return out


def first_error(reading: Reading, correct: Reading) -> str:
    """Return the first error of a reading, '' if it is right.

    The verb's span, the structure of phrases (except relations and landmarks) and what is left out
    are ignored.
    """
    if reading.outcome != correct.outcome:
        return 'outcome'
    if [s.skill for s in reading.steps] != [s.skill for s in correct.steps]:
        return 'skills'
    for step, other in zip(reading.steps, correct.steps, strict=True):
        if _things(step.things) != _things(other.things):
            return 'things'
        if _values(step) != _values(other):
            return 'values'
        if step.relation != other.relation:
            return 'relation'
        if _condition(step) != _condition(other):
            return 'condition'
    if _question(reading) != _question(correct):
        return 'question'
    if {_thing(t) for t in reading.forbidden} != {_thing(t) for t in correct.forbidden}:
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
    rejected = reading.question
    return rejected and (rejected.kind, tuple(map(_thing, rejected.things)))
