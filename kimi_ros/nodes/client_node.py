"""What the clients share: a node in a context of its own, spun while they wait."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

import rclpy
from rclpy.executors import SingleThreadedExecutor

_SPIN_PERIOD = 0.05  # seconds
_ClientT = TypeVar('_ClientT', bound='ClientNode')


class NoResponseError(Exception):
    """The node is not available or does not respond; says what was waited for and how long."""


class ClientNode:
    """A context manager. Not thread-safe."""

    def __init__(self, name: str):
        """Create a node in a context of its own.

        :param name: of the node, to which a unique number is added.
        """
        self._context = rclpy.Context()
        self._context.init()
        self._node = rclpy.create_node(f'{name}_{uuid.uuid4().hex[:8]}', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def __enter__(self: _ClientT) -> _ClientT:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Destroy the node and its context."""
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def _wait(self, done: Callable[[], bool], timeout: float, missing: Callable[[], str]) -> None:
        """Process what arrives until `done()`.

        :raises NoResponseError: after `timeout` seconds, with what was still missing.
        """
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline:
                raise NoResponseError(f'{missing()} after {timeout:g} s')
            self._spin_once()

    def _spin_once(self) -> None:
        """Process what arrives next, or nothing for a moment."""
        self._executor.spin_once(timeout_sec=_SPIN_PERIOD)
