"""From an instruction or a question to a response, with every way to fail; no ROS needed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event

import numpy as np

from kimi_ros.agent import (
    Approval,
    DepthStatus,
    Frame,
    GroundedObject,
    Plan,
    State,
    Status,
)
from kimi_ros.agent.instruction import validate_instruction
from kimi_ros.agent.prompts import describe_question, detect_language
from kimi_ros.agent.scene_change import SceneSnapshot
from kimi_ros.nodes.camera_geometry import GeometryWarning
from kimi_ros.nodes.camera_names import UnknownCameraError, named_camera
from kimi_ros.nodes.codes import ErrorCode, RequestError, error_code_of
from kimi_ros.nodes.conversation import Conversation
from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.frame_buffer import CameraFrame, FrameBuffer
from kimi_ros.nodes.frame_decoder import FrameDecoder
from kimi_ros.nodes.model_loader import ModelLoader
from kimi_ros.nodes.request_queue import RequestQueue

_LOG = logging.getLogger(__name__)
_ACTING = (Status.OK, Status.ANSWER)  # whose objects are meant, not offered
_LANGUAGES = ('', 'en', 'zh')

Found = tuple[CameraFrame, tuple[GroundedObject, ...]]
"""An image, and the objects that are in it."""


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
    :ivar camera: the name of its camera, as it was asked for.
    :ivar snapshot: what a plan that waits for approval is compared with before it is approved.
    """

    code: ErrorCode = ErrorCode.NONE
    message: str = ''
    plan: Plan | None = None
    text: str = ''
    frame: CameraFrame | None = None
    rgb: np.ndarray | None = None
    camera: str = ''
    snapshot: SceneSnapshot | None = None


