"""Values that an instruction says plainly, though the network pointed at none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kimi_ros.reader.cards import Argument, SkillCard
from kimi_ros.reader.features import Said
from kimi_ros.reader.heads import EVENTS
from kimi_ros.reader.manners import meant
from kimi_ros.reader.network import Heard, Offer
from kimi_ros.reader.numbers import quantity_said
from kimi_ros.reader.reading import Reading, Span, Step, Value
from kimi_ros.reader.tokens import language_of

_ALIKE = 0.6  # likeness of two words' vectors from which on they mean the same


def spans_of(reading: Reading) -> list[Span]:
    """Return the spans that a reading accounts for."""
    things = [*reading.forbidden, *(reading.question.things if reading.question else ())]
    spans = [reading.verb]
    for step in reading.steps:
        spans += [step.verb, *(value.words for value in step.values.values())]
        things += [thing for some in step.things.values() for thing in some]
        things += [step.condition.thing] if step.condition else []
    while things:
        thing = things.pop()
        spans.append(thing.words)
        things += thing.landmarks
    return [span for span in spans if span]


def with_values(
    reading: Reading,
    instruction: str,
    skills: Sequence[SkillCard],
    said: Said,
    offer: Offer,
    heard: Heard,
) -> Reading:
    """Return the reading with those values added that words which it leaves out say plainly.

    Of an enum: one value alone is like a word that was said, or meant by the verb. Of a number: a
    quantity of the kind. Words apart from the verb count only where one step lacks a value.
    """
    lacking = [
        (at, argument)
        for at, step in enumerate(reading.steps)
        for argument in next(card for card in skills if card.name == step.skill).arguments
        if argument.type in ('enum', 'number') and argument.name not in step.values
    ]
    steps = list(reading.steps)
    alone = len(lacking) == 1
    free = _free(spans_of(reading), said) if alone else []
    runs = free_runs(reading, said) if alone else []
    for at, argument in lacking:
        if argument.type == 'enum':
            value = _enum(argument, steps[at], skills, said, offer, heard, free)
            value = value or _meant(argument, steps[at], instruction, said, free)
        else:
            value = _number(argument, instruction, runs)
        if value is not None:
            steps[at] = replace(steps[at], values={**steps[at].values, argument.name: value})
    return replace(reading, steps=tuple(steps))


def _meant(argument: Argument, step: Step, instruction: str, said: Said, free) -> Value | None:
    """Return the value that the step's verb means, with what stands behind it and is free."""
    verb = step.verb
    if verb is None or verb.turn:
        return None
    behind = [said.tokens[i] for i in free if said.tokens[i].start >= verb.end]
    words = [instruction[verb.start : verb.end], *(token.text for token in behind)]
    apart = '' if language_of(instruction) == 'zh' else ' '
    value = meant(apart.join(words), argument.values)
    return None if value is None else Value(verb, value)


def _free(spans: Sequence[Span], said: Said) -> list[int]:
    """Return the instruction's tokens that no span covers."""
    return [
        i
        for i, (token, turn) in enumerate(zip(said.tokens, said.turns, strict=True))
        if not turn
        and not any(not s.turn and s.start < token.end and token.start < s.end for s in spans)
    ]


def free_runs(reading: Reading, said: Said) -> list[tuple[int, int]]:
    """Return the characters [start, end) of the instruction's words that a reading leaves out."""
    free = np.array(_free(spans_of(reading), said), int)
    runs = np.split(free, np.where(np.diff(free) > 1)[0] + 1)
    return [(said.tokens[run[0]].start, said.tokens[run[-1]].end) for run in runs if len(run)]


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


def _number(argument: Argument, instruction: str, runs) -> Value | None:
    found: list[Value] = []
    for first, last in runs:
        if quantity := quantity_said(instruction[first:last], argument.unit):
            value, start, end = quantity
            found.append(Value(Span(first + start, first + end), value))
    return found[0] if len(found) == 1 else None
