"""Streamed answers: pieces of text while the model generates, the whole answer afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

from .errors import Busy, Cancelled, VlmError
from .results import Answer


class StreamCancel(threading.Event):
    """An event that is set by the stream's close() or by the caller's own event."""

    def __init__(self, callers_event: threading.Event | None) -> None:
        super().__init__()
        self._callers_event = callers_event

    def is_set(self) -> bool:
        """Whether either event is set."""
        return super().is_set() or (
            self._callers_event is not None and self._callers_event.is_set()
        )


class Stream:
    """An iterator over the pieces (str) of an answer; `result()` returns the whole answer.

    Also a context manager that closes the stream. The model is busy until the stream ends, fails
    or is closed. Only one thread may read at a time, a second reader gets Busy. Any thread may
    close the stream; its reader then gets Cancelled within one step.
    """

    def __init__(
        self,
        pieces: Generator[str, None, Answer],
        release: Callable[[], None],
        cancel: threading.Event,
    ) -> None:
        """`pieces` checks `cancel` before every step; `release` is called once, at the end."""
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
        # close() from another thread during this step left the cleanup to the reader.
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
        """Read the rest and return the whole answer.

        Raises VlmError if the stream was closed or failed before its end.
        """
        for _ in self:
            pass
        if self._answer is None:
            raise VlmError('the stream ended before the answer was complete')
        return self._answer

    def close(self) -> None:
        """Stop generating and release the model; does nothing if the stream has already ended."""
        self._cancel.set()
        if self._running.acquire(blocking=False):
            try:
                self._pieces.close()
                self._end()
            finally:
                self._running.release()

    def _end(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()