class RequestHandler:
    """Handles instructions and questions one at a time, each on the latest image."""

    def __init__(
        self,
        loader: ModelLoader,
        buffers: Mapping[str, FrameBuffer],
        queue: RequestQueue,
        decoder: FrameDecoder,
        *,
        now: Callable[[], int],
        limits: Callable[[], FrameLimits],
        conversation: Conversation,
    ):
        """Create a handler.

        :param buffers: by camera name.
        :param now: current time in nanoseconds, on the clock of the images' stamps.
        :param limits: called for each request, as parameters may change.
        :param conversation: the turns before, to which those of this handler are added.
        """
        self._loader = loader
        self._buffers = buffers
        self._queue = queue
        self._decoder = decoder
        self._now = now
        self._limits = limits
        self._conversation = conversation

    def instruct(
        self,
        instruction: str,
        language: str,
        camera: str,
        cancel: Event,
        on_state: Callable[[State], None],
        on_text: Callable[[str], None],
    ) -> Outcome:
        """Return the plan for an instruction, or an error code and the reason.

        :param camera: its name, unless the instruction names another one; '' for the first.
        """

        def process() -> Outcome:
            validate_instruction(instruction)
            chosen, asked = self._camera(instruction, camera)
            buffer = self._buffer(chosen, language)
            with self._queue.acquire(cancel):
                bundle = self._loader.get(cancel)
                bundle.check_length(asked)
                on_state(State.LOOKING)
                received, frame, warnings = self._wait_for_frame(buffer, cancel)
                plan = bundle.plan(
                    frame,
                    asked,
                    language,
                    on_state=on_state,
                    on_text=on_text,
                    cancel=cancel,
                    history=bundle.fitting_history(asked, self._conversation.turns()),
                    taken=self._conversation.points(chosen),
                )
                taken = [o.point for o in plan.objects] if plan.status in _ACTING else []
                self._conversation.add(asked, plan.say, chosen, taken)
                plan = with_warnings(with_instruction(plan, instruction), warnings)
                waits = plan.approval is Approval.PENDING
                return Outcome(
                    plan=plan,
                    frame=received,
                    rgb=frame.rgb,
                    camera=chosen,
                    snapshot=SceneSnapshot.of(plan, frame) if waits else None,
                )

        return self._with_error_code(process)

    def look_again(self, plan: Plan, camera: str, snapshot: SceneSnapshot, cancel: Event) -> None:
        """Check that a plan that waits still holds, on the latest image.

        :raises AgentError: SceneChangedError or RulesChangedError.
        :raises RequestError: there is no image to look at, or the queue is full.
        """
        buffer = self._buffer(camera, '')
        with self._queue.acquire(cancel):
            bundle = self._loader.get(cancel)
            _, frame, _ = self._wait_for_frame(buffer, cancel)
            bundle.agent.look_again(plan, snapshot, frame, cancel)

    def find_objects(
        self, objects: Sequence[GroundedObject], camera: str, after: int, cancel: Event
    ) -> Found:
        """Return a new image, and those of a plan's objects that are in it.

        :param after: nanoseconds: the image must be newer.
        :raises RequestError: there is no image to look at, or the queue is full.
        """
        buffer = self._buffer(camera, '')
        with self._queue.acquire(cancel):
            bundle = self._loader.get(cancel)
            received, frame, _ = self._wait_for_frame(buffer, cancel, after)
            return received, bundle.agent.find_objects(objects, frame, cancel)

    def locate(self, names: Sequence[str], camera: str, cancel: Event) -> Found:
        """Return the latest image, and all that it shows under these names.

        :raises RequestError: there is no image to look at, or the queue is full.
        """
        buffer = self._buffer(camera, '')
        with self._queue.acquire(cancel):
            bundle = self._loader.get(cancel)
            received, frame, _ = self._wait_for_frame(buffer, cancel)
            return received, bundle.agent.locate(names, frame, cancel)

    def describe(self, question: str, language: str, camera: str, cancel: Event) -> Outcome:
        """Return the model's answer to a question; an empty one asks for a description."""

        def process() -> Outcome:
            asked = validate_instruction(question) if question.strip() else ''
            chosen, asked = self._camera(asked, camera)
            buffer = self._buffer(chosen, language)
            with self._queue.acquire(cancel):
                bundle = self._loader.get(cancel)
                received, frame, _ = self._wait_for_frame(buffer, cancel)
                text = bundle.describe(frame.rgb, asked, language, cancel)
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

    def _camera(self, instruction: str, camera: str) -> tuple[str, str]:
        """Return the camera to use, and the instruction without the name of one."""
        try:
            named, rest = named_camera(instruction, self._buffers)
        except UnknownCameraError as error:
            raise self._no_camera(error.name) from None
        if not named:
            return camera, instruction
        return named, rest or describe_question(detect_language(instruction))

    def _no_camera(self, name: str) -> RequestError:
        known = ', '.join(c for c in self._buffers if c) or 'only the unnamed camera'
        return RequestError(
            ErrorCode.NO_FRAME, f'there is no camera {name!r}; the parameter cameras lists: {known}'
        )

    def _buffer(self, camera: str, language: str) -> FrameBuffer:
        if language not in _LANGUAGES:
            raise RequestError(
                ErrorCode.UNKNOWN,
                f"language {language!r} is not supported: use 'en', 'zh' or an empty string",
            )
        if not camera:
            return next(iter(self._buffers.values()))
        if camera not in self._buffers:
            raise self._no_camera(camera)
        return self._buffers[camera]

    def _wait_for_frame(
        self, buffer: FrameBuffer, cancel: Event, after: int = -1
    ) -> tuple[CameraFrame, Frame, list[GeometryWarning]]:
        """Return the latest image as received, and decoded for the agent."""
        limits = self._limits()
        received = buffer.wait_for_frame(self._now, limits.max_age, limits.wait, cancel, after)
        try:
            return received, *self._decoder.decode(received, buffer)
        except ImageFormatError as error:
            raise RequestError(ErrorCode.NO_FRAME, f'{buffer.topic}: {error}') from error


def with_instruction(plan: Plan, instruction: str) -> Plan:
    """Return the plan with the instruction as it was received, the camera's name included."""
    received = instruction.encode(errors='replace').decode()
    return plan if plan.instruction == received else replace(plan, instruction=received).sealed()


def with_warnings(plan: Plan, warnings: Sequence[GeometryWarning]) -> Plan:
    """Return the plan with the reasons why its objects have no positions in the base frame."""
    if not warnings or all(item.depth_status is DepthStatus.OK for item in plan.objects):
        return plan
    for warning in warnings:
        _LOG.warning('no positions (%s): %s', warning.code, warning.message)
    codes = dict.fromkeys((*plan.reason_codes, *(w.code for w in warnings)))
    return replace(plan, reason_codes=tuple(codes)).sealed()
