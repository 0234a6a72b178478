"""Waiting on a condition variable, with a timeout and a cancel event."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition, Event

from kimi_ros.nodes.codes import ErrorCode, RequestError

_POLL_PERIOD = 0.1  # seconds between checks of the cancel event


def wait_cancellable(
    condition: Condition,
    predicate: Callable[[], bool],
    cancel: Event,
    timeout: float = float('inf'),
    activity: str = 'waiting',
) -> bool:
    """Wait until `predicate()` is true; returns False after `timeout` seconds.

    :param condition: held by the caller; notified when the predicate may have changed.
    :param activity: for the error message: 'cancelled while ...'.
    :raises RequestError: with CANCELLED once `cancel` is set, unless the predicate is true.
    """
    deadline = time.monotonic() + timeout
    while not predicate():
        if cancel.is_set():
            raise RequestError(ErrorCode.CANCELLED, f'cancelled while {activity}')
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        condition.wait(min(left, _POLL_PERIOD))
    return True
