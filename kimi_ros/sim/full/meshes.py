"""Mesh primitives of the full world's objects, made in numpy."""

from __future__ import annotations

import dataclasses

import numpy as np

from kimi_ros.sim.shapes import Mesh, Part, arc, grid, join, revolve


@dataclasses.dataclass(frozen=True)
class FullPart(Part):
    """A part that may be see-through, glow, carry an image or belong to one state only.

    :ivar alpha: 1 opaque, less see-through.
    :ivar glow: emission, 0-1.
    :ivar image: what is painted on it, 'text' or 'picture'; '' for nothing.
    :ivar uv: float64 (n, 2), each vertex's place in the image, 0-1, v down; None without an image.
    :ivar when: '' always drawn; 'hot' drawn on objects that glow with heat; 'text' on those with
        writing; 'skin', 'sleeve' and 'hair' are always drawn, on people: in the colour of the
        person's skin, in that of what the person wears, in the one of all hair.
    """

    alpha: float = 1.0
    glow: float = 0.0
    image: str = ''
    uv: np.ndarray | None = None
    when: str = ''


def moved(mesh: Mesh, offset=(0, 0, 0), axes=None) -> Mesh:
    """Return the mesh turned or stretched by `axes` (3, 3) and then shifted by `offset`."""
    axes = np.eye(3) if axes is None else np.asarray(axes, float)
    normals = mesh.normals @ np.linalg.inv(axes)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Mesh(mesh.vertices @ axes.T + offset, normals, mesh.faces)


def prism(outline, low: float, high: float) -> Mesh:
    """Return a slab between two heights over a convex outline (n, 2), counter-clockwise."""
    outline = np.asarray(outline, float)
    sheets = []
    for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        points = np.array([[(*a, low), (*b, low)], [(*a, high), (*b, high)]])
        normal = np.array([b[1] - a[1], a[0] - b[0], 0.0])
        sheets.append(
            facing(grid(points, np.broadcast_to(normal / np.linalg.norm(normal), (2, 2, 3)).copy()))
        )
    for height, sign in ((low, -1.0), (high, 1.0)):
        n = len(outline)
        vertices = np.column_stack([outline, np.full(n, height)])
        fan = np.column_stack([np.zeros(n - 2, int), np.arange(1, n - 1), np.arange(2, n)])
        sheets.append(facing(Mesh(vertices, np.tile([0.0, 0.0, sign], (n, 1)), fan)))
    return join(*sheets)


def facing(mesh: Mesh) -> Mesh:
    """Turn the faces over when they look away from their normals."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    if (np.cross(b - a, c - a) * mesh.normals[mesh.faces[:, 0]]).sum() < 0:
        return Mesh(mesh.vertices, mesh.normals, mesh.faces[:, ::-1])
    return mesh


def ellipsoid(center, radii) -> Mesh:
    """Return an ellipsoid with axes along x, y, z."""
    return moved(revolve(arc((0.0, 0.0), (1.0, 1.0), -90, 90, 11)), center, np.diag(radii))


def limb(start, end, first: float, last: float) -> Mesh:
    """Return a round limb between two points with a radius at each end, closed by half balls."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(end - start))
    profile = np.concatenate(
        [arc((0.0, 0.0), (first, first), -90, 0, 5), arc((0.0, length), (last, last), 0, 90, 5)]
    )
    return moved(revolve(profile), start, _axes((end - start) / length))


def _axes(along) -> np.ndarray:
    """Return a rotation whose third column is `along`."""
    helper = np.array([0.0, 0.0, 1.0] if abs(along[2]) < 0.9 else [1.0, 0.0, 0.0])
    across = np.cross(helper, along)
    across /= np.linalg.norm(across)
    return np.column_stack([across, np.cross(along, across), along])


def panel(corner, right, up) -> tuple[Mesh, np.ndarray]:
    """Return a flat image carrier, from its lower left corner, with (u, v), v down."""
    corner, right, up = (np.asarray(v, float) for v in (corner, right, up))
    normal = np.cross(right, up)
    normal /= np.linalg.norm(normal)
    points = np.array([[corner, corner + right], [corner + up, corner + right + up]])
    mesh = facing(grid(points, np.broadcast_to(normal, (2, 2, 3)).copy()))
    return mesh, np.array([(0, 1), (1, 1), (0, 0), (1, 0)], float)
