"""Shapes that nobody has a name for here, printed with anything: what a model does not know."""

from __future__ import annotations

import functools
import math

import numpy as np

from kimi_ros.sim.scans.mesh import Scan
from kimi_ros.sim.scans.patterns import pattern
from kimi_ros.sim.scans.poses import stable_poses

KINDS = ('box', 'can', 'bottle', 'ball', 'cup', 'block')
COUNT = 60
_SEGMENTS = 28


@functools.cache
def made_up(number: int) -> Scan:
    """Return the shape of a number below `COUNT`; its kind is `kind_of(number)`."""
    rng = np.random.default_rng([number, 11])
    kind = kind_of(number)
    if kind in ('box', 'block'):
        sides = rng.uniform(0.02, 0.11, 3) if kind == 'block' else rng.uniform(0.03, 0.20, 3)
        vertices, uv, faces = _cuboid(sides)
    else:
        vertices, uv, faces = _revolved(_PROFILES[kind](rng))
    vertices = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    normals = _corner_normals(vertices, faces)
    poses, weights = stable_poses(vertices, np.zeros(3))
    floats = [a.astype(np.float32) for a in (vertices, normals, uv)]
    faces = faces.astype(np.int32)
    return Scan(
        *floats, faces, floats[0], faces, pattern(number), poses.astype(np.float32),
        weights.astype(np.float32), kind != 'cup', kind != 'cup', len(faces),
    )  # fmt: skip


def kind_of(number: int) -> str:
    """Return what a made-up shape looks like."""
    return KINDS[number % len(KINDS)]


def _cuboid(sides: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vertices, uv = [], []
    for axis in range(3):
        for sign in (-1, 1):
            square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)][:: sign or 1], float)
            corner = np.empty((4, 3))
            corner[:, axis] = sign
            corner[:, (axis + 1) % 3], corner[:, (axis + 2) % 3] = square.T
            vertices.append(corner * sides / 2)
            uv.append((square + 1) / 2)
    quads = np.arange(24).reshape(6, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return np.concatenate(vertices), np.concatenate(uv), faces


def _revolved(profile: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the surface of a (radius, z) polyline, its outside to the right of the way up."""
    angles = np.linspace(0, 2 * math.pi, _SEGMENTS + 1)
    radius, z = profile[:, :1], profile[:, 1:]
    points = np.stack(
        [
            radius * np.cos(angles),
            radius * np.sin(angles),
            np.broadcast_to(z, (len(z), len(angles))),
        ],
        axis=-1,
    )
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(angles / (2 * math.pi), (way / way[-1])[:, None]), axis=-1)
    index = np.arange(points.shape[0] * points.shape[1]).reshape(points.shape[:2])
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, 1:].ravel(), index[1:, :-1].ravel()
    faces = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return points.reshape(-1, 3), uv.reshape(-1, 2), faces


def _can(rng) -> np.ndarray:
    r, h = rng.uniform(0.02, 0.05), rng.uniform(0.03, 0.16)
    return np.array([(0, 0), (r, 0), (r, h / 2), (r, h), (0, h)])


def _bottle(rng) -> np.ndarray:
    r, h = rng.uniform(0.02, 0.045), rng.uniform(0.10, 0.26)
    neck, shoulder = r * rng.uniform(0.25, 0.6), rng.uniform(0.5, 0.75)
    return np.array(
        [(0, 0), (r, 0), (r * rng.uniform(0.8, 1.1), h * shoulder / 2), (r, h * shoulder),
         (neck, h * (shoulder + 0.12)), (neck, h), (0, h)]
    )  # fmt: skip


def _ball(rng) -> np.ndarray:
    r = rng.uniform(0.018, 0.06)
    angles = np.linspace(-math.pi / 2, math.pi / 2, 15)
    return np.column_stack([r * np.cos(angles), r * rng.uniform(0.7, 1.15) * np.sin(angles)])


def _cup(rng) -> np.ndarray:
    low, high, h = rng.uniform(0.02, 0.04), rng.uniform(0.03, 0.05), rng.uniform(0.05, 0.11)
    wall = 0.003
    return np.array([(0, 0), (low, 0), (high, h), (high - wall, h), (low - wall, wall), (0, wall)])


_PROFILES = {'can': _can, 'bottle': _bottle, 'ball': _ball, 'cup': _cup}


def _corner_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(sums, faces[:, corner], normals)
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
