"""From an instruction to an answer, with every way that it can fail; no ROS needed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

import numpy as np

from kimi_ros.agent import DepthStatus, Frame, Plan, State
from kimi_ros.agent.planner import checked_instruction
from kimi_ros.nodes.codes import Code, NodeError, code_of
from kimi_ros.nodes.desk import Desk
from kimi_ros.nodes.frames import CameraSlot, Capture
from kimi_ros.nodes.images import ImageFormatError, decode, to_depth, to_rgb
from kimi_ros.nodes.mind import MindSource

_LOG = logging.getLogger(__name__)
_LANGUAGES = ('', 'en', 'zh')


@dataclass(frozen=True)
class Limits:
    """How old a picture may be and how long a fresh one is waited for, seconds."""

    max_frame_age: float
    frame_wait: float


@dataclass(frozen=True)
class Answer:
    """What became of an instruction or a question.

    :ivar plan: None beside a code other than NONE, and for questions.
    :ivar text: what was said to a question.
    :ivar capture: the picture it was answered for, as it arrived; `rgb` as it was read.
    """

    code: Code = Code.NONE
    message: str = ''
    plan: Plan | None = None
    text: str = ''
    capture: Capture | None = None
    rgb: np.ndarray | None = None


class Answerer:
    """Takes instructions and questions one at a time, with the newest picture at that moment."""

    def __init__(
        self,
        source: MindSource,
        cameras: Mapping[str, CameraSlot],
        desk: Desk,
        *,
        now: Callable[[], int],
        limits: Callable[[], Limits],
        pose: Callable[[str, int], np.ndarray | None],
        base_frame: str,
    ):
        """Take what is needed.

        :param now: nanoseconds, on the clock of the pictures' stamps.
        :param limits: asked each time, as parameters change.
        :param pose: of an optical frame at a time in nanoseconds, in `base_frame`; (4, 4) or None.
        """
        self._source = source
        self._cameras = cameras
        self._desk = desk
        self._now = now
        self._limits = limits
        self._pose = pose
        self._base_frame = base_frame
        self.trouble: dict[str, str] = dict.fromkeys(cameras, '')

    def instruct(
        self,
        instruction: str,
        language: str,
        camera: str,
        cancel: Event,
        on_state: Callable[[State], None],
        on_text: Callable[[str], None],
    ) -> Answer:
        """Return the plan for an instruction, or the code and the reason why there is none."""

        def work() -> Answer:
            checked_instruction(instruction)
            slot = self._slot(camera, language)
            with self._desk.turn(cancel):
                on_state(State.LOOKING)
                capture, frame = self._look(slot, cancel)
                plan = self._source.get(cancel).plan(
                    frame, instruction, language, on_state=on_state, on_text=on_text, cancel=cancel
                )
                return Answer(plan=plan, capture=capture, rgb=frame.rgb)

        return self._guarded(work)

    def describe(self, question: str, language: str, camera: str, cancel: Event) -> Answer:
        """Return what the model says to a question; an empty one asks what there is to see."""

        def work() -> Answer:
            asked = checked_instruction(question) if question.strip() else ''
            slot = self._slot(camera, language)
            with self._desk.turn(cancel):
                capture, frame = self._look(slot, cancel)
                text = self._source.get(cancel).describe(frame.rgb, asked, language, cancel)
                return Answer(text=text, capture=capture, rgb=frame.rgb)

        return self._guarded(work)

    def _guarded(self, work: Callable[[], Answer]) -> Answer:
        started = time.monotonic()
        try:
            return work()
        except Exception as error:  # whatever happens, there is an answer and the node goes on
            code = code_of(error)
            if code is Code.UNKNOWN and not isinstance(error, NodeError):
                _LOG.exception('failed after %.1f s', time.monotonic() - started)
                return Answer(code, f'{type(error).__name__}: {error}')
            return Answer(code, str(error))

    def _slot(self, camera: str, language: str) -> CameraSlot:
        if language not in _LANGUAGES:
            raise NodeError(
                Code.UNKNOWN, f"language {language!r} is not spoken: give 'en', 'zh' or nothing"
            )
        if not camera:
            return next(iter(self._cameras.values()))
        if camera not in self._cameras:
            known = ', '.join(c for c in self._cameras if c) or 'the only one, without a name'
            raise NodeError(
                Code.NO_FRAME, f'there is no camera {camera!r}; the parameter cameras has: {known}'
            )
        return self._cameras[camera]

    def _look(self, slot: CameraSlot, cancel: Event) -> tuple[Capture, Frame]:
        """Return the newest picture as it arrived and as the agent takes it."""
        limits = self._limits()
        capture = slot.fresh(self._now, limits.max_frame_age, limits.frame_wait, cancel)
        try:
            frame = self._frame(capture)
        except ImageFormatError as error:
            self.trouble[slot.name] = f'{slot.topic}: {error}'
            raise NodeError(Code.NO_FRAME, self.trouble[slot.name]) from error
        self.trouble[slot.name] = ''
        return capture, frame

    def _frame(self, capture: Capture) -> Frame:
        compressed = hasattr(capture.image, 'format')
        rgb = decode(capture.image) if compressed else to_rgb(capture.image)
        depth, no_depth = None, DepthStatus.NONE
        if capture.depth is not None:
            depth = _registered(capture.depth, rgb)
        elif capture.depth_stale:
            no_depth = DepthStatus.STALE
        return Frame(
            rgb,
            stamp=capture.stamp / 1e9,
            frame_id=capture.frame_id,
            depth=depth,
            intrinsics=intrinsics_of(capture.info, rgb.shape[1], rgb.shape[0]),
            camera_pose=self._pose(capture.frame_id, capture.stamp),
            position_frame=self._base_frame,
            no_depth=no_depth,
        )


def intrinsics_of(info, width: int, height: int) -> np.ndarray | None:
    """Return the camera matrix (3, 3), None if the camera_info is not for pictures of this size.

    A focal length of 0 stands for a camera that is not calibrated.
    """
    if info is None:
        return None
    matrix = np.array(info.k, float).reshape(3, 3)
    sized = (info.width, info.height) in ((width, height), (0, 0))
    return matrix if sized and matrix[0, 0] > 0 and matrix[1, 1] > 0 else None


def _registered(message, rgb: np.ndarray) -> np.ndarray | None:
    """Return the depth, or None with a warning if it cannot be used: a plan can do without."""
    try:
        depth = to_depth(message)
    except ImageFormatError as error:
        _LOG.warning('no positions: %s', error)
        return None
    if depth.shape != rgb.shape[:2]:
        _LOG.warning(
            'no positions: depth is %s, the picture %s; use the depth that the camera driver '
            'registers to the picture',
            depth.shape[::-1],
            rgb.shape[1::-1],
        )
        return None
    return depth
