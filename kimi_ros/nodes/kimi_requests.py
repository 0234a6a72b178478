"""What the node `speech` asks of the node `kimi`, without waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from std_srvs.srv import Trigger

from kimi_msgs.action import Instruct as InstructAction
from kimi_msgs.srv import Approve
from kimi_ros.nodes.codes import ErrorCode
from kimi_ros.nodes.instruct_client import instruct_client
from kimi_ros.speech.dialogue import Decide, Instruct

_QUIET_ERRORS = (ErrorCode.NONE, ErrorCode.CANCELLED, ErrorCode.DENIED, ErrorCode.EXPIRED)


class KimiRequests:
    """Instructions, decisions and stops. Thread-safe."""

    def __init__(
        self, node: Node, kimi: str, group: CallbackGroup, on_error: Callable[[str], None]
    ):
        """Create the clients.

        :param kimi: name of the node `kimi`.
        :param on_error: called with what kimi answers where it is for a person to know.
        """
        self._on_error = on_error
        self._logger = node.get_logger()
        self._lock = Lock()
        self._goals: list[Any] = []  # those without a result
        self._instruct = instruct_client(node, kimi, group)
        self._approve: Any = node.create_client(Approve, f'{kimi}/approve', callback_group=group)
        self._stop: Any = node.create_client(Trigger, f'{kimi}/stop', callback_group=group)

    def instruct(self, instruction: Instruct) -> None:
        """Send an instruction."""
        if not self._instruct.server_is_ready():
            self._logger.error('the node kimi is not running: its action is not available')
            return
        goal = InstructAction.Goal(instruction=instruction.text, language=instruction.language)
        self._instruct.send_goal_async(goal).add_done_callback(self._on_goal)

    def decide(self, decision: Decide) -> None:
        """Approve or deny a plan, by voice."""
        request = Approve.Request(
            id=decision.plan.id,
            hash=decision.plan.hash,
            approve=decision.approve,
            approver='voice',
            voice=True,
            read_back=decision.read_back,
        )

        def decided(future: Any) -> None:
            response = future.result()
            if response.error_code:
                self._on_error(response.error_msg)

        self._approve.call_async(request).add_done_callback(decided)

    def stop(self) -> None:
        """Cancel the instructions sent, and all that kimi does."""
        with self._lock:
            goals = list(self._goals)
        for goal in goals:
            goal.cancel_goal_async()
        if self._stop.service_is_ready():
            self._stop.call_async(Trigger.Request())

    def _on_goal(self, future: Any) -> None:
        handle = future.result()
        if not handle.accepted:
            self._logger.error('kimi rejected the instruction: it is not active')
            return
        with self._lock:
            self._goals.append(handle)

        def finished(result: Any) -> None:
            with self._lock:
                if handle in self._goals:
                    self._goals.remove(handle)
            answer = result.result().result
            if answer.error_code not in _QUIET_ERRORS:
                self._on_error(answer.error_msg)

        handle.get_result_async().add_done_callback(finished)
