"""Put in: what is held goes through an opening in the side of a box, the hand tilted."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.libero.doors import Door
from kimi_ros.sim.libero.motion import CLOSED, OPEN, down, move_to, set_gripper
from kimi_ros.sim.libero.robot import Robot
from kimi_ros.sim.libero.skills.pick import HOLDS
from kimi_ros.sim.libero.skills.result import Held, Result

_TILT = np.radians(60)  # of the fingers from the vertical, into the box
_MIDDLE = 0.47  # share of the door's width from its hinge that is the middle of the opening
_DEEP = 0.055  # metres behind the opening to which the middle of the thing is taken
_BEFORE = 0.17  # metres before the opening from which the hand goes straight in
_OUT = 0.06  # metres that the fingers are long
_HEIGHT = 0.5  # share of the box's height at which the middle of the thing enters


def put_in(robot: Robot, door: Door, held: Held) -> Result:
    """Put what is held into the box whose door stands open, and draw the hand out."""
    inward = np.append(door.inward, 0)
    rotation = _tilted(inward, robot.arm.rotation)
    # What is held turns with the hand.
    middle = held.offset + [0, 0, held.size[2] / 2]
    middle = rotation @ down(held.yaw).T @ middle
    opening = np.append(
        door.hinge + _MIDDLE * door.width * door.shut,
        door.support + _HEIGHT * (door.top - door.support),
    )
    goal = opening + _DEEP * inward - middle
    before = goal - _BEFORE * inward
    high = max(door.top + 0.1, robot.arm.position[2])
    move_to(robot, np.array([*robot.arm.position[:2], high]), None, CLOSED, tolerance=0.03)
    move_to(robot, np.array([*before[:2], high]), rotation, CLOSED, tolerance=0.02)
    move_to(robot, before, rotation, CLOSED, tolerance=0.012)
    move_to(robot, goal, rotation, CLOSED, tolerance=0.01, speed=0.6)
    lost = robot.arm.opening < HOLDS
    set_gripper(robot, OPEN, 6)
    # Back along the fingers, as one of them may be inside of a mug.
    back = robot.arm.position - _OUT * rotation[:, 2]
    move_to(robot, back, rotation, OPEN, tolerance=0.015)
    move_to(robot, before, rotation, OPEN, tolerance=0.02)
    move_to(robot, np.array([*before[:2], high]), rotation, OPEN, tolerance=0.04)
    return Result(False, 'it was lost on the way') if lost else Result(True)


def _tilted(inward: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return hand -> base of fingers that point in and down and close along the opening."""
    up = np.array([0, 0, 1.0])
    fingers = np.sin(_TILT) * inward - np.cos(_TILT) * up
    closing = np.cross(up, inward)
    # The hand is symmetric: take the way that is nearer.
    closing = closing if closing @ now[:, 1] > 0 else -closing
    return np.column_stack([np.cross(closing, fingers), closing, fingers])
