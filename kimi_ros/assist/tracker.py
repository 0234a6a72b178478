"""Following a thing from image to image between the model's calls, by sparse optical flow."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in pixels."""

_CORNERS = 80
_MIN_INLIERS = 6
_MARGIN = 0.1  # of the box, around it: the outline of a plain thing is what can be followed
_BACK_AND_FORTH = 1.0  # pixels that a corner followed forwards and backwards may be off
_AGREE = 3.0  # pixels, or this share of the box, that corners may be off the common movement
_AGREE_SHARE = 0.02
_INLIERS = 0.25  # share of the corners that must agree
_SCALES = (0.8, 1.25)  # of the box, from one image to the next
_MIN_SIDE = 6.0  # pixels
_MIN_INSIDE = 0.25  # share of the box that the image must still show
_DEPTH_SHARE, _DEPTH_MARGIN = 0.1, 0.04  # of the depth, and metres: what belongs to the thing
_SAME_TIME = 0.3  # seconds between the model's image and the one that stands for it
_KEPT = 6.0  # seconds of images, for results of the model that arrive late
_FLOW: dict[str, Any] = {
    'winSize': (21, 21),
    'maxLevel': 4,
    'criteria': (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.03),
}


@dataclass(frozen=True)
class _Kept:
    stamp: float
    grey: np.ndarray
    depth: np.ndarray | None


class Tracker:
    """Follows boxes; give it every image, in order.

    :ivar boxes: where each thing is in the newest image, by its id; what is lost is not there.
    """

    def __init__(self, hold: float = 0.0) -> None:
        """Follow nothing yet.

        :param hold: seconds that a box stays where it was when it cannot be followed, as that of a
            plain wall cannot.
        """
        self.boxes: dict[str, Box] = {}
        self._hold = hold
        self._followed: dict[str, float] = {}  # by id: stamp until which a box was followed
        self._images: deque[_Kept] = deque()
        self._past: deque[tuple[float, dict[str, Box]]] = deque()

    def update(self, rgb: np.ndarray, stamp: float, depth: np.ndarray | None = None) -> None:
        """Follow the boxes into the next image.

        :param rgb: uint8 (H, W, 3).
        :param stamp: seconds.
        :param depth: float (H, W), metres, or None; tells the things from what is behind them.
        """
        image = _Kept(stamp, cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), depth)
        if self._images:
            before = self._images[-1]
            self.boxes = {
                key: moved
                for key, box in self.boxes.items()
                if (moved := self._move(key, before, image, box)) is not None
            }
        self._images.append(image)
        self._past.append((stamp, dict(self.boxes)))
        while stamp - self._images[0].stamp > _KEPT:
            self._images.popleft()
            self._past.popleft()

    def held(self, key: str) -> float:
        """Return for how long a thing was not followed but taken to be where it was, seconds."""
        return self._images[-1].stamp - self._followed.get(key, float('-inf'))

    def forget(self, key: str) -> None:
        """Follow a thing no longer."""
        self.boxes.pop(key, None)
        self._followed.pop(key, None)

    def boxes_at(self, stamp: float) -> dict[str, Box]:
        """Return where the things were in the kept image nearest to a time."""
        return min(self._past, key=lambda p: abs(p[0] - stamp), default=(0.0, {}))[1]

    def start(self, key: str, box: Box, stamp: float) -> Box | None:
        """Follow a box from now on: one that the model saw in an image of that stamp.

        Returns where it is in the newest image; None where it cannot be followed until there, or
        no image of about that time is kept. (The model may have seen one that was skipped here.)
        """
        self.boxes.pop(key, None)
        nearest = min((abs(image.stamp - stamp) for image in self._images), default=np.inf)
        if nearest > _SAME_TIME:
            return None
        self._followed[key] = stamp
        later = [i for i in self._images if i.stamp >= stamp or abs(i.stamp - stamp) <= nearest]
        found: Box | None = box
        for before, after in zip(later, later[1:], strict=False):
            if found is None:
                return None
            found = self._move(key, before, after, found)
        if found is not None:
            self.boxes[key] = found
        return found

    def _move(self, key: str, before: _Kept, after: _Kept, box: Box) -> Box | None:
        found = _follow(before, after, box)
        if found is not None:
            self._followed[key] = after.stamp
            return found
        held = after.stamp - self._followed.get(key, float('-inf')) <= self._hold
        # What is lost at the border has left the image.
        return box if held and _is_inside(box, after.grey.shape) else None


