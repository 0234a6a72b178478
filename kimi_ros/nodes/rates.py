"""Telling when a camera's frames are lost on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

_WINDOW = 10.0  # seconds that are looked at
_SETTLING = 2.0  # seconds that images may come later than camera_info, while processes meet
_LEAST = 3.0  # seconds to watch before anything is said
_LATEST = 40  # images whose spacing is looked at
_GAPS = 5  # the fewest gaps between them
_LOW = 0.2  # quantile of the stamps' gaps: with most frames lost the median gap is several periods


@dataclass(frozen=True)
class Rate:
    """Frames within the last seconds.

    :ivar received: frames per second that arrived.
    :ivar published: frames per second that were sent, as far as known; 0 if not.
    """

    received: float
    published: float

    @property
    def lossy(self) -> bool:
        """Tell whether less than half of the frames arrive."""
        return self.received < self.published / 2


class RateMonitor:
    """Counts a camera's images against what its publisher sends. Safe to use from several threads.

    The publisher's rate is that of camera_info, which is small and arrives even where images are
    lost, or else follows from the spacing of the images' stamps: the smaller gaps are a period of
    the camera, or two.
    """

    def __init__(self, clock: Callable[[], float] = monotonic):
        self._clock = clock
        self._lock = Lock()
        self._since: float | None = None
        self._images: deque[tuple[float, int]] = deque(maxlen=1000)
        self._infos: deque[float] = deque(maxlen=1000)

    def image(self, stamp: int) -> None:
        """Count an image; its stamp in nanoseconds."""
        with self._lock:
            now = self._clock()
            if not self._images:
                self._since = min(now, self._since or now)
            self._images.append((now, stamp))

    def info(self) -> None:
        """Count a camera_info message."""
        with self._lock:
            now = self._clock()
            if self._since is None:
                self._since = now + _SETTLING
            self._infos.append(now)

    def rate(self) -> Rate:
        """Return the rates of the last ten seconds; of the first three nothing is known."""
        with self._lock:
            now = self._clock()
            window = min(_WINDOW, now - (now if self._since is None else self._since))
            if window <= 0:
                return Rate(0.0, 0.0)
            stamps = [stamp for at, stamp in self._images if now - at <= window]
            infos = sum(now - at <= window for at in self._infos)
            latest = [stamp for _, stamp in list(self._images)[-_LATEST:]]
        received = len(stamps) / window
        if window < _LEAST:
            return Rate(received, 0.0)
        return Rate(received, infos / window or received * _sent_per_received(latest))


def _sent_per_received(stamps: list[int]) -> float:
    """Return how many images were sent for each that came, by the spacing of their stamps."""
    gaps = sorted(b - a for a, b in zip(stamps, stamps[1:], strict=False))
    gaps = [gap for gap in gaps if 0 < gap <= _WINDOW * 1e9]  # a longer one is a pause
    if len(gaps) < _GAPS:
        return 0.0
    return sum(gaps) / len(gaps) / gaps[int(_LOW * len(gaps))]
