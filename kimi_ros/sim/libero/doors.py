"""Doors of boxes such as a microwave, found by their shape: an open one is a panel at a corner."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from kimi_ros.sim.libero.points import CELL, HeightMap, Shape

_TOP = 0.03  # metres below the upper side of the box that a door reaches
_THICK = 0.06  # metres; what is thinner, seen from above, may be a door
_LEAST = 0.12  # metres; the width of a door, at least


@dataclasses.dataclass(frozen=True)
class Door:
    """An open door, seen from above; positions, directions and heights are in the base frame.

    :ivar hinge: float64 (2,), x and y of its hinge, metres.
    :ivar width: metres from the hinge to its free edge.
    :ivar opened: float64 (2,), unit vector from the hinge to the free edge as it stands.
    :ivar shut: float64 (2,), unit vector from the hinge to where the free edge is when shut.
    :ivar top: z of its upper edge, metres.
    :ivar support: z of what the box stands on, metres.
    """

    hinge: np.ndarray
    width: float
    opened: np.ndarray
    shut: np.ndarray
    top: float
    support: float

    @property
    def angle(self) -> float:
        """Return the angle in radians by which it turns to shut, counter-clockwise positive."""
        cross = self.opened[0] * self.shut[1] - self.opened[1] * self.shut[0]
        return float(np.arctan2(cross, self.opened @ self.shut))

    @property
    def inward(self) -> np.ndarray:
        """Return float64 (2,), the unit vector that leads through the opening into the box."""
        return along(self.shut, np.sign(self.angle) * np.pi / 2)


def find_door(shape: Shape) -> Door | None:
    """Return the open door of a box; None where there is none."""
    reach = float((shape.high - shape.low)[:2].max()) / 2 + _THICK
    above = HeightMap(shape.points, shape.middle[:2], reach)
    high = (above.filled(-1.0) > shape.high[2] - _TOP).astype(np.uint8)
    side = 2 * round(_THICK / CELL / 2) + 1
    box = _largest(cv2.morphologyEx(high, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)))
    if box is None:
        return None
    near = cv2.dilate(box.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    panel = _largest((high > 0) & ~near)
    if panel is None:
        return None
    outline = cv2.boxPoints(cv2.minAreaRect(np.argwhere(box).astype(np.float32)))
    corners = np.array([above.position(*corner) for corner in outline])
    points = np.array([above.position(*cell) for cell in np.argwhere(panel)])
    away = np.linalg.norm(points[:, None] - corners[None], axis=2)
    at = int(away.min(axis=0).argmin())
    hinge, edge = corners[at], points[away[:, at].argmax()]
    width = float(np.linalg.norm(edge - hinge))
    if width < _LEAST or away[:, at].min() > _THICK:
        return None
    opened = (edge - hinge) / width
    sides = [corners[(at + step) % 4] - hinge for step in (1, -1)]
    sides = [side / np.linalg.norm(side) for side in sides]
    # The side that it shuts is the nearer one: it does not open so far as to touch the other.
    shut = max(sides, key=lambda side: float(side @ opened))
    return Door(hinge, width, opened, shut, float(shape.high[2]), shape.support)


def along(direction: np.ndarray, angle: float) -> np.ndarray:
    """Return a direction, (2,), turned counter-clockwise by an angle in radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array(
        [cos * direction[0] - sin * direction[1], sin * direction[0] + cos * direction[1]]
    )


def _largest(mask: np.ndarray) -> np.ndarray | None:
    """Return the largest connected part of a mask; None where it is empty."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()) if len(stats) > 1 else None
