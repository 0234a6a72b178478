"""Who may use the model now: calls in the order they came, and an open stream alone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from .decoding import raise_if_cancelled
from .errors import Busy, Cancelled, VlmError
from .results import Answer

# How often a waiting call looks at its cancel event.
_LOOK_AGAIN = 0.05


class Turns:
    """Serves calls one at a time, first come first served.

    While a stream is open nobody waits: its end is in the hands of whoever reads it, perhaps of the
    very thread that calls. Such a call raises Busy. Once `closed` is set nobody gets a turn.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = False
        self._streaming = False
        self.closed = False

    def take(
        self, cancel: threading.Event | None, stream: bool = False, patient: bool = False
    ) -> None:
        """Wait for the turn, if `patient` even for the end of a stream.

        Raises Busy, Cancelled, or VlmError when closed.
        """
        ticket = object()
        with self._condition:
            self._waiting.append(ticket)
            try:
                while self._taken or self._waiting[0] is not ticket:
                    if not patient:
                        self._raise_if_streaming()
                    raise_if_cancelled(cancel)
                    self._condition.wait(None if cancel is None else _LOOK_AGAIN)
                raise_if_cancelled(cancel)
                if self.closed:
                    raise VlmError('the model was closed; load it again')
                self._taken, self._streaming = True, stream
            finally:
                self._waiting.remove(ticket)
                self._condition.notify_all()

    def give_back(self) -> None:
        """End the turn."""
        with self._condition:
            self._taken = self._streaming = False
            self._condition.notify_all()

    @contextmanager
    def turn(self, cancel: threading.Event | None, patient: bool = False) -> Iterator[None]:
        """Hold the turn for a block."""
        self.take(cancel, patient=patient)
        try:
            yield
        finally:
            self.give_back()

    def _raise_if_streaming(self) -> None:
        if self._streaming:
            raise Busy('a stream is open on this model; read it to its end or close() it first')


class StreamCancel(threading.Event):
    """Set by its stream's close(), or by the event that the caller gave."""

    def __init__(self, given: threading.Event | None) -> None:
        super().__init__()
        self._given = given

    def is_set(self) -> bool:
        """Whether either is set."""
        return super().is_set() or (self._given is not None and self._given.is_set())


class Stream:
    """The pieces of an answer while it is written, and the whole answer afterwards.

    An iterator of str; also a context manager that closes it. The model is busy until the stream
    has ended, failed or been closed. One thread reads at a time, a second one gets Busy; any thread
    may close it, whereupon a reader gets Cancelled within one step.
    """

    def __init__(
        self,
        pieces: Generator[str, None, Answer],
        release: Callable[[], None],
        cancel: threading.Event,
    ) -> None:
        """`pieces` looks at `cancel` before every step; `release` is called once, at the end."""
        self._pieces = pieces
        self._release: Callable[[], None] | None = release
        self._cancel = cancel
        self._answer: Answer | None = None
        self._running = threading.Lock()

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> str:
        if not self._running.acquire(blocking=False):
            raise Busy('another thread is reading this stream; a stream has one reader')
        try:
            piece = next(self._pieces)
        except BaseException as error:
            if isinstance(error, StopIteration):
                self._answer = self._answer or error.value
            self._end()
            raise
        finally:
            self._running.release()
        # Who closed the stream while it ran left the closing to its reader.
        if self._cancel.is_set():
            self.close()
            raise Cancelled('the call was cancelled or its stream closed')
        return piece

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def result(self) -> Answer:
        """Read what is left and return the whole answer.

        Raises VlmError if the stream was closed or failed before its end.
        """
        for _ in self:
            pass
        if self._answer is None:
            raise VlmError('the stream ended before the answer was complete')
        return self._answer

    def close(self) -> None:
        """Stop writing and free the model; harmless when it has ended already."""
        self._cancel.set()
        if self._running.acquire(blocking=False):
            try:
                self._pieces.close()
                self._end()
            finally:
                self._running.release()

    def _end(self) -> None:
        if self._release is not None:
            self._release, release = None, self._release
            release()
