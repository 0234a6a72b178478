"""Pick: look at a thing from above, grasp it where the fingers find room, and lift it."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.libero.grasp import Grasp, find_grasps
from kimi_ros.sim.libero.motion import CLOSED, OPEN, down, move_to, set_gripper
from kimi_ros.sim.libero.points import Shape, Target, cloud, shape_at
from kimi_ros.sim.libero.robot import CAMERAS, Robot
from kimi_ros.sim.libero.skills.result import Held, Result

HOLDS = 0.0025
"""Metres between closed fingers above which there is something between them."""

_LOOK = 0.22  # metres over a thing from which the camera at the wrist looks at it
_CAMERA = 0.05  # metres that this camera is in front of the hand
_ABOVE = 0.09  # metres over the grasp from which the hand goes straight down
_LIFT = 0.12
_TRIES = 2


def pick(robot: Robot, target: Target) -> Result:
    """Grasp and lift what is at a target; where that fails, look again and try once more."""
    shape, reason = shape_at(target), ''
    for number in range(_TRIES):
        held, reason = grip(robot, shape, number)
        if held is not None:
            up = robot.arm.position + [0, 0, _LIFT]
            move_to(robot, up, down(held.yaw), CLOSED, tolerance=0.03)
            if robot.arm.opening > HOLDS:
                return Result(True, '', held)
            reason = 'it slipped'
        set_gripper(robot, OPEN, 4)
    return Result(False, reason)


def grip(robot: Robot, shape: Shape, number: int = 0) -> tuple[Held | None, str]:
    """Close the fingers on a thing where it stands; return how it is held, or why it is not.

    :param shape: of the thing, as the table's camera saw it.
    :param number: of the grasp, 0 for the best; where there are fewer, the last.
    :raises OutOfSteps: when the task's control steps are used up.
    """
    grasps, whole = _look(robot, shape)
    if not grasps:
        return None, 'the fingers find no room'
    grasp = grasps[min(number, len(grasps) - 1)]
    rotation = down(grasp.yaw)
    move_to(robot, grasp.position + [0, 0, _ABOVE], rotation, tolerance=0.012)
    move_to(robot, grasp.position, rotation, tolerance=0.006, speed=0.7)
    set_gripper(robot, CLOSED, 9)
    if robot.arm.opening > HOLDS:
        return _held(grasp, whole), ''
    set_gripper(robot, OPEN, 4)
    move_to(robot, robot.arm.position + [0, 0, 0.1], tolerance=0.03)
    return None, 'nothing was between the fingers'


def _look(robot: Robot, shape: Shape) -> tuple[list[Grasp], Shape]:
    """Look from above; return the grasps, and the shape with what only that view shows."""
    middle = shape.middle
    height = min(shape.high[2] + _LOOK, 0.55)
    move_to(robot, np.array([middle[0] - _CAMERA, middle[1], height]), down(0), tolerance=0.025)
    seen = cloud(robot.observe(CAMERAS[1])).reshape(-1, 3)
    seen = seen[np.isfinite(seen).all(axis=1)]
    # The hand's own fingers are in this picture.
    seen = seen[seen[:, 2] < robot.arm.position[2] - 0.05]
    own = _own(seen, shape)
    whole = Shape(np.concatenate([shape.points, own]), shape.support)
    everything = np.concatenate([seen, shape.points])
    return find_grasps(everything, whole.points, shape.support), whole


def _own(seen: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the points of the view from above that are the thing's: its hidden side as well."""
    low, high = shape.low - 0.012, shape.high + 0.012
    # The camera in front of the robot sees the side that faces away from the robot.
    low[0] -= min(max(high[1] - low[1] - (high[0] - low[0]), 0), 0.05)
    near = ((seen[:, :2] > low[:2]) & (seen[:, :2] < high[:2])).all(axis=1)
    return seen[near & (seen[:, 2] > shape.support + 0.006) & (seen[:, 2] < high[2] + 0.01)]


def _held(grasp: Grasp, shape: Shape) -> Held:
    foot = np.append(shape.middle[:2], shape.support)
    return Held(foot - grasp.position, grasp.yaw, shape.high - shape.low)
