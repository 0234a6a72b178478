"""Log messages: limiting repeated ones, each on its own, and escaping what strangers wrote."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

_MAX_KEYS = 200
_LONGEST = 80


def escaped(text: str) -> str:
    """Return a stranger's text for the log: on one line, quoted, and shortened; '' for ''."""
    return repr(text[:_LONGEST]) if text else ''


class LogThrottle:
    """Allows each message once per period; rclpy's throttle counts by the line of code.

    Thread-safe.
    """

    def __init__(self, period: float, clock: Callable[[], float] = monotonic):
        """Create a throttle; `period` in seconds."""
        self._period = period
        self._clock = clock
        self._lock = Lock()
        self._logged: dict[str, tuple[float, int]] = {}  # time, repetitions since

    def text(self, key: str, message: str) -> str:
        """Return the message to log, with the number of repetitions left out, or ''.

        :param key: what counts as the same message.
        """
        with self._lock:
            now = self._clock()
            time, repeated = self._logged.get(key, (float('-inf'), 0))
            if now - time < self._period:
                self._logged[key] = time, repeated + 1
                return ''
            self._logged.pop(key, None)
            self._logged[key] = now, 0
            while len(self._logged) > _MAX_KEYS:
                self._logged.pop(next(iter(self._logged)))
        return f'{message} ({repeated} more like this)' if repeated else message
