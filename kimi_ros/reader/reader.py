"""The reader: what an instruction says, under the skills that a robot has."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kimi_ros.reader.beside import with_person, with_places
from kimi_ros.reader.cards import GROUNDED, Argument, SkillCard
from kimi_ros.reader.decode import Decoder, Event, Place, Slot
from kimi_ros.reader.heads import EVENTS, SLOTS, TOLD
from kimi_ros.reader.manners import meant
from kimi_ros.reader.network import Network, Offer
from kimi_ros.reader.numbers import quantity_in
from kimi_ros.reader.phrases import PhraseReader
from kimi_ros.reader.reading import Condition, Question, Reading, Span, Step, Thing, Value
from kimi_ros.reader.tokens import language_of
from kimi_ros.reader.values import spans_of, with_values
from kimi_ros.resources import share

FORMAT = 1
_KEPT = 8  # catalogues


class ReaderError(ValueError):
    """The reader's folder cannot be used, or what it is asked to read."""


class Reader:
    """Reads instructions, English and Chinese; one at a time, on one thread.

    :ivar threshold: confidence below which an instruction is 'unclear'.
    """

    def __init__(self, network: Network, threshold: float = 0.0, calibration=((0, 0), (1, 1))):
        """:param calibration: pairs of the network's own figure and the share that is right."""
        self._network, self.threshold = network, threshold
        self._figures, self._shares = np.array(calibration, float).T
        self._offers: OrderedDict[tuple, Offer] = OrderedDict()

    @classmethod
    def load(cls, folder: str | Path | None = None) -> Reader:
        """Return the reader in a folder; None is the one that the package ships.

        :raises ReaderError: where the folder holds no reader, or one of another format.
        """
        folder = Path(folder) if folder else share('models/reader')
        try:
            about = json.loads((folder / 'model.json').read_text(encoding='utf-8'))
            if about.get('format') != FORMAT:
                raise ReaderError(
                    f'{folder} holds a reader of format {about.get("format")}, this version reads '
                    f'{FORMAT}: train or fetch another'
                )
            network = Network(folder)
        except (OSError, json.JSONDecodeError) as error:
            raise ReaderError(f'{folder} holds no reader: {error}') from error
        return cls(network, about.get('threshold', 0.0), about.get('calibration', ((0, 0), (1, 1))))

    def read(
        self,
        instruction: str,
        skills: Sequence[SkillCard],
        language: str = '',
        history: Sequence[str] = (),
    ) -> Reading:
        """Return what an instruction says.

        :param skills: the robot's, in the catalogue's order; kept encoded for the next call.
        :param language: 'en' or 'zh', in which the skills are described; '' goes by the
            instruction.
        :param history: the instructions before it, the newest first; two of them count.
        :raises ReaderError: where there is no skill, or two of one name.
        """
        history = tuple(history)[:2]
        said = self._network.featurizer.said(instruction, history)
        offer = self._offer(tuple(skills), language or language_of(instruction))
        if not any(
            t.kind != 'mark' and not turn for t, turn in zip(said.tokens, said.turns, strict=True)
        ):
            return Reading('unclear')
        heard = self._network.hear(said, offer)
        decisions = Decoder(self._network, offer, said, heard).decide()
        phrases = PhraseReader(self._network, said, heard, (instruction, *history))
        reading, surety = _Assembly(skills, offer, phrases).reading(decisions.events)
        reading = with_values(reading, instruction, skills, said, offer, heard)
        reading = with_places(with_person(reading, instruction, skills, said), instruction, said)
        covered = spans_of(reading)
        left = _left_out(phrases, heard.told, said, covered)
        chance = math.exp(decisions.surety) * surety
        confidence = float(np.interp(chance, self._figures, self._shares))
        if confidence < self.threshold:
            return Reading('unclear', left_out=left, confidence=confidence)
        return replace(reading, left_out=left, confidence=confidence)

    def _offer(self, skills: tuple[SkillCard, ...], language: str) -> Offer:
        names = [card.name for card in skills]
        if not names or len(set(names)) < len(names):
            raise ReaderError(f'a catalogue needs skills of different names, not {names}')
        key = (language, tuple((c.name, c.described(language), c.arguments) for c in skills))
        if key not in self._offers:
            self._offers[key] = self._network.offer(skills, language)
            while len(self._offers) > _KEPT:
                self._offers.popitem(last=False)
        self._offers.move_to_end(key)
        return self._offers[key]


