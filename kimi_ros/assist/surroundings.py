"""Narration of the surroundings: located things and measured space become findings, then words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.grounding import box_iou
from kimi_ros.agent.text_in_view import SeenText
from kimi_ros.assist.findings import Seen, findings_of, unnamed
from kimi_ros.assist.free_space import FreeSpace, Obstacle
from kimi_ros.assist.pointing import GUESSED, Place, place_of
from kimi_ros.assist.ranging import extent_of
from kimi_ros.assist.sight import Located, Sight, Thing
from kimi_ros.assist.things import Kind
from kimi_ros.assist.tracker import Box, Tracker
from kimi_ros.speech.narration import Finding, Narrator

_AT_ONCE = 4  # names that the model is asked for at a time
_SAME = 0.2  # IoU from which a located box is one that is followed
_MARGIN = 0.08  # of a box's longer side, around it, for that
_MISSES = 2  # answers without it, after which a thing that the model does not see any more is gone
_SHOWN = 0.6  # share of a thing's width
_EDGE = 0.2  # share of the image's width
_STALE = 0.45  # seconds, after which it is kept, but nothing is said of where it is
_HOLD = 2.0  # seconds that a thing without corners stays where the model saw it
_TEXT_PERIOD = 4.0  # seconds
_QUOTED = 60  # characters
_LEAP, _FASTEST = 0.8, 2.5  # metres, and metres a second, that a thing comes nearer at most
_FLOOR_KEPT = 10  # images that the floor is taken to be where it was, unseen
_NEXT = 1.0  # metres that an obstacle is farther away than the one before it
_FREE = 1.0  # seconds of a free lane, after which what ends it is something else


class Surroundings:
    """Narration: a Session."""

    def __init__(
        self,
        kinds: Sequence[Kind],
        narrator: Narrator,
        read_text: Callable[[np.ndarray], Sequence[SeenText]] | None = None,
        period: float = 0.0,
    ):
        """Begin.

        :param kinds: what to look for, most important first.
        :param narrator: its wording and level may be changed while it runs.
        :param read_text: reads text in uint8 (H, W, 3); None: nothing is read.
        :param period: seconds from one answer of the model to the next question.
        """
        self._kinds = {kind.name['en']: kind for kind in kinds}
        self._compounds = [kind for kind in kinds if kind.parts]
        asked = [kind.name['en'] for kind in kinds if not kind.parts]
        self._groups = [asked[i : i + _AT_ONCE] for i in range(0, len(asked), _AT_ONCE)]
        self._turn = 0
        self.narrator = narrator
        self.period = period
        self._read_text = read_text
        self._tracker = Tracker(_HOLD)
        self._numbers = itertools.count(1)
        self._known: dict[str, tuple[str, float, int]] = {}  # by id: kind, score, misses
        self._findings: list[Finding] = []
        self._floor: float | None = None
        self._floor_unseen = 0  # images
        self._ranges: dict[str, tuple[float, float]] = {}  # by id: metres, and when
        self._obstacles: dict[str, tuple[str, float, float]] = {}  # by kind: id, metres, and when
        self._reader = ThreadPoolExecutor(1, 'read text') if read_text is not None else None
        self._reading: Future[Sequence[Finding]] | None = None
        self._texts: Sequence[Finding] = ()
        self._texts_read = self._answered = float('-inf')

    @property
    def names(self) -> Sequence[str]:
        """See Session."""
        return self._groups[self._turn % len(self._groups)]

    @property
    def turns(self) -> int:
        """How many answers of the model it takes to look for everything once."""
        return len(self._groups)

    @property
    def looked(self) -> bool:
        """Whether the model has looked for everything once: before, nothing seen says nothing."""
        return self._turn >= self.turns

    @property
    def findings(self) -> Sequence[Finding]:
        """What was in the newest image."""
        return tuple(self._findings)

    def see(self, frame: Frame, now: float) -> Sight:
        """See Session."""
        self._tracker.update(frame.rgb, frame.stamp, frame.depth)
        self._known = {k: v for k, v in self._known.items() if k in self._tracker.boxes}
        self._ranges = {k: v for k, v in self._ranges.items() if k in self._tracker.boxes}
        space = FreeSpace(frame, self._floor if self._floor_unseen < _FLOOR_KEPT else None)
        self._floor = space.floor
        self._floor_unseen = 0 if space.floor_seen else self._floor_unseen + 1
        boxes = self._tracker.boxes
        language = self.narrator.wording.language
        seen = self._seen(frame, space, now)
        found = findings_of(seen, self._compounds, space, language)
        obstacle = space.obstacle()
        found += unnamed(obstacle, found, space, language, self._obstacle_key(obstacle, now))
        self._findings = [*found, *self._written(frame, now)]
        told = self.narrator.update(self._findings, now)
        things = tuple(
            self._thing(key, box, place_of(frame, box, (0, 0, 0))) for key, box in boxes.items()
        )
        if told is None:
            return Sight(state='narrating', things=things)
        return Sight(told.text, told.interrupts, 'narrating', things)

    def should_locate(self, now: float) -> bool:
        """See Session."""
        return now - self._answered >= self.period

    def located(self, found: Sequence[Located], stamp: float, now: float) -> None:
        """See Session."""
        asked, self._answered = self.names, now
        self._turn += 1
        before = {key: _grown(box) for key, box in self._tracker.boxes_at(stamp).items()}
        matched: set[str] = set()
        for item in found:
            there = _grown(item.box)
            same = [
                key
                for key, box in before.items()
                if key in self._known
                and key not in matched
                and self._known[key][0] == item.name
                and box_iou(box, there) >= _SAME
            ]
            key = max(same, key=lambda k: box_iou(before[k], there)) if same else None
            key = key or f'{item.name} {next(self._numbers)}'
            matched.add(key)
            if self._tracker.start(key, item.box, stamp) is not None:
                score = item.score if item.verified else 0.0
                self._known[key] = item.name, score, 0
        for key, (name, score, misses) in list(self._known.items()):
            if name not in asked or key in matched:
                continue
            self._known[key] = name, score, misses + 1
            if misses + 1 >= _MISSES:
                self._tracker.forget(key)

    def failed(self, now: float) -> None:
        """See Session."""
        self._answered = now

    def answer(self, side: str) -> str:
        """Return all that is on a side: 'left', 'right' or 'ahead'."""
        return self.narrator.answer(self._findings, side)

    def _thing(self, key: str, box: Box, place: Place | None) -> Thing:
        kind = self._kinds[self._known[key][0]]
        name = kind.name[self.narrator.wording.language]
        return Thing(key, name, box, place.xyz if place is not None else None)

    def _seen(self, frame: Frame, space: FreeSpace, now: float) -> list[Seen]:
        """Return what is followed; what seems to have leapt nearer is hidden by something else."""
        seen = []
        for key, box in list(self._tracker.boxes.items()):
            stale = self._tracker.held(key) > _STALE or _leaves(box, frame.size[0])
            extent = None if stale else extent_of(frame, box, space.floor)
            if extent is None or key not in self._known:
                continue
            name, score, _ = self._known[key]
            metres, (before, then) = extent.metres, self._ranges.get(key, (None, now))
            if metres is not None and before is not None:
                if before - metres > _LEAP + _FASTEST * (now - then):
                    self._tracker.forget(key)
                    continue
            if metres is not None:
                self._ranges[key] = metres, now
            seen.append(Seen(key, self._kinds[name], score, extent))
        return seen

    def _obstacle_key(self, obstacle: Obstacle | None, now: float) -> str:
        """Return the id of what ends the lane.

        It is another one where it is farther than the last, or the lane was free meanwhile.
        """
        if obstacle is None:
            return ''
        key, forward, seen = self._obstacles.get(obstacle.kind, ('', -math.inf, now))
        if obstacle.forward > forward + _NEXT or now - seen > _FREE:
            key = f'{obstacle.kind} {next(self._numbers)}'
        self._obstacles[obstacle.kind] = key, obstacle.forward, now
        return key

    def _written(self, frame: Frame, now: float) -> Sequence[Finding]:
        """Return the texts that were read last; reading takes a second, in a thread of its own."""
        if self._reader is None:
            return ()
        if self._reading is not None and self._reading.done():
            reading, self._reading = self._reading, None  # also where it failed
            self._texts = reading.result()
        if self._reading is None and now - self._texts_read >= _TEXT_PERIOD:
            self._texts_read = now
            self._reading = self._reader.submit(self._read, frame)
        return self._texts

    def _read(self, frame: Frame) -> Sequence[Finding]:
        assert self._read_text is not None
        chinese = self.narrator.wording.language == 'zh'
        found = []
        for seen in self._read_text(frame.rgb):
            place = place_of(frame, seen.box, (0, 0, 0))
            if place is None:
                continue
            text = seen.text[:_QUOTED]
            found.append(
                Finding(
                    id=f'text {text}',
                    label='文字' if chinese else 'text',
                    bearing=_bearing(place),
                    metres=_metres(place),
                    text=text,
                )
            )
        return found


def _leaves(box: Box, width: int) -> bool:
    """Whether a thing leaves the image at one side: what is not seen of it may be nearer."""
    left, right = max(box[0], 0.0), min(box[2], float(width))
    if right - left < _SHOWN * (box[2] - box[0]):
        return True
    middle = (left + right) / 2 / width
    return (left < 2 and middle < _EDGE) or (right > width - 2 and middle > 1 - _EDGE)


def _grown(box: Box) -> Box:
    """Return a box with a margin: that of a pole must not miss it by its own width."""
    edge = _MARGIN * max(box[2] - box[0], box[3] - box[1])
    return box[0] - edge, box[1] - edge, box[2] + edge, box[3] + edge


def _bearing(place: Place) -> float:
    """Return degrees to the right."""
    forward = place.offset.forward
    return math.degrees(math.atan2(place.offset.right, GUESSED if forward is None else forward))


def _metres(place: Place) -> float | None:
    """Return the level distance; None without valid depth."""
    forward = place.offset.forward
    return None if forward is None else math.hypot(place.offset.right, forward)
