"""Giving instructions to a running node and getting the answers, from another process."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage

from kimi_msgs.action import Instruct
from kimi_msgs.srv import Approve
from kimi_ros.agent import Plan, State
from kimi_ros.nodes import qos
from kimi_ros.nodes.codes import Code
from kimi_ros.nodes.diagnostics import LAST_PLAN, LAST_SECONDS, Level
from kimi_ros.nodes.images import read_comment
from kimi_ros.nodes.messages import plan_from_message

_TURN = 0.1  # seconds between looks at what is waited for
_PATIENCE = 5.0  # seconds, for what belongs to a result and comes on topics
_KEPT = 8  # pictures and times: those of others may come in between


class NoAnswer(Exception):
    """The node did not come up, or does not answer; says what was waited for and how long."""


@dataclass(frozen=True)
class Reply:
    """What came back for one instruction.

    :ivar plan: None beside a code other than NONE.
    :ivar seconds: from the goal's acceptance to the plan's publication, by the node's clock; None
        without a plan, and where it did not come.
    :ivar states: what the node went through, in order.
    :ivar picture: the annotated picture as JPEG, b'' if none came.
    """

    plan: Plan | None
    code: Code
    message: str
    seconds: float | None
    states: tuple[State, ...]
    picture: bytes


@dataclass
class _Heard:
    """What has arrived on the topics.

    :ivar seconds: by the plan's id.
    :ivar pictures: by the plan's id.
    :ivar health: level and message by the part's name.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    health: dict[str, tuple[int, str]] = field(default_factory=dict)


class KimiClient:
    """Talks to the node `kimi`; not to be shared between threads. Use it as a context manager."""

    def __init__(self, node_name: str = 'kimi'):
        """Join the ROS graph of this process's environment."""
        self._context = rclpy.Context()
        self._context.init()
        self._node = rclpy.create_node(
            f'{node_name}_client_{uuid.uuid4().hex[:8]}', context=self._context
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._name = node_name
        self._heard = _Heard()
        node, prefix = self._node, f'/{node_name}'
        self._action = ActionClient(
            node, Instruct, f'{prefix}/instruct', feedback_sub_qos_profile=qos.FEEDBACK
        )
        self._approve = node.create_client(Approve, f'{prefix}/approve')
        node.create_subscription(
            CompressedImage, f'{prefix}/annotated/compressed', self._on_picture, qos.STATUS
        )
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_health, qos.STATUS)

    def __enter__(self) -> KimiClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the ROS graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def wait_ready(
        self,
        timeout: float,
        look: Callable[[], None] = lambda: None,
        parts: Sequence[str] = ('model', 'camera'),
    ) -> None:
        """Wait until the node takes instructions, its model is loaded and pictures arrive.

        :param look: called again and again; raises to give up early, as when a process has ended.
        :param parts: of the node, that must be well by what /diagnostics says.
        :raises NoAnswer: after `timeout` seconds, with what was still missing.
        """

        def missing() -> str:
            if not self._action.server_is_ready():
                return f'no node offers /{self._name}/instruct'
            for part in parts:
                level, message = self._heard.health.get(f'{self._name}: {part}', (None, 'no word'))
                if part == 'model' and level == Level.ERROR:
                    raise NoAnswer(message)
                if level not in (Level.OK, Level.WARN) or message == 'loading':
                    return f'{part}: {message}'
            return ''

        def ready() -> bool:
            look()
            return not missing()

        self._spin(ready, timeout, missing)

    def instruct(
        self,
        instruction: str,
        language: str = '',
        camera: str = '',
        timeout: float = 120.0,
        on_feedback: Callable[[State, str], None] = lambda state, text: None,
    ) -> Reply:
        """Send a goal and wait for its result, then a moment for its picture and its time.

        :raises NoAnswer: when there is no result after `timeout` seconds.
        """
        states: list[State] = []

        def on_message(message) -> None:
            state = State(message.feedback.state)
            if state not in states:
                states.append(state)
            on_feedback(state, message.feedback.partial_text)

        goal = Instruct.Goal(instruction=instruction, language=language, camera=camera)
        handle = self._result(self._action.send_goal_async(goal, on_message), timeout, 'the goal')
        result = self._result(handle.get_result_async(), timeout, 'the result').result
        plan = plan_from_message(result.plan)
        if plan is None:
            return Reply(None, Code(result.error_code), result.error_msg, None, tuple(states), b'')
        heard = self._heard
        with contextlib.suppress(NoAnswer):
            self._spin(
                lambda: plan.id in heard.seconds and plan.id in heard.pictures,
                _PATIENCE,
                lambda: 'no picture or time',
            )
        return Reply(
            plan,
            Code(result.error_code),
            result.error_msg,
            heard.seconds.get(plan.id),
            tuple(states),
            heard.pictures.pop(plan.id, b''),
        )

    def approve(self, plan: Plan, agreed: bool, timeout: float = 10.0) -> str:
        """Decide about a plan; returns '' or why the decision was not taken."""
        request = Approve.Request(id=plan.id, hash=plan.hash, approve=agreed, approver='client')
        return self._result(self._approve.call_async(request), timeout, 'the approval').error_msg

    def _result(self, future: Future, timeout: float, what: str):
        self._spin(future.done, timeout, lambda: f'{what} has no reply')
        return future.result()

    def _spin(self, done: Callable[[], bool], timeout: float, missing: Callable[[], str]) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline:
                raise NoAnswer(f'{missing()} after {timeout:g} s')
            self._executor.spin_once(timeout_sec=_TURN)

    def _on_picture(self, message: CompressedImage) -> None:
        jpeg = bytes(message.data)
        _keep(self._heard.pictures, read_comment(jpeg), jpeg)

    def _on_health(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._heard.health[status.name] = (status.level[0], status.message)
            if status.name == f'{self._name}: instructions':
                values = {v.key: v.value for v in status.values}
                _keep(self._heard.seconds, values[LAST_PLAN], float(values[LAST_SECONDS]))


def _keep(latest: dict, key: str, value: object) -> None:
    """Put the last value, dropping the first where there are too many."""
    latest[key] = value
    if len(latest) > _KEPT:
        latest.pop(next(iter(latest)))