class _Assembly:
    """Puts a reading together from decisions."""

    def __init__(self, skills: Sequence[SkillCard], offer: Offer, phrases: PhraseReader):
        self._skills, self._offer, self._phrases = skills, offer, phrases
        self._surety = 1.0

    def reading(self, events: Sequence[Event]) -> tuple[Reading, float]:
        """Return the reading, and a factor below 1 where it does not hold together."""
        steps, forbidden = [], []
        question, verb, outcome = None, None, ''
        for event in events:
            kind = EVENTS[event.candidate] if event.candidate < len(EVENTS) else ''
            if not kind:
                steps.append(self._step(event))
            elif kind == 'forbid':
                if event.slots[1].first:
                    forbidden.append(self._thing(event.slots[1]))
            elif kind == 'ask':
                things = [self._thing(s) for s in event.slots.values() if s.first]
                question, outcome = Question(event.slots[1].question, tuple(things)), 'answer'
            elif kind == 'no_skill':
                verb, outcome = event.verb and self._phrases.span(event.verb), 'no_skill'
            else:
                outcome = 'unclear'
        outcome = outcome or ('steps' if steps else 'nothing')
        steps = [_without(step, forbidden) for step in steps]
        if steps and outcome != 'steps':
            if outcome == 'answer':  # a step and a question: no reading holds both
                self._surety *= 0.5
            steps = []
        reading = Reading(outcome, tuple(steps), question, verb, tuple(forbidden))
        return reading, self._surety

    def _step(self, event: Event) -> Step:
        number = event.candidate - len(EVENTS)
        card = self._skills[number]
        things: dict[str, tuple[Thing, ...]] = {}
        values: dict[str, Value] = {}
        for index, argument in zip(
            self._offer.catalogue.arguments[number], card.arguments, strict=True
        ):
            slot = event.slots[len(SLOTS) + index]
            if argument.type in GROUNDED:
                if slot.first:
                    things[argument.name] = (self._thing(slot),)
                    if slot.second and slot.second != slot.first:
                        things[argument.name] += (self._phrases.thing(slot.second),)
            elif (value := self._value(slot, argument)) is not None:
                values[argument.name] = value
        extra = event.slots[SLOTS.index('condition')]
        condition = None
        if extra.first:
            condition = Condition(self._phrases.thing(extra.first), extra.present)
        verb = event.verb and self._phrases.span(event.verb)
        return Step(card.name, verb, things, values, extra.relation, condition)

    def _thing(self, slot: Slot) -> Thing:
        return self._phrases.thing(slot.first, slot.number)

    def _value(self, slot: Slot, argument: Argument) -> Value | None:
        words = slot.first and self._phrases.span(slot.first)
        if argument.type == 'bool':
            return Value(words, slot.truth == 1) if slot.truth else None
        if words is None:
            return None
        text = self._phrases.text(slot.first)
        if argument.type == 'enum':
            plainly = meant(text, argument.values)
            return Value(words, plainly or argument.values[slot.value])
        if argument.type == 'string':
            return Value(words, text)
        number = quantity_in(text, argument.unit)
        if number is None:  # words that say no number
            self._surety *= 0.2
            return None
        return Value(words, number)


def _without(step: Step, forbidden: Sequence[Thing]) -> Step:
    """Return the step without things that must not be touched."""
    words = {thing.words for thing in forbidden}
    things = {n: some for n, some in step.things.items() if not words & {t.words for t in some}}
    return replace(step, things=things)


def _left_out(phrases: PhraseReader, told: np.ndarray, said, covered) -> tuple[Span, ...]:
    """Return the runs of the instruction's words that the network calls left out."""
    missing = told.argmax(-1) == TOLD.index('left_out')
    runs: list[Place] = []
    for i, (token, turn) in enumerate(zip(said.tokens, said.turns, strict=True)):
        taken = any(s.turn == turn and s.start < token.end and token.start < s.end for s in covered)
        if turn or taken or not missing[i]:
            continue
        if runs and runs[-1][1] == i - 1:
            runs[-1] = runs[-1][0], i
        else:
            runs.append((i, i))
    return tuple(phrases.span(run) for run in runs)
