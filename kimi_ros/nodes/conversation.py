"""The last turns of the conversation with a node, which the next instruction may refer to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Lock

Turn = tuple[str, str]
Point = tuple[float, float]


class Conversation:
    """Remembers (instruction, what was said) turns, for a time. Thread-safe."""

    def __init__(
        self,
        most: Callable[[], int],
        timeout: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ):
        """Begin without a turn.

        :param most: returns how many turns are kept; 0 remembers nothing.
        :param timeout: returns after how many seconds without a new turn all are forgotten.
        """
        self._most = most
        self._timeout = timeout
        self._clock = clock
        self._lock = Lock()
        self._turns: list[Turn] = []
        self._camera = ''  # of the newest turn
        self._points: tuple[Point, ...] = ()
        self._latest = float('-inf')

    def turns(self) -> tuple[Turn, ...]:
        """Return the turns, oldest first."""
        with self._lock:
            self._forget_old()
            most = self._most()
            return tuple(self._turns[-most:] if most else ())

    def points(self, camera: str) -> tuple[Point, ...]:
        """Return where the things of the newest turn are; () if another camera saw them."""
        with self._lock:
            self._forget_old()
            return self._points if camera == self._camera else ()

    def add(
        self, instruction: str, said: str, camera: str = '', points: Iterable[Point] = ()
    ) -> None:
        """Add the newest turn.

        :param camera: name of the camera that saw its things.
        :param points: where they are, x and y in pixels.
        """
        with self._lock:
            self._forget_old()
            self._turns = [*self._turns, (instruction, said)][-max(self._most(), 1) :]
            self._latest = self._clock()
            self._camera, self._points = camera, tuple(points)

    def clear(self) -> None:
        """Forget all turns."""
        with self._lock:
            self._forget()

    def _forget_old(self) -> None:
        if self._clock() - self._latest > self._timeout():
            self._forget()

    def _forget(self) -> None:
        self._turns.clear()
        self._points = ()
