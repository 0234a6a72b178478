"""A bounded request queue: one request is processed at a time, the excess is rejected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Event

from kimi_ros.nodes.codes import ErrorCode, RequestError
from kimi_ros.nodes.waiting import wait_cancellable


class RequestQueue:
    """First in, first out, with a fixed capacity. Thread-safe.

    A request is known by its cancel event. `track` covers all of a request's life, so that it can
    be cancelled at any time; `acquire` covers the part in which it holds the model.

    :ivar completed: number of requests that were processed without an exception.
    :ivar rejected: number of requests that found the queue full.
    """

    def __init__(self, capacity: int):
        """Create a queue in which `capacity` requests may wait besides the active one."""
        self._capacity = capacity
        self._changed = Condition()
        self._pending: list[Event] = []  # the first one is active
        self._tracked: set[Event] = set()
        self.completed = 0
        self.rejected = 0

    @property
    def length(self) -> int:
        """Number of requests that are active or wait."""
        return len(self._pending)

    @contextmanager
    def track(self, cancel: Event | None = None) -> Iterator[Event]:
        """Yield the request's cancel event (a new one if None); `cancel_all` sets it."""
        cancel = cancel or Event()
        self.register(cancel)
        try:
            yield cancel
        finally:
            with self._changed:
                self._tracked.discard(cancel)

    def register(self, cancel: Event) -> None:
        """Track a request before its thread runs; `track` takes over and ends it."""
        with self._changed:
            self._tracked.add(cancel)

    @contextmanager
    def acquire(self, cancel: Event) -> Iterator[None]:
        """Wait until the request is first in the queue, and hold that place.

        :raises RequestError: with BUSY when the queue is full, CANCELLED when it was cancelled.
        """
        with self._changed:
            if len(self._pending) > self._capacity:
                self.rejected += 1
                raise RequestError(
                    ErrorCode.BUSY,
                    f'one request is active and {self._capacity} are waiting: try again later',
                )
            self._pending.append(cancel)
            try:
                wait_cancellable(
                    self._changed,
                    lambda: self._pending[0] is cancel and not cancel.is_set(),
                    cancel,
                    activity='waiting in the queue',
                )
            except BaseException:
                self._remove(cancel)
                raise
        try:
            yield
            self.completed += 1
        finally:
            with self._changed:
                self._remove(cancel)

    def cancel(self, cancel: Event) -> None:
        """Cancel one request, active or waiting."""
        with self._changed:
            cancel.set()
            self._changed.notify_all()

    def cancel_all(self) -> int:
        """Cancel every tracked request; returns how many there were."""
        with self._changed:
            for cancel in self._tracked:
                cancel.set()
            self._changed.notify_all()
            return len(self._tracked)

    def _remove(self, cancel: Event) -> None:
        self._pending.remove(cancel)
        self._changed.notify_all()
