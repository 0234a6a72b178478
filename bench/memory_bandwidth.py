"""Memory bandwidth of this machine (reading), which limits the speed of decoding."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_BYTES = 256 << 20  # per thread: much larger than any CPU cache
_PASSES = 4


class MemoryBandwidth:
    """Reads disjoint arrays in several threads, with the fastest of some numpy reductions.

    Must run with one BLAS thread, as the worker sets it.
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
        """Bytes per second of the best loop and pass."""
        best = min(self._seconds(loop) for loop in self._loops for _ in range(_PASSES))
        return len(self._arrays) * _BYTES / best

    def _seconds(self, loop: Callable) -> float:
        started = time.perf_counter()
        list(self._pool.map(loop, self._arrays))
        return time.perf_counter() - started
