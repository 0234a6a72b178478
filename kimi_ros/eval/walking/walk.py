"""A walk along a simulated way: the person walks the free path and hears the narration.

The narration is the real one; only the walk, the voice's pace and the time that a model takes are
simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kimi_ros.agent import Frame
from kimi_ros.assist.sight import Located
from kimi_ros.assist.surroundings import Surroundings
from kimi_ros.assist.things import load_kinds
from kimi_ros.eval.held_out_scenes import frame_of
from kimi_ros.eval.system import System
from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.way import Way, WayRenderer
from kimi_ros.speech.directions import Wording
from kimi_ros.speech.narration import Narrator, speaking_time

SPEED = 0.8
"""Metres a second."""

INTRODUCTION = 5.0
"""Seconds in which the person stands and hears what narration is not."""

_RATE = 5.0  # images a second
_ANSWER = 0.8  # seconds from an image to the model's answer about it
_TICK = 1e-6  # seconds
_CUT = 0.3  # seconds that the end of a sentence may be cut off
_GAZE = 2.0  # metres along the path that the person looks ahead
_SEEN = 9.0  # metres that the eyes of truth see
_PIXELS, _THIN = 50, 3  # pixels of an image 320 wide that must show, and the sides of its box

Eyes = Callable[[Sequence[str], Frame, RenderedFrame], list[Located]]
"""The names, what the camera gives, and the view with its truth -> what is seen."""


@dataclass(frozen=True)
class Pose:
    """Where the person is.

    :ivar time: seconds from the begin.
    :ivar heading: radians to the left of x.
    """

    time: float
    x: float
    y: float
    heading: float


@dataclass(frozen=True)
class Sentence:
    """What was said.

    :ivar pose: of the image that it is about.
    :ivar urgent: it interrupts what is being said.
    :ivar begins: when its first word is heard, seconds; `cut` when the next one interrupts it,
        infinite where none does.
    """

    pose: Pose
    text: str
    urgent: bool
    begins: float
    cut: float = math.inf

    def heard_at(self, letters: int) -> float | None:
        """Return when so many of its letters have been heard, seconds; None where it was cut."""
        time = self.begins + speaking_time(self.text[:letters])
        return time if time <= self.cut + _CUT else None


@dataclass(frozen=True)
class Walk:
    """A walk, to its end.

    :ivar poses: one for each image.
    """

    way: Way
    language: str
    poses: tuple[Pose, ...]
    sentences: tuple[Sentence, ...]

    def pose_at(self, time: float) -> Pose:
        """Return where the person is at a time."""
        return min(self.poses, key=lambda p: abs(p.time - time))


def walk(way: Way, renderer: WayRenderer, eyes: Eyes, language: str, level: str = 'normal') -> Walk:
    """Walk along a way.

    :param renderer: of this way.
    :param eyes: what answers in place of the node `kimi`; each answer takes 0.8 s.
    :param level: of the narration: brief, normal or rich.
    """
    narrator = Narrator(Wording(language), level=level, introduction=INTRODUCTION)
    surroundings = Surroundings(load_kinds(), narrator)
    answer: tuple[float, float, list[Located]] | None = None  # due, stamp, what is seen
    said = []
    poses = walking_poses(way)
    for pose in poses:
        now = pose.time
        if answer is not None and now >= answer[0]:
            surroundings.located(answer[2], answer[1], now)
            answer = None
        asks = answer is None and surroundings.should_locate(now)
        view = renderer.render(pose.x, pose.y, pose.heading, segmentation=asks)
        frame = frame_of(view, now)
        if asks:
            answer = now + _ANSWER - _TICK, now, eyes(surroundings.names, frame, view)
        sight = surroundings.see(frame, now)
        if sight.say:
            said.append((pose, sight.say, sight.urgent))
    return Walk(way, language, poses, _spoken(said))


def truth_eyes(way: Way) -> Eyes:
    """Return eyes that see all that has a name and shows enough of itself."""

    def look(names: Sequence[str], frame: Frame, view: RenderedFrame) -> list[Located]:
        assert view.segmentation is not None
        found = []
        here = view.camera_pose[:2, 3]
        for index, item in enumerate(way.objects):
            if item.kind not in names or item.distance(*here) > _SEEN:
                continue
            rows, columns = np.nonzero(view.segmentation == index)
            if rows.size < _PIXELS * view.rgb.shape[1] / 320:
                continue
            box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            x0, y0, x1, y1 = map(float, box)
            if min(x1 - x0, y1 - y0) >= _THIN:
                found.append(Located(item.kind, (x0, y0, x1, y1), 0.9))
        return found

    return look


def model_eyes(system: System) -> Eyes:
    """Return eyes that ask a model, as the node `kimi` does."""
    agent = system.agent()

    def look(names: Sequence[str], frame: Frame, view: RenderedFrame) -> list[Located]:
        return [Located(o.label, o.extent, o.score, o.verified) for o in agent.locate(names, frame)]

    return look


def walking_poses(way: Way) -> tuple[Pose, ...]:
    """Return where the person is in each image: they stand, then walk to the end of the path."""
    poses: list[Pose] = []
    x = 0.0
    while x < way.length:
        time = len(poses) / _RATE
        y = way.path_at(x)
        heading = math.atan2(way.path_at(x + _GAZE) - y, _GAZE)
        poses.append(Pose(time, x, y, heading))
        if time >= INTRODUCTION:
            x += SPEED / _RATE * math.cos(heading)
    return tuple(poses)


def _spoken(said: Sequence[tuple[Pose, str, bool]]) -> tuple[Sentence, ...]:
    """Return when each sentence is heard: one voice; what is urgent interrupts, the rest waits."""
    spoken: list[Sentence] = []
    free = 0.0  # when the voice has ended
    for pose, text, urgent in said:
        begins = pose.time if urgent else max(pose.time, free)
        if urgent:
            spoken = [_cut(s, begins) for s in spoken]
        spoken.append(Sentence(pose, text, urgent, begins))
        free = begins + speaking_time(text)
    return tuple(spoken)


def _cut(sentence: Sentence, time: float) -> Sentence:
    ends = sentence.begins + speaking_time(sentence.text)
    if ends <= time or sentence.cut <= time:
        return sentence
    return Sentence(sentence.pose, sentence.text, sentence.urgent, sentence.begins, time)
