"""A client of the node `kimi`: sends instructions and collects the results."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage

from kimi_msgs.action import Instruct
from kimi_msgs.srv import Approve
from kimi_ros.agent import Plan, State
from kimi_ros.nodes import qos
from kimi_ros.nodes.client_node import ClientNode, NoResponseError
from kimi_ros.nodes.codes import ErrorCode
from kimi_ros.nodes.diagnostics import LAST_PLAN, LAST_SECONDS, Level
from kimi_ros.nodes.images import read_comment
from kimi_ros.nodes.instruct_client import instruct_client
from kimi_ros.nodes.messages import plan_from_message

_TOPIC_TIMEOUT = 5.0  # seconds, for the parts of a result that are published on topics
_KEPT = 8  # images and times: those of other clients may arrive in between


@dataclass(frozen=True)
class InstructResult:
    """Result of one instruction.

    :ivar plan: None beside a code other than NONE.
    :ivar seconds: from goal accepted to plan published, measured by the node; None without a plan,
        and where it was not received.
    :ivar states: the states of the feedback, in order.
    :ivar annotated: the annotated image as JPEG, b'' if none was received.
    """

    plan: Plan | None
    code: ErrorCode
    message: str
    seconds: float | None
    states: tuple[State, ...]
    annotated: bytes


@dataclass
class _Received:
    """What was received on topics.

    :ivar seconds: by plan id.
    :ivar annotated: JPEG by plan id.
    :ivar diagnostics: level and message by status name.
    :ivar waiting: what is reported of plans that wait for approval, by id; None until it is.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    annotated: dict[str, bytes] = field(default_factory=dict)
    diagnostics: dict[str, tuple[int, str]] = field(default_factory=dict)
    waiting: dict[str, dict[str, Any]] | None = None


