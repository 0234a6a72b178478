"""Conversion between ROS poses and matrices; no ROS needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class PoseError(ValueError):
    """Numbers that are not a pose; the message says what is expected."""


def pose_matrix(numbers: Sequence[float]) -> np.ndarray:
    """Return the pose as float64 (4, 4).

    :param numbers: 16, a row-major 4x4 matrix, or 7: x y z in metres and a quaternion x y z w.
    """
    values = np.asarray(numbers, float)
    if values.shape not in ((16,), (7,)) or not np.isfinite(values).all():
        raise PoseError(
            'a pose has 16 numbers (a 4x4 matrix, row-major) or 7 (x y z in metres and a '
            f'quaternion x y z w), all finite, not {list(numbers)}'
        )
    if len(values) == 7:
        return from_quaternion(values[:3], values[3:])
    pose = values.reshape(4, 4)
    rotation = pose[:3, :3]
    if not np.allclose(pose[3], (0, 0, 0, 1), atol=1e-6):
        raise PoseError(f'the last row of a pose must be 0 0 0 1, not {pose[3].tolist()}')
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) or np.linalg.det(rotation) < 0:
        raise PoseError('the upper left 3x3 of the pose is not a rotation')
    return pose


def from_quaternion(
    translation: Sequence[float] | np.ndarray, quaternion: Sequence[float] | np.ndarray
) -> np.ndarray:
    """Return float64 (4, 4) from metres and a quaternion x y z w, which need not be normalised."""
    norm = float(np.linalg.norm(quaternion))
    if norm < 1e-6:
        raise PoseError('the quaternion of a pose is zero')
    x, y, z, w = np.asarray(quaternion, float) / norm
    pose = np.eye(4)
    pose[:3, :3] = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    pose[:3, 3] = translation
    return pose


def to_quaternion(pose: np.ndarray) -> tuple[float, float, float, float]:
    """Return the rotation of a (4, 4) pose as a unit quaternion x y z w, w not negative."""
    r = np.asarray(pose, float)[:3, :3]
    # The eigenvector of the largest eigenvalue (Bar-Itzhack 2000): no case distinction.
    xx, xy, xz = r[0]
    yx, yy, yz = r[1]
    zx, zy, zz = r[2]
    k = np.array(
        [
            [xx - yy - zz, 0, 0, 0],
            [xy + yx, yy - xx - zz, 0, 0],
            [xz + zx, yz + zy, zz - xx - yy, 0],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    _, vectors = np.linalg.eigh(k)  # reads the lower triangle
    x, y, z, w = vectors[:, -1] * (1.0 if vectors[3, -1] >= 0 else -1.0)
    return float(x), float(y), float(z), float(w)
