"""What a skill ends with."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Held:
    """What the hand holds, as it was grasped.

    :ivar offset: float64 (3,), from the point between the fingertips to the middle of the thing's
        foot, metres along the base frame's axes, while the hand has the yaw of the grasp.
    :ivar yaw: of the grasp, radians, as `motion.down` takes it.
    :ivar size: float64 (3,), extent of the thing along the base frame's axes, metres, as grasped.
    """

    offset: np.ndarray
    yaw: float
    size: np.ndarray


@dataclasses.dataclass(frozen=True)
class Result:
    """Whether a skill succeeded, why not, and what the hand then holds.

    :ivar reason: why it failed; '' where it succeeded.
    :ivar held: set by a pick that succeeded.
    """

    succeeded: bool
    reason: str = ''
    held: Held | None = None
