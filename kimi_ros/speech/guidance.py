"""Guiding a hand or a head to a thing by words: where to move next, said on change only.

Pure logic with an explicit clock. Whoever tracks the thing says where it is relative to the hand
(or, for the head, to the middle of the image), in metres where depth is valid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from kimi_ros.speech.directions import Wording, direction, distance

MIN_INTERVAL = 1.5  # seconds between two sentences
_LOST_AFTER = 1.0  # seconds without a sighting
_REMIND = 6.0  # seconds, after which unchanged words are said again
_REACHED = 0.02  # metres
_STEP = 0.05  # metres: what is said is rounded to this, and below it to centimetres


class State(Enum):
    """How far the guidance is."""

    SEARCHING = 'searching'
    GUIDING = 'guiding'
    LOST = 'lost'
    REACHED = 'reached'


@dataclass(frozen=True)
class Offset:
    """Where the thing is, seen from the hand, as its owner faces it.

    :ivar right: metres; negative to the left.
    :ivar up: metres; negative down.
    :ivar forward: metres, away from the body; None where depth is not valid.
    """

    right: float
    up: float
    forward: float | None


class Guide:
    """Guides to one thing. Call `update` for every frame; speak what it returns."""

    def __init__(self, name: str, wording: Wording | None = None):
        """Begin a search.

        :param name: of the thing, as the person said it.
        """
        self.name = name
        self.wording = wording or Wording()
        self.state = State.SEARCHING
        self._seen = self._said_at = float('-inf')
        self._said = ''

    def update(self, offset: Offset | None, now: float) -> str:
        """Return a sentence, '' to stay silent.

        :param offset: None where the thing is not seen in this frame.
        :param now: seconds.
        """
        if self.state is State.REACHED:
            return ''
        if offset is None:
            if self.state is not State.GUIDING or now - self._seen < _LOST_AFTER:
                return ''
            self.state = State.LOST
            return self._say(self._words('lost'), now)
        self._seen = now
        if self.state in (State.SEARCHING, State.LOST):
            self.state = State.GUIDING
            return self._say(self._where(offset), now)
        if offset.forward is not None and _length(offset) <= _REACHED:
            self.state = State.REACHED
            return self._say(self._words('reached'), now)
        words = self._move(offset)
        if now - self._said_at < (MIN_INTERVAL if words != self._said else _REMIND):
            return ''
        return self._say(words, now)

    def _say(self, words: str, now: float) -> str:
        self._said, self._said_at = words, now
        return words

    def _where(self, offset: Offset) -> str:
        forward = offset.forward
        bearing = math.degrees(math.atan2(offset.right, 0.5 if forward is None else forward))
        where = direction(bearing, self.wording)
        far = distance(None if forward is None else _length(offset), self.wording)
        if self.wording.language == 'zh':
            return f'{self.name}在{where}' + (f'，{far}。' if far else '，距离不清楚。')
        return f'{self.name}: {where}, {far or "distance unknown"}.'.capitalize()

    def _move(self, offset: Offset) -> str:
        """Return the largest component as a movement: sideways and height before forward."""
        chinese = self.wording.language == 'zh'
        sideways = [(abs(offset.right), 'right' if offset.right > 0 else 'left')]
        sideways.append((abs(offset.up), 'up' if offset.up > 0 else 'down'))
        size, way = max(sideways)
        forward = offset.forward
        if forward is None and size <= _REACHED / 2:
            return self._words('unknown')
        # Aim first, then approach: a hand that goes forward to the side of a thing upsets it.
        aimed = size <= max(_REACHED / 2, 0.3 * abs(forward or 0.0))
        if forward is not None and aimed and abs(forward) >= size:
            size, way = abs(forward), 'forward' if forward > 0 else 'back'
        amount = _amount(size)
        if chinese:
            return f'{_WAYS_ZH[way]}{amount}厘米。'
        return f'{amount} centimetre{"s" * (amount != 1)} {way}.'

    def _words(self, name: str) -> str:
        template = _SENTENCES[name][self.wording.language == 'zh']
        return template.format(self.name)


_WAYS_ZH = {
    'left': '向左',
    'right': '向右',
    'up': '向上',
    'down': '向下',
    'forward': '向前',
    'back': '向后',
}
_SENTENCES = {
    'lost': ('I have lost sight of the {}. Please hold still.', '看不到{}了，请不要动。'),
    'reached': ('The {} is under your hand.', '{}就在你手下。'),
    'unknown': ('Slowly forward: I cannot measure how far.', '慢慢向前，我量不出距离。'),
}


def _amount(metres: float) -> int:
    """Return centimetres: to 5 above 7.5, else to 1; at least 1."""
    if metres > 1.5 * _STEP:
        return round(metres / _STEP) * round(_STEP * 100)
    return max(1, round(metres * 100))


def _length(offset: Offset) -> float:
    return math.sqrt(offset.right**2 + offset.up**2 + (offset.forward or 0.0) ** 2)
