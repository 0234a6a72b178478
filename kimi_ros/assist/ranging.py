"""How far the nearest side of a thing is, and from where to where it reaches.

A box holds more than the thing: the ground, what stands before it, and, of a bicycle, what is seen
through it. What stands on the ground is where the foot of its box is: this tells which of the depth
in the box is its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.assist.pointing import GUESSED, person_axes, place_of
from kimi_ros.assist.tracker import Box

_SAMPLES = 32  # along each side of the box
_GROUND = 0.08  # metres above and below the floor that belong to it
_BODY = (0.85, 1.25)  # of the foot's distance: where the thing's own surface may be
_FOOT = 0.15  # share of the box's height, at its lower end
_NEARER = 0.8  # of the foot's distance: what is nearer than this hides the foot
_BEHIND = 0.25  # share of what stands there that is behind it
_NEAREST = 0.1  # quantile of the distances
_FEW = 4  # points
_ROAD = 0.35  # share of the ground at its foot that is lower, of what stands there
_DEEP = 0.3  # metres: what is less far below the floor is the road behind a kerb
_HEADROOM = 2.0  # metres: what is higher does not narrow the way


@dataclass(frozen=True)
class Extent:
    """Where a thing is, from the person who carries the camera; level distances.

    :ivar metres: to its nearest side; None without valid depth.
    :ivar forward: metres ahead of that side, None alike.
    :ivar bearing: degrees of its middle, positive to the right.
    :ivar below: it stands lower than the person, as what is on the road behind a kerb.
    :ivar left: metres to the right of its left edge; `right` of its right edge.
    """

    metres: float | None
    forward: float | None
    bearing: float
    left: float
    right: float
    below: bool = False


def extent_of(frame: Frame, box: Box, floor: float | None) -> Extent | None:
    """Return where the thing in a box is; None without intrinsics.

    :param floor: its height over the camera, metres (negative); None where it is not known.
    """
    if frame.intrinsics is None:
        return None
    axes = person_axes(frame)
    width, height = frame.size
    x0, x1 = (min(max(v, 0.0), width - 1.0) for v in (box[0], box[2]))
    y0, y1 = (min(max(v, 0.0), height - 1.0) for v in (box[1], box[3]))
    y = (y0 + y1) / 2
    edges = frame.rays(np.array([[x0, y], [(x0 + x1) / 2, y], [x1, y], [(x0 + x1) / 2, y1]]))
    if not np.isfinite(edges).all():
        return None
    edges = np.column_stack([edges, np.ones(len(edges))]) @ axes.T
    slopes = edges[:, 0] / np.maximum(edges[:, 2], 1e-6)
    bearing = math.degrees(math.atan(slopes[1]))
    points = None if floor is None else _points(frame, (x0, y0, x1, y1), axes, floor)
    own = None if points is None else _own_points(points, edges[3], floor or 0.0, y0, y1, height)
    if points is not None and own is not None:
        away, forward = np.hypot(own[:, 0], own[:, 2]), own[:, 2]
        walking = own[own[:, 1] < _HEADROOM, 0]
        left, right = np.quantile(walking, (0.05, 0.95)) if len(walking) else slopes[[0, 2]]
        return Extent(
            float(np.quantile(away, _NEAREST)),
            float(np.quantile(forward, _NEAREST)),
            bearing,
            float(left),
            float(right),
            _stands_below(points, y0, y1),
        )
    place = place_of(frame, box, (0.0, 0.0, 0.0))
    ahead = None if place is None else place.offset.forward
    metres = None if place is None or ahead is None else math.hypot(place.offset.right, ahead)
    guessed = GUESSED if ahead is None else ahead
    left, right = slopes[0] * guessed, slopes[2] * guessed
    return Extent(metres, ahead, bearing, float(left), float(right))


def _own_points(
    points: np.ndarray, foot: np.ndarray, floor: float, top: float, low: float, image: int
) -> np.ndarray | None:
    """Return those points of a box that are of what stands on the floor; None if unclear.

    :param points: of `_points`.
    :param foot: right, up and forward of the ray to the lower end of the box.
    :param top: first and `low` last row of the box.
    :param image: height of the image, pixels.
    """
    if foot[1] > -1e-3 or len(points) < _FEW:
        return None
    away = np.hypot(points[:, 0], points[:, 2])
    standing = (points[:, 1] > _GROUND) | (points[:, 1] < -_DEEP)
    at_foot = float(np.hypot(foot[0], foot[2]) * floor / foot[1])
    lowest = _lowest(points, top, low)
    hides = lowest & (away < _NEARER * at_foot)
    if low > image - 3:  # the foot is not in view
        own = standing & (away < _BODY[1] * at_foot)
    elif 2 * hides.sum() > lowest.sum():
        # Its foot is hidden. The box may hold what hides it; then the thing is behind that.
        nearest = float(np.median(away[hides]))
        own = standing & (away > nearest / _NEARER)
        if own.sum() < _BEHIND * standing.sum():
            own = standing & (away < nearest / _NEARER)
        own &= away < float(np.median(away[own])) * _BODY[1] if own.any() else own
    else:
        own = standing & (away > _BODY[0] * at_foot) & (away < _BODY[1] * at_foot)
        if own.sum() < _FEW:  # the ground at its foot is as far
            own = lowest & (away > _BODY[0] * at_foot) & (away < _BODY[1] * at_foot)
    return points[own] if own.sum() >= _FEW else None


def _stands_below(points: np.ndarray, top: float, low: float) -> bool:
    """Whether the ground at the foot of a box is a kerb lower than the floor."""
    foot = points[_lowest(points, top, low), 1]
    ground = foot[(foot > -_DEEP) & (foot < _GROUND)]
    return bool(ground.size >= _FEW and np.mean(ground < -_GROUND) > _ROAD)


def _lowest(points: np.ndarray, top: float, low: float) -> np.ndarray:
    lowest: np.ndarray = points[:, 3] > low - max(_FOOT * (low - top), 2.0)
    return lowest


def _points(frame: Frame, box: Box, axes: np.ndarray, floor: float) -> np.ndarray | None:
    """Return right, height above the floor, forward and row (n, 4) of a box's valid depth."""
    if frame.depth is None:
        return None
    rows = np.unique(np.linspace(box[1], box[3], _SAMPLES).round().astype(int))
    columns = np.unique(np.linspace(box[0], box[2], _SAMPLES).round().astype(int))
    u, v = (grid.ravel() for grid in np.meshgrid(columns, rows))
    depth = frame.depth[v, u]
    valid = np.isfinite(depth) & (depth > 0)
    rays = frame.rays(np.column_stack([u[valid], v[valid]]).astype(float))
    points = np.column_stack([rays, np.ones(len(rays))]) * depth[valid][:, None]
    found = np.column_stack([points @ axes.T, v[valid]])
    found[:, 1] -= floor
    kept: np.ndarray = found[np.isfinite(found).all(axis=1)]
    return kept
