"""Repeats in turn, so that what else a machine does falls on all contenders alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Measured = TypeVar('Measured')


def interleave(
    calls: Mapping[str, Callable[[], Measured]], repeats: int, warm_up: bool = True
) -> dict[str, list[Measured]]:
    """Call each once, then each once more, and so on; what each returned, in order.

    :param calls: name to a call that returns what it measured.
    :param warm_up: whether an unmeasured round comes first.
    """
    for call in calls.values() if warm_up else ():
        call()
    found: dict[str, list[Measured]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            found[name].append(call())
    return found


class Watch:
    """Seconds of a block: `with Watch() as watch: ...; watch.seconds`."""

    seconds = 0.0

    def __enter__(self) -> Watch:
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._began
