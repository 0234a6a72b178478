"""From an instruction or a question to a response, with every way to fail; no ROS needed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event

import numpy as np

from kimi_ros.agent import DepthStatus, Frame, Plan, State
from kimi_ros.agent.planner import validate_instruction
from kimi_ros.nodes.codes import ErrorCode, RequestError, error_code_of
from kimi_ros.nodes.frame_buffer import CameraFrame, FrameBuffer
from kimi_ros.nodes.images import ImageFormatError, decode_compressed, to_depth, to_rgb
from kimi_ros.nodes.model_loader import ModelLoader
from kimi_ros.nodes.request_queue import RequestQueue

_LOG = logging.getLogger(__name__)
_LANGUAGES = ('', 'en', 'zh')


@dataclass(frozen=True)
class FrameLimits:
    """Largest age of a frame, and how long to wait for a newer one; seconds."""

    max_age: float
    wait: float


@dataclass(frozen=True)
class Outcome:
    """Result of an instruction or a question.

    :ivar plan: None beside a code other than NONE, and for questions.
    :ivar text: the answer to a question.
    :ivar frame: the camera frame it was answered for, as received; `rgb` as decoded.
    """

    code: ErrorCode = ErrorCode.NONE
    message: str = ''
    plan: Plan | None = None
    text: str = ''
    frame: CameraFrame | None = None
    rgb: np.ndarray | None = None


class RequestHandler:
    """Handles instructions and questions one at a time, each on the latest image.

    :ivar image_errors: what was wrong with each camera's last image, '' if nothing; by camera.
    """

    def __init__(
        self,
        loader: ModelLoader,
        buffers: Mapping[str, FrameBuffer],
        queue: RequestQueue,
        *,
        now: Callable[[], int],
        limits: Callable[[], FrameLimits],
        camera_pose: Callable[[str, int], np.ndarray | None],
        base_frame: str,
    ):
        """Create a handler.

        :param buffers: by camera name.
        :param now: current time in nanoseconds, on the clock of the images' stamps.
        :param limits: called for each request, as parameters may change.
        :param camera_pose: (frame_id, stamp in nanoseconds) -> pose of the optical frame in
            `base_frame`, (4, 4), or None.
        """
        self._loader = loader
        self._buffers = buffers
        self._queue = queue
        self._now = now
        self._limits = limits
        self._camera_pose = camera_pose
        self._base_frame = base_frame
        self.image_errors: dict[str, str] = dict.fromkeys(buffers, '')

    def instruct(
        self,
        instruction: str,
        language: str,
        camera: str,
        cancel: Event,
        on_state: Callable[[State], None],
        on_text: Callable[[str], None],
    ) -> Outcome:
        """Return the plan for an instruction, or an error code and the reason."""

        def process() -> Outcome:
            validate_instruction(instruction)
            buffer = self._buffer(camera, language)
            with self._queue.acquire(cancel):
                on_state(State.LOOKING)
                received, frame = self._wait_for_frame(buffer, cancel)
                plan = self._loader.get(cancel).plan(
                    frame, instruction, language, on_state=on_state, on_text=on_text, cancel=cancel
                )
                return Outcome(plan=plan, frame=received, rgb=frame.rgb)

        return self._with_error_code(process)

    def describe(self, question: str, language: str, camera: str, cancel: Event) -> Outcome:
        """Return the model's answer to a question; an empty one asks for a description."""

        def process() -> Outcome:
            asked = validate_instruction(question) if question.strip() else ''
            buffer = self._buffer(camera, language)
            with self._queue.acquire(cancel):
                received, frame = self._wait_for_frame(buffer, cancel)
                text = self._loader.get(cancel).describe(frame.rgb, asked, language, cancel)
                return Outcome(text=text, frame=received, rgb=frame.rgb)

        return self._with_error_code(process)

    def _with_error_code(self, process: Callable[[], Outcome]) -> Outcome:
        started = time.monotonic()
        try:
            return process()
        except Exception as error:  # every request gets a response, and the node goes on
            code = error_code_of(error)
            if code is ErrorCode.UNKNOWN and not isinstance(error, RequestError):
                _LOG.exception('request failed after %.1f s', time.monotonic() - started)
                return Outcome(code, f'{type(error).__name__}: {error}')
            return Outcome(code, str(error))

    def _buffer(self, camera: str, language: str) -> FrameBuffer:
        if language not in _LANGUAGES:
            raise RequestError(
                ErrorCode.UNKNOWN,
                f"language {language!r} is not supported: use 'en', 'zh' or an empty string",
            )
        if not camera:
            return next(iter(self._buffers.values()))
        if camera not in self._buffers:
            known = ', '.join(c for c in self._buffers if c) or 'only the unnamed camera'
            raise RequestError(
                ErrorCode.NO_FRAME,
                f'there is no camera {camera!r}; the parameter cameras lists: {known}',
            )
        return self._buffers[camera]

    def _wait_for_frame(self, buffer: FrameBuffer, cancel: Event) -> tuple[CameraFrame, Frame]:
        """Return the latest image as received, and decoded for the agent."""
        limits = self._limits()
        received = buffer.wait_for_frame(self._now, limits.max_age, limits.wait, cancel)
        try:
            frame = self._decode(received)
        except ImageFormatError as error:
            self.image_errors[buffer.camera] = f'{buffer.topic}: {error}'
            raise RequestError(ErrorCode.NO_FRAME, self.image_errors[buffer.camera]) from error
        self.image_errors[buffer.camera] = ''
        return received, frame

    def _decode(self, received: CameraFrame) -> Frame:
        compressed = hasattr(received.image, 'format')
        rgb = decode_compressed(received.image) if compressed else to_rgb(received.image)
        depth, no_depth = None, DepthStatus.NONE
        if received.depth is not None:
            depth = _decode_depth(received.depth, rgb)
        elif received.depth_stale:
            no_depth = DepthStatus.STALE
        return Frame(
            rgb,
            stamp=received.stamp / 1e9,
            frame_id=received.frame_id,
            depth=depth,
            intrinsics=intrinsics_of(received.info, rgb.shape[1], rgb.shape[0]),
            camera_pose=self._camera_pose(received.frame_id, received.stamp),
            position_frame=self._base_frame,
            no_depth=no_depth,
        )


def intrinsics_of(info, width: int, height: int) -> np.ndarray | None:
    """Return the camera matrix (3, 3), None if the camera_info is for images of another size.

    A focal length of 0 means that the camera is not calibrated.
    """
    if info is None:
        return None
    matrix = np.array(info.k, float).reshape(3, 3)
    sized = (info.width, info.height) in ((width, height), (0, 0))
    return matrix if sized and matrix[0, 0] > 0 and matrix[1, 1] > 0 else None


def _decode_depth(message, rgb: np.ndarray) -> np.ndarray | None:
    """Return the depth, or None with a warning if it cannot be used: a plan can do without."""
    try:
        depth = to_depth(message)
    except ImageFormatError as error:
        _LOG.warning('no positions: %s', error)
        return None
    if depth.shape != rgb.shape[:2]:
        _LOG.warning(
            'no positions: the depth image is %s, the colour image %s; use the depth topic that '
            'the camera driver registers to the colour image',
            depth.shape[::-1],
            rgb.shape[1::-1],
        )
        return None
    return depth
