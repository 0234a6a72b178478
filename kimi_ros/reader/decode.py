"""From the network's figures to decisions: what comes next, where it was said, and how sure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kimi_ros.reader.cards import GROUNDED
from kimi_ros.reader.features import Said
from kimi_ros.reader.heads import EVENTS, NUMBERS, SAME, SIM, SLOTS
from kimi_ros.reader.network import Arrays, Heard, Network, Offer
from kimi_ros.reader.reading import QUESTIONS, RELATIONS

_TRIES = 3  # of finding other things for arguments that seemed to be the same one
FAR = -1e4  # never
_EVIDENCE = 1.5
MOST = 8  # steps, questions and things not to touch in one instruction
Place = tuple[int, int]  # first and last token


@dataclass
class Slot:
    """What a step holds in one place: spans as tokens, and what was decided of it."""

    first: Place | None = None
    second: Place | None = None
    number: str = 'one'
    relation: str = ''
    present: bool = True
    truth: int = 0
    value: int | None = None
    question: str = ''


@dataclass
class Event:
    """What comes next: a candidate by its number, its verb, and what it holds by slot number."""

    candidate: int
    verb: Place | None = None
    slots: dict[int, Slot] = field(default_factory=dict)


@dataclass
class Decisions:
    """All events, and the logarithm of the chance that the network gives to all of them."""

    events: list[Event]
    surety: float


class Decoder:
    """Decides one instruction under one catalogue, the likeliest choice at a time."""

    def __init__(self, network: Network, offer: Offer, said: Said, heard: Heard):
        self._network, self._offer, self._said, self._heard = network, offer, said, heard
        self._turns = np.array(said.turns)
        self._surety = 0.0

    def decide(self) -> Decisions:
        """Return what comes, one after the other, until nothing more does."""
        dim = self._heard.x.shape[1]
        came, verbs, things = ([np.zeros(dim, np.float32)] for _ in range(3))
        events: list[Event] = []
        while len(events) < MOST:
            decided = self._network.run(
                'decide', x=self._heard.x, tokens=self._offer.tokens, of=self._offer.of,
                candidates=self._offer.candidates, sim=self._heard.sim, same=self._heard.same,
                came=np.stack(came), verbs=np.stack(verbs), things=np.stack(things),
            )  # fmt: skip
            candidate = self._choose(decided['event'][0] + self._evidence(events))
            if candidate == EVENTS.index('stop'):
                break
            chosen = self._offer.candidates[candidate : candidate + 1]
            event, verb = self._hold(candidate, decided['z'], chosen)
            events.append(event)
            came.append(chosen[0])
            verbs.append(verb)
            places = [slot.first for slot in event.slots.values() if slot.first]
            things.append(sum((self._heard.x[list(p)].sum(0) for p in places), np.zeros(dim)))
            things[-1] = things[-1].astype(np.float32)
            if candidate == EVENTS.index('unclear'):
                break
        return Decisions(events, self._surety)

    def _evidence(self, events: list[Event]) -> np.ndarray:
        """Return what a word of some skills' choices, where it was said, adds to these skills.

        'Turn it left' asks for rotate(direction: left or right), not for turn_on.
        """
        first = len(EVENTS)
        of, value = self._offer.of[first:, first:] > 0, self._offer.catalogue.value
        out = np.zeros(self._offer.of.shape[1], np.float32)
        used = {i for e in events for s in e.slots.values() if s.first for i in _within(s.first)}
        for i, turn in enumerate(self._turns):
            same = self._heard.same[i, first:] > 0
            skills = of[same].any(0)
            if turn or i in used or not (value[same] >= 0).any():
                continue
            out[first:][skills] = _EVIDENCE
        return out

    def _hold(self, candidate: int, z: np.ndarray, chosen: np.ndarray) -> tuple[Event, np.ndarray]:
        """Return an event with what it holds, and the token of its verb."""
        slots = self._slots_of(candidate)
        verbal = candidate >= len(EVENTS) or candidate == EVENTS.index('no_skill')
        closed = np.zeros((max(1, len(slots)), len(self._turns)), np.float32)
        for _ in range(_TRIES):
            held = self._network.run(
                'hold', x=self._heard.x, z=z, came=chosen, verbal=np.float32([[verbal]]),
                arguments=self._offer.arguments[slots or [0]], values=self._offer.values,
                closed=closed,
            )  # fmt: skip
            if not self._close(slots, held, closed):
                break
        event = Event(candidate)
        if verbal:
            event.verb = self._span(held['verb'][0], held['verb_end'][0], counts=False)
        for row, index in enumerate(slots):
            event.slots[index] = self._slot(held, row, index, candidate)
        return event, held['verb_token'][0]

    def _close(self, slots: list[int], held: Arrays, closed: np.ndarray) -> bool:
        """Close to an argument the thing that another one surely is; tell whether any was."""
        rows = [row for row, index in enumerate(slots) if self._is_thing(index)]
        taken: list[Place] = []
        conflict = False
        for row in sorted(rows, key=lambda row: -_highest(held['first'][row])):
            start = int(held['first'][row].argmax())
            if any(first <= start <= last for first, last in taken):
                for first, last in taken:
                    closed[row, first : last + 1] = FAR
                conflict = True
            elif start < len(self._turns):
                taken.append((start, self._end(start, held['first_end'][row])))
        return conflict

    def _is_thing(self, index: int) -> bool:
        return index >= len(SLOTS) and self._offer.types[index - len(SLOTS)] in GROUNDED

    def _slots_of(self, candidate: int) -> list[int]:
        if candidate >= len(EVENTS):
            arguments = self._offer.catalogue.arguments[candidate - len(EVENTS)]
            return [SLOTS.index('condition'), *(len(SLOTS) + a for a in arguments)]
        if candidate == EVENTS.index('ask'):
            return [1, 2, 3]
        return [1] if candidate == EVENTS.index('forbid') else []

    def _slot(self, held, row: int, index: int, candidate: int) -> Slot:
        slot = Slot()
        slot.first = self._span(held['first'][row], held['first_end'][row])
        if slot.first and (self._is_thing(index) or 0 < index < len(SLOTS)):
            slot.second = self._span(held['second'][row], held['second_end'][row])
            slot.number = NUMBERS[self._choose(held['number'][row])]
        if index == SLOTS.index('condition'):
            relation = self._choose(held['relation'][row])
            slot.relation = RELATIONS[relation - 1] if relation else ''
            slot.present = not slot.first or bool(self._choose(held['present'][row]))
            return slot
        if candidate == EVENTS.index('ask') and index == 1:
            slot.question = QUESTIONS[self._choose(held['question'][row])]
        if index >= len(SLOTS):
            values = self._offer.catalogue.values[index - len(SLOTS)]
            if values and slot.first:
                figures = held['value'][row][values] + self._likeness(slot.first, values)
                # How sure the network is of it does not count: words that mean it plainly do.
                slot.value = self._choose(figures, counts=False)
            kind = self._offer.types[index - len(SLOTS)]
            if kind == 'bool':
                slot.truth = self._choose(held['truth'][row])
        return slot

    def _likeness(self, place: Place, values: list[int]) -> np.ndarray:
        """Return how like the words of a span each enum value is, word by word."""
        events, span = len(EVENTS), slice(place[0], place[1] + 1)
        heard, of = self._heard, self._offer.catalogue.value
        like = SIM * heard.sim[span, events:] + SAME * heard.same[span, events:]
        best = like.max(0)
        return np.array([max(best[of == value], default=-SIM) for value in values], np.float32)

    def _span(self, starts: np.ndarray, ends: np.ndarray, counts: bool = True) -> Place | None:
        """Return the likeliest span, None where none is likelier."""
        start = self._choose(starts, counts)
        if start == len(self._turns):
            return None
        return start, self._choose(self._fitting(start, ends), counts)

    def _end(self, start: int, ends: np.ndarray) -> int:
        return int(self._fitting(start, ends).argmax())

    def _fitting(self, start: int, ends: np.ndarray) -> np.ndarray:
        at = np.arange(len(self._turns))
        fits = (at >= start) & (self._turns == self._turns[start])
        return np.where(fits, ends, FAR)

    def _choose(self, logits: np.ndarray, counts: bool = True) -> int:
        best = int(logits.argmax())
        if counts:
            shifted = logits - logits[best]
            self._surety -= float(np.log(np.exp(shifted).sum()))
        return best


def _within(place: Place) -> range:
    return range(place[0], place[1] + 1)


def _highest(logits: np.ndarray) -> float:
    """Return the chance of the likeliest choice."""
    return float(1 / np.exp(logits - logits.max()).sum())
