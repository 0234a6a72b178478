"""Telling when a camera's frames are lost on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

REMEDY = (
    "Fast DDS's defaults lose raw images: start the camera driver AND this node with "
    'FASTDDS_BUILTIN_TRANSPORTS=LARGE_DATA (Humble: FASTRTPS_DEFAULT_PROFILES_FILE= the '
    'config/fastdds.xml of kimi_ros), or use image_transport:=compressed'
)
_WINDOW = 5.0
_ENOUGH = 10  # gaps or camera_info messages, before anything is said
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

    The publisher's rate is that of camera_info, which is small and arrives even where images are lost, or else follows
    from the spacing of the images' stamps: the smaller gaps are a period of the camera, or two.
    """

    def __init__(self, clock: Callable[[], float] = monotonic):
        self._clock = clock
        self._lock = Lock()
        self._started = clock()
        self._images: deque[tuple[float, int]] = deque(maxlen=1000)
        self._infos: deque[float] = deque(maxlen=1000)

    def image(self, stamp: int) -> None:
        """Count an image; its stamp in nanoseconds."""
        with self._lock:
            self._images.append((self._clock(), stamp))

    def info(self) -> None:
        """Count a camera_info message."""
        with self._lock:
            self._infos.append(self._clock())

    def rate(self) -> Rate:
        """Return the rates of the last five seconds."""
        now = self._clock()
        window = min(_WINDOW, now - self._started) or 1.0
        with self._lock:
            stamps = [stamp for at, stamp in self._images if now - at <= window]
            infos = sum(now - at <= window for at in self._infos)
        gaps = sorted(b - a for a, b in zip(stamps, stamps[1:], strict=False) if b > a)
        published = 0.0
        if infos >= _ENOUGH:
            published = infos / window
        elif len(gaps) >= _ENOUGH:
            published = 1e9 / gaps[int(_LOW * len(gaps))]
        return Rate(len(stamps) / window, published)
