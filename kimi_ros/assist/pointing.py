"""Where a thing is, seen from the hand or the head, as the person with the camera faces it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.geometry import estimate_position
from kimi_ros.assist.tracker import Box
from kimi_ros.speech.guidance import Offset

GUESSED = 0.5
"""Metres: where depth is missing, a direction is given as if the thing were so far."""


@dataclass(frozen=True)
class Place:
    """Where a thing is.

    :ivar xyz: (3,) metres in the optical frame, or None where depth is not valid.
    :ivar offset: from the hand.
    """

    xyz: np.ndarray | None
    offset: Offset


def place_of(frame: Frame, box: Box, hand: Sequence[float]) -> Place | None:
    """Return where a box is; None without intrinsics, which say in which direction a pixel lies.

    :param hand: (3,) metres, the point in the optical frame that is to be brought to the thing.
    """
    if frame.intrinsics is None:
        return None
    width, height = frame.size
    x = min(max((box[0] + box[2]) / 2, 0.0), width - 1.0)
    y = min(max((box[1] + box[3]) / 2, 0.0), height - 1.0)
    axes = person_axes(frame)
    position = estimate_position(replace(frame, camera_pose=None), (x, y), box)
    if position.xyz is None:
        ray = frame.rays(np.array([[x, y]]))[0]
        if not np.isfinite(ray).all():
            return None
        right, up, _ = axes @ (np.array([*ray, 1.0]) * GUESSED)
        return Place(None, Offset(float(right), float(up), None))
    xyz = np.array(position.xyz)
    right, up, forward = axes @ (xyz - np.asarray(hand, float))
    return Place(xyz, Offset(float(right), float(up), float(forward)))


def person_axes(frame: Frame) -> np.ndarray:
    """Return right, up and forward as unit rows (3, 3) in the optical frame.

    With the camera's pose, up is against gravity (z of `position_frame`, REP 103) and forward is
    level, whether the camera looks ahead or straight down. Without it the camera is taken as level.
    """
    if frame.camera_pose is None:
        return np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, 1]])
    up = np.asarray(frame.camera_pose, float)[2, :3]
    # Ahead of a level camera is z; of one that looks down it is the top of the image.
    ahead = np.array([0.0, -1.0, 1.0])
    ahead = ahead - up * (ahead @ up)
    forward = ahead / np.linalg.norm(ahead)
    return np.array([np.cross(forward, up), up, forward])
