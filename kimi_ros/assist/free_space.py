"""Free ground and obstacles ahead, measured by depth; nothing is guessed where depth is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.assist.pointing import person_axes
from kimi_ros.speech.narration import Side

LANE = 0.8
"""Metres: the width that a person needs."""

_COLUMNS = 120  # of the image that are measured; as far apart, its rows
_RANGE = (0.3, 7.0)  # metres ahead
_BIN = 0.05  # metres of height
_FLOOR_SHARE = 0.1  # of the points before the feet, that the floor must have
_FEW = 50  # points that the floor must at least have
_FEET = (0.6, 2.5)  # metres to both sides and ahead, where the floor is looked for
_SAME_FLOOR = 0.08  # metres between what is the floor in two images
_LOWEST = 0.4  # metres that the floor is at least below the camera
_STEP = 0.1  # metres above or below the floor that one cannot walk over
_HEADROOM = 2.0  # metres
_CELL = 0.25  # metres ahead
_PATCH = 0.35  # metres ahead, of which each must be measured where a lane is free
_BODY = 0.3  # metres to both sides that a person takes
_ACROSS = 4  # parts of the lane's width, each of which must be measured in each cell
_POINTS = 4  # in a cell, to call it an obstacle
_LEVEL = 0.25  # metres: what is higher than this and no higher behind is no step
_TREAD = 0.6  # metres of it that are looked at
_BLIND = 1.5  # metres before the feet that a camera may not see


@dataclass(frozen=True)
class Obstacle:
    """What ends the lane ahead.

    :ivar right: metres to the right of the person.
    :ivar forward: metres ahead.
    :ivar kind: 'step down', 'step up' or 'unnamed'.
    """

    right: float
    forward: float
    kind: str


class FreeSpace:
    """The ground ahead, in one frame.

    :ivar floor: its height over the camera, metres (negative); None where it is not known.
    :ivar floor_seen: whether it is measured; otherwise it is that of the image before.
    """

    def __init__(self, frame: Frame, floor: float | None = None):
        """Measure.

        Needs depth, intrinsics and the camera's pose, for what is level; without one of them
        nothing is known.

        :param floor: that of the image before: beside a kerb there are two levels, and the one that
            the person stands on stays as far below the camera.
        """
        self._points: np.ndarray | None = None  # right, height above the floor, forward
        self.floor: float | None = None
        self.floor_seen = False
        if frame.depth is None or frame.intrinsics is None or frame.camera_pose is None:
            return
        stride = max(1, round(frame.depth.shape[1] / _COLUMNS))
        rows = np.arange(0, frame.depth.shape[0], stride)
        columns = np.arange(0, frame.depth.shape[1], stride)
        depth = frame.depth[np.ix_(rows, columns)]
        u, v = np.meshgrid(columns, rows)
        valid = np.isfinite(depth) & (depth > 0)
        rays = frame.rays(np.column_stack([u[valid], v[valid]]).astype(float))
        points = np.column_stack([rays, np.ones(len(rays))]) * depth[valid][:, None]
        points = points[np.isfinite(points).all(axis=1)] @ person_axes(frame).T
        points = points[(points[:, 2] > _RANGE[0]) & (points[:, 2] < _RANGE[1])]
        self.floor, self.floor_seen = _floor(points, floor)
        if self.floor is not None:
            points[:, 1] -= self.floor
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
        cells = np.arange(_RANGE[0], max(far, _BLIND) + _PATCH, _PATCH)
        blocking = inside & (np.abs(height) > _STEP) & (forward < cells[-1])
        if blocking.sum() >= _POINTS:  # whether one can go on behind a kerb was not measured
            low = np.abs(height[blocking]).max() < _LEVEL
            return Side.UNKNOWN if low else Side.BLOCKED
        # All of its width: the strip at the edge of the image is not the lane.
        across = np.linspace(-LANE / 2, LANE / 2, _ACROSS + 1)
        counts, _, _ = np.histogram2d(forward[inside], right[inside] - middle, (cells, across))
        seen = (counts > 0).all(axis=1)
        needed = seen[cells[:-1] >= _BLIND - _PATCH] if far > _BLIND else seen
        return Side.FREE if needed.size and needed.all() else Side.UNKNOWN

    def obstacle(self) -> Obstacle | None:
        """Return where the lane ahead is first blocked, or changes its level."""
        if self._points is None or self.floor is None:
            return None
        right, height, forward = self._points.T
        lane = (np.abs(right) < _BODY) & (height < _HEADROOM)
        off = lane & (np.abs(height) > _STEP)
        cells = np.arange(_RANGE[0], _RANGE[1], _CELL)
        counts = np.histogram(forward[off], cells)[0]
        full = np.flatnonzero(counts >= _POINTS)
        if not full.size:
            return None
        begin = cells[full[0]]
        near = off & (forward >= begin) & (forward < begin + _CELL)
        where, level = float(np.median(right[near])), float(np.median(height[near]))
        ahead = float(np.median(forward[near]))
        if level < 0:
            # The edge hides the begin of what lies below it.
            edge = (
                float(forward[off & (forward > begin - _CELL)].min())
                * self.floor
                / (self.floor + level)
            )
            return Obstacle(where, edge, 'step down')
        behind = lane & (forward >= begin) & (forward < begin + _TREAD)
        across = np.histogram(right[near], np.linspace(-_BODY, _BODY, _ACROSS + 1))[0]
        low = height[behind].max() < _LEVEL and (across > 0).all()
        return Obstacle(where, ahead, 'step up' if low else 'unnamed')


def _floor(points: np.ndarray, before: float | None) -> tuple[float | None, bool]:
    """Return the height of the floor below the camera, and whether it is seen.

    That of the image before, if there is one: near a kerb or a wall little of it may be seen.
    Otherwise the lowest height that many points have.

    :param points: (n, 3) right, up and forward of the camera.
    """
    at_feet = (np.abs(points[:, 0]) < _FEET[0]) & (points[:, 2] < _FEET[1])
    near = points[at_feet, 1] if at_feet.sum() >= _FEW else points[:, 1]
    if before is not None:
        same = near[np.abs(near - before) < _SAME_FLOOR]
        seen = same.size > _FLOOR_SHARE * len(near)
        return (float(np.median(same)), True) if seen else (before, False)
    below = near[near < -_LOWEST]
    if below.size < _FEW:
        return None, False
    edges = np.arange(below.min(), -_LOWEST + _BIN, _BIN)
    if len(edges) < 2:
        return None, False
    counts, edges = np.histogram(below, edges)
    many = np.flatnonzero(counts >= _FLOOR_SHARE * len(near))
    if not many.size:
        return None, False
    low = edges[many[0]]
    level = below[(below >= low - _BIN) & (below < low + 2 * _BIN)]
    return float(np.median(level)), True
