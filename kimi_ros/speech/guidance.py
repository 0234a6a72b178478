"""Guiding a hand or a head to a thing by words: where to move next, said on change only.

Pure logic with an explicit clock. Whoever tracks the thing says where it is relative to the hand
(or, for the head, to the middle of the image), in metres where depth is valid.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum

from kimi_ros.speech.directions import Wording, direction, distance

MIN_INTERVAL = 1.5  # seconds between two sentences
_LOST_AFTER = 1.0  # seconds without a sighting
_REMIND = 6.0  # seconds, after which unchanged words are said again
_SEARCH = 4.0  # seconds, after which it is said that the thing is not in view yet
_REACHED = 0.02  # metres
_STEP = 0.05  # metres: what is said is rounded to this, and below it to centimetres
_LONGEST = 0.25  # metres: a longer way is said in parts, as the thing must stay in view
_SMOOTHED = 0.3  # seconds of offsets that are averaged
_STILL = 0.01  # metres that a hand at rest seems to move from one such time to the next
_PATIENCE = 4.0  # seconds, after which a hand that still moves is told the next step
_MOVED = 0.02  # metres, from which the same words are news


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
    :ivar forward: metres, away from the body; None where depth is not valid: then right and up
        tell only the direction, and are not spoken as lengths.
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
        self._began: float | None = None
        self._seen = self._said_at = float('-inf')
        self._said = ''
        self._said_of: Offset | None = None
        self._recent: deque[tuple[float, Offset]] = deque()

    def update(self, offset: Offset | None, now: float) -> str:
        """Return a sentence, '' to stay silent.

        :param offset: None where the thing is not seen in this frame.
        :param now: seconds.
        """
        if self._began is None:
            self._began = now
        if self.state is State.REACHED:
            return ''
        if offset is None:
            return self._missing(now)
        self._seen = now
        if self.state in (State.SEARCHING, State.LOST):
            again = self.state is State.LOST and offset.forward is not None
            self.state = State.GUIDING
            self._recent.clear()
            self._recent.append((now, offset))
            near = again and _length(offset) < 2 * _LONGEST
            return self._say(self._again(offset) if near else self._where(offset), now)
        self._recent.append((now, offset))
        while now - self._recent[0][0] > 2 * _SMOOTHED:
            self._recent.popleft()
        offset = self._smoothed(now - _SMOOTHED, now) or offset
        if offset.forward is not None and _length(offset) <= _REACHED:
            self.state = State.REACHED
            return self._say(self._words('reached'), now)
        # Who still moves is not told the next step: it would be measured from a wrong place.
        if self._is_moving(now) and now - self._said_at < _PATIENCE:
            return ''
        words = self._move(offset)
        news = words != self._said or self._has_moved(offset)
        if now - self._said_at < (MIN_INTERVAL if news else _REMIND):
            return ''
        self._said_of = offset
        return self._say(words, now)

    def _missing(self, now: float) -> str:
        if self.state is State.SEARCHING:
            due = self._began is not None and now - self._began >= _SEARCH and not self._said
            return self._say(self._words('searching'), now) if due else ''
        if self.state is not State.GUIDING or now - self._seen < _LOST_AFTER:
            return ''
        self.state = State.LOST
        return self._say(self._words('lost'), now)

    def _smoothed(self, begin: float, end: float) -> Offset | None:
        """Return the mean of the offsets after `begin`, until `end`."""
        found = [o for time, o in self._recent if begin < time <= end]
        if not found:
            return None
        forward = [o.forward for o in found if o.forward is not None]
        return Offset(
            sum(o.right for o in found) / len(found),
            sum(o.up for o in found) / len(found),
            sum(forward) / len(forward) if found[-1].forward is not None else None,
        )

    def _is_moving(self, now: float) -> bool:
        latest = self._smoothed(now - _SMOOTHED, now)
        before = self._smoothed(now - 2 * _SMOOTHED, now - _SMOOTHED)
        return latest is not None and before is not None and _apart(latest, before) > _STILL

    def _has_moved(self, offset: Offset) -> bool:
        return self._said_of is not None and _apart(offset, self._said_of) > _MOVED

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
        text = f'{self.name}: {where}, {far or "distance unknown"}.'
        return text[:1].upper() + text[1:]  # names keep their capitals

    def _again(self, offset: Offset) -> str:
        """Return the next movement to a thing at hand that is in sight again."""
        move = self._move(offset)
        if self.wording.language == 'zh':
            return f'又看到{self.name}了。{move}'
        return f'I see the {self.name} again. {move}'

    def _move(self, offset: Offset) -> str:
        """Return a movement: sideways first, then the longer of height and forward.

        Aim first, then approach: a hand that goes forward to the side of a thing upsets it. Height
        and forward in turn bring it there from above, and keep the thing in view.
        """
        forward = offset.forward
        parts = {'right': offset.right, 'up': offset.up}
        if forward is None:
            if max(map(abs, parts.values())) <= _REACHED / 2:
                return self._words('unknown')
        else:
            parts['forward'] = forward
            rest = math.hypot(offset.up, forward)
            if abs(offset.right) > max(_REACHED / 2, 0.3 * rest):
                parts = {'right': offset.right}
        way = max(parts, key=lambda name: abs(parts[name]))
        size = parts[way]
        if size < 0:
            way = _OPPOSITE[way]
        chinese = self.wording.language == 'zh'
        if forward is None:
            return f'{_WAYS_ZH[way]}一点。' if chinese else f'A little {way}.'
        amount = _amount(min(abs(size), _LONGEST))
        if chinese:
            return f'{_WAYS_ZH[way]}{amount}厘米。'
        return f'{amount} centimetre{"s" * (amount != 1)} {way}.'

    def _words(self, name: str) -> str:
        template = _SENTENCES[name][self.wording.language == 'zh']
        return template.format(self.name)


_OPPOSITE = {'right': 'left', 'up': 'down', 'forward': 'back'}
_WAYS_ZH = {
    'left': '向左',
    'right': '向右',
    'up': '向上',
    'down': '向下',
    'forward': '向前',
    'back': '向后',
}
_SENTENCES = {
    'searching': (
        'I do not see the {} yet. Please move the camera slowly.',
        '还没看到{}，请慢慢移动摄像头。',
    ),
    'lost': ('I have lost sight of the {}. Please hold still.', '看不到{}了，请不要动。'),
    'reached': ('The {} is under your hand.', '{}就在你手下。'),
    'unknown': ('Slowly forward: I cannot measure how far.', '慢慢向前，我量不出距离。'),
}


def _amount(metres: float) -> int:
    """Return centimetres: to 5 above 7.5, else to 1; at least 1."""
    if metres > 1.5 * _STEP:
        return round(metres / _STEP) * round(_STEP * 100)
    return max(1, round(metres * 100))


def _apart(one: Offset, other: Offset) -> float:
    forward = (one.forward or 0.0) - (other.forward or 0.0)
    return math.hypot(one.right - other.right, one.up - other.up, forward)


def _length(offset: Offset) -> float:
    return math.sqrt(offset.right**2 + offset.up**2 + (offset.forward or 0.0) ** 2)
