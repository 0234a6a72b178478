"""Where and how wide to grasp from above, on a map of heights.

A grasp needs something between the fingers, room for the fingers on both sides, and room for the
hand over it. So a box is held across, a long thing across its length, a bowl or a mug at its rim.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from kimi_ros.sim.libero.points import CELL, HeightMap

OPENING = 0.08
"""Metres between the open fingers."""

_YAWS = np.radians(np.arange(-75, 91, 15))
_RADIUS = 0.14  # metres around a thing that are looked at
_FINGER = 0.014  # metres, of a finger along the way it closes
_BREADTH = 0.024  # metres, of a finger across
_DEPTH = 0.028  # metres from a thing's top down to the fingertips
_TIP = 0.008  # metres that fingertips keep from what a thing stands on
_HAND = (0.20, 0.07, 0.058)  # metres: along, across, and above the fingertips
_STEEP = 6  # cells that both sides together lean over a finger's breadth: a corner
_FIRM = 0.008  # metres of height difference that make an edge to hold


@dataclasses.dataclass(frozen=True)
class Grasp:
    """A grasp from above.

    :ivar position: float64 (3,), of the point between the fingertips, metres in the base frame.
    :ivar yaw: radians; the fingers close along (-sin yaw, cos yaw) in the base frame.
    :ivar width: metres of what is between the fingers.
    :ivar score: without a unit, the greater the better.
    """

    position: np.ndarray
    yaw: float
    width: float
    score: float


def find_grasps(points: np.ndarray, own: np.ndarray, support: float, most: int = 3) -> list[Grasp]:
    """Return grasps of a thing, the best first; none where the fingers find no room.

    :param points: (N, 3), all that was seen around the thing, metres in the base frame.
    :param own: (M, 3), the thing's own points, finite, at least one.
    :param support: z of what it stands on, metres.
    :param most: how many to return at most; they are more than 2 cm apart.
    """
    middle = (own.min(axis=0) + own.max(axis=0))[:2] / 2
    found = [g for yaw in _YAWS for g in _at_yaw(points, own, support, middle, yaw)]
    found.sort(key=lambda grasp: -grasp.score)
    chosen: list[Grasp] = []
    for grasp in found:
        if all(np.linalg.norm(grasp.position - c.position) > 0.02 for c in chosen):
            chosen.append(grasp)
        if len(chosen) == most:
            break
    return chosen


def _at_yaw(
    points: np.ndarray, own: np.ndarray, support: float, middle: np.ndarray, yaw: float
) -> list[Grasp]:
    """Return the best grasps with one yaw. Columns of the map run along the closing fingers."""
    around = HeightMap(points, middle, _RADIUS, yaw)
    heights = around.filled(support)
    thing = HeightMap(own, middle, _RADIUS, yaw).filled(support)
    breadth = _cells(_BREADTH)
    # What is between the open fingers, over their breadth.
    between = _highest(thing, breadth, _cells(OPENING))
    tips = np.maximum(between - _DEPTH, support + _TIP)
    left, right = (_shifted(heights, side * (OPENING / 2 + _FINGER / 2)) for side in (-1, 1))
    fingers = np.maximum(*(_highest(side, breadth, _cells(_FINGER)) for side in (left, right)))
    hand = _highest(heights, _cells(_HAND[1]), _cells(_HAND[0]))
    can = (between > tips + _FIRM) & (fingers < tips) & (hand < tips + _HAND[2])
    if not can.any():
        return []
    # How much of what is between the fingers would be held, and how wide it is.
    reach = _cells(OPENING) // 2
    slices = np.stack([_shifted(thing, k * CELL) for k in range(-reach, reach + 1)])
    inside = slices > tips[None]
    lows = np.argmax(inside, axis=0)
    highs = len(slices) - 1 - np.argmax(inside[::-1], axis=0)
    width = (highs - lows + 1) * CELL
    offset = np.abs((lows + highs) / 2 - reach) * CELL
    slant = _slant(lows) + _slant(highs)
    rows, columns = np.nonzero(can & inside.any(axis=0) & (slant < _STEEP))
    if not len(rows):
        return []
    where = np.array([around.position(r, c) for r, c in zip(rows, columns, strict=True)])
    height = between[rows, columns]
    # The fingers' breadth should be filled: few of a round rim's neighbours are as high.
    held = cv2.blur((thing > tips).astype(np.float32), (1, breadth))[rows, columns]
    score = (
        -np.linalg.norm(where - middle, axis=1) / 0.05
        - offset[rows, columns] / 0.01
        - np.maximum(width[rows, columns] - 0.055, 0) / 0.01
        - (own[:, 2].max() - height) / 0.02
        - slant[rows, columns] / 4
        + held
    )
    order = np.argsort(-score)[:2]
    return [
        Grasp(
            np.append(where[i], tips[rows[i], columns[i]]),
            float(yaw),
            float(width[rows[i], columns[i]]),
            float(score[i]),
        )
        for i in order
    ]


def _slant(edge: np.ndarray) -> np.ndarray:
    """Return by how many cells an edge between the fingers leans over their breadth."""
    half = _cells(_BREADTH) // 2
    padded = np.pad(edge, ((half, half), (0, 0)), mode='edge')
    return np.abs(padded[2 * half :] - padded[: -2 * half])


def _cells(metres: float) -> int:
    return max(2 * round(metres / CELL / 2) + 1, 1)


def _highest(heights: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return the greatest height within a window around each cell."""
    return cv2.dilate(heights.astype(np.float32), np.ones((rows, columns), np.uint8))


def _shifted(heights: np.ndarray, metres: float) -> np.ndarray:
    """Return for each cell the height so far along the closing fingers."""
    move = np.float32([[1, 0, -round(metres / CELL)], [0, 1, 0]])
    size = heights.shape[::-1]
    return cv2.warpAffine(
        heights.astype(np.float32),
        move,
        size,
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
