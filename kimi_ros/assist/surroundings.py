"""Narration of the surroundings: located things and measured space become findings, then words."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.grounding import box_iou
from kimi_ros.agent.text_in_view import SeenText
from kimi_ros.assist.free_space import LANE, FreeSpace
from kimi_ros.assist.pointing import GUESSED, Place, place_of
from kimi_ros.assist.sight import Located, Sight, Thing
from kimi_ros.assist.things import Kind
from kimi_ros.assist.tracker import Box, Tracker
from kimi_ros.speech.narration import Finding, Narrator, Side

_AT_ONCE = 4  # names that the model is asked for at a time
_SAME = 0.2  # IoU from which a located box is one that is followed
_MISSES = 2  # answers without it, after which a thing that the model does not see any more is gone
_HOLD = 2.0  # seconds that a thing without corners stays where the model saw it
_SURE = 0.4  # score
_IN_THE_WAY = LANE / 2  # metres to the side
_AHEAD = 5.0  # metres
_UNNAMED = 2.5  # metres, within which an obstacle without a name is announced
_EXPLAINED = 0.6  # metres between an obstacle and a thing that has a name
_TEXT_PERIOD = 4.0  # seconds
_QUOTED = 60  # characters


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
        self._groups = [list(self._kinds)[i : i + _AT_ONCE] for i in range(0, len(kinds), _AT_ONCE)]
        self._turn = 0
        self.narrator = narrator
        self.period = period
        self._read_text = read_text
        self._tracker = Tracker(_HOLD)
        self._numbers = itertools.count(1)
        self._known: dict[str, tuple[str, float, int]] = {}  # by id: kind, score, misses
        self._findings: list[Finding] = []
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
        space = FreeSpace(frame)
        places = {key: place_of(frame, box, (0, 0, 0)) for key, box in self._tracker.boxes.items()}
        self._findings = [*self._of_kinds(places, space), *self._written(frame, now)]
        self._findings += self._unnamed(space)
        told = self.narrator.update(self._findings, now)
        boxes = self._tracker.boxes.items()
        things = tuple(self._thing(key, box, places[key]) for key, box in boxes)
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
        before = self._tracker.boxes_at(stamp)
        matched: set[str] = set()
        for item in found:
            same = [
                key
                for key, box in before.items()
                if key in self._known
                and key not in matched
                and self._known[key][0] == item.name
                and box_iou(box, item.box) >= _SAME
            ]
            key = max(same, key=lambda k: box_iou(before[k], item.box)) if same else None
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
                self._tracker.boxes.pop(key, None)

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

    def _of_kinds(self, places: dict[str, Place | None], space: FreeSpace) -> list[Finding]:
        """Return one finding for all things of a kind: that of the nearest, with their number."""
        groups: dict[str, list[tuple[float, str, Place]]] = defaultdict(list)
        for key, place in places.items():
            if place is not None:
                metres = _metres(place)
                entry = math.inf if metres is None else metres, key, place
                groups[self._known[key][0]].append(entry)
        return [
            self._finding(name, sorted(group, key=lambda e: e[:2]), space)
            for name, group in groups.items()
        ]

    def _finding(
        self, name: str, group: Sequence[tuple[float, str, Place]], space: FreeSpace
    ) -> Finding:
        kind, (_, key, place) = self._kinds[name], group[0]
        metres, offset = _metres(place), place.offset
        forward = offset.forward
        blocks = forward is not None and 0 < forward < _AHEAD and abs(offset.right) < _IN_THE_WAY
        hazard = kind.hazard or blocks
        left = right = Side.UNKNOWN
        if hazard and forward is not None:
            left = space.lane(offset.right - LANE, forward + 0.5)
            right = space.lane(offset.right + LANE, forward + 0.5)
        return Finding(
            id=key,
            label=kind.label(len(group), self.narrator.wording.language),
            bearing=_bearing(place),
            metres=metres,
            hazard=hazard,
            left=left,
            right=right,
            sure=self._known[key][1] >= _SURE,
            person=kind.person and len(group) == 1,
        )

    def _unnamed(self, space: FreeSpace) -> list[Finding]:
        """Return what depth sees in the way and no thing with a name explains."""
        obstacle = space.obstacle()
        if obstacle is None or obstacle[1] > _UNNAMED:
            return []
        right, forward = obstacle
        metres = math.hypot(right, forward)
        for finding in self._findings:
            if finding.metres is not None and abs(finding.metres - metres) < _EXPLAINED:
                return []
        chinese = self.narrator.wording.language == 'zh'
        return [
            Finding(
                id='unnamed',
                label='有东西挡路' if chinese else 'something in the way',
                bearing=math.degrees(math.atan2(right, forward)),
                metres=metres,
                hazard=True,
                left=space.lane(right - LANE, forward + 0.5),
                right=space.lane(right + LANE, forward + 0.5),
            )
        ]

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


def _bearing(place: Place) -> float:
    """Return degrees to the right."""
    forward = place.offset.forward
    return math.degrees(math.atan2(place.offset.right, GUESSED if forward is None else forward))


def _metres(place: Place) -> float | None:
    """Return the level distance; None without valid depth."""
    forward = place.offset.forward
    return None if forward is None else math.hypot(place.offset.right, forward)
