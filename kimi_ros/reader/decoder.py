"""Greedy decoding: the events of an instruction, their argument spans, and the log-probability."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kimi_ros.reader.features import TokenizedInstruction
from kimi_ros.reader.labels import EVENTS, MATCH_WEIGHT, NUMBERS, SIMILARITY_WEIGHT, SLOTS
from kimi_ros.reader.onnx_model import Arrays, EncodedCatalogue, EncodedInstruction, OnnxModel
from kimi_ros.reader.reading import QUESTIONS, RELATIONS
from kimi_ros.reader.skill_card import GROUNDED_TYPES

_MAX_ROUNDS = 3  # of resolving conflicts between arguments
MASKED = -1e4  # logit of an impossible choice
_VALUE_BONUS = 1.5
MAX_EVENTS = 8  # per instruction
TokenSpan = tuple[int, int]  # first and last token


@dataclass
class SlotPrediction:
    """The prediction for one slot of an event; spans are of tokens."""

    first: TokenSpan | None = None
    second: TokenSpan | None = None
    number: str = 'one'
    relation: str = ''
    present: bool = True
    truth: int = 0
    value: int | None = None
    question: str = ''


@dataclass
class EventPrediction:
    """A skill, question or prohibition: its candidate, span of the verb, slots by index."""

    candidate: int
    verb: TokenSpan | None = None
    slots: dict[int, SlotPrediction] = field(default_factory=dict)


@dataclass
class DecodedEvents:
    """The events of an instruction, and their log-probability."""

    events: list[EventPrediction]
    log_probability: float


class EventDecoder:
    """Decodes one instruction greedily."""

    def __init__(
        self,
        network: OnnxModel,
        catalogue: EncodedCatalogue,
        tokenized: TokenizedInstruction,
        encoded: EncodedInstruction,
    ):
        self._network, self._catalogue, self._tokenized, self._encoded = (
            network,
            catalogue,
            tokenized,
            encoded,
        )
        self._turns = np.array(tokenized.turns)
        self._log_probability = 0.0

    def decode(self) -> DecodedEvents:
        """Return the events up to 'stop'."""
        dim = self._encoded.hidden_states.shape[1]
        previous_candidates, previous_verbs, previous_phrases = (
            [np.zeros(dim, np.float32)] for _ in range(3)
        )
        events: list[EventPrediction] = []
        while len(events) < MAX_EVENTS:
            outputs = self._network.run(
                'decoder',
                hidden_states=self._encoded.hidden_states,
                tokens=self._catalogue.tokens,
                membership=self._catalogue.membership,
                candidates=self._catalogue.candidates,
                similarity=self._encoded.similarity,
                exact_match=self._encoded.exact_match,
                previous_candidates=np.stack(previous_candidates),
                previous_verbs=np.stack(previous_verbs),
                previous_phrases=np.stack(previous_phrases),
            )
            candidate = self._argmax(outputs['event'][0] + self._value_bonus(events))
            if candidate == EVENTS.index('stop'):
                break
            candidate_state = self._catalogue.candidates[candidate : candidate + 1]
            event, verb = self._decode_arguments(
                candidate, outputs['decoder_state'], candidate_state
            )
            events.append(event)
            previous_candidates.append(candidate_state[0])
            previous_verbs.append(verb)
            spans = [slot.first for slot in event.slots.values() if slot.first]
            states = [self._encoded.hidden_states[list(span)].sum(0) for span in spans]
            previous_phrases.append(np.sum([np.zeros(dim), *states], 0).astype(np.float32))
            if candidate == EVENTS.index('unclear'):
                break
        return DecodedEvents(events, self._log_probability)

    def _value_bonus(self, events: list[EventPrediction]) -> np.ndarray:
        """Return a bonus for skills one of whose enum values is named by an unused word.

        'Turn it left' requests rotate(direction: left or right), not turn_on.
        """
        first = len(EVENTS)
        membership, value = (
            self._catalogue.membership[first:, first:] > 0,
            self._catalogue.tokenized.value,
        )
        out = np.zeros(self._catalogue.membership.shape[1], np.float32)
        used = {i for e in events for s in e.slots.values() if s.first for i in _positions(s.first)}
        for i, turn in enumerate(self._turns):
            exact_match = self._encoded.exact_match[i, first:] > 0
            skills = membership[exact_match].any(0)
            if turn or i in used or not (value[exact_match] >= 0).any():
                continue
            out[first:][skills] = _VALUE_BONUS
        return out

    def _decode_arguments(
        self, candidate: int, decoder_state: np.ndarray, candidate_state: np.ndarray
    ) -> tuple[EventPrediction, np.ndarray]:
        """Return the event with its slots, and the state of its verb's first token."""
        slots = self._slot_indices(candidate)
        has_verb = candidate >= len(EVENTS) or candidate == EVENTS.index('no_skill')
        argument_mask = np.zeros((max(1, len(slots)), len(self._turns)), np.float32)
        for _ in range(_MAX_ROUNDS):
            outputs = self._network.run(
                'arguments',
                hidden_states=self._encoded.hidden_states,
                decoder_state=decoder_state,
                previous_candidates=candidate_state,
                has_verb=np.array([[has_verb]], np.float32),
                arguments=self._catalogue.arguments[slots or [0]],
                values=self._catalogue.values,
                argument_mask=argument_mask,
            )
            if not self._mask_conflicts(slots, outputs, argument_mask):
                break
        event = EventPrediction(candidate)
        if has_verb:
            event.verb = self._span(outputs['verb'][0], outputs['verb_end'][0], scored=False)
        for row, index in enumerate(slots):
            event.slots[index] = self._slot(outputs, row, index, candidate)
        return event, outputs['verb_state'][0]

    def _mask_conflicts(self, slots: list[int], outputs: Arrays, argument_mask: np.ndarray) -> bool:
        """Mask, for an argument, spans that another argument predicts with more confidence.

        Returns whether there was a conflict.
        """
        rows = [row for row, index in enumerate(slots) if self._is_grounded(index)]
        taken: list[TokenSpan] = []
        conflict = False
        for row in sorted(rows, key=lambda row: -_max_probability(outputs['first'][row])):
            start = int(outputs['first'][row].argmax())
            if any(first <= start <= last for first, last in taken):
                for first, last in taken:
                    argument_mask[row, first : last + 1] = MASKED
                conflict = True
            elif start < len(self._turns):
                taken.append((start, self._best_end(start, outputs['first_end'][row])))
        return conflict

    def _is_grounded(self, index: int) -> bool:
        return index >= len(SLOTS) and self._catalogue.types[index - len(SLOTS)] in GROUNDED_TYPES

    def _slot_indices(self, candidate: int) -> list[int]:
        if candidate >= len(EVENTS):
            arguments = self._catalogue.tokenized.arguments[candidate - len(EVENTS)]
            return [SLOTS.index('condition'), *(len(SLOTS) + a for a in arguments)]
        if candidate == EVENTS.index('ask'):
            return [1, 2, 3]
        return [1] if candidate == EVENTS.index('forbid') else []

    def _slot(self, outputs: Arrays, row: int, index: int, candidate: int) -> SlotPrediction:
        slot = SlotPrediction()
        slot.first = self._span(outputs['first'][row], outputs['first_end'][row])
        if slot.first and (self._is_grounded(index) or 0 < index < len(SLOTS)):
            slot.second = self._span(outputs['second'][row], outputs['second_end'][row])
            slot.number = NUMBERS[self._argmax(outputs['number'][row])]
        if index == SLOTS.index('condition'):
            relation = self._argmax(outputs['relation'][row])
            slot.relation = RELATIONS[relation - 1] if relation else ''
            slot.present = not slot.first or bool(self._argmax(outputs['present'][row]))
            return slot
        if candidate == EVENTS.index('ask') and index == 1:
            slot.question = QUESTIONS[self._argmax(outputs['question'][row])]
        if index >= len(SLOTS):
            values = self._catalogue.tokenized.values[index - len(SLOTS)]
            if values and slot.first:
                logits = outputs['value'][row][values] + self._value_similarity(slot.first, values)
                # Not part of the confidence: synonym rules may override it.
                slot.value = self._argmax(logits, scored=False)
            argument_type = self._catalogue.types[index - len(SLOTS)]
            if argument_type == 'bool':
                slot.truth = self._argmax(outputs['truth'][row])
        return slot

    def _value_similarity(self, span: TokenSpan, values: list[int]) -> np.ndarray:
        """Return the best word similarity of each enum value to the words of a span."""
        events, tokens = len(EVENTS), slice(span[0], span[1] + 1)
        encoded, membership = self._encoded, self._catalogue.tokenized.value
        similarity = (
            SIMILARITY_WEIGHT * encoded.similarity[tokens, events:]
            + MATCH_WEIGHT * encoded.exact_match[tokens, events:]
        )
        best = similarity.max(0)
        return np.array(
            [max(best[membership == value], default=-SIMILARITY_WEIGHT) for value in values],
            np.float32,
        )

    def _span(self, starts: np.ndarray, ends: np.ndarray, scored: bool = True) -> TokenSpan | None:
        """Return the best span, or None."""
        start = self._argmax(starts, scored)
        if start == len(self._turns):
            return None
        return start, self._argmax(self._valid_ends(start, ends), scored)

    def _best_end(self, start: int, ends: np.ndarray) -> int:
        return int(self._valid_ends(start, ends).argmax())

    def _valid_ends(self, start: int, ends: np.ndarray) -> np.ndarray:
        at = np.arange(len(self._turns))
        valid = (at >= start) & (self._turns == self._turns[start])
        return np.where(valid, ends, MASKED)

    def _argmax(self, logits: np.ndarray, scored: bool = True) -> int:
        best = int(logits.argmax())
        if scored:
            shifted = logits - logits[best]
            self._log_probability -= float(np.log(np.exp(shifted).sum()))
        return best


def _positions(span: TokenSpan) -> range:
    return range(span[0], span[1] + 1)


def _max_probability(logits: np.ndarray) -> float:
    """Return the probability of the best choice."""
    return float(1 / np.exp(logits - logits.max()).sum())
