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
_MAX_PUBLISHERS = 8  # of one topic, whose numbers are kept
_PAUSE = 5.0  # seconds without any message, after which measuring starts anew
_KEPT_GAPS = 0.9  # of the gaps: the longest ones may be pauses of the camera
_LONGEST_GAP = 30  # usual gaps; longer ones are pauses of the camera, or of its clock
_QUANTILE = 0.2  # of the stamps' gaps: with most frames lost the median gap is several periods


@dataclass(frozen=True)
class FrameRate:
    """Frame rates of the last seconds.

    :ivar received: frames per second that arrived, whether or not they were looked at.
    :ivar published: frames per second that were published, as far as known; 0 if not.
    :ivar taken: of the received ones, those that the node has looked at.
    """

    received: float
    published: float
    taken: float = 0.0

    @property
    def lossy(self) -> bool:
        """True if less than half of the frames are received."""
        return self.received < self.published / 2


@dataclass(frozen=True)
class _Received:
    """A received image.

    :ivar at: seconds, when it was received.
    :ivar stamp: nanoseconds.
    :ivar published: images that were published since the one before, as far as known.
    :ivar received: of these, the ones that arrived, whether or not they were taken; with the lost
        ones, where these are reported.
    """

    at: float
    stamp: int
    published: int = 1
    received: int = 1


class _Numbers:
    """Counts messages by the numbers that their publishers give them."""

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}

    def steps(self, number: int | None, publisher: bytes) -> int:
        """Return how many messages a publisher has sent since the one before this one."""
        if number is None:
            return 1
        if len(self._last) > _MAX_PUBLISHERS:
            self._last.clear()
        last, self._last[publisher] = self._last.get(publisher), number
        return 1 if last is None else max(1, number - last)

    def clear(self) -> None:
        """Forget all publishers."""
        self._last.clear()


class FrameRateMonitor:
    """Compares a camera's images with what its publisher sends. Thread-safe.

    The publisher's rate is known from the numbers that the middleware gives to messages, and from
    camera_info, which is small and arrives even where images are lost. Without either it follows
    from the spacing of the images' stamps: the smaller gaps are one or two periods of the camera.
    Images may be left in the middleware, which keeps the newest only: they are not lost. Where it
    reports losses, all others have arrived; elsewhere those that were taken are counted.

    :ivar numbered: the middleware gives numbers to messages.
    """

    def __init__(self, clock: Callable[[], float] = monotonic):
        self._clock = clock
        self._lock = Lock()
        self._since: float | None = None
        self._images: deque[_Received] = deque(maxlen=1000)
        self._infos: deque[tuple[float, int]] = deque(maxlen=1000)
        self._lost: deque[tuple[float, int]] = deque(maxlen=1000)
        self.numbered = False
        self._image_numbers, self._info_numbers = _Numbers(), _Numbers()

    def add_image(
        self,
        stamp: int,
        number: int | None = None,
        publisher: bytes = b'',
        losses_reported: bool = False,
    ) -> None:
        """Count an image.

        :param stamp: its stamp, nanoseconds.
        :param number: its number among its publisher's, if the middleware knows it.
        :param losses_reported: images that are lost are told by `add_lost`, so that those between
            this one and the one before have arrived, unless they are told.
        """
        with self._lock:
            now = self._clock()
            self._restart_after_pause(now)
            if not self._images:
                self._since = min(now, self._since or now)
            steps = self._image_numbers.steps(number, publisher)
            self.numbered = number is not None
            self._images.append(_Received(now, stamp, steps, steps if losses_reported else 1))

    def add_info(self, number: int | None = None, publisher: bytes = b'') -> None:
        """Count a camera_info message, with its number among its publisher's."""
        with self._lock:
            now = self._clock()
            self._restart_after_pause(now)
            if self._since is None:
                self._since = now + _SETTLING
            self._infos.append((now, self._info_numbers.steps(number, publisher)))

    def add_lost(self, count: int) -> None:
        """Count images that the middleware reports as lost."""
        with self._lock:
            if count and self._images:  # before the first one, they may be from before subscribing
                self._lost.append((self._clock(), count))

    def _restart_after_pause(self, now: float) -> None:
        latest = max(
            [image.at for image in list(self._images)[-1:]] + [at for at, _ in self._infos][-1:],
            default=now,
        )
        if now - latest > _PAUSE:
            for counted in (self._images, self._infos, self._lost):
                counted.clear()
            self._image_numbers.clear()
            self._info_numbers.clear()
            self._since = None

    def rate(self) -> FrameRate:
        """Return the rates of the last ten seconds; `published` is 0 for the first three."""
        with self._lock:
            now = self._clock()
            window = min(_WINDOW, now - (now if self._since is None else self._since))
            if window <= 0:
                return FrameRate(0.0, 0.0)
            images = [image for image in self._images if now - image.at <= window]
            before = [image.at for image in self._images if now - image.at > window]
            span = now - before[-1] if before else window  # that the images' counts are for
            infos = sum(count for at, count in self._infos if now - at <= window)
            lost = sum(count for at, count in self._lost if now - at <= window)
            latest = [image.stamp for image in list(self._images)[-_MAX_STAMPS:]]
        received = max(0, sum(image.received for image in images) - lost) / span
        taken = len(images) / span
        if window < _MIN_WINDOW:
            return FrameRate(received, 0.0, taken)
        published = max(infos / window, sum(image.published for image in images) / span)
        if not infos and not self.numbered:
            published = max(published, received * _published_per_received(latest))
        return FrameRate(received, published, taken)


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