class KimiClient(ClientNode):
    """Client of the node `kimi`, a context manager. Not thread-safe."""

    def __init__(self, node_name: str = 'kimi'):
        """Create a node in a context of its own.

        :param node_name: of the node to use, with its namespace if it has one: 'r1/kimi'.
        """
        super().__init__('kimi_client')
        self._name = node_name.strip('/')
        self._received = _Received()
        node, prefix = self._node, f'/{self._name}'
        self._action = instruct_client(node, prefix)
        self._approve: Any = node.create_client(Approve, f'{prefix}/approve')
        node.create_subscription(
            CompressedImage, f'{prefix}/annotated/compressed', self._on_annotated, qos.STATUS
        )
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.STATUS)

    def wait_until_ready(
        self,
        timeout: float,
        check: Callable[[], None] = lambda: None,
        components: Sequence[str] = ('model', 'camera'),
    ) -> None:
        """Wait until the node accepts goals, its model is loaded and images are received.

        :param check: called repeatedly; may raise to give up early, e.g. if a process has ended.
        :param components: of the node, that must be OK or WARN in /diagnostics.
        :raises NoResponseError: after `timeout` seconds, with what was still missing.
        """

        def missing() -> str:
            if not self._action.server_is_ready():
                return f'the action /{self._name}/instruct is not available'
            for component in components:
                level, message = self._received.diagnostics.get(
                    f'{self._name}: {component}', (None, 'no diagnostics received')
                )
                if component == 'model' and level == Level.ERROR:
                    raise NoResponseError(message)
                usable = (Level.OK,) if component == 'model' else (Level.OK, Level.WARN)
                if level not in usable:
                    return f'{component}: {message}'
            return ''

        def ready() -> bool:
            check()
            return not missing()

        self._wait(ready, timeout, missing)

    def instruct(
        self,
        instruction: str,
        language: str = '',
        camera: str = '',
        timeout: float = 120.0,
        on_feedback: Callable[[State, str], None] = lambda state, text: None,
    ) -> InstructResult:
        """Send a goal and wait for its result, then briefly for its annotated image and its time.

        :raises NoResponseError: when there is no result after `timeout` seconds.
        """
        states: list[State] = []

        def on_message(message: Any) -> None:
            state = State(message.feedback.state)
            if state not in states:
                states.append(state)
            on_feedback(state, message.feedback.partial_text)

        goal = Instruct.Goal(instruction=instruction, language=language, camera=camera)
        handle = self._result(
            self._action.send_goal_async(goal, on_message), timeout, 'the goal request'
        )
        result = self._result(handle.get_result_async(), timeout, 'the result request').result
        plan = plan_from_message(result.plan)
        if plan is None:
            return InstructResult(
                None, ErrorCode(result.error_code), result.error_msg, None, tuple(states), b''
            )
        received = self._received
        with contextlib.suppress(NoResponseError):
            self._wait(
                lambda: plan.id in received.seconds and plan.id in received.annotated,
                _TOPIC_TIMEOUT,
                lambda: 'no annotated image or time',
            )
        return InstructResult(
            plan,
            ErrorCode(result.error_code),
            result.error_msg,
            received.seconds.get(plan.id),
            tuple(states),
            received.annotated.pop(plan.id, b''),
        )

    def approve(self, plan: Plan, approved: bool, timeout: float = 10.0) -> str:
        """Approve or deny a plan; returns '' or why the decision was rejected."""
        return self.decide(plan.id, plan.hash, approved, timeout=timeout)

    def decide(
        self,
        plan_id: str,
        plan_hash: str,
        approved: bool,
        approver: str = 'client',
        timeout: float = 30.0,
    ) -> str:
        """Send a decision about a plan that waits; returns '' or why it was rejected."""
        request = Approve.Request(id=plan_id, hash=plan_hash, approve=approved, approver=approver)
        self._wait(self._approve.service_is_ready, timeout, lambda: 'no service to approve with')
        future = self._approve.call_async(request)
        return str(self._result(future, timeout, 'the approval request').error_msg)

    def waiting_plans(self, timeout: float = 10.0) -> dict[str, dict[str, Any]]:
        """Return what /diagnostics says of the plans that wait for approval, by id, latest last.

        Each has 'hash', 'instruction', 'say', 'steps', 'reasons', 'expires' and 'command'.

        :raises NoResponseError: the node does not report within `timeout` seconds.
        """
        self._received.waiting = None
        self._wait(
            lambda: self._received.waiting is not None,
            timeout,
            lambda: f'the node {self._name} reported nothing: is it running?',
        )
        return self._received.waiting or {}

    def annotated(self, plan_id: str, timeout: float = _TOPIC_TIMEOUT) -> bytes:
        """Return a plan's annotated image as JPEG; b'' if none is received in `timeout` seconds."""
        images = self._received.annotated
        with contextlib.suppress(NoResponseError):
            self._wait(lambda: plan_id in images, timeout, lambda: 'no annotated image')
        return images.pop(plan_id, b'')

    def _result(self, future: Future[Any], timeout: float, what: str) -> Any:
        self._wait(future.done, timeout, lambda: f'{what} got no response')
        return future.result()

    def _on_annotated(self, message: CompressedImage) -> None:
        jpeg = bytes(message.data)
        _keep(self._received.annotated, read_comment(jpeg), jpeg)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._received.diagnostics[status.name] = (status.level[0], status.message)
            if status.name == f'{self._name}: approval':
                self._received.waiting = {v.key: json.loads(v.value) for v in status.values}
            if status.name == f'{self._name}: instructions':
                values = {v.key: v.value for v in status.values}
                _keep(self._received.seconds, values[LAST_PLAN], float(values[LAST_SECONDS]))


def _keep(latest: dict[str, Any], key: str, value: object) -> None:
    """Store a value, dropping the oldest beyond _KEPT."""
    latest[key] = value
    if len(latest) > _KEPT:
        latest.pop(next(iter(latest)))
