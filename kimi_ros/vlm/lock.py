"""A fair lock around the engine: one call at a time, first come, first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from .cancellation import raise_if_cancelled
from .errors import Busy, VlmError

_CANCEL_POLL_SECONDS = 0.05


class FairLock:
    """Serializes calls in the order in which they arrive.

    While a stream holds the lock, other callers get Busy instead of waiting: only the reader of
    the stream can end it, and that may be the very thread that calls. Once `closed` is set, nobody
    gets the lock any more.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[object] = deque()
        self._held = False
        self._streaming = False
        self.closed = False

    def acquire(
        self,
        cancel: threading.Event | None,
        stream: bool = False,
        wait_for_stream: bool = False,
    ) -> None:
        """Wait for the lock; with `wait_for_stream` also while a stream holds it.

        :param stream: whether the caller holds the lock for a stream.

        Raises Busy, Cancelled, or VlmError if the model was closed.
        """
        ticket = object()
        with self._condition:
            self._waiting.append(ticket)
            try:
                while self._held or self._waiting[0] is not ticket:
                    if not wait_for_stream:
                        self._raise_if_streaming()
                    raise_if_cancelled(cancel)
                    self._condition.wait(None if cancel is None else _CANCEL_POLL_SECONDS)
                raise_if_cancelled(cancel)
                if self.closed:
                    raise VlmError('the model was closed; load it again')
                self._held, self._streaming = True, stream
            finally:
                self._waiting.remove(ticket)
                self._condition.notify_all()

    def release(self) -> None:
        """Let the next caller in."""
        with self._condition:
            self._held = self._streaming = False
            self._condition.notify_all()

    @contextmanager
    def hold(self, cancel: threading.Event | None, wait_for_stream: bool = False) -> Iterator[None]:
        """Hold the lock for a `with` block."""
        self.acquire(cancel, wait_for_stream=wait_for_stream)
        try:
            yield
        finally:
            self.release()

    def _raise_if_streaming(self) -> None:
        if self._streaming:
            raise Busy('a stream is open on this model; read it to its end or close() it first')
