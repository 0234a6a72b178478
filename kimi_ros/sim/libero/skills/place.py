"""Place: carry what the hand holds over a target or a free spot, lower it, and let go.

On and in are one: the foot goes down to the surface that is under it, as far as the fingers and
the hand find room among what stands around.
"""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.libero.doors import find_door
from kimi_ros.sim.libero.motion import CLOSED, OPEN, down, move_to, set_gripper
from kimi_ros.sim.libero.points import CELL, HeightMap, Shape, Target, cloud, shape_at, top_middle
from kimi_ros.sim.libero.robot import CAMERAS, Robot
from kimi_ros.sim.libero.skills.inside import put_in
from kimi_ros.sim.libero.skills.pick import HOLDS
from kimi_ros.sim.libero.skills.result import Held, Result

_CARRY = 0.03  # metres over all that is on the way
_LOW_ARM = 0.24  # metres; what is higher than this is the arm, which is in the picture as well
_ASIDE = 0.06  # metres to move aside from what hangs over the way up
_DROP = 0.008  # metres over the surface at which the hand lets go
_REACH = 0.05  # metres from the fingertips to their outer sides, when open
_PALM = (0.10, 0.035, 0.055)  # metres: half along, half across, and over the fingertips
_RISE = 0.006  # metres by which a place is higher when something was put there
_ENOUGH = 20  # pixels that show it


def place(robot: Robot, target: Target, held: Held) -> Result:
    """Put what is held on or into what is at a target, or down at a free spot.

    A box whose door stands open is put into, through that door.
    """
    door = None if target.box is None else find_door(shape_at(target))
    if door is not None:
        return put_in(robot, door, held)
    goal, ground = _goal(target, held)
    clear = max(robot.arm.position[2], goal[2] + _CARRY, _over(robot, target, held, goal))
    rotation = down(held.yaw)
    _leave_overhang(robot, target, held)
    move_to(robot, np.array([*robot.arm.position[:2], clear]), rotation, CLOSED, tolerance=0.03)
    move_to(robot, np.array([*goal[:2], clear]), rotation, CLOSED, tolerance=0.015)
    if robot.arm.opening < HOLDS:
        return Result(False, 'it was lost on the way')
    move_to(robot, goal, rotation, CLOSED, tolerance=0.008, speed=0.6)
    set_gripper(robot, OPEN, 6)
    move_to(robot, goal + [0, 0, 0.10], rotation, OPEN, tolerance=0.03)
    if not _is_there(robot, goal[:2] + held.offset[:2], held, ground):
        return Result(False, 'it is not there')
    return Result(True)


def _leave_overhang(robot: Robot, target: Target, held: Held) -> None:
    """Move aside where something, such as an open drawer, is over what is held."""
    foot = robot.arm.position + held.offset
    points = cloud(target.frame).reshape(-1, 3)
    near = (np.abs(points[:, :2] - foot[:2]) < held.size[:2] / 2 + _ASIDE / 3).all(axis=1)
    over = points[near & (points[:, 2] > foot[2] + 0.02) & (points[:, 2] < foot[2] + 0.3), :2]
    if len(over) < _ENOUGH:
        return
    away = foot[:2] - over.mean(axis=0)
    aside = _ASIDE * away / max(float(np.linalg.norm(away)), 1e-6)
    goal = robot.arm.position + [*aside, 0]
    move_to(robot, goal, down(held.yaw), CLOSED, tolerance=0.015)


def _over(robot: Robot, target: Target, held: Held, goal: np.ndarray) -> float:
    """Return how high the fingertips carry what they hold over what is on its way."""
    start, end = robot.arm.position[:2] + held.offset[:2], goal[:2] + held.offset[:2]
    points = cloud(target.frame).reshape(-1, 3)
    points = points[points[:, 2] < _LOW_ARM]
    width = held.size[:2].max() / 2 + _CARRY
    # It still stands in the picture where it was.
    others = points[np.linalg.norm(points[:, :2] - start, axis=1) > width]
    way = end - start
    share = np.clip((others[:, :2] - start) @ way / max(way @ way, 1e-9), 0, 1)
    away = np.linalg.norm(others[:, :2] - start - share[:, None] * way, axis=1)
    heights = np.sort(others[away < width, 2])
    if len(heights) < _ENOUGH:
        return -np.inf
    return float(heights[-_ENOUGH]) + _CARRY - held.offset[2]


def _goal(target: Target, held: Held) -> tuple[np.ndarray, float]:
    """Return where the fingertips let go, and how high the place is now."""
    points = cloud(target.frame).reshape(-1, 3)
    if target.box is None:
        middle = np.array(target.point, float)
        shape = Shape(middle[None], middle[2])
    else:
        shape = shape_at(target)
        middle = top_middle(shape)
    around = HeightMap(points, middle[:2], 0.2)
    heights = around.filled(shape.support)
    foot = np.maximum(held.size[:2] / 2, 2 * CELL)
    ground = _highest(heights, around, middle[:2], 0.6 * foot)
    tips = np.append(middle[:2] - held.offset[:2], ground + _DROP - held.offset[2])
    # Room for the open fingers and for the hand above them.
    palm = np.abs(down(held.yaw)[:2, 1]) * _PALM[0] + np.abs(down(held.yaw)[:2, 0]) * _PALM[1]
    fingers = np.abs(down(held.yaw)[:2, 1]) * _REACH + 0.012
    tips[2] = max(
        tips[2],
        _highest(heights, around, tips[:2], fingers) + 0.004,
        _highest(heights, around, tips[:2], palm) - _PALM[2],
    )
    return tips, ground


def _highest(heights: np.ndarray, around: HeightMap, middle: np.ndarray, half: np.ndarray) -> float:
    """Return the greatest height, but for the highest few, in a rectangle."""
    (low, left), (high, right) = around.cells(np.stack([middle - half, middle + half]))
    part = heights[max(low, 0) : high + 1, max(left, 0) : right + 1]
    return float(np.percentile(part, 97)) if part.size else float(np.median(heights))


def _is_there(robot: Robot, where: np.ndarray, held: Held, ground: float) -> bool:
    """Look from above: does the place stand higher than before?"""
    seen = cloud(robot.observe(CAMERAS[1])).reshape(-1, 3)
    half = np.maximum(held.size[:2] / 2, 0.03)
    near = (np.abs(seen[:, :2] - where) < half).all(axis=1)
    # The fingers are in this picture.
    near &= seen[:, 2] < robot.arm.position[2] - 0.03
    return bool((seen[near, 2] > ground + _RISE).sum() >= _ENOUGH)
