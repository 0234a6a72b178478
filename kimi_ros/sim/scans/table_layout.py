"""Laying a table: things stand, lie, lean together, are stacked and lie in one another."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from kimi_ros.sim.scans.contact import Landscape, Rest, Underside, stands_free, underside
from kimi_ros.sim.scans.scene import Room, ScanCamera, ScanObject

REACH = 0.55
"""Metres around the middle in which things are put."""
_CANONICAL, _STACKED, _IN_A_CLUSTER = 0.6, 0.35, 0.45
_TRIES = 14
_ASPECT = 4 / 3
_LONG = 2.2


def turned(axis: str, angle: float) -> np.ndarray:
    """Return the rotation about an axis, 'x', 'y' or 'z', by an angle in radians, float (3, 3)."""
    i = 'xyz'.index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.eye(3)
    matrix[j, j] = matrix[k, k] = math.cos(angle)
    matrix[k, j], matrix[j, k] = math.sin(angle), -math.sin(angle)
    return matrix


class TableLayout:
    """Puts things on a table in sight of a camera, one after the other.

    :param supports: thing id -> 'on', 'in' or ''.
    :ivar objects: what has been placed.
    """

    def __init__(self, camera: ScanCamera, room: Room, supports: dict[str, str], rng):
        self.objects: list[ScanObject] = []
        self._camera, self._rng = camera, rng
        self._supports = supports
        eye, axis = camera.pose[:3, 3], camera.pose[:3, 2]
        target = (eye - eye[2] / axis[2] * axis)[:2]
        x0, x1, y0, y1, _ = room.table
        self._landscape = Landscape(
            (max(x0, target[0] - REACH), max(y0, target[1] - REACH)),
            (min(x1, target[0] + REACH), min(y1, target[1] + REACH)),
        )
        self._undersides: list[Underside] = []
        self._cluster = None
        if rng.random() < _IN_A_CLUSTER:
            self._cluster = rng.uniform(-0.2, 0.2, 2), rng.uniform(0.10, 0.22)

    def place(self, item: ScanObject) -> bool:
        """Put a thing somewhere; return whether there was room for it."""
        candidates = [
            i for i, o in enumerate(self.objects) if self._supports.get(o.thing) and o.support < 0
        ]
        if candidates and self._rng.random() < _STACKED:
            support = candidates[int(self._rng.integers(len(candidates)))]
            if self._onto(item, support):
                return True
        return self._on_the_table(item)

    def _on_the_table(self, item: ScanObject) -> bool:
        for attempt in range(_TRIES):
            if attempt % 5 == 0:
                rotation = self._rotation(item)
                under = underside(item.scan, rotation)
            spot = self._spot()
            if spot is None:
                continue
            rest = self._landscape.rest(under, *spot)
            if rest is not None and stands_free(rest, under):
                self._put(item, rotation, under, spot, rest, -1, 'on')
                return True
        return False

    def _onto(self, item: ScanObject, support: int) -> bool:
        below, relation = self.objects[support], self._supports[self.objects[support].thing]
        if relation == 'in' and below.rotation[2, 2] < 0.99:  # lying, or upside down
            return False
        reach = 0.2 * float(np.min(below.scan.size[:2]))
        rim = self._landscape.top_of(support)
        for _ in range(_TRIES // 2):
            rotation = self._upright(item) if relation == 'in' else self._rotation(item)
            under = underside(item.scan, rotation)
            spot = below.position[:2] + self._rng.normal(0, reach, 2)
            rest = self._landscape.rest(under, *spot)
            if rest is None or rest.owners != (support,):
                continue
            if relation == 'on':
                fits = rest.stable and rest.overhang < 0.4
            else:
                lowest = rest.z + float(under.bottom[under.mask].min())
                sunk = rim - lowest
                fits = sunk > max(0.012, 0.3 * min(under.height, rim)) and rest.overhang < 0.5
            if fits:
                self._put(item, rotation, under, spot, rest, support, relation)
                return True
        return False

    def _put(
        self, item: ScanObject, rotation, under: Underside, spot, rest: Rest, support: int,
        relation: str,
    ) -> None:  # fmt: skip
        self._landscape.put(under, *spot, rest.z, len(self.objects))
        # The height map's cells are where it stands.
        position = np.array([*spot, rest.z])
        self.objects.append(
            dataclasses.replace(
                item, rotation=rotation, position=position, support=support, relation=relation
            )
        )

    def _rotation(self, item: ScanObject) -> np.ndarray:
        """Return how a thing stands (as it was scanned) or lies, turned anyhow about z."""
        turn = turned('z', self._rng.uniform(0, 2 * math.pi))
        if self._rng.random() < _CANONICAL:
            return turn
        weights = np.sqrt(item.scan.pose_weights)
        pose = self._rng.choice(len(weights), p=weights / weights.sum())
        return turn @ item.scan.poses[pose].astype(float)

    def _upright(self, item: ScanObject) -> np.ndarray:
        """Return how a thing is put into another: long ones on end, leaning."""
        size = item.scan.size
        long = int(np.argmax(size))
        if size[long] < _LONG * np.sort(size)[1]:
            return self._rotation(item)
        end = {0: turned('y', math.pi / 2), 1: turned('x', math.pi / 2), 2: np.eye(3)}[long]
        if self._rng.random() < 0.5:
            end = turned('x', math.pi) @ end
        lean = turned('x', self._rng.normal(0, 0.25))
        return turned('z', self._rng.uniform(0, 2 * math.pi)) @ lean @ end

    def _spot(self) -> np.ndarray | None:
        """Return a point of the table in sight, x and y."""
        if self._cluster is None:
            place = self._rng.uniform(-0.44, 0.44, 2)
        else:
            place = self._cluster[0] + self._rng.normal(0, self._cluster[1], 2)
        ray = self._camera.pose[:3, :3] @ np.array(
            [place[0] * _ASPECT / self._camera.focal, place[1] / self._camera.focal, 1.0]
        )
        eye = self._camera.pose[:3, 3]
        if ray[2] > -1e-3:
            return None
        return (eye - eye[2] / ray[2] * ray)[:2]
