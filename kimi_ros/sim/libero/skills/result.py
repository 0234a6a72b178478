"""What a skill ends with."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Held:
    """What the hand holds, as it was grasped.

    Attributes:
        offset: float64 (3,), from the point between the fingertips to the middle of the thing's
            foot, base frame, at the yaw of the grasp.
        yaw: of the grasp.
        size: float64 (3,), extent of the thing along the base frame's axes.
    """

    offset: np.ndarray
    yaw: float
    size: np.ndarray


@dataclasses.dataclass(frozen=True)
class Result:
    """Whether a skill did what it should, why not, and what the hand then holds."""

    succeeded: bool
    reason: str = ''
    held: Held | None = None
