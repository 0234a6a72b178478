"""Free ground and obstacles ahead, measured by depth; nothing is guessed where depth is missing."""

from __future__ import annotations

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.assist.pointing import person_axes
from kimi_ros.speech.narration import Side

LANE = 0.8
"""Metres: the width that a person needs."""

_STRIDE = 6  # pixels: every sixth row and column is measured
_RANGE = (0.3, 6.0)  # metres ahead
_BIN = 0.05  # metres of height
_FLOOR_SHARE = 0.1  # of the points, that the floor must have
_LOWEST = 0.4  # metres that the floor is at least below the camera
_STEP = 0.12  # metres above or below the floor that one cannot walk over
_HEADROOM = 2.0  # metres
_CELL = 0.25  # metres ahead
_ACROSS = 4  # parts of the lane's width, each of which must be measured in each cell
_POINTS = 4  # in a cell, to call it an obstacle
_BLIND = 1.5  # metres before the feet that a camera may not see


class FreeSpace:
    """The ground ahead, in one frame."""

    def __init__(self, frame: Frame):
        """Measure.

        Needs depth, intrinsics and the camera's pose, for what is level; without one of them
        nothing is known.
        """
        self._points: np.ndarray | None = None  # right, height above the floor, forward
        if frame.depth is None or frame.intrinsics is None or frame.camera_pose is None:
            return
        rows = np.arange(0, frame.depth.shape[0], _STRIDE)
        columns = np.arange(0, frame.depth.shape[1], _STRIDE)
        depth = frame.depth[np.ix_(rows, columns)]
        u, v = np.meshgrid(columns, rows)
        valid = np.isfinite(depth) & (depth > 0)
        rays = frame.rays(np.column_stack([u[valid], v[valid]]).astype(float))
        points = np.column_stack([rays, np.ones(len(rays))]) * depth[valid][:, None]
        points = points[np.isfinite(points).all(axis=1)] @ person_axes(frame).T
        points = points[(points[:, 2] > _RANGE[0]) & (points[:, 2] < _RANGE[1])]
        floor = _floor(points[:, 1])
        if floor is not None:
            points[:, 1] -= floor
            self._points = points

    def lane(self, middle: float, far: float) -> Side:
        """Return whether a person can walk ahead at this distance to the right, in metres.

        :param middle: of the lane, metres to the right; negative to the left.
        :param far: metres ahead until which it must be free.
        """
        if self._points is None:
            return Side.UNKNOWN
        right, height, forward = self._points.T
        inside = (np.abs(right - middle) < LANE / 2) & (height < _HEADROOM)
        cells = np.arange(_RANGE[0], max(far, _BLIND) + _CELL, _CELL)
        blocking = inside & (np.abs(height) > _STEP) & (forward < cells[-1])
        if blocking.sum() >= _POINTS:
            return Side.BLOCKED
        # All of its width: the strip at the edge of the image is not the lane.
        across = np.linspace(-LANE / 2, LANE / 2, _ACROSS + 1)
        counts, _, _ = np.histogram2d(forward[inside], right[inside] - middle, (cells, across))
        seen = (counts > 0).all(axis=1)
        needed = seen[cells[:-1] >= _BLIND - _CELL] if far > _BLIND else seen
        return Side.FREE if needed.size and needed.all() else Side.UNKNOWN

    def obstacle(self) -> tuple[float, float] | None:
        """Return where the lane ahead is first blocked, or drops: metres right and ahead."""
        if self._points is None:
            return None
        right, height, forward = self._points.T
        inside = (np.abs(right) < LANE / 2) & (np.abs(height) > _STEP) & (height < _HEADROOM)
        cells = np.arange(_RANGE[0], _RANGE[1], _CELL)
        counts = np.histogram(forward[inside], cells)[0]
        full = np.flatnonzero(counts >= _POINTS)
        if not full.size:
            return None
        begin = cells[full[0]]
        near = inside & (forward >= begin) & (forward < begin + _CELL)
        return float(np.median(right[near])), float(np.median(forward[near]))


def _floor(heights: np.ndarray) -> float | None:
    """Return the height of the floor below the camera: the lowest height that many points have."""
    below = heights[heights < -_LOWEST]
    if below.size < 50:
        return None
    edges = np.arange(below.min(), -_LOWEST + _BIN, _BIN)
    if len(edges) < 2:
        return None
    counts, edges = np.histogram(below, edges)
    many = np.flatnonzero(counts >= _FLOOR_SHARE * len(heights))
    if not many.size:
        return None
    low = edges[many[0]]
    near = below[(below >= low - _BIN) & (below < low + 2 * _BIN)]
    return float(np.median(near))
