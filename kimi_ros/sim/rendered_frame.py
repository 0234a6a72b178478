"""A rendered camera frame with depth, segmentation and pose."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class RenderedFrame:
    """One image with what belongs to it.

    :ivar rgb: uint8 (H, W, 3).
    :ivar depth: float32 (H, W), metres along the optical axis, 0 where nothing was hit; None when
        it was not asked for.
    :ivar segmentation: int16 (H, W), index into the scene's objects, -1 elsewhere; or None.
    :ivar intrinsics: float64 (3, 3), for pixel centres at whole numbers.
    :ivar camera_pose: float64 (4, 4), optical frame -> base frame.
    :ivar unoccluded_pixels: how many pixels each object would show if nothing occluded it; or None.
    """

    rgb: np.ndarray
    depth: np.ndarray | None
    segmentation: np.ndarray | None
    intrinsics: np.ndarray
    camera_pose: np.ndarray
    unoccluded_pixels: tuple[int, ...] | None = None
