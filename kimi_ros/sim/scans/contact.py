"""Putting things down: height maps say where a thing comes to rest, on what, and whether stably."""

from __future__ import annotations

import dataclasses

import numpy as np

from kimi_ros.sim.scans.mesh import Scan
from kimi_ros.sim.scans.raster import rasterize_height

CELL = 0.004
"""Metres."""
_NOTHING = -1e3
_TOUCHING = 0.003
_OVERLAP = 0.001
TABLE = -1


@dataclasses.dataclass(frozen=True)
class Underside:
    """A turned scan as height maps, relative to its origin, metres; NaN nowhere.

    :ivar bottom: float32 (rows, columns), heights of its underside; rows go along x, columns
        along y.
    :ivar top: float32 (rows, columns), heights of its upper side.
    :ivar mask: bool (rows, columns), where the thing is.
    :ivar corner: float32 (2,), x and y of cell (0, 0), metres.
    """

    bottom: np.ndarray
    top: np.ndarray
    mask: np.ndarray
    corner: np.ndarray

    @property
    def height(self) -> float:
        """From its lowest to its highest point, metres."""
        return float(self.top[self.mask].max() - self.bottom[self.mask].min())


def underside(scan: Scan, rotation: np.ndarray) -> Underside:
    """Return the height maps of a scan in this orientation."""
    points = scan.coarse_vertices @ rotation.T.astype(np.float32)
    corner = np.floor(points[:, :2].min(axis=0) / CELL) * CELL
    shape = np.ceil((points[:, :2].max(axis=0) - corner) / CELL).astype(int) + 1
    seen = np.column_stack(
        [(points[:, 1] - corner[1]) / CELL, (points[:, 0] - corner[0]) / CELL, points[:, 2]]
    ).astype(np.float32)
    top = np.full(shape, _NOTHING, np.float32)
    rasterize_height(seen, scan.coarse_faces, top)
    below = np.full(shape, _NOTHING, np.float32)
    seen[:, 2] *= -1
    rasterize_height(seen, scan.coarse_faces, below)
    mask = top > _NOTHING
    if not mask.any():  # smaller than a cell
        mask[:] = True
        top[:], below[:] = points[:, 2].max(), -points[:, 2].min()
    return Underside(-below, top, mask, corner)


@dataclasses.dataclass(frozen=True)
class Rest:
    """Where a thing would come to rest.

    :ivar z: height of its origin, metres.
    :ivar owners: indices of the objects that it touches, `TABLE` for the table.
    :ivar stable: whether its middle is above what it touches.
    :ivar overhang: share of its outline that is over nothing it touches.
    """

    z: float
    owners: tuple[int, ...]
    stable: bool
    overhang: float


class Landscape:
    """A table with what stands on it, as a height map."""

    def __init__(self, low: tuple[float, float], high: tuple[float, float]):
        """Take the table's part between two corners (x, y), metres."""
        self._low = np.array(low)
        shape = np.ceil((np.array(high) - self._low) / CELL).astype(int)
        self.heights = np.zeros(shape, np.float32)
        self.owners = np.full(shape, TABLE, np.int16)

    def rest(self, item: Underside, x: float, y: float) -> Rest | None:
        """Return where it rests when let down at (x, y), or None off the table's part."""
        at = self._at(item, x, y)
        if at is None:
            return None
        room = np.where(item.mask, self.heights[at] - item.bottom, _NOTHING)
        z = float(room.max())
        touching = room > z - _TOUCHING
        owners, counts = np.unique(self.owners[at][touching], return_counts=True)
        owners = owners[counts >= 0.1 * counts.sum()]
        rows, columns = np.nonzero(touching)
        middle = -item.corner / CELL
        slack = 1.0
        stable = (
            rows.min() - slack <= middle[0] <= rows.max() + slack
            and columns.min() - slack <= middle[1] <= columns.max() + slack
        )
        below = np.isin(self.owners[at][item.mask], owners)
        return Rest(z, tuple(int(o) for o in owners), bool(stable), 1 - float(below.mean()))

    def put(self, item: Underside, x: float, y: float, z: float, index: int) -> None:
        """Leave a thing there, known as `index`."""
        at = self._at(item, x, y)
        higher = item.mask & (item.top + z > self.heights[at])
        self.heights[at][higher] = (item.top + z)[higher]
        self.owners[at][higher] = index

    def top_of(self, index: int) -> float:
        """Return the greatest height of what is known as `index`."""
        return float(self.heights[self.owners == index].max(initial=0.0))

    def _at(self, item: Underside, x: float, y: float):
        row, column = np.round((np.array([x, y]) + item.corner - self._low) / CELL).astype(int)
        rows, columns = item.mask.shape
        inside = 0 <= row and 0 <= column
        if (
            not inside
            or row + rows > self.heights.shape[0]
            or column + columns > self.heights.shape[1]
        ):
            return None
        return slice(row, row + rows), slice(column, column + columns)


def stands_free(rest: Rest, item: Underside) -> bool:
    """Return whether it stands on the table itself, pushed into nothing."""
    return rest.owners == (TABLE,) and rest.z + float(item.bottom[item.mask].min()) < _OVERLAP
