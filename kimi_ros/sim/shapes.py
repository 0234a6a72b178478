"""Triangle meshes of the objects, made in numpy at their nominal sizes.

Every mesh stands on z = 0 with its axis at the origin; faces turn counter-clockwise seen from
outside. A category consists of parts that differ in shade: hollow insides are darker, a book's
pages are paper.
"""

import dataclasses
import math

import numpy as np

from kimi_ros.sim.object_classes import NOMINAL_SIZES

SEGMENTS = 36
PAPER = (0.86, 0.82, 0.70)


@dataclasses.dataclass(frozen=True)
class Mesh:
    """Triangles: vertices and normals float64 (n, 3), faces int (m, 3)."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray


@dataclasses.dataclass(frozen=True)
class Part:
    """A mesh and how it is coloured: the object's colour times `shade`, or `rgb` where given."""

    mesh: Mesh
    shade: float = 1.0
    rgb: tuple[float, float, float] | None = None


def join(*meshes: Mesh) -> Mesh:
    """Several meshes as one."""
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([m.faces + offset for m, offset in zip(meshes, offsets, strict=True)]),
    )


def grid(points: np.ndarray, normals: np.ndarray) -> Mesh:
    """A sheet from points and normals (rows, columns, 3); rows go up where columns go left."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, 1:].ravel(), index[1:, :-1].ravel()
    faces = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return Mesh(points.reshape(-1, 3), normals.reshape(-1, 3), faces)


def revolve(*profiles: np.ndarray) -> Mesh:
    """Surface of revolution of (radius, z) polylines; the outside is to the right of the way.

    Normals are smooth within a polyline and break between them.
    """
    angles = np.linspace(0.0, 2 * math.pi, SEGMENTS + 1)
    cos, sin = np.cos(angles), np.sin(angles)
    sheets = []
    for profile in profiles:
        profile = np.asarray(profile, float)
        steps = np.diff(profile, axis=0)
        across = np.column_stack([steps[:, 1], -steps[:, 0]])
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        normal = np.concatenate([across[:1], across[:-1] + across[1:], across[-1:]])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        sheets.append(grid(_turn(profile, cos, sin), _turn(normal, cos, sin)))
    return join(*sheets)


def _turn(curve: np.ndarray, cos: np.ndarray, sin: np.ndarray) -> np.ndarray:
    radius, height = curve[:, :1], curve[:, 1:]
    return np.stack(
        [radius * cos, radius * sin, np.broadcast_to(height, (len(curve), len(cos)))], axis=-1
    )


def cuboid(low: tuple, high: tuple) -> Mesh:
    """An axis-aligned block between two corners, with flat sides."""
    sides = []
    for axis in range(3):
        for end, sign in ((low, -1.0), (high, 1.0)):
            u, v = (axis + 1) % 3, (axis + 2) % 3
            points = np.empty((2, 2, 3))
            points[..., axis] = end[axis]
            points[..., u] = [[low[u], high[u]], [low[u], high[u]]]
            points[..., v] = [[low[v], low[v]], [high[v], high[v]]]
            if sign < 0:
                points = points[:, ::-1]
            normals = np.zeros((2, 2, 3))
            normals[..., axis] = sign
            sides.append(grid(points, normals))
    return join(*sides)


def inside_out(mesh: Mesh) -> Mesh:
    """The same surface seen from the other side."""
    return Mesh(mesh.vertices, -mesh.normals, mesh.faces[:, ::-1])


def tube(path: np.ndarray, side: np.ndarray, radius: float) -> Mesh:
    """A round tube along a path (n, 3) lying in the plane that `side` (3,) is normal to."""
    tangents = np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    across = np.cross(side, tangents)
    angles = np.linspace(0.0, 2 * math.pi, 11)
    normals = (
        np.cos(angles)[None, :, None] * across[:, None]
        + np.sin(angles)[None, :, None] * np.asarray(side)[None, None]
    )
    mesh = grid(path[:, None] + radius * normals, normals)
    first = mesh.vertices[mesh.faces[:, 0]]
    facing = np.cross(
        mesh.vertices[mesh.faces[:, 1]] - first, mesh.vertices[mesh.faces[:, 2]] - first
    )
    if (facing * mesh.normals[mesh.faces[:, 0]]).sum() < 0:
        mesh = Mesh(mesh.vertices, mesh.normals, mesh.faces[:, ::-1])
    return mesh


def arc(center: tuple, radii: tuple, start: float, stop: float, count: int = 9) -> np.ndarray:
    """Points (count, 2) of an ellipse between two angles in degrees."""
    angles = np.radians(np.linspace(start, stop, count))
    return np.column_stack(
        [center[0] + radii[0] * np.cos(angles), center[1] + radii[1] * np.sin(angles)]
    )


def _book() -> list[Part]:
    x, y, z = (extent / 2 for extent in NOMINAL_SIZES['book'])
    board, overhang = 0.005, 0.005
    cover = join(
        cuboid((-x, -y, 0.0), (x, y, board)),
        cuboid((-x, -y, 2 * z - board), (x, y, 2 * z)),
        cuboid((-x, -y, board), (x, -y + board, 2 * z - board)),
    )
    pages = cuboid((-x + overhang, -y + board, board), (x - overhang, y - overhang, 2 * z - board))
    return [Part(cover), Part(pages, rgb=PAPER)]


def _cup() -> list[Part]:
    height, bottom, top, wall = 0.105, 0.036, 0.050, 0.004
    outer = [(0.0, 0.0), (bottom, 0.0)], [(bottom, 0.0), (top, height)]
    rim = [(top, height), (top - wall, height)]
    well = [(top - wall, height), (bottom - wall, 0.008)], [(bottom - wall, 0.008), (0.0, 0.008)]
    curve = arc((0.042, 0.055), (0.043, 0.033), 80, -80, 15)
    path = np.column_stack([curve[:, 0], np.zeros(len(curve)), curve[:, 1]])
    handle = tube(path, np.array([0.0, 1.0, 0.0]), 0.007)
    return [Part(join(revolve(*outer, rim), handle)), Part(revolve(*well), shade=0.50)]


def _bottle() -> list[Part]:
    body = np.concatenate(
        [
            arc((0.032, 0.008), (0.008, 0.008), -90, 0, 4),
            arc((0.013, 0.115), (0.027, 0.045), 0, 90, 10)[:-2],
            arc((0.030, 0.178), (0.016, 0.024), 250, 180, 6),
            [(0.0135, 0.205)],
        ]
    )
    cap = [(0.0165, 0.205), (0.0165, 0.230)], [(0.0165, 0.230), (0.0, 0.230)]
    ring = [(0.0135, 0.205), (0.0165, 0.205)]
    return [Part(revolve([(0.0, 0.0), (0.032, 0.0)], body)), Part(revolve(ring, *cap), shade=0.55)]


def _ball() -> list[Part]:
    return [Part(revolve(arc((0.0, 0.045), (0.045, 0.045), -90, 90, 19)))]


def _block() -> list[Part]:
    half = NOMINAL_SIZES['block'][0] / 2
    return [Part(cuboid((-half, -half, 0.0), (half, half, 2 * half)))]


def _bowl() -> list[Part]:
    outer = np.concatenate([arc((0.030, 0.072), (0.0525, 0.064), -90, 0, 10)])
    foot = [(0.0, 0.0), (0.034, 0.0)], [(0.034, 0.0), (0.034, 0.008)]
    rim = [(0.0825, 0.072), (0.0775, 0.072)]
    well = np.concatenate([arc((0.028, 0.072), (0.0495, 0.058), 0, -90, 10), [(0.0, 0.014)]])
    return [Part(revolve(*foot, outer, rim)), Part(revolve(well), shade=0.80)]


def _plate() -> list[Part]:
    outer = [(0.0, 0.0), (0.055, 0.0)], [(0.055, 0.0), (0.100, 0.019)]
    rim = [(0.100, 0.019), (0.099, 0.022), (0.096, 0.022)], [(0.096, 0.022), (0.068, 0.010)]
    step = [(0.068, 0.010), (0.062, 0.006)]
    floor = [(0.062, 0.006), (0.0, 0.006)]
    return [Part(revolve(*outer, *rim, floor)), Part(revolve(step), shade=0.70)]


def _box() -> list[Part]:
    x, y, z = NOMINAL_SIZES['box'][0] / 2, NOMINAL_SIZES['box'][1] / 2, NOMINAL_SIZES['box'][2]
    wall = 0.007
    low, high = (-x + wall, -y + wall, wall), (x - wall, y - wall, z)
    rim = join(
        cuboid((-x, -y, 0.0), (x, -y + wall, z)),
        cuboid((-x, y - wall, 0.0), (x, y, z)),
        cuboid((-x, -y + wall, 0.0), (-x + wall, y - wall, z)),
        cuboid((x - wall, -y + wall, 0.0), (x, y - wall, z)),
    )
    # The lining lies a hair inside the walls, so that it and not they are seen from above.
    hair = 0.0008
    lining = inside_out(
        cuboid(
            (low[0] + hair, low[1] + hair, low[2]), (high[0] - hair, high[1] - hair, high[2] - hair)
        )
    )
    lid = (lining.normals[lining.faces[:, 0], 2] < 0) & (
        lining.vertices[lining.faces[:, 0], 2] > z / 2
    )
    return [Part(rim), Part(Mesh(lining.vertices, lining.normals, lining.faces[~lid]), shade=0.50)]


def make_shapes() -> dict[str, list[Part]]:
    """The parts of every category, at nominal size."""
    return {
        'book': _book(),
        'cup': _cup(),
        'bottle': _bottle(),
        'ball': _ball(),
        'block': _block(),
        'bowl': _bowl(),
        'plate': _plate(),
        'box': _box(),
    }
