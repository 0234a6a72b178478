"""The newest picture of a camera, with the depth and the intrinsics that belong to it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Event
from typing import Any

from kimi_ros.nodes.codes import Code, NodeError

_NANO = 1_000_000_000
_LOOK_AGAIN = 0.1  # seconds between looks at the cancel event
_DEPTH_PATIENCE = 0.25  # seconds: two or three frames of a usual camera
_KEPT = 8  # pictures and depths that still may find each other


@dataclass(frozen=True)
class Capture:
    """One picture as it arrived, not yet decoded.

    :ivar stamp: of the picture, nanoseconds.
    :ivar image: the image message.
    :ivar depth: the depth message taken with it, or None.
    :ivar depth_stale: depth arrives, but none of this moment.
    :ivar info: the newest camera_info message, or None.
    """

    stamp: int
    frame_id: str
    image: Any
    depth: Any = None
    depth_stale: bool = False
    info: Any = None


class CameraSlot:
    """Holds the newest picture, and the newest that has depth. Safe to use from several threads.

    Pictures and depths of the last moments are kept, because one may lag behind the other.
    """

    def __init__(self, name: str, topic: str):
        """Name the camera ('' is the only one) and the topic to be named when nothing comes."""
        self.name = name
        self.topic = topic
        self._changed = Condition()
        self._images: deque[tuple[int, str, Any]] = deque(maxlen=_KEPT)
        self._depths: deque[tuple[int, Any]] = deque(maxlen=_KEPT)
        self._pair: Capture | None = None
        self._info: Any = None

    def put_image(self, stamp: int, frame_id: str, message: Any, tolerance: float) -> None:
        """Take a picture; `tolerance` in seconds is how far its depth's stamp may lie off."""
        with self._changed:
            self._images.append((stamp, frame_id, message))
            self._match(tolerance)
            self._changed.notify_all()

    def put_depth(self, stamp: int, message: Any, tolerance: float) -> None:
        """Take a depth image, which may come before or after its picture."""
        with self._changed:
            self._depths.append((stamp, message))
            self._match(tolerance)
            self._changed.notify_all()

    def put_info(self, message: Any) -> None:
        """Take a camera_info message."""
        with self._changed:
            self._info = message

    def clear(self) -> None:
        """Forget all pictures."""
        with self._changed:
            self._images.clear()
            self._depths.clear()
            self._pair = None

    def newest(self) -> Capture | None:
        """Return the newest picture, whatever its age."""
        with self._changed:
            return self._captures()[0] if self._images else None

    def fresh(
        self,
        now: Callable[[], int],
        max_age: float,
        patience: float,
        cancel: Event,
    ) -> Capture:
        """Return a picture that is at most `max_age` seconds old, waiting `patience` seconds.

        A picture with its depth is preferred to a newer one whose depth is still on the way, and
        waited for a moment where depth is known to come. Raises NodeError with NO_FRAME,
        STALE_FRAME or CANCELLED.

        :param now: nanoseconds, on the clock of the stamps.
        """
        began = time.monotonic()
        deadline = began + patience
        with self._changed:
            while True:
                captures = self._captures()
                ages = [(now() - c.stamp) / _NANO for c in captures]
                usable = [
                    c for c, age in zip(captures, ages, strict=True) if -max_age <= age <= max_age
                ]
                paired = [c for c in usable if c.depth is not None]
                waiting = time.monotonic() - began < min(patience, _DEPTH_PATIENCE)
                if usable and (paired or not usable[0].depth_stale or not waiting):
                    return (paired or usable)[0]
                if cancel.is_set():
                    raise NodeError(Code.CANCELLED, 'cancelled while waiting for a picture')
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._nothing(ages, max_age, patience)
                self._changed.wait(min(left, _LOOK_AGAIN))

    def _match(self, tolerance: float) -> None:
        """Keep the latest picture that was taken together with a depth, and the nearest such."""
        for stamp, frame_id, image in reversed(self._images):
            gaps = [abs(stamp - depth_stamp) for depth_stamp, _ in self._depths]
            if gaps and min(gaps) <= tolerance * _NANO:
                _, depth = self._depths[gaps.index(min(gaps))]
                self._pair = Capture(stamp, frame_id, image, depth)
                return

    def _captures(self) -> list[Capture]:
        """Return the newest picture and, where it has no depth, the newest that has."""
        if not self._images:
            return []
        stamp, frame_id, image = self._images[-1]
        pair = self._pair
        if pair and pair.stamp == stamp:
            return [self._with_info(pair)]
        newest = Capture(stamp, frame_id, image, depth_stale=bool(self._depths))
        return [self._with_info(c) for c in (newest, pair) if c]

    def _with_info(self, capture: Capture) -> Capture:
        return Capture(
            capture.stamp,
            capture.frame_id,
            capture.image,
            capture.depth,
            capture.depth_stale,
            self._info,
        )

    def _nothing(self, ages: list[float], max_age: float, patience: float) -> NodeError:
        if not ages:
            return NodeError(
                Code.NO_FRAME,
                f'no picture has come on {self.topic}: start the camera, or remap the topic to its',
            )
        if ages[0] < 0:
            return NodeError(
                Code.STALE_FRAME,
                f'the pictures on {self.topic} are stamped {-ages[0]:.1f} s in the future: '
                "synchronise the camera's clock",
            )
        return NodeError(
            Code.STALE_FRAME,
            f'the newest picture on {self.topic} is {ages[0]:.1f} s old, more than {max_age:g} s, '
            f'and none came within {patience:g} s: look at the camera',
        )
