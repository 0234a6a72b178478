"""Close: a door is pushed around its hinge, a drawer is pushed in."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.libero.doors import Door, along, find_door
from kimi_ros.sim.libero.motion import CLOSED, OPEN, down, move_to, set_gripper
from kimi_ros.sim.libero.points import Target, shape_at
from kimi_ros.sim.libero.robot import Robot
from kimi_ros.sim.libero.skills.drawer import close_drawer
from kimi_ros.sim.libero.skills.result import Result

_AT = 0.8  # share of a door's width from the hinge at which the fingers push it
_BELOW = 0.035  # metres from a door's upper edge down to the fingertips: the hand stays above it
_BEHIND = 0.025  # metres from a door's middle to that of the fingers that touch it
_ASIDE = 0.06  # metres to go aside before and after
_STEP = np.radians(20)
_SHUT = 0.03  # metres from where the fingers should end


def close(robot: Robot, target: Target) -> Result:
    """Close what is at a target, by its open door if it has one, or as a drawer."""
    door = find_door(shape_at(target))
    return close_drawer(robot, target) if door is None else close_door(robot, door)


def close_door(robot: Robot, door: Door) -> Result:
    """Push an open door with closed fingers until it stops."""
    rotation, way = down(0), np.sign(door.angle)
    set_gripper(robot, CLOSED, 4)
    start = _behind(door, 0.0, _BEHIND + _ASIDE)
    move_to(robot, start + [0, 0, 0.12], rotation, CLOSED, tolerance=0.03)
    move_to(robot, start, rotation, CLOSED, tolerance=0.015)
    for turned in np.arange(0.0, abs(door.angle), _STEP):
        move_to(robot, _behind(door, way * turned, _BEHIND), rotation, CLOSED, tolerance=0.025)
    shut = _behind(door, door.angle, _BEHIND)
    # Beyond the end, so that it is pressed shut.
    move_to(robot, _behind(door, door.angle, -_BEHIND), rotation, CLOSED, tolerance=0.01)
    miss = float((shut - robot.arm.position)[:2] @ door.inward)
    aside = robot.arm.position - _ASIDE * np.append(door.inward, 0)
    move_to(robot, aside, rotation, CLOSED, tolerance=0.03)
    move_to(robot, aside + [0, 0, 0.1], rotation, OPEN, tolerance=0.03)
    return Result(True) if miss < _SHUT else Result(False, 'the door did not shut')


def _behind(door: Door, turned: float, distance: float) -> np.ndarray:
    """Return a point so far behind a door that was turned, at the height of the fingertips."""
    stands = along(door.opened, turned)
    behind = -distance * along(stands, np.sign(door.angle) * np.pi / 2)
    return np.append(door.hinge + _AT * door.width * stands + behind, door.top - _BELOW)
