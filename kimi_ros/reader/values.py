"""Values that an instruction says plainly, though the network pointed at none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kimi_ros.reader.cards import Argument, SkillCard
from kimi_ros.reader.features import Said
from kimi_ros.reader.heads import EVENTS
from kimi_ros.reader.network import Heard, Offer
from kimi_ros.reader.numbers import quantity_said
from kimi_ros.reader.reading import Reading, Span, Step, Value

_ALIKE = 0.6  # likeness of two words' vectors from which on they mean the same


def spans_of(reading: Reading) -> list[Span]:
    """Return the spans that a reading accounts for."""
    things = [*reading.forbidden, *(reading.question.things if reading.question else ())]
    spans = [reading.verb]
    for step in reading.steps:
        spans += [step.verb, *(value.words for value in step.values.values())]
        things += [thing for some in step.things.values() for thing in some]
        things += [step.condition.thing] if step.condition else []
    return [span for span in (*spans, *(thing.words for thing in things)) if span]


def with_values(
    reading: Reading,
    instruction: str,
    skills: Sequence[SkillCard],
    said: Said,
    offer: Offer,
    heard: Heard,
) -> Reading:
    """Return the reading with those values added that words which it leaves out say plainly.

    Of an enum: one value alone is like a word that was said. Of a number: a quantity of the kind.
    Only where one step lacks such a value.
    """
    lacking = [
        (at, argument)
        for at, step in enumerate(reading.steps)
        for argument in next(card for card in skills if card.name == step.skill).arguments
        if argument.type in ('enum', 'number') and argument.name not in step.values
    ]
    if len(lacking) != 1:
        return reading
    (at, argument) = lacking[0]
    free = _free(spans_of(reading), said)
    if argument.type == 'enum':
        value = _enum(argument, reading.steps[at], skills, said, offer, heard, free)
    else:
        value = _number(argument, instruction, said, free)
    if value is None:
        return reading
    steps = list(reading.steps)
    steps[at] = replace(steps[at], values={**steps[at].values, argument.name: value})
    return replace(reading, steps=tuple(steps))


def _free(spans: Sequence[Span], said: Said) -> list[int]:
    """Return the instruction's tokens that no span covers."""
    return [
        i
        for i, (token, turn) in enumerate(zip(said.tokens, said.turns, strict=True))
        if not turn
        and not any(not s.turn and s.start < token.end and token.start < s.end for s in spans)
    ]


def _enum(argument: Argument, step: Step, skills, said, offer, heard, free) -> Value | None:
    number = [card.name for card in skills].index(step.skill)
    names = [a.name for a in skills[number].arguments]
    at = offer.catalogue.arguments[number][names.index(argument.name)]
    alike = (heard.same[:, len(EVENTS) :] > 0) | (heard.sim[:, len(EVENTS) :] > _ALIKE)
    found = {}
    for value, text in zip(offer.catalogue.values[at], argument.values, strict=True):
        tokens = [i for i in free if alike[i, offer.catalogue.value == value].any()]
        if tokens:
            found[text] = tokens[0]
    if len(found) != 1:
        return None
    ((text, token),) = found.items()
    return Value(Span(said.tokens[token].start, said.tokens[token].end), text)


def _number(argument: Argument, instruction: str, said: Said, free: list[int]) -> Value | None:
    found = []
    for run in np.split(free, np.where(np.diff(free) > 1)[0] + 1):
        if not len(run):
            continue
        first, last = said.tokens[int(run[0])].start, said.tokens[int(run[-1])].end
        if quantity := quantity_said(instruction[first:last], argument.unit):
            value, start, end = quantity
            found.append(Value(Span(first + start, first + end), value))
    return found[0] if len(found) == 1 else None
