"""What the network should answer to an example: a reading as places of tokens and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from kimi_ros.reader.cards import GROUNDED
from kimi_ros.reader.features import Catalogue, Said
from kimi_ros.reader.heads import EVENTS, NUMBERS, ROLES, SLOTS, TOLD
from kimi_ros.reader.reading import QUESTIONS, RELATIONS, Reading, Span, Step, Thing
from kimi_train.reader.language.example import Example

NONE = -1  # a span that is not there
Place = tuple[int, int]  # first and last token
NOWHERE: Place = (NONE, NONE)
IGNORED = -100


class Unreadable(ValueError):
    """A reading that tokens cannot tell."""


@dataclass
class Slot:
    """What a step holds in one place.

    :ivar index: one of `SLOTS`, or after them the argument's number in the catalogue.
    :ivar value: of an enum, counted over the catalogue; truth: 0 not said, 1 yes, 2 no.
    """

    index: int
    first: Place = NOWHERE
    second: Place = NOWHERE
    number: int = IGNORED
    relation: int = IGNORED
    present: int = IGNORED
    truth: int = IGNORED
    value: int = IGNORED
    question: int = IGNORED


@dataclass
class Event:
    """What comes next: a candidate, its verb and what it holds."""

    candidate: int
    verb: Place = NOWHERE
    slots: list[Slot] = field(default_factory=list)


@dataclass
class Phrase:
    """A noun phrase and what is in it."""

    place: Place
    number: int
    relation: int
    landmark: Place = NOWHERE
    other: Place = NOWHERE


@dataclass
class Target:
    """All of a reading.

    :ivar roles: (n,) of each token; told: (n,).
    """

    events: list[Event]
    phrases: list[Phrase]
    roles: np.ndarray
    told: np.ndarray


class TargetMaker:
    """Tells one example's reading in its tokens."""

    def __init__(self, example: Example, said: Said, catalogue: Catalogue):
        self._example, self._said, self._catalogue = example, said, catalogue
        pairs = list(zip(said.turns, said.tokens, strict=True))
        self._starts = {(t, k.start): i for i, (t, k) in enumerate(pairs)}
        self._ends = {(t, k.end): i for i, (t, k) in enumerate(pairs)}
        self._skills = {card.name: i for i, card in enumerate(example.catalogue)}

    def place(self, span: Span | None) -> Place:
        """Return the span's first and last token. Raises Unreadable where it cuts tokens."""
        if span is None:
            return NOWHERE
        start = self._starts.get((span.turn, span.start))
        end = self._ends.get((span.turn, span.end))
        if start is None or end is None or start > end:
            raise Unreadable(f'{span} is no whole tokens of {self._example.text!r}')
        return start, end

    def target(self) -> Target:
        """Return all of it. Raises Unreadable."""
        reading = self._example.reading
        events = [self._step(step) for step in reading.steps]
        if reading.outcome == 'answer':
            events.append(self._question(reading))
        elif reading.outcome == 'no_skill':
            events.append(Event(EVENTS.index('no_skill'), self.place(reading.verb)))
        elif reading.outcome == 'unclear':
            events.append(Event(EVENTS.index('unclear')))
        for thing in sorted(reading.forbidden, key=lambda thing: thing.words.start):
            events.append(Event(EVENTS.index('forbid'), slots=[self._slot(1, (thing,))]))
        events.append(Event(EVENTS.index('stop')))
        phrases = {}
        roles = np.zeros(len(self._said.tokens), np.int64)
        told = np.full(len(roles), TOLD.index('filler'), np.int64)
        for thing in _things(reading):
            phrase = self._phrase(thing)
            phrases.setdefault(phrase.place, phrase)
            self._mark(roles, 'head', thing.head)
            for attribute in thing.attributes:
                self._mark(roles, 'attribute', attribute)
            if thing.order:
                self._mark(roles, 'order', thing.order)
        for span in _spans(reading):
            start, end = self.place(span)
            told[start : end + 1] = TOLD.index('accounted')
        for span in reading.left_out:
            start, end = self.place(span)
            told[start : end + 1] = TOLD.index('left_out')
        return Target(events, list(phrases.values()), roles, told)

    def _step(self, step: Step) -> Event:
        number = self._skills[step.skill]
        condition = step.condition
        slots = [
            Slot(
                SLOTS.index('condition'),
                self.place(condition.thing.words) if condition else NOWHERE,
                relation=_relation(step.relation),
                present=int(condition.present) if condition else IGNORED,
            )
        ]
        card = self._example.catalogue[number]
        for index, argument in zip(self._catalogue.arguments[number], card.arguments, strict=True):
            at = len(SLOTS) + index
            if argument.type in GROUNDED:
                slots.append(self._slot(at, step.things.get(argument.name, ())))
                continue
            slot = Slot(at)
            told = step.values.get(argument.name)
            if told is not None:
                slot.first = self.place(told.words)
            if argument.type == 'bool':
                slot.truth = 0 if told is None else 1 if told.value else 2
            elif argument.type == 'enum' and told is not None:
                slot.value = self._catalogue.values[index][argument.values.index(told.value)]
            slots.append(slot)
        return Event(len(EVENTS) + number, self.place(step.verb), slots)

    def _question(self, reading: Reading) -> Event:
        things = reading.question.things[:3]
        slots = [self._slot(1 + i, things[i : i + 1]) for i in range(3)]
        slots[0].question = QUESTIONS.index(reading.question.kind)
        return Event(EVENTS.index('ask'), slots=slots)

    def _slot(self, index: int, things: tuple[Thing, ...]) -> Slot:
        slot = Slot(index)
        if things:
            slot.first = self.place(things[0].words)
            slot.number = _number(things[0].number)
        if len(things) > 1:
            slot.second = self.place(things[1].words)
        return slot

    def _phrase(self, thing: Thing) -> Phrase:
        places = [self.place(mark.words) for mark in thing.landmarks[:2]] + [NOWHERE] * 2
        return Phrase(
            self.place(thing.words),
            _number(thing.number),
            _relation(thing.relation),
            places[0],
            places[1],
        )

    def _mark(self, roles: np.ndarray, role: str, span: Span) -> None:
        start, end = self.place(span)
        roles[start : end + 1] = ROLES.index(role + '+')
        roles[start] = ROLES.index(role)


def _relation(relation: str) -> int:
    return 1 + RELATIONS.index(relation) if relation else 0


def _number(number: str) -> int:
    return NUMBERS.index(number if number in NUMBERS else 'digits')


def _things(reading: Reading) -> Iterator[Thing]:
    """Go through the things that a reading names, and through their landmarks."""
    waiting = list(reading.forbidden)
    waiting += reading.question.things if reading.question else ()
    for step in reading.steps:
        waiting += [thing for things in step.things.values() for thing in things]
        waiting += [step.condition.thing] if step.condition else ()
    while waiting:
        thing = waiting.pop(0)
        yield thing
        waiting += thing.landmarks


def _spans(reading: Reading) -> Iterator[Span]:
    for thing in _things(reading):
        yield thing.words
    for step in reading.steps:
        yield from (value.words for value in step.values.values() if value.words)
        if step.verb:
            yield step.verb
    if reading.verb:
        yield reading.verb
