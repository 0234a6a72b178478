"""Push: hold a thing at its edge and slide it along the table."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.libero.motion import CLOSED, OPEN, down, move_to, set_gripper
from kimi_ros.sim.libero.points import Target, shape_at
from kimi_ros.sim.libero.robot import Robot
from kimi_ros.sim.libero.skills.pick import HOLDS, grip
from kimi_ros.sim.libero.skills.result import Result

_CLEAR = 0.004  # metres over the table at which it slides
_SLIDE = 0.6  # share of the greatest speed


def push(robot: Robot, thing: Target, target: Target) -> Result:
    """Slide a thing until its middle is where the target is."""
    held, grasp = grip(robot, shape_at(thing))
    if held is None:
        return Result(False, grasp)
    rotation = down(held.yaw)
    start = robot.arm.position
    goal = np.append(target.point[:2] - held.offset[:2], start[2])
    lift = np.array([0, 0, _CLEAR])
    move_to(robot, start + lift, rotation, CLOSED, tolerance=0.003, max_steps=6)
    move_to(robot, goal + lift, rotation, CLOSED, tolerance=0.01, speed=_SLIDE)
    lost = robot.arm.opening < HOLDS
    set_gripper(robot, OPEN, 6)
    move_to(robot, robot.arm.position + [0, 0, 0.1], rotation, tolerance=0.03)
    return Result(False, 'it slipped') if lost else Result(True)
