"""What depth tells of a thing around a point: its points, its extent, what it stands on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from kimi_ros.sim.projection import deproject, project
from kimi_ros.sim.rendered_frame import RenderedFrame

CELL = 0.004
"""Metres; a side of a height map's cells."""

_JOINT = 0.01  # metres; parts of a thing are nearer to each other than this, seen from above
_STANDS_OUT = 0.006  # metres over what a thing stands on
_RIM = 0.03  # metres, of a layer that is a rim or an upper side
_COVERS = 0.35  # share of a thing, seen from above, that its upper side covers
_RING = 12  # pixels around a box in which is seen what the thing stands on


@dataclasses.dataclass(frozen=True)
class Target:
    """What a skill is told of a thing or a free spot: where it was seen, no more.

    :ivar frame: the image in which it was seen, with depth.
    :ivar point: float64 (3,), metres in the base frame, on its visible surface.
    :ivar box: x_min, y_min, x_max, y_max in pixels of the image; None for a free spot.
    """

    frame: RenderedFrame
    point: np.ndarray
    box: tuple[float, float, float, float] | None = None


@dataclasses.dataclass(frozen=True)
class Shape:
    """The visible points of a thing.

    :ivar points: float64 (N, 3), metres in the base frame, at least one.
    :ivar support: z of what it stands on, metres.
    """

    points: np.ndarray
    support: float

    @property
    def low(self) -> np.ndarray:
        """Return the least x, y, z, float64 (3,): the 1st percentiles, without outliers."""
        return np.percentile(self.points, 1, axis=0)

    @property
    def high(self) -> np.ndarray:
        """Return the greatest x, y, z, float64 (3,): the 99th percentiles."""
        return np.percentile(self.points, 99, axis=0)

    @property
    def middle(self) -> np.ndarray:
        """Return the middle of its extent, float64 (3,)."""
        return (self.low + self.high) / 2


def cloud(frame: RenderedFrame) -> np.ndarray:
    """Return the point of each pixel, float64 (H, W, 3), metres in the base frame.

    NaN without depth. The frame must have a depth image.
    """
    height, width = frame.depth.shape
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.column_stack([columns.ravel(), rows.ravel()])
    depth = frame.depth.ravel()
    points = deproject(pixels, depth, frame.intrinsics, frame.camera_pose)
    points[depth <= 0] = np.nan
    return points.reshape(height, width, 3)


def pixel_of(frame: RenderedFrame, point: Sequence[float]) -> tuple[int, int]:
    """Return the pixel (x, y) that a point of the base frame, metres, is projected to.

    Outside the image: the nearest pixel of it.
    """
    x, y, _ = project(np.asarray(point, float)[None], frame.intrinsics, frame.camera_pose)[0]
    height, width = frame.depth.shape
    return int(np.clip(round(x), 0, width - 1)), int(np.clip(round(y), 0, height - 1))


def shape_at(target: Target) -> Shape:
    """Return the visible points of the thing at a target.

    They are those inside its box that are joined with its point, seen from above, and stand out
    from what is around the box; all in the box where nothing stands out.
    """
    points = cloud(target.frame)
    seed = pixel_of(target.frame, target.point)
    x_min, y_min, x_max, y_max = _box(target, seed, points.shape)
    inside = np.zeros(points.shape[:2], bool)
    inside[y_min:y_max, x_min:x_max] = True
    around = np.zeros_like(inside)
    around[max(y_min - _RING, 0) : y_max + _RING, max(x_min - _RING, 0) : x_max + _RING] = True
    valid = np.isfinite(points[..., 2])
    support = _support(points[around & ~inside & valid][:, 2], target.point[2])
    standing = inside & valid & (points[..., 2] > support + _STANDS_OUT)
    joined = _joined(points, standing, seed)
    if joined.sum() < 10:
        joined = inside & valid
    return Shape(points[joined].reshape(-1, 3), support)


