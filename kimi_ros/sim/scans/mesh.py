"""Scans: textured meshes read from OBJ, GLB or PLY, made light, and kept in a cache."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from kimi_ros.sim.scans.obj_file import Contents, read_obj
from kimi_ros.sim.scans.poses import stable_poses
from kimi_ros.sim.scans.texture import MAX_SIZE, Pyramid, pyramid

MAX_FACES, COARSE_FACES = 18_000, 1_000
"""Of the mesh that is seen, and of the one that casts shadows and touches others."""
_CLOSED = 0.005
_CACHE_VERSION = 6
_ARRAYS = (
    'vertices', 'normals', 'uv', 'faces', 'coarse_vertices', 'coarse_faces', 'poses',
    'pose_weights',
)  # fmt: skip


class ScanError(ValueError):
    """A scan cannot be used; the message names the file and says what to do."""


@dataclasses.dataclass(frozen=True)
class Scan:
    """One scanned thing, in metres, z up, its origin in the middle of its bounding box.

    :ivar vertices: float32 (n, 3).
    :ivar normals: float32 (n, 3), of the vertices, outwards, of unit length; close to 0 where the
        faces have no area.
    :ivar uv: float32 (n, 2) in 0-1, v down.
    :ivar faces: int32 (m, 3), counter-clockwise seen from outside.
    :ivar coarse_vertices: float32 (k, 3), of a coarser mesh for shadows and contact.
    :ivar coarse_faces: int32 (l, 3), of the same.
    :ivar poses: float32 (p, 3, 3), rotations in which it rests on a plane, likeliest first.
    :ivar pose_weights: float32 (p,), how likely it comes to rest in each of the poses; they
        add up to 1.
    :ivar closed: whether so little of the mesh is open that its inside is never seen.
    :ivar watertight: whether the mesh encloses a volume.
    :ivar original_faces: number of faces in the file.
    """

    vertices: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    faces: np.ndarray
    coarse_vertices: np.ndarray
    coarse_faces: np.ndarray
    texture: Pyramid
    poses: np.ndarray
    pose_weights: np.ndarray
    closed: bool
    watertight: bool
    original_faces: int

    @property
    def size(self) -> np.ndarray:
        """Extents along x, y, z, metres, float32 (3,)."""
        return np.ptp(self.vertices, axis=0)


def cache_folder() -> Path:
    """Return where light scans are kept: $XDG_CACHE_HOME or ~/.cache, kimi_ros/scans."""
    home = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(home) / 'kimi_ros' / 'scans'


def load_scan(path: Path, up: str = 'z', scale: float = 1.0) -> Scan:
    """Read a textured mesh; its light form is kept in `cache_folder()`.

    :param path: an .obj, .glb or .ply file that names a PNG or JPEG texture.
    :param up: which axis of the file points up: 'x', 'y' or 'z'.
    :param scale: metres of one unit of the file.
    :raises ScanError: when it is missing, broken, or has no texture.
    """
    path = Path(path)
    try:
        stat = path.stat()
    except OSError as error:
        raise ScanError(f'{path}: {error.strerror}') from error
    key = f'{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {up} {scale} {_CACHE_VERSION}'
    folder = cache_folder() / hashlib.sha256(key.encode()).hexdigest()[:24]
    if not folder.exists():
        _store(_read(path, up, scale), folder)
    return _load(folder)


def _read(path: Path, up: str, scale: float) -> Scan:
    import trimesh

    vertices, uv, faces, image = _contents(path)
    vertices = vertices * scale
    order = {'x': (1, 2, 0), 'y': (2, 0, 1), 'z': (0, 1, 2)}[up]
    vertices = vertices[:, order]
    vertices -= (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    original = len(faces)
    places, place = np.unique(vertices.round(7), axis=0, return_inverse=True)
    welded_faces = place.ravel()[faces]
    solid = (welded_faces != np.roll(welded_faces, 1, axis=1)).all(axis=1)  # no triangle of a line
    faces, welded_faces = faces[solid], welded_faces[solid]
    welded = trimesh.Trimesh(places, welded_faces, process=False)
    uv = np.column_stack([uv[:, 0], 1 - uv[:, 1]]) % 1.0001
    texture = pyramid(image, uv[faces])  # by the faces that it was made for
    if original > MAX_FACES:
        vertices, faces, uv = _simplify_textured(welded, vertices, faces, uv)
    coarse = _simplify(welded, COARSE_FACES)
    center = welded.center_mass if welded.is_watertight else welded.convex_hull.center_mass
    poses, weights = stable_poses(coarse[0], center)
    return Scan(
        vertices.astype(np.float32),
        _normals(vertices, faces),
        uv.astype(np.float32),
        faces.astype(np.int32),
        coarse[0].astype(np.float32),
        coarse[1].astype(np.int32),
        texture,
        poses.astype(np.float32),
        weights.astype(np.float32),
        _open_share(welded) < _CLOSED,
        bool(welded.is_watertight),
        original,
    )


def _contents(path: Path) -> Contents:
    """Return vertices, texture coordinates (v up), faces and the texture of a file."""
    if path.suffix.lower() == '.obj':
        try:
            return read_obj(path, MAX_SIZE)
        except (ValueError, OSError) as error:
            raise ScanError(f'{path}: {error}') from error
    import trimesh

    try:
        mesh = trimesh.load(path, force='mesh', process=False)
    except Exception as error:  # whatever its parsers raise on a broken file
        raise ScanError(f'{path}: not a mesh that can be read ({error})') from error
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        raise ScanError(f'{path}: no triangles in it')
    material, uv = getattr(mesh.visual, 'material', None), getattr(mesh.visual, 'uv', None)
    image = getattr(material, 'image', None) or getattr(material, 'baseColorTexture', None)
    if image is None or uv is None:
        raise ScanError(
            f'{path}: no texture found; give it a PNG or JPEG texture with texture coordinates. '
            'Colours at vertices are not used: bake them into a texture.'
        )
    image = np.asarray(image.convert('RGB'))
    return np.asarray(mesh.vertices), np.asarray(uv, float), np.asarray(mesh.faces), image


def _simplify(mesh, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices and faces of about so many faces (quadric edge collapse)."""
    import fast_simplification

    if len(mesh.faces) <= count:
        return np.asarray(mesh.vertices), np.asarray(mesh.faces)
    return fast_simplification.simplify(
        np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces), target_count=count
    )


