"""The reader: parses an instruction for a robot with a given catalogue of skills."""

from __future__ import annotations

import json
import math
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kimi_ros.reader.chinese_rules import apply_chinese_rules
from kimi_ros.reader.decoder import EventDecoder, EventPrediction, SlotPrediction
from kimi_ros.reader.denial_rules import apply_denial_rules
from kimi_ros.reader.ellipsis import fill_ellipsis, has_ellipsis
from kimi_ros.reader.features import TokenizedInstruction
from kimi_ros.reader.handling_rules import apply_handling_rules
from kimi_ros.reader.labels import COVERAGE, EVENTS, SLOTS
from kimi_ros.reader.meant_numbers import parse_meant
from kimi_ros.reader.missing_object import add_missing_object, add_placed_object
from kimi_ros.reader.noun_phrases import NounPhraseParser, token_runs
from kimi_ros.reader.onnx_model import EncodedCatalogue, OnnxModel
from kimi_ros.reader.place_rules import (
    add_object_place,
    add_place_relation,
    add_question_place,
    add_recipient,
)
from kimi_ros.reader.placements import read_placement
from kimi_ros.reader.plain_words import plain_words
from kimi_ros.reader.reading import Condition, Question, Reading, Span, Step, Thing, Value
from kimi_ros.reader.skill_card import GROUNDED_TYPES, Argument, SkillCard
from kimi_ros.reader.state_words import match_state
from kimi_ros.reader.tokenizer import detect_language, normalize
from kimi_ros.reader.value_rules import (
    add_missing_values,
    complete_texts,
    covered_spans,
    join_repeated_steps,
)
from kimi_ros.reader.verb_rules import apply_verb_rules
from kimi_ros.resources import share

FORMAT = 1
_CACHE_SIZE = 8  # catalogues
# Outcomes after which an instruction is read in plainer words.
_GIVEN_UP = ('unclear', 'no_skill', 'nothing')
_DOUBT = 0.7  # confidence below which words that mean the same are tried, too
# Confidence below which a skill that takes nothing is not meant: no word of its own says so.
_SURE = 0.6
_CLAUSE_END = re.compile('[，。；！？;!?]')


class ReaderError(ValueError):
    """The reader's folder or its input is invalid."""


