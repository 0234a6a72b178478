"""A search for one thing: located by the model now and then, followed in between, and said."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.grounding import box_iou
from kimi_ros.assist.pointing import place_of
from kimi_ros.assist.sight import Located, Sight, Thing
from kimi_ros.assist.tracker import Tracker
from kimi_ros.speech.directions import Wording
from kimi_ros.speech.guidance import Guide, State

LOCATE_PERIOD = 2.0
"""Seconds from one answer of the model to the next question while the thing is followed."""

_RETRY = 0.3  # seconds, while it is not
_SAME = 0.2  # IoU from which a located box is the thing that is followed
_KEY = 'target'


class Search:
    """Guidance to one thing: a Session."""

    def __init__(
        self, name: str, wording: Wording | None = None, hand: Sequence[float] = (0.0, 0.0, 0.0)
    ):
        """Begin.

        :param name: of the thing, as the person said it.
        :param hand: metres, the point in the optical frame that is to be brought to the thing: a
            hand that holds the camera, or, at 0, the camera itself.
        """
        self.names: Sequence[str] = (name,)
        self.guide = Guide(name, wording)
        self._hand = hand
        self._tracker = Tracker()
        self._answered = float('-inf')
        self._several = 0
        self._verified = False  # what is followed, by the model's newest answer

    def see(self, frame: Frame, now: float) -> Sight:
        """See Session."""
        self._tracker.update(frame.rgb, frame.stamp, frame.depth)
        box = self._tracker.boxes.get(_KEY)
        place = place_of(frame, box, self._hand) if box is not None else None
        before = self.guide.state
        say = self.guide.update(place.offset if place is not None else None, now)
        state = self.guide.state
        if state is not before and state in (State.GUIDING, State.REACHED) and not self._verified:
            say = self._with_doubt(say)
        if say and self._several > 1:
            say, self._several = self._with_number(say), 0
        xyz = place.xyz if place is not None else None
        things = (Thing(_KEY, self.guide.name, box, xyz),) if box is not None else ()
        return Sight(say, state=state.value, things=things, done=state is State.REACHED)

    def should_locate(self, now: float) -> bool:
        """See Session."""
        if self.guide.state is State.REACHED:
            return False
        period = LOCATE_PERIOD if _KEY in self._tracker.boxes else _RETRY
        return now - self._answered >= period

    def located(self, found: Sequence[Located], stamp: float, now: float) -> None:
        """Follow what the model saw from its image to the newest one.

        A thing that is followed stays the same thing: an answer that sees it elsewhere is not
        believed, as a model errs more often than the tracker loses a thing without noticing.
        """
        self._answered = now
        if not found:
            return
        if _KEY not in self._tracker.boxes:
            if self.guide.state is State.SEARCHING:
                self._several = len(found)
            self._follow(max(found, key=lambda f: (f.verified, f.score)), stamp)
            return
        before = self._tracker.boxes_at(stamp).get(_KEY)
        if before is None:
            return
        best = max(found, key=lambda f: box_iou(f.box, before))
        if box_iou(best.box, before) >= _SAME:
            self._follow(best, stamp)

    def failed(self, now: float) -> None:
        """See Session."""
        self._answered = now

    def _follow(self, item: Located, stamp: float) -> None:
        if self._tracker.start(_KEY, item.box, stamp) is not None:
            self._verified = item.verified

    def _with_doubt(self, say: str) -> str:
        return f'可能是：{say}' if self.guide.wording.language == 'zh' else f'Maybe: {say}'

    def _with_number(self, say: str) -> str:
        if self.guide.wording.language == 'zh':
            return f'看到{self._several}个。{say}'
        return f'I see {self._several}. {say}'
