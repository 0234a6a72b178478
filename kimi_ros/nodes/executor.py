"""An executor for a node that receives images all the time and works on requests now and then."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.context import Context
from rclpy.executors import (
    ConditionReachedException,
    Executor,
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
)


class RequestExecutor(Executor):
    """Runs short callbacks on the spinning thread and all others in a pool of threads.

    rclpy's MultiThreadedExecutor hands every callback to its pool, and offers it again until a
    thread has taken it: two streams of 30 images a second cost half a core that way.
    """

    def __init__(
        self,
        threads: int,
        short: Iterable[CallbackGroup],
        on_error: Callable[[BaseException], None],
        context: Context | None = None,
    ):
        """Create an executor.

        :param threads: of the pool.
        :param short: callback groups whose callbacks return at once.
        :param on_error: called with what a callback raised; spinning goes on.
        """
        super().__init__(context=context)
        self._pool = ThreadPoolExecutor(threads, 'callback')
        self._short = set(short)
        self._on_error = on_error
        self._lock = Lock()
        self._submitted: set[Any] = set()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """Wait for a callback, and run it or hand it to the pool."""
        try:
            task, entity, _ = self.wait_for_ready_callbacks(timeout_sec=timeout_sec)
        except (
            ConditionReachedException,
            ExternalShutdownException,
            ShutdownException,
            TimeoutException,
        ):
            return
        if entity is not None and entity.callback_group in self._short:
            self._run(task)
            return
        with self._lock:
            if task in self._submitted:  # it is offered until a thread has begun it
                return
            self._submitted.add(task)
        with contextlib.suppress(RuntimeError):  # the pool is shut down
            self._pool.submit(self._run, task)

    def shutdown(self, timeout_sec: float | None = None) -> bool:
        """Stop spinning; callbacks that have begun are left to end by themselves."""
        done = super().shutdown(timeout_sec)
        self._pool.shutdown(wait=False, cancel_futures=True)
        return done

    def _run(self, task: Any) -> None:
        try:
            task()
        finally:
            with self._lock:
                self._submitted.discard(task)
        if task.done() and (error := task.exception()) is not None:
            self._on_error(error)
