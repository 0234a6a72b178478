"""How far a point is from an object's surface."""

from __future__ import annotations

import functools

import numpy as np

from kimi_ros.sim.full.detailed_object import DetailedObject
from kimi_ros.sim.full.object_classes import NOMINAL_SIZES
from kimi_ros.sim.full.shapes import make_shapes

SPACING = 0.006


@functools.cache
def _points(category: str) -> np.ndarray:
    """Return points (n, 3) of a category's surface at nominal size, at most SPACING apart."""
    found = []
    for part in make_shapes()[category]:
        if getattr(part, 'when', '') == 'hot':
            continue
        for face in part.mesh.vertices[part.mesh.faces]:
            longest = max(np.linalg.norm(face[i] - face[i - 1]) for i in range(3))
            steps = max(1, int(np.ceil(longest / SPACING)))
            a, b = np.mgrid[0 : steps + 1, 0 : steps + 1] / steps
            inside = a + b <= 1 + 1e-9
            a, b = a[inside][:, None], b[inside][:, None]
            found.append(face[0] + a * (face[1] - face[0]) + b * (face[2] - face[0]))
    return np.unique(np.concatenate(found).round(3), axis=0)


def surface_distance(thing: DetailedObject, point: np.ndarray) -> float:
    """Return the metres from a point in the base frame to the object's surface, to about 3 mm."""
    scale = np.asarray(thing.size) / NOMINAL_SIZES[thing.category]
    base = np.asarray(thing.position) - (0.0, 0.0, thing.size[2] / 2)
    if np.linalg.norm(point - thing.position) > np.linalg.norm(thing.size) + 0.1:
        return float('inf')
    local = (point - base) @ thing.pose[:3, :3]
    return float(np.linalg.norm(_points(thing.category) * scale - local, axis=1).min())
