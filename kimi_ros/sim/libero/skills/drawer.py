"""A drawer: opened and closed by its handle, gripped or pushed from outside, in a straight line."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.libero.motion import CLOSED, OPEN, move_to, set_gripper
from kimi_ros.sim.libero.points import Target, cloud, shape_at
from kimi_ros.sim.libero.robot import Robot
from kimi_ros.sim.libero.skills.pick import HOLDS
from kimi_ros.sim.libero.skills.result import Result

_TRAVEL = 0.17  # metres that a drawer is pulled
_OPENED = 0.10  # metres of its way after which it counts as open
_FURNITURE = 0.25  # metres around a handle within which the furniture is that it belongs to
_HANDLE = 0.015  # metres from the outermost point of a drawer that are its handle
_LOW = 0.09  # metres over the table below which the hand must come from higher up
_TILTS = np.radians(15), np.radians(40)  # of the fingers below the horizontal
_BEFORE = 0.10  # metres before the handle from which the hand goes straight to it
_TALL = 0.035  # metres above and below a drawer's point within which its handle is
_HALF, _HOLD = 4, 0.0  # control steps that half close the gripper, and what keeps it so
_AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], float)


def open_drawer(robot: Robot, target: Target) -> Result:
    """Grip a drawer's handle and pull it out."""
    handle, outward, tilt = _handle(target)
    rotation = _facing(outward, tilt, robot.arm.rotation)
    # Open fingers would touch the handles above and below.
    set_gripper(robot, CLOSED, _HALF)
    _approach(robot, handle, outward, rotation, _HOLD)
    inside = handle + 0.006 * rotation[:, 2]
    move_to(robot, inside, rotation, _HOLD, tolerance=0.006, speed=0.6)
    set_gripper(robot, CLOSED, 9)
    if robot.arm.opening < HOLDS:
        _leave(robot, rotation)
        return Result(False, 'the handle was not between the fingers')
    start = robot.arm.position
    goal = start + _TRAVEL * outward
    move_to(robot, goal, rotation, CLOSED, tolerance=0.012)
    way = float((robot.arm.position - start) @ outward)
    held = robot.arm.opening > HOLDS
    set_gripper(robot, OPEN, 5)
    _leave(robot, rotation)
    return Result(True) if held and way > _OPENED else Result(False, 'the drawer did not follow')


def close_drawer(robot: Robot, target: Target) -> Result:
    """Push a drawer in by its handle, until it stops."""
    handle, outward, tilt = _handle(target)
    rotation = _facing(outward, tilt, robot.arm.rotation)
    set_gripper(robot, CLOSED, 6)
    _approach(robot, handle, outward, rotation, CLOSED)
    start = robot.arm.position
    move_to(robot, handle - (_TRAVEL + 0.05) * outward, rotation, CLOSED, speed=0.6)
    way = float((start - robot.arm.position) @ outward)
    move_to(robot, robot.arm.position + 0.06 * outward, rotation, CLOSED, tolerance=0.03)
    set_gripper(robot, OPEN, 4)
    # The hand went beyond where the handle was, and the drawer with it.
    return Result(True) if way > _BEFORE else Result(False, 'the drawer did not give way')


def _handle(target: Target) -> tuple[np.ndarray, np.ndarray, float]:
    """Return a handle's middle, the direction that its drawer comes out, and the hand's tilt."""
    shape = shape_at(target)
    points = cloud(target.frame).reshape(-1, 3)
    near = np.linalg.norm(points[:, :2] - shape.middle[:2], axis=1) < _FURNITURE
    furniture = points[near & (points[:, 2] > shape.support + 0.03)]
    # The furniture is behind the handle, whichever way it stands.
    away = shape.middle[:2] - np.median(furniture[:, :2], axis=0)
    outward = _AXES[np.argmax(_AXES[:, :2] @ away)]
    level = shape.points[np.abs(shape.points[:, 2] - target.point[2]) < _TALL]
    along = level @ outward
    outermost = level[along > np.percentile(along, 98) - _HANDLE]
    handle = (np.percentile(outermost, 5, axis=0) + np.percentile(outermost, 95, axis=0)) / 2
    is_low = handle[2] - shape.support < _LOW
    return handle, outward, float(_TILTS[int(is_low)])


def _facing(outward: np.ndarray, tilt: float, now: np.ndarray) -> np.ndarray:
    """Return hand -> base of fingers that point inward and down and close across a handle."""
    up = np.array([0, 0, 1.0])
    fingers = -np.cos(tilt) * outward - np.sin(tilt) * up
    closing = np.cos(tilt) * up - np.sin(tilt) * outward
    # The hand is symmetric: take the way that is nearer.
    closing = closing if closing @ now[:, 1] > 0 else -closing
    return np.column_stack([np.cross(closing, fingers), closing, fingers])


def _approach(
    robot: Robot, handle: np.ndarray, outward: np.ndarray, rotation: np.ndarray, gripper: float
) -> None:
    """Go before a handle, from above and outside."""
    before = handle + _BEFORE * outward
    move_to(robot, before + [0, 0, 0.15], rotation, gripper, tolerance=0.03)
    lower = handle - _BEFORE * rotation[:, 2] if gripper == _HOLD else before
    move_to(robot, lower, rotation, gripper, tolerance=0.012)


def _leave(robot: Robot, rotation: np.ndarray) -> None:
    """Go back the way that the fingers point."""
    move_to(robot, robot.arm.position - 0.08 * rotation[:, 2], rotation, OPEN, tolerance=0.03)
