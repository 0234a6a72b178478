"""A client of the node `executor` that sees what the camera sees meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image

from kimi_msgs.msg import ExecutionStatus
from kimi_ros.nodes import qos
from kimi_ros.nodes.client_node import ClientNode, NoResponseError
from kimi_ros.nodes.diagnostics import Level
from kimi_ros.nodes.images import to_rgb

_POLL_PERIOD = 0.1  # seconds
_ENDED = (ExecutionStatus.SUCCEEDED, ExecutionStatus.STOPPED, ExecutionStatus.FAILED)


class ExecutionClient(ClientNode):
    """A context manager; it receives in a thread of its own.

    :ivar step: what the robot is doing, as the executor says it: 'pick milk'; '' before.
    """

    def __init__(self, on_image: Callable[[np.ndarray, str], None], executor: str = 'executor'):
        """Listen to an executor and to the topic `image`.

        :param on_image: called with each image, uint8 (H, W, 3), and with what is being done, from
            the first step on, in the thread that receives.
        :param executor: the node's name.
        """
        super().__init__('execution_client')
        self._name, self._on_image = executor.strip('/'), on_image
        self.step = ''
        self._statuses: list[ExecutionStatus] = []
        self._level: int | None = None
        subscribe: Any = self._node.create_subscription
        subscribe(ExecutionStatus, f'/{self._name}/status', self._on_status, qos.STATUS)
        subscribe(Image, '/image', self._on_message, qos.IMAGES)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, qos.STATUS)
        self._closes = Event()
        self._thread = Thread(target=self._receive, name='execution', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop receiving and destroy the node."""
        self._closes.set()
        self._thread.join()
        super().close()

    def wait_until_ready(self, timeout: float, check: Callable[[], None]) -> None:
        """Wait until the executor takes plans.

        :param check: called repeatedly; may raise to give up early.
        :raises NoResponseError: after `timeout` seconds.
        """
        self._await(lambda: self._level == Level.OK, timeout, check, 'is not active')

    def wait_for_end(
        self, plan_id: str, timeout: float, check: Callable[[], None], refusal_is_end: bool = True
    ) -> tuple[bool, str]:
        """Wait until a plan was carried out, or could not be.

        :param check: called repeatedly; may raise to give up early.
        :param refusal_is_end: False for a plan that was refused until it was approved.
        :return: whether all its steps succeeded, and why not.
        :raises NoResponseError: after `timeout` seconds.
        """
        ends = (*_ENDED, ExecutionStatus.REFUSED) if refusal_is_end else _ENDED

        def end() -> ExecutionStatus | None:
            own = [s for s in list(self._statuses) if s.plan_id == plan_id and s.state in ends]
            return own[-1] if own else None

        self._await(lambda: end() is not None, timeout, check, 'has not carried the plan out')
        status = end()
        assert status is not None
        return status.state == ExecutionStatus.SUCCEEDED, str(status.text)

    def _await(
        self, done: Callable[[], bool], timeout: float, check: Callable[[], None], what: str
    ) -> None:
        deadline = monotonic() + timeout
        while not done():
            check()
            if monotonic() > deadline:
                raise NoResponseError(f'the node {self._name} {what} after {timeout:g} s')
            self._closes.wait(_POLL_PERIOD)

    def _receive(self) -> None:
        while not self._closes.is_set():
            self._spin_once()

    def _on_message(self, message: Image) -> None:
        if self.step:
            self._on_image(to_rgb(message), self.step)

    def _on_status(self, status: ExecutionStatus) -> None:
        self._statuses.append(status)
        if status.state == ExecutionStatus.RUNNING:
            self.step = str(status.text)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f'{self._name}: plan':
                self._level = status.level[0]
