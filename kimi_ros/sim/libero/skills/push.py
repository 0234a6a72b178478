"""Push: hold a thing at its edge and slide it along the table, over what stands in its way."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.libero.motion import CLOSED, OPEN, down, move_to, set_gripper
from kimi_ros.sim.libero.points import Shape, Target, cloud, shape_at
from kimi_ros.sim.libero.robot import Robot
from kimi_ros.sim.libero.skills.pick import HOLDS, grip
from kimi_ros.sim.libero.skills.result import Result

_SLIDE = 0.004  # metres over the table at which a thing slides
_CARRY = 0.10  # metres over the table at which it is carried over others
_STANDS = 0.015  # metres over the table of what stands in the way
_BESIDE = 0.02  # metres kept from what is beside the way


def push(robot: Robot, thing: Target, target: Target) -> Result:
    """Move a thing along the table until its middle is where the target is."""
    shape = shape_at(thing)
    height = _CARRY if _is_blocked(shape, thing, target.point) else _SLIDE
    held, reason = grip(robot, shape)
    if held is None:
        return Result(False, reason)
    rotation, start = down(held.yaw), robot.arm.position
    goal = np.append(target.point[:2] - held.offset[:2], start[2])
    lift = np.array([0, 0, height])
    move_to(robot, start + lift, rotation, CLOSED, tolerance=max(height / 4, 0.003), max_steps=15)
    move_to(robot, goal + lift, rotation, CLOSED, tolerance=0.01, speed=0.7)
    if height == _CARRY:
        move_to(robot, goal, rotation, CLOSED, tolerance=0.006, speed=0.6)
    lost = robot.arm.opening < HOLDS
    set_gripper(robot, OPEN, 6)
    move_to(robot, robot.arm.position + [0, 0, 0.1], rotation, tolerance=0.03)
    return Result(False, 'it slipped') if lost else Result(True)


def _is_blocked(shape: Shape, thing: Target, goal: np.ndarray) -> bool:
    """Tell whether something stands on the way of a thing's middle to its goal."""
    points = cloud(thing.frame).reshape(-1, 3)
    standing = (points[:, 2] > shape.support + _STANDS) & (points[:, 2] < shape.support + 0.3)
    own = (points > shape.low - _BESIDE).all(axis=1) & (points < shape.high + _BESIDE).all(axis=1)
    others = points[standing & ~own, :2]
    way = goal[:2] - shape.middle[:2]
    along = np.clip((others - shape.middle[:2]) @ way / max(way @ way, 1e-9), 0, 1)
    away = np.linalg.norm(others - shape.middle[:2] - along[:, None] * way, axis=1)
    width = (shape.high - shape.low)[:2].max() / 2 + _BESIDE
    return bool((away < width).sum() > 10)
