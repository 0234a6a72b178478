"""What a picture of scanned things consists of.

Everything is in the base frame: x forward, y left, z up, metres; a table's top is at z = 0.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from kimi_ros.sim.scans.mesh import Scan
from kimi_ros.sim.scans.texture import Pyramid

SETTINGS = ('table', 'backdrop')


@dataclasses.dataclass(frozen=True)
class ScanObject:
    """One scan in a scene.

    :ivar texture: the scan's own, or another.
    :ivar rotation: float (3, 3), its frame -> base frame.
    :ivar position: float (3,), the middle of its bounding box, metres in the base frame.
    :ivar gloss: strength of its highlights, 0-1.
    :ivar thing: id of the thing; '' for a made-up shape.
    :ivar kind: name of the kind that the thing or made-up shape is one of.
    :ivar name: first English name of the thing, '' for a made-up shape.
    :ivar color: one of `COLORS`, or ''.
    :ivar distractor: whether it is not what the thing's names mean.
    :ivar support: index of what it stands on or lies in, -1 for the table.
    :ivar relation: 'on' or 'in'.
    :ivar hazard: one of `HAZARDS`; '' for a made-up shape.
    """

    scan: Scan
    texture: Pyramid
    rotation: np.ndarray
    position: np.ndarray
    gloss: float
    thing: str
    kind: str
    name: str
    color: str
    distractor: bool = False
    support: int = -1
    relation: str = 'on'
    hazard: str = ''

    @property
    def vertices(self) -> np.ndarray:
        """float32 (n, 3), in the base frame."""
        return self._placed(self.scan.vertices)

    @property
    def coarse_vertices(self) -> np.ndarray:
        """float32 (k, 3), of the coarse mesh in the base frame."""
        return self._placed(self.scan.coarse_vertices)

    def _placed(self, vertices: np.ndarray) -> np.ndarray:
        return vertices @ self.rotation.T.astype(np.float32) + self.position.astype(np.float32)


@dataclasses.dataclass(frozen=True)
class ScanCamera:
    """A camera with square pixels and radial distortion.

    A ray (x, y, 1) of the optical frame is seen at focal * (x, y) * (1 + k1 r^2 + k2 r^4) from the
    middle of the image, r being the length of (x, y); k1 and k2 are the first two coefficients of
    OpenCV's model.

    :ivar focal: focal length as a share of the image's height.
    :ivar distortion: k1 and k2, without a unit.
    :ivar pose: float (4, 4), optical frame -> base frame.
    """

    focal: float
    distortion: tuple[float, float]
    pose: np.ndarray

    def intrinsics(self, width: int, height: int) -> np.ndarray:
        """Camera matrix, float (3, 3), for pixel centres at whole numbers."""
        focal = self.focal * height
        return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1.0]])

    def to_optical(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) of the base frame in the optical frame."""
        return (points - self.pose[:3, 3].astype(points.dtype)) @ self.pose[:3, :3].astype(
            points.dtype
        )


@dataclasses.dataclass(frozen=True)
class ScanLight:
    """A distant lamp: direction (3,) to it, linear color, softness: half its width in radians."""

    direction: np.ndarray
    color: np.ndarray
    softness: float


@dataclasses.dataclass(frozen=True)
class Surface:
    """A patterned plane: pattern's size in metres, turn, start (u, v), gain of linear RGB."""

    pattern: Pyramid
    size: float
    turn: float
    start: tuple[float, float]
    gain: np.ndarray


@dataclasses.dataclass(frozen=True)
class Room:
    """A table top, x0, x1, y0, y1 and thickness, with a floor at a z and a wall at an x."""

    table: tuple[float, float, float, float, float]
    floor: float
    wall: float
    surfaces: tuple[Surface, Surface, Surface]
    gloss: float


@dataclasses.dataclass(frozen=True)
class ScanScene:
    """One picture before it is drawn.

    :ivar seed: the scene is a function of it.
    :ivar setting: one of `SETTINGS`.
    :ivar sky: float (3,), light from above, linear RGB.
    :ivar ground: float (3,), light from below, linear RGB.
    :ivar room: what surrounds the objects of a table; None on a backdrop.
    :ivar backdrop: photograph behind the objects, uint8 (H, W, 3); None on a table.
    :ivar brightness: mean of the picture in linear light, 0-1.
    """

    seed: int
    setting: str
    objects: tuple[ScanObject, ...]
    camera: ScanCamera
    lights: tuple[ScanLight, ...]
    sky: np.ndarray
    ground: np.ndarray
    room: Room | None
    backdrop: np.ndarray | None
    brightness: float
