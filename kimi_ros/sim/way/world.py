"""What a way consists of, and what is true of it: plain, frozen.

Everything is in the frame of the way: x along it, y left, z up, metres; the ground where it begins
is at z = 0, around y = 0.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

Vector = tuple[float, float, float]

STEP = 0.1
"""Metres: a change of level that is to be announced."""

_LANE_GRID = 0.1  # metres between the points of a lane that are looked at


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of thing.

    :ivar size: extents along its own x, y and z, metres; z goes down from the ground for what does.
    :ivar hazard: it is to be announced wherever it is on the way, not only where it is in the way.
    :ivar solid: nobody can walk through it.
    """

    size: Vector
    hazard: bool = True
    solid: bool = True


KINDS = {
    'traffic cone': Kind((0.36, 0.36, 0.72)),
    'barrier': Kind((0.45, 1.3, 1.0)),
    'bicycle': Kind((1.7, 0.5, 1.1)),
    'pole': Kind((0.16, 0.16, 4.0)),
    'stairs': Kind((2.4, 2.4, 1.36)),
    'kerb': Kind((0.02, 3.2, 0.14), solid=False),
    'car': Kind((4.1, 1.75, 1.45), hazard=False),
    'person': Kind((0.35, 0.5, 1.72), hazard=False),
    'chair': Kind((0.46, 0.46, 0.88), hazard=False),
    'table': Kind((0.7, 0.7, 0.75), hazard=False),
    'sign': Kind((0.5, 0.6, 0.95), hazard=False),
    'door': Kind((0.06, 0.9, 2.05), hazard=False),
    'bin': Kind((0.45, 0.45, 0.9), hazard=False),
    'tree': Kind((0.3, 0.3, 4.2), hazard=False),
}
"""By their names, which are those that narration looks for; it has none for bin, tree and kerb."""


@dataclasses.dataclass(frozen=True)
class WayObject:
    """Something that stands on the way.

    :ivar kind: one of `KINDS`.
    :ivar position: of the middle of its foot.
    :ivar yaw: turn about z, radians.
    :ivar size: extents along its own axes.
    :ivar rgb: colour of what is painted on it, 0-1.
    :ivar down: it leads down from its foot, as a kerb or stairs may.
    """

    kind: str
    position: Vector
    yaw: float
    size: Vector
    rgb: Vector
    down: bool = False

    @property
    def hazard(self) -> bool:
        """Whether its kind is to be announced wherever it is on the way."""
        return KINDS[self.kind].hazard

    @property
    def solid(self) -> bool:
        """Whether nobody can walk through it."""
        return KINDS[self.kind].solid

    def distances(self, points: np.ndarray) -> np.ndarray:
        """Return the level distance of points (n, 2) to its outline, (n,); 0 inside."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        own = (np.asarray(points, float) - self.position[:2]) @ np.array([[cos, -sin], [sin, cos]])
        outside = np.maximum(np.abs(own) - np.array(self.size[:2]) / 2, 0.0)
        return np.hypot(*outside.T)

    def distance(self, x: float, y: float) -> float:
        """Return the level distance of a point to its outline."""
        return float(self.distances(np.array([[x, y]]))[0])

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Return the point (x, y) of its outline that is nearest to a point outside."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        turn = np.array([[cos, -sin], [sin, cos]])
        half = np.array(self.size[:2]) / 2
        own = np.clip((np.array([x, y]) - self.position[:2]) @ turn, -half, half)
        found = turn @ own + self.position[:2]
        return float(found[0]), float(found[1])


@dataclasses.dataclass(frozen=True)
class Block:
    """A box along the axes: a piece of ground, or of a wall.

    :ivar look: what it is made of: a name of `kimi_ros.sim.way.looks.LOOKS`.
    """

    low: Vector
    high: Vector
    look: str

    def covers(self, points: np.ndarray) -> np.ndarray:
        """Return which points (n, 2) lie above or under it, bool (n,)."""
        return ((points >= self.low[:2]) & (points <= self.high[:2])).all(axis=1)


@dataclasses.dataclass(frozen=True)
class Way:
    """One way, a function of its seed.

    :ivar place: 'street' or 'corridor'.
    :ivar grounds: what one walks on.
    :ivar walls: what one cannot walk through; `scenery`: what is only seen.
    :ivar objects: what stands there, in no order.
    :ivar house: the side that a street's houses are on: 1 left, -1 right.
    :ivar length: where the path ends, metres along x.
    :ivar path: points (x, y) of a free path from x = 0 on, straight between.
    """

    seed: int
    place: str
    grounds: tuple[Block, ...]
    walls: tuple[Block, ...]
    scenery: tuple[Block, ...]
    objects: tuple[WayObject, ...]
    length: float
    house: float = 1.0
    path: tuple[tuple[float, float], ...] = ()

    def path_at(self, x: float) -> float:
        """Return the free path's y."""
        xs, ys = zip(*self.path, strict=True)
        return float(np.interp(x, xs, ys))

    def ground(self, points: np.ndarray) -> np.ndarray:
        """Return the height of the ground at points (n, 2), (n,); -inf where there is none."""
        heights = np.full(len(points), -np.inf)
        for block in self.grounds:
            on = block.covers(points)
            heights[on] = np.maximum(heights[on], block.high[2])
        return heights

    def blocked(self, points: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """Return which points (n, 2) lie in something solid or nearer to it than a margin."""
        inside = np.zeros(len(points), bool)
        for item in self.objects:
            if item.solid:
                inside |= item.distances(points) <= margin
        for wall in self.walls:
            middle = (np.array(wall.low[:2]) + wall.high[:2]) / 2
            outside = np.abs(points - middle) - (np.array(wall.high[:2]) - middle)
            inside |= (outside <= margin).all(axis=1)
        return inside

    def first_obstacle(
        self, x: float, y: float, heading: float, right: float, far: float, width: float
    ) -> float | None:
        """Return how far a lane can be walked: metres ahead to the first thing or step in it.

        :param heading: radians to the left of x.
        :param right: of the lane's middle, metres to the right of the person.
        :param far: metres that are looked ahead; None is returned where they are free.
        :param width: of the lane, metres.
        """
        ahead = np.arange(0.0, far + 1e-6, _LANE_GRID)
        across = np.linspace(-width / 2, width / 2, max(3, round(width / _LANE_GRID)))
        forward, side = (v.ravel() for v in np.meshgrid(ahead, right + across, indexing='ij'))
        cos, sin = math.cos(heading), math.sin(heading)
        points = np.column_stack([x + cos * forward + sin * side, y + sin * forward - cos * side])
        here = self.ground(np.array([[x, y]]))[0]
        bad = self.blocked(points) | (np.abs(self.ground(points) - here) > STEP)
        return float(forward[bad].min()) if bad.any() else None
