"""Reading textured OBJ files: what scanners write, many times faster than a general library."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

Contents = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def read_obj(path: Path, texture_size: int) -> Contents:
    """Return vertices float (n, 3), texture coordinates float (n, 2), faces int (m, 3), texture.

    A vertex that has several texture coordinates comes several times. Of several materials only
    the first texture is used, uint8 (H, W, 3); a larger one is halved towards `texture_size`.

    :raises ValueError: when it is no such file; the message says what is missing.
    :raises OSError: when it cannot be read.
    """
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    positions = _numbers(lines, 'v ', 3)
    coordinates = _numbers(lines, 'vt ', 2)
    corners = [corner for line in lines if line.startswith('f ') for corner in _corners(line)]
    if not corners or not len(positions):
        raise ValueError('no triangles in it')
    if not len(coordinates) or any(len(corner) < 2 or not corner[1] for corner in corners):
        raise ValueError('no texture coordinates (vt) in it')
    pairs = np.array([(int(corner[0]), int(corner[1])) for corner in corners])
    # Negative numbers count from the end.
    pairs = np.where(pairs < 0, pairs + (len(positions) + 1, len(coordinates) + 1), pairs) - 1
    if pairs.min() < 0 or (pairs.max(axis=0) >= (len(positions), len(coordinates))).any():
        raise ValueError('a face names a vertex that is not there')
    used, faces = np.unique(pairs, axis=0, return_inverse=True)
    texture = _texture(path, lines, texture_size)
    return positions[used[:, 0]], coordinates[used[:, 1]], faces.reshape(-1, 3), texture


def _numbers(lines: list[str], start: str, count: int) -> np.ndarray:
    return np.array(
        [line.split()[1 : count + 1] for line in lines if line.startswith(start)], float
    ).reshape(-1, count)


def _corners(line: str) -> list[list[str]]:
    """Return the corners of a face's triangles, a fan, each split at its slashes."""
    corners = [corner.split('/') for corner in line.split()[1:]]
    fan = [(0, i, i + 1) for i in range(1, len(corners) - 1)]
    return [corners[i] for triangle in fan for i in triangle]


def _texture(path: Path, lines: list[str], size: int) -> np.ndarray:
    materials = [line.split(maxsplit=1)[1].strip() for line in lines if line.startswith('mtllib ')]
    for material in materials:
        try:
            text = (path.parent / material).read_text(encoding='utf-8', errors='replace')
        except OSError:
            continue
        for line in text.splitlines():
            if line.strip().startswith('map_Kd '):
                return _image(path.parent / line.split(maxsplit=1)[1].strip(), size)
    raise ValueError('no texture: give it an .mtl (mtllib) with a PNG or JPEG (map_Kd)')


def _image(path: Path, size: int) -> np.ndarray:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ValueError(f'its texture {path} cannot be read: {error.strerror}') from error
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f'its texture {path} is not a PNG or JPEG')
    while max(image.shape[:2]) > 2 * size:
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
