"""Free spots: where on a surface a thing can be put, for "left of the bowl" or "on the shelf".

With depth, the supporting plane is fitted (RANSAC; Fischler and Bolles, 1981) and looked at from
above on a grid: a cell is free if the plane was seen there and nothing stands on it, so hidden
cells and those beyond an edge are not free. Without depth, the spot is found on the boxes of what
is known to be there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.geometry import Position, estimate_position
from kimi_ros.agent.grounding import Candidate
from kimi_ros.agent.lens import ray_map
from kimi_ros.agent.plan import DepthStatus

CELL = 0.005  # metres; a side of the grid's cells
MARGIN = 0.015  # metres kept between the thing and everything else
REACH = 0.30  # metres from a landmark's edge within which a spot is still beside it
DEFAULT_RADIUS = 0.05  # metres, of a thing whose size is not known: a mug
MAX_RADIUS = 0.25  # metres; a larger footprint is a box that holds more than the thing
FLATNESS = 0.010  # metres above or below the plane that still belong to it
MIN_HEIGHT = 0.005  # metres; what is lower, as a sheet of paper, may be under the thing
_SECTOR = math.radians(50)  # a spot is left of something up to this angle from straight left
Box = tuple[float, float, float, float]
_TRIALS = 120
_SAMPLE = 3000


@dataclass(frozen=True)
class Place:
    """A spot for a thing.

    :ivar point: x, y in pixels of the source image.
    :ivar position: in metres with its covariance, or why there are none.
    :ivar radius: metres that are free around it; 0 where that was not measured.
    """

    point: tuple[float, float]
    position: Position
    radius: float = 0.0


PLACE_RELATIONS = (
    'on', 'in', 'left_of', 'right_of', 'in_front_of', 'behind', 'next_to', 'between',
)  # fmt: skip


def find_place(
    frame: Frame,
    relation: str,
    landmarks: Sequence[Candidate],
    thing: Candidate | None = None,
    obstacles: Sequence[Candidate] = (),
) -> Place | None:
    """Return a free spot, or None where there is none, or none can be seen, as under a table.

    :param relation: one of `PLACE_RELATIONS`, or another, which has no spot that can be seen; the
        sides are the viewer's.
    :param landmarks: one thing, or two for 'between'.
    :param thing: what is to be put there: its own place counts as free, its size must fit.
    :param obstacles: other things that are known, for frames without depth.
    """
    if relation not in PLACE_RELATIONS:
        return None
    if relation == 'in':
        return _inside(frame, landmarks[0])
    if frame.depth is None or frame.intrinsics is None:
        return _on_boxes(frame, relation, landmarks, thing, obstacles)
    points = _points(frame, frame.depth, frame.intrinsics)
    around = _window(frame, landmarks, inside=relation == 'on')
    surface = _fit(points[around], frame)
    if surface is None:
        return None
    focal = float(frame.intrinsics[0][0])
    grid = _Grid(surface, points, focal, landmarks, thing, inside=relation == 'on')
    spot = grid.spot(relation)
    if spot is None:
        return None
    return _lifted(frame, surface.point(*spot), grid.free_radius(spot))


@dataclass(frozen=True)
class _Surface:
    """A plane in the optical frame with axes to the viewer's right and away from the viewer.

    :ivar height: metres above the plane from which a point belongs to something on it, more where
        depth is noisy. Scissors and pens are lower than a centimetre.
    """

    origin: np.ndarray
    right: np.ndarray
    away: np.ndarray
    up: np.ndarray
    height: float

    def flat(self, points: np.ndarray) -> np.ndarray:
        """Return (..., 3): metres to the right, away and up from the origin."""
        axes = np.stack([self.right, self.away, self.up], axis=1)
        return np.asarray((points - self.origin) @ axes)

    def point(self, right: float, away: float) -> np.ndarray:
        """Return a point of the plane in the optical frame."""
        return self.origin + right * self.right + away * self.away


class _Grid:
    """The surface from above, around the landmarks."""

    def __init__(
        self,
        surface: _Surface,
        points: np.ndarray,
        focal: float,
        landmarks: Sequence[Candidate],
        thing: Candidate | None,
        inside: bool,
    ):
        flat = surface.flat(points)
        valid = np.isfinite(flat).all(axis=2)
        self._footprints = [_footprint(flat, points, focal, mark) for mark in landmarks]
        radius = DEFAULT_RADIUS
        if thing is not None and thing.box is not None:
            radius = float(_footprint(flat, points, focal, thing)[1].max())
        self._radius = min(radius, MAX_RADIUS) + MARGIN
        extent = 2 * max(float(half.max()) for _, half in self._footprints) + 2 * REACH
        if len(landmarks) > 1:
            extent += math.dist(self._footprints[0][0], self._footprints[1][0])
        middle = np.mean([center for center, _ in self._footprints], axis=0)
        self._corner = middle - extent / 2
        self._side = max(int(extent / CELL), 8)
        seen = self._count(flat, valid & (np.abs(flat[..., 2]) < FLATNESS))
        # What stands on the plane, with noise left out; farther up it may be a lamp over it.
        standing = valid & (flat[..., 2] >= surface.height) & (flat[..., 2] < 1.0)
        if thing is not None:
            standing[_slices(thing, flat.shape)] = False
            away = np.zeros_like(valid)
            away[_slices(thing, flat.shape)] = True
            seen |= self._count(flat, valid & away)  # it will be gone from there
        blocked = self._count(flat, standing)
        # Pixels are farther apart than cells on a surface that is far away or seen at a slant.
        seen = cv2.morphologyEx(seen, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        free = seen.astype(bool) & ~blocked.astype(bool)
        if inside:
            free &= self._count(flat, valid & _mask(landmarks[0], flat.shape), close=7).astype(bool)
        padded = np.pad(free.astype(np.uint8), 1)
        self._room = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] * CELL

    def spot(self, relation: str) -> tuple[float, float] | None:
        """Return the best free centre in metres on the surface, or None."""
        rows, columns = np.nonzero(self._room >= self._radius)
        if not rows.size:
            return None
        centers = self._corner + (np.stack([columns, rows], axis=1) + 0.5) * CELL
        cost = self._cost(relation, centers)
        best = int(np.argmin(cost))
        return None if np.isinf(cost[best]) else (float(centers[best][0]), float(centers[best][1]))

    def free_radius(self, spot: tuple[float, float]) -> float:
        """Return the metres around a spot that are free."""
        column, row = ((np.asarray(spot) - self._corner) / CELL).astype(int)
        return float(self._room[row, column])

    def _cost(self, relation: str, centers: np.ndarray) -> np.ndarray:
        """Return how far each centre is from where one would put it, infinite if it is wrong."""
        middle, half = self._footprints[0]
        offset = centers - middle
        distance = np.linalg.norm(offset, axis=1)
        if relation == 'on':
            return np.asarray(distance)
        if relation == 'between':
            other = self._footprints[1][0]
            along = other - middle
            length = max(float(np.linalg.norm(along)), 1e-6)
            share = offset @ along / length**2
            aside = np.linalg.norm(offset - share[:, None] * along, axis=1)
            wrong = (share < 0.2) | (share > 0.8) | (aside > 0.35 * length)
            return np.where(wrong, np.inf, np.hypot((share - 0.5) * length, aside))
        beyond = np.maximum(np.abs(offset) - half, 0)
        gap = np.linalg.norm(beyond, axis=1) - self._radius
        wrong = (gap < 0) | (gap > REACH)
        cost = np.abs(gap - MARGIN)
        if relation in _DIRECTIONS:
            cosine = offset @ np.array(_DIRECTIONS[relation]) / np.maximum(distance, 1e-6)
            angle = np.arccos(np.clip(cosine, -1, 1))
            wrong |= angle > _SECTOR
            cost = cost + 0.1 * angle
        return np.where(wrong, np.inf, cost)

    def _count(self, flat: np.ndarray, chosen: np.ndarray, close: int = 0) -> np.ndarray:
        """Return uint8 (side, side): 1 where one of the chosen points lies."""
        cells = np.floor((flat[chosen][:, :2] - self._corner) / CELL).astype(int)
        cells = cells[((cells >= 0) & (cells < self._side)).all(axis=1)]
        out = np.zeros((self._side, self._side), np.uint8)
        out[cells[:, 1], cells[:, 0]] = 1
        return cv2.morphologyEx(out, cv2.MORPH_CLOSE, np.ones((close, close))) if close else out


_DIRECTIONS = {
    'left_of': (-1.0, 0.0),
    'right_of': (1.0, 0.0),
    'in_front_of': (0.0, -1.0),
    'behind': (0.0, 1.0),
}


def _points(frame: Frame, depth: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Return float32 (H, W, 3), metres in the optical frame; NaN where depth is invalid."""
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, np.nan)
    rays = ray_map(frame.size, intrinsics, frame.distortion)
    return np.dstack([depth[..., None] * rays, depth]).astype(np.float32)


