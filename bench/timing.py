"""Interleaved repeats, so that other load on the machine affects all systems equally."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Measured = TypeVar('Measured')


def interleave(
    calls: Mapping[str, Callable[[], Measured]], repeats: int, warm_up: bool = True
) -> dict[str, list[Measured]]:
    """Call all functions in turn, `repeats` times; return the results of each.

    :param calls: name to a function that returns a measurement.
    :param warm_up: whether to start with a discarded round.
    """
    for call in calls.values() if warm_up else ():
        call()
    found: dict[str, list[Measured]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            found[name].append(call())
    return found


class Timer:
    """Seconds of a block: `with Timer() as watch: ...; watch.seconds`."""

    seconds = 0.0

    def __enter__(self) -> Timer:
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._began
