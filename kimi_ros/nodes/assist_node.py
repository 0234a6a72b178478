"""The node `assist`: guidance to a thing and narration of the surroundings, beside the node `kimi`.

A person carries the camera. `kimi` looks now and then (`~/locate`), this node follows what it saw
from image to image and says what helps. A managed (lifecycle) node; it supplements a cane or a dog
and replaces neither.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_msgs.msg import Empty, Header, String
from std_srvs.srv import Trigger

from kimi_ros.agent import Frame
from kimi_ros.agent.text_in_view import RapidOcrReader
from kimi_ros.assist.search import Search
from kimi_ros.assist.sight import Session
from kimi_ros.assist.surroundings import Surroundings
from kimi_ros.assist.things import load_kinds
from kimi_ros.nodes import qos
from kimi_ros.nodes.assist_output import AssistOutput
from kimi_ros.nodes.assist_parameters import ASSIST_PARAMETERS, validation_error
from kimi_ros.nodes.camera_intake import IntakeGroup
from kimi_ros.nodes.cameras import CameraSubscriptions
from kimi_ros.nodes.codes import RequestError
from kimi_ros.nodes.diagnostics import Level, StatusReport
from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.frame_decoder import FrameDecoder
from kimi_ros.nodes.locate_client import LocateClient
from kimi_ros.nodes.log_throttle import LogThrottle
from kimi_ros.nodes.managed_node import ManagedNode
from kimi_ros.nodes.messages import time_message
from kimi_ros.nodes.parameters import declare_parameters
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.transforms import QuickPoseLookup
from kimi_ros.speech.commands import Command, find_command
from kimi_ros.speech.directions import Wording
from kimi_ros.speech.narration import Narrator
from kimi_ros.speech.requests import AssistRequest, Wish, parse_request

_FRAME_WAIT = 0.5  # seconds
_REPEAT_PERIOD = 5.0  # seconds between equal messages in the log
_INTRODUCTION = 5.0  # seconds, to say what narration is not
_KIMI_WAIT = 3.0  # seconds that a question waits for a kimi that does not run, or just starts
_QUESTION_WAIT = 20.0  # seconds that a question waits for the model, while narration is off
_SENTENCES = {
    'ended': ('Guidance and narration have ended.', '引导和讲解已结束。'),
    'unknown': (
        'Say: help me find the red book; describe the way; or: what is on my left?',
        '请说：帮我找红色的书；描述周围；或者：我左边有什么？',
    ),
    'blind': ('I cannot tell: the model has not answered.', '现在不知道：模型没有回答。'),
    'guiding': ('Ask again when the guidance has ended.', '引导结束后再问。'),
    'no_camera': ('I get no images from the camera.', '收不到摄像头的画面。'),
}


class AssistNode(ManagedNode):
    """Gives every image of a camera to a Session, and its words and drawings to topics."""

    def __init__(self, **options: Any):
        """Create publishers and clients, and start by itself where `autostart` says so.

        :param options: of rclpy.node.Node: context, namespace, parameter_overrides, ...
        """
        super().__init__('assist', **options)
        declare_parameters(self, ASSIST_PARAMETERS, validation_error)
        self._camera_group = IntakeGroup()
        self._output = AssistOutput(self)
        kimi = self.value('kimi')
        camera = self.value('cameras')[0]
        self._kimi = LocateClient(self, kimi, camera, self._callback_group)
        base_frame = self.value('base_frame')
        self._decoder = FrameDecoder(
            QuickPoseLookup(self, base_frame), base_frame, lambda: self.value('distortion')
        )
        self._cameras: CameraSubscriptions | None = None
        self._thread: Thread | None = None
        self._stop = Event()
        self._session: Session | None = None
        self._asker: Session | None = None  # whose question kimi answers
        self._session_key: tuple[Any, ...] = ()
        self._searches = 0  # a request for what is searched already begins again
        self._questions: deque[str] = deque()
        self._ends = 0  # how often something was ended: also a question that is being answered
        self._idle_state = 'off'
        self._problem = ''
        self._overlay_seconds = float('nan')
        self._throttle = LogThrottle(_REPEAT_PERIOD)
        self.subscribe(String, '~/request', self._on_request, qos.INSTRUCTIONS)
        self.subscribe(Empty, f'{kimi}/stopped', lambda _: self._end(), qos.STATUS)
        self.create_service(Trigger, '~/stop', self._on_stop, callback_group=self._callback_group)
        self.create_timer(1.0, self._publish_diagnostics, MutuallyExclusiveCallbackGroup())
        self.start()

    # Lifecycle.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the list of things, and load the text reader where it is wanted."""
        try:
            self._kinds = load_kinds(self.value('things'))
            self._reader = RapidOcrReader() if self.value('read_text') else None
        except (OSError, ValueError, ImportError) as error:
            self._problem = str(error)
            self.get_logger().error(f'not started: {error}')
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the camera."""
        self._stop.clear()
        self._cameras = CameraSubscriptions(self, self._camera_group)
        self._thread = Thread(target=self._run, name='assist', daemon=True)
        self._thread.start()
        return super().on_activate(state)

    def _deactivate(self) -> None:
        """Unsubscribe, and end what is going on."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(5.0)
        if self._cameras is not None:
            self._cameras.destroy()
        self._cameras = self._session = None
        self._session_key = ()

    def drain(self, timeout: float) -> None:
        """End at shutdown.

        :param timeout: seconds.
        """
        self._deactivate()

    # Requests.

    def _on_request(self, message: String) -> None:
        if find_command(message.data) is Command.STOP:
            self._end()
            return
        request = parse_request(message.data)
        if request is None:
            self._output.say(self._sentence('unknown'))
            return
        self._set(language=request.language)
        if request.wish is Wish.END:
            self._end()
            self._output.say(self._sentence('ended'))
        elif request.wish is Wish.SIDE:
            self._questions.append(request.name)
        else:
            self._begin(request)

    def _begin(self, request: AssistRequest) -> None:
        self._searches += 1
        if request.wish is Wish.GUIDE:
            self._set(mode='guide', target=request.name)
        else:
            self._set(mode='narrate')

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._idle_state = 'off'
        self._end()
        response.success, response.message = True, 'guidance and narration ended'
        return response

    def _end(self) -> None:
        self._ends += 1
        self._questions.clear()
        self._set(mode='off')

    def _set(self, **values: Any) -> None:
        result = self.set_parameters_atomically([Parameter(k, value=v) for k, v in values.items()])
        if not result.successful:
            self.get_logger().error(f'{values}: {result.reason}')

    def _sentence(self, name: str) -> str:
        return _SENTENCES[name][self.value('language') == 'zh']

    # Images.

    def _run(self) -> None:
        after = -1
        blind_since = time.monotonic()
        told_blind = False
        while not self._stop.is_set():
            try:
                session = self._current_session()
                if session is None and not self._questions:
                    self._output.state(self._idle_state)
                    self._stop.wait(0.1)
                    blind_since, told_blind = time.monotonic(), False
                    continue
                seen = self._next_frame(after)
                if seen is None:
                    if not told_blind and time.monotonic() - blind_since > 4 * _FRAME_WAIT:
                        told_blind = True
                        self._output.say(self._sentence('no_camera'))
                    continue
                after, frame = seen
                blind_since, told_blind = time.monotonic(), False
                if (session := self._current_session()) is not None:  # as it is by now
                    self._process(session, frame, after)
                else:
                    self._answer_once()
            except Exception as error:  # one image must not end the guidance
                self._log(f'{type(error).__name__}: {error}')
                self._stop.wait(0.1)

    def _current_session(self) -> Session | None:
        """Return what the parameters ask for now; a new one where they have changed."""
        mode, target = self.value('mode'), self.value('target')
        wording = self._wording()
        key = (mode, target if mode == 'guide' else '', self._searches)
        if key != self._session_key:
            self._session_key, self._session = key, None
            self._idle_state = 'off' if mode != 'off' else self._idle_state
            if mode == 'guide':
                self._session = Search(target, wording, self.value('hand'))
            elif mode == 'narrate':
                self._session = self._narration(Narrator(wording, introduction=_INTRODUCTION))
        session = self._session
        if isinstance(session, Search):
            session.guide.wording = wording
        elif isinstance(session, Surroundings):
            session.narrator.wording = wording
            session.narrator.level = self.value('level')
            session.narrator.interval = self.value('interval')
            session.period = self.value('locate_period')
        return session

    def _wording(self) -> Wording:
        return Wording(self.value('language'), self.value('clock'), self.value('units'))

    def _narration(self, narrator: Narrator) -> Surroundings:
        read = self._reader.read if self._reader is not None else None
        return Surroundings(self._kinds, narrator, read, self.value('locate_period'))

    def _next_frame(self, after: int) -> tuple[int, Frame] | None:
        """Return a frame that is newer than a stamp in nanoseconds; None where there is none."""
        if (cameras := self._cameras) is None:
            return None
        buffer = next(iter(cameras.buffers.values()))
        try:
            received = buffer.wait_for_frame(
                lambda: self.get_clock().now().nanoseconds,
                self.value('max_frame_age'),
                _FRAME_WAIT,
                self._stop,
                after,
            )
            frame, warnings = self._decoder.decode(received, buffer)
        except (RequestError, ImageFormatError) as error:
            if not self._stop.is_set():
                self._log(str(error))
            return None
        self._problem = warnings[0].message if warnings else ''
        return received.stamp, frame

    def _process(self, session: Session, frame: Frame, stamp: int) -> None:
        began = now = time.monotonic()
        self._take_answer(session, now)
        sight = session.see(frame, now)
        if session is not self._current_session():  # it was ended meanwhile
            return
        if sight.say:
            self._output.say(sight.say, sight.urgent)
            self.get_logger().info(f'{sight.state}: {sight.say}')
        self._output.state(sight.state)
        header = Header(stamp=time_message(stamp), frame_id=frame.frame_id)
        hand = self.value('hand') if isinstance(session, Search) else None
        self._output.sight(frame.rgb, header, sight, hand)
        self._overlay_seconds = time.monotonic() - began
        while (side := self._next_question()) is not None:
            self._output.say(self._answer(session, side))
        if sight.done:
            self._idle_state = sight.state  # until something else begins
            self._end()
        elif not self._kimi.busy and session.should_locate(now):
            self._ask(session)

    def _take_answer(self, session: Session, now: float) -> None:
        """Give kimi's answer to the session that asked."""
        answer = self._kimi.take()
        if answer is None or session is not self._asker:
            return
        if answer.error:
            self._log(answer.error)
            session.failed(now)
        else:
            session.located(answer.found, answer.stamp, now)

    def _ask(self, session: Session) -> None:
        if self._kimi.ready:
            self._asker = session
            self._kimi.ask(session.names)
        else:
            self._log(f'the node {self.value("kimi")} is not running: nothing can be located')

    def _next_question(self) -> str | None:
        try:
            return self._questions.popleft()
        except IndexError:
            return None

    def _answer(self, session: Session, side: str) -> str:
        if not isinstance(session, Surroundings):
            return self._sentence('guiding')
        return session.answer(side) if session.looked else self._sentence('blind')

    def _answer_once(self) -> None:
        """Answer a question while narration is off: look for every kind of thing once."""
        ends, side = self._ends, self._next_question()
        if side is None:  # a stop came first
            return
        view = self._narration(Narrator(self._wording()))
        began, after = time.monotonic(), -1
        while (
            time.monotonic() - began < _QUESTION_WAIT
            and not self._stop.is_set()
            and self._ends == ends
        ):
            seen = self._next_frame(after)
            if seen is None:
                continue
            after, frame = seen
            now = time.monotonic()
            self._take_answer(view, now)
            view.see(frame, now)
            if view.looked or (not self._kimi.ready and now - began > _KIMI_WAIT):
                break
            if not self._kimi.busy:
                self._ask(view)
        if self._ends == ends:
            self._output.say(self._answer(view, side))

    # Diagnostics.

    def _log(self, problem: str) -> None:
        self._problem = problem
        if text := self._throttle.text(problem, problem):
            self.get_logger().warning(text)

    def _publish_diagnostics(self) -> None:
        if (cameras := self._cameras) is not None:
            cameras.look()
        mode = self.value('mode')
        values = (
            ('mode', mode),
            ('overlay_ms', f'{1000 * self._overlay_seconds:.0f}'),
            ('kimi', 'running' if self._kimi.ready else 'not running'),
        )
        if self._thread is None:
            report = StatusReport('assist', Level.ERROR, self._problem or 'not active', values)
        elif mode != 'off' and self._problem:
            report = StatusReport('assist', Level.WARN, self._problem, values)
        else:
            report = StatusReport('assist', Level.OK, mode, values)
        self.publish_reports([report], '')


def make_executor(node: AssistNode) -> MultiThreadedExecutor:
    """Return an executor in which requests are heard while images come in."""
    return MultiThreadedExecutor(4, context=node.context)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is interrupted."""
    return run_node(AssistNode, make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