def _fit(points: np.ndarray, frame: Frame) -> _Surface | None:
    """Return the plane that most points lie on; horizontal where the camera's pose is known."""
    points = points.reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)].astype(float)
    if len(points) < 100:
        return None
    rng = np.random.default_rng(0)  # the same frame, the same spot
    points = points[rng.permutation(len(points))[:_SAMPLE]]
    triples = points[rng.integers(len(points), size=(_TRIALS, 3))]
    normals = np.cross(triples[:, 1] - triples[:, 0], triples[:, 2] - triples[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    usable = lengths > 1e-9
    normals = normals[usable] / lengths[usable][:, None]
    anchors = triples[usable][:, 0]
    if frame.camera_pose is not None:
        vertical = np.asarray(frame.camera_pose, float)[2, :3]  # base z in the optical frame
        level = np.abs(normals @ vertical) > math.cos(math.radians(10))
        normals, anchors = normals[level], anchors[level]
    if not len(normals):
        return None
    near = np.abs((points[None] - anchors[:, None]) @ normals[:, :, None])[..., 0] < FLATNESS
    inliers = points[near[int(np.argmax(near.sum(axis=1)))]]
    origin = inliers.mean(axis=0)
    up = np.linalg.svd(inliers - origin, full_matrices=False)[2][2]
    if up @ origin > 0:
        up = -up  # towards the camera
    right = np.array([1.0, 0, 0]) - up[0] * up
    right /= np.linalg.norm(right)
    away = np.cross(up, right)
    noise = 1.4826 * float(np.median(np.abs((inliers - origin) @ up)))  # robust sigma
    height = float(np.clip(5 * noise, MIN_HEIGHT, 1.5 * FLATNESS))
    return _Surface(origin, right, away, up, height)


def _footprint(
    flat: np.ndarray, points: np.ndarray, focal: float, mark: Candidate
) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre and the half extents (right, away), metres, of what a thing covers.

    Its box shows other things too, behind it: what lies farther from its middle than its box is
    large does not count. Only the side of a thing that faces the camera is seen: it is taken to be
    as deep as wide, unless more of it is seen.
    """
    inside = np.isfinite(flat).all(axis=2) & _mask(mark, flat.shape)
    u, v = (round(value) for value in mark.point)
    near = points[max(v - 2, 0) : v + 3, max(u - 2, 0) : u + 3].reshape(-1, 3)
    if np.isfinite(near).all(axis=1).any():
        middle = np.nanmedian(near, axis=0)
        box = mark.extent
        reach = 0.6 * math.hypot(box[2] - box[0], box[3] - box[1]) * float(middle[2]) / focal
        inside &= np.linalg.norm(points - middle, axis=2) < max(reach, 0.03)
    standing = inside & (flat[..., 2] >= 1.5 * FLATNESS)
    chosen = flat[standing if standing.sum() > 0.2 * inside.sum() else inside]
    if not len(chosen):
        return np.zeros(2), np.full(2, DEFAULT_RADIUS)
    left, right = np.percentile(chosen[:, 0], (2, 98))
    front, back = np.percentile(chosen[:, 1], (2, 98))
    back = max(back, front + (right - left))
    return (
        np.array([left + right, front + back]) / 2,
        np.maximum(np.array([right - left, back - front]) / 2, CELL),
    )


def _inside(frame: Frame, mark: Candidate) -> Place:
    """Return the middle of a container as it is seen."""
    point = mark.point
    if mark.box is not None:
        point = (mark.box[0] + mark.box[2]) / 2, (mark.box[1] + mark.box[3]) / 2
    return Place(point, estimate_position(frame, point, mark.box))


def _lifted(frame: Frame, point: np.ndarray, radius: float) -> Place:
    u, v = frame.pixels(point)[0]
    pixel = float(u), float(v)
    xyz, status, name = point, DepthStatus.NO_TRANSFORM, frame.frame_id
    if frame.camera_pose is not None:
        pose = np.asarray(frame.camera_pose, float)
        xyz = pose[:3, :3] @ point + pose[:3, 3]
        status, name = DepthStatus.OK, frame.position_frame
    spread = (CELL**2, 0.0, 0.0, 0.0, CELL**2, 0.0, 0.0, 0.0, FLATNESS**2)
    x, y, z = map(float, xyz)
    return Place(pixel, Position(status, (x, y, z), spread, name, 1.0), radius)


def _on_boxes(
    frame: Frame,
    relation: str,
    landmarks: Sequence[Candidate],
    thing: Candidate | None,
    obstacles: Sequence[Candidate],
) -> Place | None:
    """Return a spot in the image alone: beside the landmark's box, on no box that is known."""
    width, height = frame.size
    boxes = [c.extent for c in (*landmarks, *obstacles) if c is not thing]
    mark = landmarks[0].extent
    own = thing.extent if thing is not None else mark
    half = (own[2] - own[0]) / 2, (own[3] - own[1]) / 2
    center = _middle(mark)
    step_x = (mark[2] - mark[0]) / 2 + 1.2 * half[0]
    step_y = (mark[3] - mark[1]) / 2 + 1.2 * half[1]
    sides = {
        'left_of': [(-1, 0)],
        'right_of': [(1, 0)],
        'in_front_of': [(0, 1)],
        'behind': [(0, -1)],
        'next_to': [(1, 0), (-1, 0), (0, 1)],
    }
    if relation == 'on':
        return Place(center, Position(frame.no_depth))
    if relation == 'between':
        other = _middle(landmarks[1].extent)
        spots = [((center[0] + other[0]) / 2, (center[1] + other[1]) / 2)]
    else:
        spots = [
            (center[0] + dx * far * step_x, center[1] + dy * far * step_y)
            for far in (1.0, 1.3, 1.6)
            for dx, dy in sides[relation]
        ]
    for x, y in spots:
        area = (x - half[0], y - half[1], x + half[0], y + half[1])
        within = area[0] >= 0 and area[1] >= 0 and area[2] <= width and area[3] <= height
        if within and not any(_overlap(area, box) for box in boxes):
            return Place((x, y), Position(frame.no_depth))
    return None


def _window(frame: Frame, landmarks: Sequence[Candidate], inside: bool) -> tuple[slice, slice]:
    """Return the part of the image that the surface is fitted in."""
    boxes = np.array([c.extent for c in landmarks])
    x_min, y_min = boxes[:, :2].min(axis=0)
    x_max, y_max = boxes[:, 2:].max(axis=0)
    grow = 0.0 if inside else max(x_max - x_min, y_max - y_min, 60.0)
    width, height = frame.size
    return (
        slice(max(int(y_min - grow), 0), min(int(y_max + grow) + 1, height)),
        slice(max(int(x_min - grow), 0), min(int(x_max + grow) + 1, width)),
    )


def _slices(candidate: Candidate, shape: tuple[int, ...]) -> tuple[slice, slice]:
    x_min, y_min, x_max, y_max = candidate.extent
    return (
        slice(max(int(y_min), 0), min(int(y_max) + 1, shape[0])),
        slice(max(int(x_min), 0), min(int(x_max) + 1, shape[1])),
    )


def _mask(candidate: Candidate, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape[:2], bool)
    mask[_slices(candidate, shape)] = True
    return mask


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])
