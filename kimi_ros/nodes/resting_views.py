"""What a camera saw while the arm stood still, by the images' stamps; no ROS needed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kimi_ros.sim import RenderedFrame

_KEPT = 16


class NotKeptError(ValueError):
    """No image of that stamp is kept; the message says what to do."""


@dataclass(frozen=True)
class _View:
    """:ivar end: nanoseconds; None while the arm still stands so."""

    frame: RenderedFrame
    begin: int
    end: int | None = None


class RestingViews:
    """The latest views of a scene in which, while each was seen, nothing moved. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._views: deque[_View] = deque(maxlen=_KEPT)

    def begin(self, frame: RenderedFrame, stamp: int) -> None:
        """Add what is seen from now on.

        :param stamp: nanoseconds.
        """
        with self._lock:
            self._views.append(_View(frame, stamp))

    def end(self, stamp: int) -> None:
        """The latest view is that of the scene up to this moment, nanoseconds."""
        with self._lock:
            self._views[-1] = replace(self._views[-1], end=stamp)

    def at(self, stamp: int) -> RenderedFrame:
        """Return what was seen in the image of a stamp.

        :param stamp: nanoseconds; 0 for the latest view.
        :raises NotKeptError: the arm moved then, or that is too long ago.
        """
        with self._lock:
            for view in reversed(self._views):
                if not stamp or (view.begin <= stamp and (view.end is None or stamp <= view.end)):
                    return view.frame
        raise NotKeptError(
            'no image of the stamp of its targets is kept: they were seen while the arm moved, or '
            'too long ago; look again'
        )