def _follow(before: _Kept, after: _Kept, box: Box) -> Box | None:
    """Return the box in the next image by the similarity that most of its corners agree on."""
    mask = _mask(before, box)
    corners = cv2.goodFeaturesToTrack(before.grey, _CORNERS, 0.01, 4, mask=mask, blockSize=5)
    if corners is None or len(corners) < _MIN_INLIERS:
        return None
    there, found = _flow(before.grey, after.grey, corners)
    back, again = _flow(after.grey, before.grey, there)
    off = np.linalg.norm((corners - back).reshape(-1, 2), axis=1)
    good = (found.ravel() == 1) & (again.ravel() == 1) & (off < _BACK_AND_FORTH)
    if good.sum() < _MIN_INLIERS:
        return None
    source, target = corners[good].reshape(-1, 2), there[good].reshape(-1, 2)
    off = max(_AGREE, _AGREE_SHARE * float(np.hypot(box[2] - box[0], box[3] - box[1])))
    moved, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=off
    )
    if moved is None or inliers.sum() < max(_MIN_INLIERS, _INLIERS * len(source)):
        return None
    scale = float(np.hypot(moved[0, 0], moved[1, 0]))
    if not _SCALES[0] < scale < _SCALES[1]:
        return None
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    x, y = moved[:, :2] @ middle + moved[:, 2]
    half_w, half_h = (box[2] - box[0]) / 2 * scale, (box[3] - box[1]) / 2 * scale
    return _checked((x - half_w, y - half_h, x + half_w, y + half_h), after.grey.shape)


def _flow(before: np.ndarray, after: np.ndarray, points: Any) -> tuple[np.ndarray, np.ndarray]:
    nowhere: Any = None
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, nowhere, **_FLOW)
    return np.asarray(there), np.asarray(found)


def _mask(image: _Kept, box: Box) -> np.ndarray:
    """Return where the thing may have corners: in the box, with depth as far as its middle."""
    height, width = image.grey.shape
    mask = np.zeros((height, width), np.uint8)
    edge = max(3.0, _MARGIN * min(box[2] - box[0], box[3] - box[1]))
    x0, y0 = max(0, round(box[0] - edge)), max(0, round(box[1] - edge))
    x1, y1 = min(width, round(box[2] + edge)), min(height, round(box[3] + edge))
    mask[y0:y1, x0:x1] = 255
    if image.depth is not None and (middle := depth_of(image.depth, box)) is not None:
        inside = image.depth[y0:y1, x0:x1]
        near = np.abs(inside - middle) < _DEPTH_SHARE * middle + _DEPTH_MARGIN
        # The outline lies beside the thing's own pixels.
        grown = cv2.dilate(near.astype(np.uint8), np.ones((5, 5), np.uint8))
        mask[y0:y1, x0:x1] *= np.asarray(grown, np.uint8)
    return mask


def depth_of(depth: np.ndarray, box: Box) -> float | None:
    """Return the median of the valid depth in the middle of a box, metres; None without any."""
    height, width = depth.shape
    w, h = box[2] - box[0], box[3] - box[1]
    x0, x1 = max(0, round(box[0] + w / 4)), min(width, round(box[2] - w / 4) + 1)
    y0, y1 = max(0, round(box[1] + h / 4)), min(height, round(box[3] - h / 4) + 1)
    values = depth[y0:y1, x0:x1]
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.median(values)) if values.size else None


def _is_inside(box: Box, shape: tuple[int, ...]) -> bool:
    height, width = shape
    return box[0] > 1 and box[2] < width - 1 and box[3] < height - 1


def _checked(box: Box, shape: tuple[int, ...]) -> Box | None:
    height, width = shape
    x0, y0, x1, y1 = box
    if min(x1 - x0, y1 - y0) < _MIN_SIDE:
        return None
    shown = max(0.0, min(x1, width) - max(x0, 0)) * max(0.0, min(y1, height) - max(y0, 0))
    return box if shown >= _MIN_INSIDE * (x1 - x0) * (y1 - y0) else None