class Reader:
    """Parses English and Chinese instructions, one at a time, on one thread.

    :ivar threshold: confidence below which an instruction is 'unclear'.
    """

    def __init__(
        self,
        network: OnnxModel,
        threshold: float = 0.0,
        calibration: Sequence[Sequence[float]] = ((0, 0), (1, 1)),
    ):
        """:param calibration: points (probability, accuracy) of a piecewise linear curve."""
        self._network, self.threshold = network, threshold
        self._calibration_x, self._calibration_y = np.array(calibration, float).T
        self._catalogue_cache: OrderedDict[tuple[object, ...], EncodedCatalogue] = OrderedDict()

    @classmethod
    def load(cls, folder: str | Path | None = None) -> Reader:
        """Load a reader; None loads the one that ships with the package.

        :raises ReaderError: if the folder has no reader, or one of another format.
        """
        folder = Path(folder) if folder else share('models/reader')
        try:
            metadata = json.loads((folder / 'model.json').read_text(encoding='utf-8'))
            if metadata.get('format') != FORMAT:
                raise ReaderError(
                    f'{folder} has format {metadata.get("format")}, this version needs {FORMAT}: '
                    'export it again with kimi-train reader'
                )
            network = OnnxModel(folder)
        except (OSError, json.JSONDecodeError) as error:
            raise ReaderError(f'{folder} is not a reader: {error}') from error
        return cls(
            network, metadata.get('threshold', 0.0), metadata.get('calibration', ((0, 0), (1, 1)))
        )

    def read(
        self,
        instruction: str,
        skills: Sequence[SkillCard],
        language: str = '',
        history: Sequence[str] = (),
    ) -> Reading:
        """Return the reading of an instruction.

        :param skills: of the robot; their encoding is cached.
        :param language: 'en' or 'zh', of the skills' descriptions; '' uses that of the instruction.
        :param history: previous instructions, the newest first; two are used.
        :raises ReaderError: without skills, or if two have the same name.
        """
        reading = self._read(instruction, skills, language, history)
        given_up = reading.outcome in _GIVEN_UP or _lacks_a_thing(reading, skills)
        words = plain_words(instruction, skills)
        if not given_up and reading.confidence >= _DOUBT:
            if words.sure.text == instruction or not reading.steps:
                return reading
            return _with_plain_words(
                reading, words.sure.text, self._read(words.sure.text, skills, language, history)
            )
        tried = {instruction}
        for other in (words.sure, words.plain) if given_up else (words.sure,):
            if other.text in tried:
                continue
            tried.add(other.text)
            found = self._read(other.text, skills, language, history)
            better = given_up or found.confidence > reading.confidence
            if better and found.outcome == 'steps' and not _lacks_a_thing(found, skills):
                if meant := other.original(found):
                    return meant
        if given_up and (placed := read_placement(instruction, skills)):
            return replace(placed, confidence=self.threshold)
        return reading

    def _read(
        self, instruction: str, skills: Sequence[SkillCard], language: str, history: Sequence[str]
    ) -> Reading:
        """Return the reading of an instruction in its own words."""
        history = tuple(history)[:2]
        texts = (instruction, *history)
        tokenized = self._network.featurizer.tokenize_instruction(instruction, history)
        catalogue = self._encoded_catalogue(tuple(skills), language or detect_language(instruction))
        if not any(
            t.kind != 'mark' and not turn
            for t, turn in zip(tokenized.tokens, tokenized.turns, strict=True)
        ):
            return Reading('unclear')
        encoded = self._network.encode_instruction(tokenized, catalogue)
        decoded = EventDecoder(self._network, catalogue, tokenized, encoded).decode()
        parser = NounPhraseParser(self._network, tokenized, encoded, texts)
        reading, penalty = _ReadingBuilder(skills, catalogue, parser).build(decoded.events)
        normalized, cards = tuple(map(normalize, texts)), {card.name: card for card in skills}
        ruled = apply_verb_rules(reading, normalized, cards)
        certain = ruled.outcome != reading.outcome
        reading = apply_handling_rules(ruled, normalized, cards)
        if detect_language(instruction) == 'zh':
            reading = apply_chinese_rules(reading, normalized, cards)
        reading = apply_denial_rules(reading, normalized)
        reading = add_missing_object(reading, instruction, parser, cards)
        reading = join_repeated_steps(reading, cards)
        reading = add_missing_values(reading, instruction, skills, tokenized, catalogue, encoded)
        reading = add_recipient(reading, instruction, skills, tokenized)
        reading = add_place_relation(reading, instruction, skills)
        reading = add_object_place(reading, instruction, skills, tokenized)
        reading = add_question_place(reading, instruction, tokenized)
        reading = add_placed_object(reading, instruction, cards)
        reading = complete_texts(reading, instruction, skills, tokenized)
        if history and has_ellipsis(reading, texts):
            previous = self.read(history[0], skills, language, history[1:])
            reading = fill_ellipsis(reading, texts, previous)
        covered = covered_spans(reading)
        left_out = _left_out(parser, encoded.coverage, tokenized, covered)
        probability = math.exp(decoded.log_probability) * penalty
        confidence = float(np.interp(probability, self._calibration_x, self._calibration_y))
        confidence = max(confidence, self.threshold) if certain else confidence
        needed = self.threshold
        if not certain and any(not cards[step.skill].arguments for step in reading.steps):
            needed = max(needed, _SURE)
        if confidence < needed or _crosses_clauses(reading, texts):
            return Reading('unclear', left_out=left_out, confidence=confidence)
        return replace(reading, left_out=left_out, confidence=confidence)

    def _encoded_catalogue(self, skills: tuple[SkillCard, ...], language: str) -> EncodedCatalogue:
        names = [card.name for card in skills]
        if not names or len(set(names)) < len(names):
            raise ReaderError(f'a catalogue needs at least one skill and unique names, got {names}')
        key = (language, tuple((c.name, c.description_in(language), c.arguments) for c in skills))
        if key not in self._catalogue_cache:
            self._catalogue_cache[key] = self._network.encode_catalogue(skills, language)
            while len(self._catalogue_cache) > _CACHE_SIZE:
                self._catalogue_cache.popitem(last=False)
        self._catalogue_cache.move_to_end(key)
        return self._catalogue_cache[key]


def _with_plain_words(reading: Reading, text: str, plain: Reading) -> Reading:
    """Return a reading with its steps in a text of plainer words, if they are the same there."""
    if [step.skill for step in plain.steps] != [step.skill for step in reading.steps]:
        return reading
    pairs = zip(reading.steps, plain.steps, strict=True)
    return replace(reading, steps=tuple(replace(a, plain=(text, b)) for a, b in pairs))


