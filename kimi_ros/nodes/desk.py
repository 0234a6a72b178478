"""One instruction is worked on at a time, few wait in line, the rest are turned away at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Event

from kimi_ros.nodes.codes import Code, NodeError


class Desk:
    """A line with an end. Safe to use from several threads."""

    def __init__(self, seats: int):
        """Let so many wait besides the one that is served."""
        self._seats = seats
        self._changed = Condition()
        self._line: list[Event] = []
        self._given: set[Event] = set()
        self.served = 0
        self.turned_away = 0

    @property
    def length(self) -> int:
        """How many are served or wait."""
        return len(self._line)

    @contextmanager
    def errand(self, cancel: Event | None = None) -> Iterator[Event]:
        """Give the event (a new one if None) that `stop` and `stop_all` set to end the errand."""
        cancel = cancel or Event()
        self.begin(cancel)
        try:
            yield cancel
        finally:
            with self._changed:
                self._given.discard(cancel)

    def begin(self, cancel: Event) -> None:
        """Count an errand from now on, which `errand` goes on with and ends."""
        with self._changed:
            self._given.add(cancel)

    @contextmanager
    def turn(self, cancel: Event) -> Iterator[None]:
        """Wait for one's turn and have it; NodeError with BUSY or CANCELLED where there is none."""
        with self._changed:
            if len(self._line) > self._seats:
                self.turned_away += 1
                raise NodeError(
                    Code.BUSY,
                    f'one instruction is worked on and {self._seats} wait: give it again later',
                )
            self._line.append(cancel)
            try:
                self._changed.wait_for(lambda: self._line[0] is cancel or cancel.is_set())
                if cancel.is_set():
                    raise NodeError(Code.CANCELLED, 'cancelled while waiting in line')
            except BaseException:
                self._leave(cancel)
                raise
        try:
            yield
            self.served += 1
        finally:
            with self._changed:
                self._leave(cancel)

    def stop(self, cancel: Event) -> None:
        """End one errand, whether it is served or waits."""
        with self._changed:
            cancel.set()
            self._changed.notify_all()

    def stop_all(self) -> int:
        """End every errand and return how many there were."""
        with self._changed:
            for cancel in self._given:
                cancel.set()
            self._changed.notify_all()
            return len(self._given)

    def _leave(self, cancel: Event) -> None:
        self._line.remove(cancel)
        self._changed.notify_all()
