"""Turn on, turn off: grip the ridge of a device's knob from above, and turn it."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.libero.motion import CLOSED, OPEN, down, move_to, set_gripper
from kimi_ros.sim.libero.points import Target, cloud, shape_at
from kimi_ros.sim.libero.robot import CAMERAS, Robot
from kimi_ros.sim.libero.skills.result import Result

_STANDS_OUT = 0.012  # metres that a knob stands out from its device
_RADIUS = 0.06  # metres, of a knob
_RIDGE = 0.012  # metres below a knob's top that are its ridge
_GRIP = 0.018  # metres from the ridge's top down to the fingertips
_TURN = np.radians(70)
_STEP = np.radians(14)


def turn_on(robot: Robot, target: Target) -> Result:
    """Turn a device's knob counter-clockwise, seen from above."""
    return _turn(robot, target, _TURN)


def turn_off(robot: Robot, target: Target) -> Result:
    """Turn a device's knob clockwise, seen from above."""
    return _turn(robot, target, -_TURN)


def _turn(robot: Robot, target: Target, angle: float) -> Result:
    knob = _knob(robot, target)
    if knob is None:
        return Result(False, 'no knob stands out from it')
    top, yaw = knob
    grip = top - [0, 0, _GRIP]
    move_to(robot, top + [0, 0, 0.07], down(yaw), tolerance=0.012)
    move_to(robot, grip, down(yaw), tolerance=0.006, speed=0.7)
    set_gripper(robot, CLOSED, 7)
    # In small turns: far from where it should be the hand would let go of its place.
    for turned in np.arange(_STEP, abs(angle) + _STEP / 2, _STEP):
        goal = down(yaw + np.sign(angle) * turned)
        move_to(robot, grip, goal, CLOSED, tolerance=0.02, max_steps=12)
    turned = _yaw(robot.arm.rotation) - yaw
    set_gripper(robot, OPEN, 5)
    move_to(robot, top + [0, 0, 0.10], None, tolerance=0.03)
    if abs(np.angle(np.exp(1j * turned))) < abs(angle) / 2:
        return Result(False, 'the knob did not turn')
    return Result(True)


def _knob(robot: Robot, target: Target) -> tuple[np.ndarray, float] | None:
    """Return the top of a device's knob, and the yaw of a hand that closes across its ridge."""
    shape = shape_at(target)
    heights = shape.points[:, 2]
    plate = np.median(heights)
    high = shape.points[heights > plate + _STANDS_OUT]
    if len(high) < 5:
        return None
    middle = np.median(high, axis=0)
    # The table's camera sees one side of it: look from above.
    move_to(
        robot, np.array([middle[0] - 0.05, middle[1], middle[2] + 0.2]), down(0), tolerance=0.02
    )
    seen = cloud(robot.observe(CAMERAS[1])).reshape(-1, 3)
    near = np.linalg.norm(seen[:, :2] - middle[:2], axis=1) < _RADIUS
    near &= (seen[:, 2] > plate) & (seen[:, 2] < middle[2] + 0.03)
    if near.sum() < 20:
        return None
    seen = seen[near]
    ridge = seen[seen[:, 2] > np.percentile(seen[:, 2], 99) - _RIDGE]
    centre = (ridge.min(axis=0) + ridge.max(axis=0)) / 2
    along = np.linalg.svd(ridge[:, :2] - ridge[:, :2].mean(axis=0), full_matrices=False)[2][0]
    yaw = float(np.arctan2(along[1], along[0]))
    yaw = (yaw + np.pi / 2) % np.pi - np.pi / 2
    return np.append(centre[:2], np.percentile(ridge[:, 2], 95)), yaw


def _yaw(rotation: np.ndarray) -> float:
    """Return the yaw of a hand that looks down."""
    return float(np.arctan2(rotation[1, 0], rotation[0, 0]))