def _simplify_textured(mesh, vertices, faces, uv):
    """Return lighter vertices, faces and texture coordinates; every corner has its own.

    A new face takes the texture of the old face nearest to its middle, continued over its plane:
    an atlas has seams anywhere, and no corner may be drawn from both sides of one.
    """
    from scipy.spatial import cKDTree

    light, light_faces = _simplify(mesh, MAX_FACES)
    corners = light[light_faces]
    old = vertices[faces]
    keep = np.linalg.norm(np.cross(old[:, 1] - old[:, 0], old[:, 2] - old[:, 0]), axis=1) > 1e-12
    old, old_uv = old[keep], uv[faces[keep]]
    _, nearest = cKDTree(old.mean(axis=1)).query(corners.mean(axis=1))
    a, b, c = np.moveaxis(old[nearest], 1, 0)
    u, v = b - a, c - a
    p = corners - a[:, None]
    uu, uv_, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    pu, pv = np.einsum('ijk,ik->ij', p, u), np.einsum('ijk,ik->ij', p, v)
    below = np.maximum(uu * vv - uv_ * uv_, 1e-20)[:, None]
    s = (vv[:, None] * pu - uv_[:, None] * pv) / below
    t = (uu[:, None] * pv - uv_[:, None] * pu) / below
    base, du, dv = (
        old_uv[nearest, 0],
        old_uv[nearest, 1] - old_uv[nearest, 0],
        old_uv[nearest, 2] - old_uv[nearest, 0],
    )
    new = base[:, None] + s[..., None] * du[:, None] + t[..., None] * dv[:, None]
    # A sliver of an old face says nothing beyond itself.
    reach = np.abs(old_uv[nearest] - base[:, None]).max(axis=(1, 2))
    far = np.abs(new - base[:, None]).max(axis=(1, 2)) > 12 * reach + 0.01
    new[far] = old_uv[nearest[far]].mean(axis=1, keepdims=True)
    count = 3 * len(light_faces)
    new = np.clip(new.reshape(count, 2), 0, 1)
    return corners.reshape(count, 3), np.arange(count).reshape(-1, 3), new


def _open_share(mesh) -> float:
    """Return the share of the edges that have a face on one side only."""
    edges, counts = np.unique(mesh.edges_sorted, axis=0, return_counts=True)
    return float((counts == 1).sum() / len(edges))


def _normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return float32 (n, 3), the mean of the faces around each place, larger ones more."""
    _, place = np.unique(vertices.round(6), axis=0, return_inverse=True)
    place = place.ravel()
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros((place.max() + 1, 3))
    for corner in range(3):
        np.add.at(sums, place[faces[:, corner]], normals)
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return sums[place].astype(np.float32)


def _store(scan: Scan, folder: Path) -> None:
    """Write it whole or not at all: several workers may come at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent))
    for name in _ARRAYS:
        np.save(part / f'{name}.npy', getattr(scan, name))
    np.save(part / 'texels.npy', scan.texture.texels)
    np.save(part / 'sizes.npy', scan.texture.sizes)
    np.save(part / 'facts.npy', np.array([scan.closed, scan.watertight, scan.original_faces]))
    try:
        part.rename(folder)
    except OSError:  # another worker was first
        shutil.rmtree(part)


def _load(folder: Path) -> Scan:
    arrays = {name: np.load(folder / f'{name}.npy') for name in _ARRAYS}
    closed, watertight, original = np.load(folder / 'facts.npy')
    # Mapped, so that several workers share one copy.
    texels = np.load(folder / 'texels.npy', mmap_mode='r')
    texture = Pyramid(np.asarray(texels), np.load(folder / 'sizes.npy'))
    return Scan(
        **arrays,
        texture=texture,
        closed=bool(closed),
        watertight=bool(watertight),
        original_faces=int(original),
    )
