"""Registering depth to colour: the depth of one camera as another camera would measure it."""

from __future__ import annotations

import math

import numpy as np

from kimi_ros.agent.lens import Distortion, pixels_of, ray_map

_NEAREST = 0.05  # metres; nothing nearer is projected
_MAX_SPLAT = 6  # pixels


def register_depth(
    depth: np.ndarray,
    depth_matrix: np.ndarray,
    depth_distortion: Distortion | None,
    transform: np.ndarray,
    size: tuple[int, int],
    matrix: np.ndarray,
    distortion: Distortion | None,
) -> np.ndarray:
    """Return the depth in the colour camera, float32 (H, W), metres; 0 where there is none.

    Every depth pixel is projected into the colour image, over as many pixels as it covers there;
    of several the nearest counts.

    :param depth: float (h, w), metres; 0 and non-finite values are invalid.
    :param depth_matrix: camera matrix (3, 3) of the depth camera.
    :param transform: (4, 4), takes points of the depth camera's optical frame to the colour's.
    :param size: (width, height) of the colour image.
    :param matrix: camera matrix (3, 3) of the colour camera.
    """
    rays = ray_map(depth.shape[::-1], depth_matrix, depth_distortion)
    valid = np.isfinite(depth) & (depth > 0)
    z = depth[valid].astype(float)
    points = np.column_stack([rays[valid] * z[:, None], z])
    points = points @ transform[:3, :3].T + transform[:3, 3]
    points = points[points[:, 2] > _NEAREST]
    registered = np.zeros(size[::-1], np.float32)
    if not len(points):
        return registered
    # The nearest last: of equal indices numpy keeps the last value.
    points = points[np.argsort(-points[:, 2])]
    pixels = pixels_of(points[:, :2] / points[:, 2:], matrix, distortion)
    splat = min(_MAX_SPLAT, math.ceil(matrix[0, 0] / depth_matrix[0, 0]))
    # A little more than a half, or noise would leave gaps where pixels fall between two others.
    pixels = np.floor(pixels - (splat - 1) / 2 + 0.501)
    pixels = np.nan_to_num(pixels, nan=-1e6).astype(np.int64)
    offsets = np.stack(np.meshgrid(np.arange(splat), np.arange(splat)), axis=-1).reshape(-1, 2)
    covered = (pixels[:, None] + offsets).reshape(-1, 2)
    values = np.repeat(points[:, 2], len(offsets))
    inside = ((covered >= 0) & (covered < size)).all(axis=1)
    registered[covered[inside, 1], covered[inside, 0]] = values[inside]
    return registered
