"""The poses in which a rigid body comes to rest on a plane."""

from __future__ import annotations

import math

import numpy as np

DIRECTIONS = 2_000
_ALIKE = math.cos(math.radians(12))
_LEAST_WEIGHT = 0.015
_MOST_POSES = 24
_MOST_ROLLS = 12  # each doubles the number of faces rolled over


def stable_poses(points: np.ndarray, center: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations float (p, 3, 3) and how likely each is, float (p,), likeliest first.

    The body is let down slowly in `DIRECTIONS` directions spread evenly, and rolls over the faces
    of its convex hull until its centre of mass is above the one it lies on.

    :param points: float (n, 3), at least four of them not in one plane.
    :param center: float (3,), centre of mass.
    """
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(points - center)
    except QhullError:  # flat: lies on either side
        return np.stack([np.eye(3), np.diag([1.0, -1.0, -1.0])]), np.array([0.5, 0.5])
    normals, heights = hull.equations[:, :3], np.maximum(-hull.equations[:, 3], 1e-9)
    rests = _rolls_to(normals, normals, heights)
    for _ in range(_MOST_ROLLS):
        rests = rests[rests]
    landed = rests[_rolls_to(_sphere(DIRECTIONS), normals, heights)]
    faces, counts = np.unique(landed, return_counts=True)
    weights = dict(zip(faces.tolist(), (counts / DIRECTIONS).tolist(), strict=True))
    kept: list[list] = []
    for face in sorted(weights, key=weights.get, reverse=True):
        for known in kept:
            if normals[face] @ normals[known[0]] > _ALIKE:
                known[1] += weights[face]
                break
        else:
            kept.append([face, weights[face]])
    kept.sort(key=lambda k: -k[1])
    # A ball has nothing but unlikely poses.
    kept = [k for k in kept if k[1] >= _LEAST_WEIGHT] or kept
    kept = kept[:_MOST_POSES]
    rotations = np.stack([_down(normals[face]) for face, _ in kept])
    shares = np.array([share for _, share in kept])
    return rotations, shares / shares.sum()


def _rolls_to(directions: np.ndarray, normals: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return the face through which a ray from the centre of mass leaves, for each direction."""
    found = np.empty(len(directions), np.int64)
    for start in range(0, len(directions), 512):
        cosines = directions[start : start + 512] @ normals.T
        away = np.where(cosines > 1e-9, heights / np.maximum(cosines, 1e-9), np.inf)
        found[start : start + 512] = away.argmin(axis=1)
    return found


def _sphere(count: int) -> np.ndarray:
    """Return directions spread evenly, float (count, 3)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    angle = math.pi * (1 + math.sqrt(5)) * index
    around = np.sqrt(1 - z * z)
    return np.column_stack([around * np.cos(angle), around * np.sin(angle), z])


def _down(normal: np.ndarray) -> np.ndarray:
    """Return the smallest rotation that turns `normal` to -z."""
    axis = np.cross(normal, (0.0, 0.0, -1.0))
    sin, cos = np.linalg.norm(axis), -normal[2]
    if sin < 1e-9:
        return np.eye(3) if cos > 0 else np.diag([1.0, -1.0, -1.0])
    x, y, z = axis / sin
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + sin * k + (1 - cos) * k @ k
