"""The latest image of a camera, with the depth and the camera_info that belong to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from threading import Condition, Event
from time import monotonic
from typing import Any

from kimi_ros.nodes.codes import ErrorCode, RequestError
from kimi_ros.nodes.stamps import NANO
from kimi_ros.nodes.waiting import wait_cancellable

_NEVER = -(10**18)  # nanoseconds
_DEPTH_TIMEOUT = 0.25  # seconds: two or three periods of a typical camera
# Images, and depth images, that wait for each other: one may lag three periods behind.
_HISTORY = 4
_MAX_LAG = 0.15  # seconds: of images that are taken when wanted, older ones are from the last time
_PENDING = 1.0  # seconds after the last depth image that images still wait for one


@dataclass(frozen=True)
class CameraFrame:
    """One image as received, not yet decoded.

    :ivar stamp: of the image, nanoseconds.
    :ivar image: sensor_msgs/Image or CompressedImage.
    :ivar depth: the depth image (sensor_msgs/Image) with a matching stamp, or None.
    :ivar depth_stale: depth images are received, but none matches this image's stamp.
    :ivar info: the latest sensor_msgs/CameraInfo of the image, or None.
    :ivar depth_info: that of the depth image, if it has one.
    """

    stamp: int
    frame_id: str
    image: Any
    depth: Any = None
    depth_stale: bool = False
    info: Any = None
    depth_info: Any = None

    @property
    def has_depth(self) -> bool:
        """True if depth images are received, matching or not."""
        return self.depth is not None or self.depth_stale


class FrameBuffer:
    """Holds the latest image, and the latest one that has depth. Thread-safe.

    Messages are kept as received. Only those that may still find their match are kept besides, as
    images and depth images may lag behind each other: an image of 1080p has 6 MB.
    """

    def __init__(
        self,
        camera: str,
        topic: str,
        depth_topic: str = '',
        wanted: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(False),
    ):
        """Create an empty buffer.

        :param camera: the camera's name; '' for the unnamed camera.
        :param topic: the resolved image topic.
        :param depth_topic: the resolved depth topic.
        :param wanted: entered while a frame is waited for; gives whether messages are put here
            only then, the newest at once.
        """
        self.camera = camera
        self.topic = topic
        self.depth_topic = depth_topic
        self._wanted = wanted
        self._changed = Condition()
        self._images: deque[tuple[int, str, Any]] = deque(maxlen=_HISTORY)
        self._depths: deque[tuple[int, Any]] = deque(maxlen=_HISTORY)
        self._depth_stamp = _NEVER  # of the latest depth image
        self._matched: CameraFrame | None = None
        self._info: Any = None
        self._depth_info: Any = None

    def put_image(self, stamp: int, frame_id: str, message: Any, tolerance: float) -> None:
        """Add an image; `tolerance` in seconds is the largest offset of its depth's stamp."""
        with self._changed:
            self._images.append((stamp, frame_id, message))
            self._match(tolerance)
            self._changed.notify_all()

    def put_depth(self, stamp: int, message: Any, tolerance: float) -> None:
        """Add a depth image, which may arrive before or after its image."""
        with self._changed:
            self._depths.append((stamp, message))
            self._depth_stamp = stamp
            self._match(tolerance)
            self._changed.notify_all()

    def put_info(self, message: Any) -> None:
        """Store a camera_info message."""
        with self._changed:
            self._info = message

    def put_depth_info(self, message: Any) -> None:
        """Store a camera_info message of the depth image."""
        with self._changed:
            self._depth_info = message

    def clear(self) -> None:
        """Drop all images."""
        with self._changed:
            self._images.clear()
            self._depths.clear()
            self._depth_stamp = _NEVER
            self._matched = None

    def latest(self) -> CameraFrame | None:
        """Return the latest image, whatever its age."""
        with self._changed:
            return self._frames()[0] if self._images else None

    def settle(self, timeout: float = _DEPTH_TIMEOUT) -> None:
        """Wait until the latest image has its depth, `timeout` seconds at most."""
        with self._wanted(), self._changed:
            self._changed.wait_for(
                lambda: not any(f.depth_stale for f in self._frames()[:1]), timeout
            )

    def wait_for_frame(
        self,
        now: Callable[[], int],
        max_age: float,
        timeout: float,
        cancel: Event,
        after: int = -1,
    ) -> CameraFrame:
        """Return a frame that is at most `max_age` seconds old, waiting up to `timeout` seconds.

        A frame with depth is preferred to a newer one without. Where depth is received, a frame
        with depth is waited for briefly.

        :param now: current time in nanoseconds, on the clock of the stamps.
        :param after: nanoseconds, a stamp that the frame's must be above.
        :raises RequestError: with NO_FRAME, STALE_FRAME or CANCELLED.
        """

        def usable() -> list[CameraFrame]:
            time = now()
            recent = [f for f in self._frames() if abs(time - f.stamp) <= max_age * NANO]
            return [f for f in recent if f.stamp > after]

        def with_depth() -> bool:
            frames = usable()
            return any(
                f.depth is not None and frames[0].stamp - f.stamp <= max_lag for f in frames
            ) or bool(frames and not frames[0].depth_stale)

        activity = 'waiting for an image'
        began = monotonic()
        with self._wanted() as paced, self._changed:
            max_lag = _MAX_LAG * NANO if paced else float('inf')
            depth_timeout = min(timeout, _DEPTH_TIMEOUT)
            if not wait_cancellable(self._changed, with_depth, cancel, depth_timeout, activity):
                left = timeout - (monotonic() - began)
                wait_cancellable(self._changed, lambda: bool(usable()), cancel, left, activity)
            frames = usable()
            if not frames:
                ages = [(now() - f.stamp) / NANO for f in self._frames()]
                raise self._no_frame(ages, max_age, timeout)
            return next((f for f in frames if f.depth is not None), frames[0])

    def _match(self, tolerance: float) -> None:
        """Find the latest image that has a depth image of its time, and the closest such."""
        for stamp, frame_id, image in reversed(self._images):
            gaps = [abs(stamp - depth_stamp) for depth_stamp, _ in self._depths]
            if gaps and min(gaps) <= tolerance * NANO:
                depth_stamp, depth = self._depths[gaps.index(min(gaps))]
                self._matched = CameraFrame(stamp, frame_id, image, depth)
                self._drop(stamp, depth_stamp)
                return
        if self._images and (self._images[-1][0] - self._depth_stamp) > _PENDING * NANO:
            self._drop(self._images[-1][0], self._depth_stamp)

    def _drop(self, image_stamp: int, depth_stamp: int) -> None:
        """Drop the images up to a stamp, but for the latest, and the depth images likewise."""
        while len(self._images) > 1 and self._images[0][0] <= image_stamp:
            self._images.popleft()
        while self._depths and self._depths[0][0] <= depth_stamp:
            self._depths.popleft()

    def _frames(self) -> list[CameraFrame]:
        """Return the latest image and, where it has no depth, the latest one that has."""
        if not self._images:
            return []
        stamp, frame_id, image = self._images[-1]
        matched = self._matched
        if matched and matched.stamp == stamp:
            return [self._with_info(matched)]
        latest = CameraFrame(stamp, frame_id, image, depth_stale=self._depth_stamp != _NEVER)
        return [self._with_info(f) for f in (latest, matched) if f]

    def _with_info(self, frame: CameraFrame) -> CameraFrame:
        return replace(frame, info=self._info, depth_info=self._depth_info)

    def _no_frame(self, ages: list[float], max_age: float, timeout: float) -> RequestError:
        if not ages:
            return RequestError(
                ErrorCode.NO_FRAME,
                f'no image received on {self.topic}: start the camera, or remap the topic',
            )
        if ages[0] < 0:
            return RequestError(
                ErrorCode.STALE_FRAME,
                f'images on {self.topic} are stamped {-ages[0]:.1f} s in the future: '
                "synchronise the camera's clock",
            )
        if ages[0] <= max_age:
            return RequestError(
                ErrorCode.STALE_FRAME,
                f'no image newer than the moment asked for arrived on {self.topic} within '
                f'{timeout:g} s: check the camera',
            )
        return RequestError(
            ErrorCode.STALE_FRAME,
            f'the latest image on {self.topic} is {ages[0]:.1f} s old (max_frame_age is '
            f'{max_age:g} s) and no newer one arrived within {timeout:g} s: check the camera',
        )
