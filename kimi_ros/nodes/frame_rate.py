"""Detecting that a camera's frames are lost in transport."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

_WINDOW = 10.0  # seconds over which rates are measured
_SETTLING = 2.0  # seconds that images may start later than camera_info, during discovery
_MIN_WINDOW = 3.0  # seconds to measure before a rate is reported
_MAX_STAMPS = 40  # images whose spacing is evaluated
_MIN_GAPS = 5  # fewest gaps between them
_PAUSE = 5.0  # seconds without any message, after which measuring starts anew
_KEPT_GAPS = 0.9  # of the gaps: the longest ones may be pauses of the camera
_LONGEST_GAP = 30  # usual gaps; longer ones are pauses of the camera, or of its clock
_QUANTILE = 0.2  # of the stamps' gaps: with most frames lost the median gap is several periods


@dataclass(frozen=True)
class FrameRate:
    """Frame rates of the last seconds.

    :ivar received: frames per second that were received.
    :ivar published: frames per second that were published, as far as known; 0 if not.
    """

    received: float
    published: float

    @property
    def lossy(self) -> bool:
        """True if less than half of the frames are received."""
        return self.received < self.published / 2


class FrameRateMonitor:
    """Compares a camera's images with what its publisher sends. Thread-safe.

    The publisher's rate is that of camera_info, which is small and arrives even where images are
    lost. Without camera_info it follows from the spacing of the images' stamps: the smaller gaps
    are one or two periods of the camera.
    """

    def __init__(self, clock: Callable[[], float] = monotonic):
        self._clock = clock
        self._lock = Lock()
        self._since: float | None = None
        self._images: deque[tuple[float, int]] = deque(maxlen=1000)
        self._infos: deque[float] = deque(maxlen=1000)

    def add_image(self, stamp: int) -> None:
        """Count an image; its stamp in nanoseconds."""
        with self._lock:
            now = self._clock()
            self._restart_after_pause(now)
            if not self._images:
                self._since = min(now, self._since or now)
            self._images.append((now, stamp))

    def add_info(self) -> None:
        """Count a camera_info message."""
        with self._lock:
            now = self._clock()
            self._restart_after_pause(now)
            if self._since is None:
                self._since = now + _SETTLING
            self._infos.append(now)

    def _restart_after_pause(self, now: float) -> None:
        latest = max([at for at, _ in self._images][-1:] + list(self._infos)[-1:], default=now)
        if now - latest > _PAUSE:
            self._images.clear()
            self._infos.clear()
            self._since = None

    def rate(self) -> FrameRate:
        """Return the rates of the last ten seconds; `published` is 0 for the first three."""
        with self._lock:
            now = self._clock()
            window = min(_WINDOW, now - (now if self._since is None else self._since))
            if window <= 0:
                return FrameRate(0.0, 0.0)
            stamps = [stamp for at, stamp in self._images if now - at <= window]
            infos = sum(now - at <= window for at in self._infos)
            latest = [stamp for _, stamp in list(self._images)[-_MAX_STAMPS:]]
        received = len(stamps) / window
        if window < _MIN_WINDOW:
            return FrameRate(received, 0.0)
        return FrameRate(received, infos / window or received * _published_per_received(latest))


def _published_per_received(stamps: list[int]) -> float:
    """Return how many images were published for each received one, from the stamps' spacing."""
    gaps = sorted(b - a for a, b in zip(stamps, stamps[1:], strict=False))
    gaps = [gap for gap in gaps if gap > 0]
    if len(gaps) < _MIN_GAPS:
        return 0.0
    usual = gaps[int(_QUANTILE * len(gaps))]
    kept = gaps[: max(_MIN_GAPS, int(_KEPT_GAPS * len(gaps)))]
    kept = [gap for gap in kept if gap <= _LONGEST_GAP * usual]
    return sum(kept) / len(kept) / usual
