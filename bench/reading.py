"""How fast this machine's memory can be read: the limit of all that reads weights once a token."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_BYTES = 256 << 20  # for each thread: far beyond any cache
_PASSES = 4


class Reading:
    """Threads that read disjoint arrays with the fastest of numpy's loops.

    To be run with one BLAS thread, as the worker does: the threads here are its own.
    """

    def __init__(self, threads: int) -> None:
        self._arrays = [np.ones(_BYTES // 4, np.float32) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)
        self._loops: tuple[Callable, ...] = (
            lambda array: np.dot(array, array),
            lambda array: array.sum(),
            lambda array: array.view(np.uint64).max(),
        )

    def speed(self) -> float:
        """Bytes a second, of the best loop and pass."""
        best = min(self._seconds(loop) for loop in self._loops for _ in range(_PASSES))
        return len(self._arrays) * _BYTES / best

    def _seconds(self, loop: Callable) -> float:
        began = time.perf_counter()
        list(self._pool.map(loop, self._arrays))
        return time.perf_counter() - began