def _lacks_a_thing(reading: Reading, skills: Sequence[SkillCard]) -> bool:
    """Tell whether a step lacks an object or a place that its skill takes."""
    cards = {card.name: card for card in skills}
    return any(
        name not in step.things for step in reading.steps for name in cards[step.skill].grounded
    )


def _crosses_clauses(reading: Reading, texts: Sequence[str]) -> bool:
    """Return whether a name goes on behind the end of a clause, as no noun phrase does."""
    things = (thing for step in reading.steps for thing in step.all_things)
    return any(_CLAUSE_END.search(thing.words.text_in(texts)) for thing in things)


class _ReadingBuilder:
    """Builds a reading from decoded events."""

    def __init__(
        self, skills: Sequence[SkillCard], catalogue: EncodedCatalogue, parser: NounPhraseParser
    ):
        self._skills, self._catalogue, self._parser = skills, catalogue, parser
        self._penalty = 1.0

    def build(self, events: Sequence[EventPrediction]) -> tuple[Reading, float]:
        """Return the reading, and a penalty factor: below 1 if it is inconsistent."""
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
                verb, outcome = event.verb and self._parser.span(event.verb), 'no_skill'
            else:
                outcome = 'unclear'
        outcome = outcome or ('steps' if steps else 'nothing')
        steps = [_drop_forbidden(step, forbidden) for step in steps]
        if steps and outcome != 'steps':
            if outcome == 'answer':  # a reading cannot have both a step and a question
                self._penalty *= 0.5
            steps = []
        reading = Reading(outcome, tuple(steps), question, verb, tuple(forbidden))
        return reading, self._penalty

    def _step(self, event: EventPrediction) -> Step:
        number = event.candidate - len(EVENTS)
        card = self._skills[number]
        things: dict[str, tuple[Thing, ...]] = {}
        values: dict[str, Value] = {}
        for index, argument in zip(
            self._catalogue.tokenized.arguments[number], card.arguments, strict=True
        ):
            slot = event.slots[len(SLOTS) + index]
            if argument.type in GROUNDED_TYPES:
                if slot.first:
                    things[argument.name] = (self._thing(slot),)
                    if slot.second and slot.second != slot.first:
                        things[argument.name] += (self._parser.parse(slot.second),)
            elif (value := self._value(slot, argument)) is not None:
                values[argument.name] = value
        condition_slot = event.slots[SLOTS.index('condition')]
        condition = None
        if condition_slot.first:
            condition = Condition(self._parser.parse(condition_slot.first), condition_slot.present)
        verb = event.verb and self._parser.span(event.verb)
        return Step(card.name, verb, things, values, condition_slot.relation, condition)

    def _thing(self, slot: SlotPrediction) -> Thing:
        assert slot.first
        return self._parser.parse(slot.first, slot.number)

    def _value(self, slot: SlotPrediction, argument: Argument) -> Value | None:
        words = slot.first and self._parser.span(slot.first)
        if argument.type == 'bool':
            return Value(words, slot.truth == 1) if slot.truth else None
        if words is None or slot.first is None:
            return None
        text = self._parser.text(slot.first)
        if argument.type == 'enum':
            matched = match_state(text, argument.values)
            if matched is None and slot.value is not None:
                matched = argument.values[slot.value]
            return None if matched is None else Value(words, matched)
        if argument.type == 'string':
            return Value(words, text)
        words = self._parser.quantity(slot.first, argument.unit)
        number = parse_meant(self._parser.said(words), argument.unit)
        if number is None:  # words without a number
            self._penalty *= 0.2
            return None
        return Value(words, number)


def _drop_forbidden(step: Step, forbidden: Sequence[Thing]) -> Step:
    """Return the step without forbidden objects."""
    words = {thing.words for thing in forbidden}
    things = {
        n: phrases for n, phrases in step.things.items() if not words & {t.words for t in phrases}
    }
    return replace(step, things=things)


def _left_out(
    parser: NounPhraseParser,
    coverage: np.ndarray,
    tokenized: TokenizedInstruction,
    covered: Sequence[Span],
) -> tuple[Span, ...]:
    """Return the spans of uncovered words that the network tags as left out."""
    missing = coverage.argmax(-1) == COVERAGE.index('left_out')

    def is_left_out(i: int) -> bool:
        token, turn = tokenized.tokens[i], tokenized.turns[i]
        taken = any(s.turn == turn and s.start < token.end and token.start < s.end for s in covered)
        return bool(not turn and not taken and missing[i])

    runs = token_runs(filter(is_left_out, range(len(tokenized.tokens))))
    return tuple(parser.span(run) for run in runs)