class HeightMap:
    """The greatest height over each cell of a square of the table.

    :ivar side: number of rows and of columns, odd.
    :ivar heights: float64 (side, side), z in metres, base frame; NaN where nothing was seen.
    """

    def __init__(self, points: np.ndarray, middle: Sequence[float], radius: float, yaw: float = 0):
        """Map the points over a square.

        :param points: (N, 3), metres in the base frame; those with NaN are left out.
        :param middle: x and y of the square's middle, metres.
        :param radius: half its side, metres.
        :param yaw: radians counter-clockwise from the base frame's x axis to the direction in
            which the row number grows; the column number grows 90 degrees further.
        """
        cos, sin = np.cos(yaw), np.sin(yaw)
        self._axes = np.array([[cos, sin], [-sin, cos]])
        self._middle = np.asarray(middle, float)[:2]
        self.side = 2 * round(radius / CELL) + 1
        self.heights = np.full((self.side, self.side), np.nan)
        points = points[np.isfinite(points).all(axis=1)]
        rows, columns = self.cells(points).T
        there = (rows >= 0) & (rows < self.side) & (columns >= 0) & (columns < self.side)
        flat = np.full(self.side * self.side, -np.inf)
        np.maximum.at(flat, rows[there] * self.side + columns[there], points[there, 2])
        seen = np.isfinite(flat)
        self.heights.ravel()[seen] = flat[seen]

    def cells(self, points: np.ndarray) -> np.ndarray:
        """Return the row and column, int (N, 2), of points (N, 2 or 3); also outside the map."""
        along = (np.asarray(points, float)[:, :2] - self._middle) @ self._axes.T
        return np.round(along / CELL).astype(int) + self.side // 2

    def position(self, row: float, column: float) -> np.ndarray:
        """Return x and y of a cell's middle, float64 (2,), metres in the base frame."""
        along = (np.array([row, column], float) - self.side // 2) * CELL
        return self._middle + along @ self._axes

    def filled(self, value: float) -> np.ndarray:
        """Return the heights with small gaps closed, float (side, side), metres.

        :param value: where nothing was seen.
        """
        known = np.where(np.isnan(self.heights), -10.0, self.heights).astype(np.float32)
        closed = cv2.morphologyEx(known, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        return np.where(closed < -9, value, closed)


def top_middle(shape: Shape) -> np.ndarray:
    """Return the middle of a thing's rim or upper side, float64 (3,), metres in the base frame.

    The upper side is the highest layer that, its holes filled, covers enough of the thing as seen
    from above: what stands on it, as the knob of a stove, is above it.
    """
    reach = float((shape.high - shape.low)[:2].max()) / 2 + 4 * CELL
    above = HeightMap(shape.points, shape.middle[:2], reach)
    heights = above.filled(-1.0)
    all_of_it = _filled(heights > -1).sum()
    layer = heights > -1
    for top in np.arange(shape.high[2] + 0.002, shape.low[2], -0.005):
        found = _filled((heights > top - _RIM) & (heights <= top))
        if found.sum() >= _COVERS * all_of_it:
            layer = found
            break
    inside = cv2.distanceTransform(np.pad(layer, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.nonzero(inside >= 0.9 * inside.max())
    x, y = above.position(rows.mean(), columns.mean())
    return np.array([x, y, np.percentile(heights[layer & (heights > -1)], 95)])


def _filled(mask: np.ndarray) -> np.ndarray:
    """Return a mask without holes."""
    drawn = np.zeros(mask.shape, np.uint8)
    outer, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outer, -1, 1, cv2.FILLED)
    return drawn.astype(bool)


def _box(target: Target, seed: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, ...]:
    height, width = shape[:2]
    x, y = seed
    x_min, y_min, x_max, y_max = target.box or (x - 60, y - 60, x + 60, y + 60)
    return (
        int(np.clip(np.floor(x_min) - 1, 0, width - 1)),
        int(np.clip(np.floor(y_min) - 1, 0, height - 1)),
        int(np.clip(np.ceil(x_max) + 2, 1, width)),
        int(np.clip(np.ceil(y_max) + 2, 1, height)),
    )


def _support(heights: np.ndarray, own: float) -> float:
    """Return the most frequent height around a thing that is not over its own."""
    below = heights[heights < own + 0.01]
    if not len(below):
        return own - 0.05
    counts, edges = np.histogram(below, np.arange(below.min(), below.max() + 0.011, 0.005))
    return float(edges[counts.argmax()] + 0.0025) if len(counts) else float(np.median(below))


def _joined(points: np.ndarray, allowed: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
    """Return which allowed pixels are joined with the one nearest to the seed, seen from above."""
    joined = np.zeros_like(allowed)
    rows, columns = np.nonzero(allowed)
    if not len(rows):
        return joined
    cells = np.floor(points[rows, columns, :2] / _JOINT).astype(int)
    cells -= cells.min(axis=0)
    plan = np.zeros(cells.max(axis=0) + 1, np.uint8)
    plan[cells[:, 0], cells[:, 1]] = 1
    _, labels = cv2.connectedComponents(plan, connectivity=8)
    part = labels[cells[:, 0], cells[:, 1]]
    nearest = np.hypot(rows - seed[1], columns - seed[0]).argmin()
    own = part == part[nearest]
    joined[rows[own], columns[own]] = True
    return joined
