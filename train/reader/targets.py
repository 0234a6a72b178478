"""Encodes an example's reading as training targets: token spans and class indices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from kimi_ros.reader.features import TokenizedCatalogue, TokenizedInstruction
from kimi_ros.reader.labels import COVERAGE, EVENTS, NUMBERS, ROLES, SLOTS
from kimi_ros.reader.reading import QUESTIONS, RELATIONS, Reading, Span, Step, Thing
from kimi_ros.reader.skill_card import GROUNDED_TYPES
from kimi_train.reader.language.example import Example

NO_TOKEN = -1  # of a missing span
TokenSpan = tuple[int, int]  # first and last token
NO_TOKEN_SPAN: TokenSpan = (NO_TOKEN, NO_TOKEN)
IGNORED = -100


class UnalignedSpan(ValueError):
    """A span does not align with token boundaries."""


@dataclass
class SlotTarget:
    """The target of one slot of an event.

    :ivar index: into `SLOTS`, followed by the catalogue's arguments.
    :ivar value: index of an enum value in the catalogue; truth: 0 not given, 1 true, 2 false.
    """

    index: int
    first: TokenSpan = NO_TOKEN_SPAN
    second: TokenSpan = NO_TOKEN_SPAN
    number: int = IGNORED
    relation: int = IGNORED
    present: int = IGNORED
    truth: int = IGNORED
    value: int = IGNORED
    question: int = IGNORED


@dataclass
class EventTarget:
    """A skill, question or prohibition: index of the candidate, span of the verb, slots."""

    candidate: int
    verb: TokenSpan = NO_TOKEN_SPAN
    slots: list[SlotTarget] = field(default_factory=list)


@dataclass
class PhraseTarget:
    """A noun phrase with its number, relation and landmarks."""

    token_span: TokenSpan
    number: int
    relation: int
    landmark: TokenSpan = NO_TOKEN_SPAN
    other: TokenSpan = NO_TOKEN_SPAN


@dataclass
class ExampleTargets:
    """All targets of an example.

    :ivar roles: (n,) token tags; coverage: (n,) token tags.
    """

    events: list[EventTarget]
    phrases: list[PhraseTarget]
    roles: np.ndarray
    coverage: np.ndarray


class TargetEncoder:
    """Encodes the reading of one example."""

    def __init__(
        self, example: Example, tokenized: TokenizedInstruction, catalogue: TokenizedCatalogue
    ):
        self._example, self._tokenized, self._catalogue = example, tokenized, catalogue
        pairs = list(zip(tokenized.turns, tokenized.tokens, strict=True))
        self._starts = {(t, k.start): i for i, (t, k) in enumerate(pairs)}
        self._ends = {(t, k.end): i for i, (t, k) in enumerate(pairs)}
        self._skills = {card.name: i for i, card in enumerate(example.catalogue)}

    def token_span(self, span: Span | None) -> TokenSpan:
        """Return the first and last token of a span. Raises UnalignedSpan if it splits a token."""
        if span is None:
            return NO_TOKEN_SPAN
        start = self._starts.get((span.turn, span.start))
        end = self._ends.get((span.turn, span.end))
        if start is None or end is None or start > end:
            raise UnalignedSpan(f'{span} does not align with the tokens of {self._example.text!r}')
        return start, end

    def encode(self) -> ExampleTargets:
        """Return the targets. Raises UnalignedSpan."""
        reading = self._example.reading
        events = [self._step(step) for step in reading.steps]
        if reading.outcome == 'answer':
            events.append(self._question(reading))
        elif reading.outcome == 'no_skill':
            events.append(EventTarget(EVENTS.index('no_skill'), self.token_span(reading.verb)))
        elif reading.outcome == 'unclear':
            events.append(EventTarget(EVENTS.index('unclear')))
        for thing in sorted(reading.forbidden, key=lambda thing: thing.words.start):
            events.append(EventTarget(EVENTS.index('forbid'), slots=[self._slot(1, (thing,))]))
        events.append(EventTarget(EVENTS.index('stop')))
        phrases = {}
        roles = np.zeros(len(self._tokenized.tokens), np.int64)
        coverage = np.full(len(roles), COVERAGE.index('filler'), np.int64)
        for thing in _things(reading):
            phrase = self._phrase(thing)
            phrases.setdefault(phrase.token_span, phrase)
            self._tag(roles, 'head', thing.head)
            for attribute in thing.attributes:
                self._tag(roles, 'attribute', attribute)
            if thing.order:
                self._tag(roles, 'order', thing.order)
        for span in _spans(reading):
            start, end = self.token_span(span)
            coverage[start : end + 1] = COVERAGE.index('accounted')
        for span in reading.left_out:
            start, end = self.token_span(span)
            coverage[start : end + 1] = COVERAGE.index('left_out')
        return ExampleTargets(events, list(phrases.values()), roles, coverage)

    def _step(self, step: Step) -> EventTarget:
        number = self._skills[step.skill]
        condition = step.condition
        slots = [
            SlotTarget(
                SLOTS.index('condition'),
                self.token_span(condition.thing.words) if condition else NO_TOKEN_SPAN,
                relation=_relation_label(step.relation),
                present=int(condition.present) if condition else IGNORED,
            )
        ]
        card = self._example.catalogue[number]
        for index, argument in zip(self._catalogue.arguments[number], card.arguments, strict=True):
            at = len(SLOTS) + index
            if argument.type in GROUNDED_TYPES:
                slots.append(self._slot(at, step.things.get(argument.name, ())))
                continue
            slot = SlotTarget(at)
            said_value = step.values.get(argument.name)
            if said_value is not None:
                slot.first = self.token_span(said_value.words)
            if argument.type == 'bool':
                slot.truth = 0 if said_value is None else 1 if said_value.value else 2
            elif argument.type == 'enum' and said_value is not None:
                slot.value = self._catalogue.values[index][argument.values.index(said_value.value)]
            slots.append(slot)
        return EventTarget(len(EVENTS) + number, self.token_span(step.verb), slots)

    def _question(self, reading: Reading) -> EventTarget:
        things = reading.question.things[:3]
        slots = [self._slot(1 + i, things[i : i + 1]) for i in range(3)]
        slots[0].question = QUESTIONS.index(reading.question.kind)
        return EventTarget(EVENTS.index('ask'), slots=slots)

    def _slot(self, index: int, things: tuple[Thing, ...]) -> SlotTarget:
        slot = SlotTarget(index)
        if things:
            slot.first = self.token_span(things[0].words)
            slot.number = _number_label(things[0].number)
        if len(things) > 1:
            slot.second = self.token_span(things[1].words)
        return slot

    def _phrase(self, thing: Thing) -> PhraseTarget:
        spans = [self.token_span(landmark.words) for landmark in thing.landmarks[:2]] + [
            NO_TOKEN_SPAN
        ] * 2
        return PhraseTarget(
            self.token_span(thing.words),
            _number_label(thing.number),
            _relation_label(thing.relation),
            spans[0],
            spans[1],
        )

    def _tag(self, roles: np.ndarray, role: str, span: Span) -> None:
        start, end = self.token_span(span)
        roles[start : end + 1] = ROLES.index(role + '+')
        roles[start] = ROLES.index(role)


def _relation_label(relation: str) -> int:
    return 1 + RELATIONS.index(relation) if relation else 0


def _number_label(number: str) -> int:
    return NUMBERS.index(number if number in NUMBERS else 'digits')


def _things(reading: Reading) -> Iterator[Thing]:
    """Yield all noun phrases of a reading, landmarks included."""
    queue = list(reading.forbidden)
    queue += reading.question.things if reading.question else ()
    for step in reading.steps:
        queue += step.all_things
        queue += [step.condition.thing] if step.condition else ()
    while queue:
        thing = queue.pop(0)
        yield thing
        queue += thing.landmarks


def _spans(reading: Reading) -> Iterator[Span]:
    for thing in _things(reading):
        yield thing.words
    for step in reading.steps:
        yield from (value.words for value in step.values.values() if value.words)
        if step.verb:
            yield step.verb
    if reading.verb:
        yield reading.verb
