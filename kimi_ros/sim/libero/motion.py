"""Moving the hand to a pose, in control steps that ask for small displacements."""

from __future__ import annotations

import cv2
import numpy as np

from kimi_ros.sim.libero.robot import MAX_ROTATION, MAX_TRANSLATION, Robot

OPEN, CLOSED = -1.0, 1.0
"""Commands to the gripper, the last number of an action."""
DOWN = np.diag([1.0, -1.0, -1.0])
"""Rotation hand -> base of a hand that points down, its fingers left and right."""

_GAIN = 2.0  # a step asks for more than the rest of the way, as the arm covers a part of it only
_PATIENCE = 6  # steps without progress after which something is in the way
_PROGRESS = 0.001  # metres or radians


def down(yaw: float) -> np.ndarray:
    """Return the rotation hand -> base, float64 (3, 3), of a hand that points down.

    :param yaw: radians; the fingers close along (-sin yaw, cos yaw) in the base frame.
    """
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ DOWN


def move_to(
    robot: Robot,
    position: np.ndarray,
    rotation: np.ndarray | None = None,
    gripper: float = OPEN,
    tolerance: float = 0.01,
    max_steps: int = 80,
    speed: float = 1.0,
) -> bool:
    """Move until the hand is there or does not come closer; return whether it is there.

    :param position: (3,), of the point between the fingertips, metres in the base frame.
    :param rotation: (3, 3), hand -> base; None keeps it as it is at the start.
    :param gripper: OPEN, CLOSED or between.
    :param tolerance: metres; for the rotation ten times as many radians.
    :param max_steps: control steps after which it gives up.
    :param speed: share of the greatest, 0 to 1.
    :raises OutOfSteps: when the task's control steps are used up.
    """
    rotation = robot.arm.rotation if rotation is None else rotation
    best, waited = np.inf, 0
    for _ in range(max_steps):
        arm = robot.arm
        shift, turn = position - arm.position, rotation_vector(rotation @ arm.rotation.T)
        miss = max(float(np.linalg.norm(shift)), float(np.linalg.norm(turn)) / 10)
        if miss < tolerance:
            return True
        waited = 0 if miss < best - _PROGRESS else waited + 1
        best = min(best, miss)
        if waited > _PATIENCE:
            return False
        robot.step(_action(shift, turn, gripper, speed))
    return False


def set_gripper(robot: Robot, gripper: float, steps: int = 8) -> None:
    """Open or close the gripper, the hand at rest.

    :param gripper: OPEN, CLOSED or between.
    :param steps: control steps that this takes.
    :raises OutOfSteps: when the task's control steps are used up.
    """
    for _ in range(steps):
        robot.step(np.array([0, 0, 0, 0, 0, 0, gripper]))


def rotation_vector(rotation: np.ndarray) -> np.ndarray:
    """Return the rotation vector (3,) of a matrix (3, 3): its axis times its angle in radians."""
    return cv2.Rodrigues(rotation)[0].ravel()


def _action(shift: np.ndarray, turn: np.ndarray, gripper: float, speed: float) -> np.ndarray:
    wanted = np.concatenate([_GAIN * shift / MAX_TRANSLATION, _GAIN * turn / MAX_ROTATION])
    for part in (wanted[:3], wanted[3:]):
        part *= min(1.0, speed / max(float(np.abs(part).max()), 1e-9))
    return np.append(wanted, gripper)
