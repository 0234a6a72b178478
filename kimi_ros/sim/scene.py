"""What a rendered world consists of: plain, frozen, serialisable.

Everything is in the robot's base frame: x forward, y left, z up, metres, origin on the plane of
the table top.
"""

import dataclasses
import math

import numpy as np

Vector = tuple[float, float, float]


@dataclasses.dataclass(frozen=True)
class SceneObject:
    """One upright object standing on the table.

    :ivar category: one of `CATEGORIES`.
    :ivar color: one of `COLORS`.
    :ivar position: centre of the object's body (for a cup: the axis, without the handle), metres.
    :ivar yaw: turn about z, radians.
    :ivar size: extents along the object's own axes, metres.
    :ivar rgb: the surface colour, 0-1, already varied a little around the named colour.
    """

    category: str
    color: str
    position: Vector
    yaw: float
    size: Vector
    rgb: Vector

    @property
    def name(self) -> str:
        """Colour and category in English, as in 'red cup'."""
        return f'{self.color} {self.category}'

    @property
    def pose(self) -> np.ndarray:
        """Object frame (origin in the centre) -> base frame, float64 (4, 4)."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        matrix = np.eye(4)
        matrix[:2, :2] = (cos, -sin), (sin, cos)
        matrix[:3, 3] = self.position
        return matrix


@dataclasses.dataclass(frozen=True)
class SceneCamera:
    """A pinhole camera with square pixels and its axis through the middle of the image.

    :ivar position: optical centre, metres.
    :ivar yaw: turn to the left of straight ahead, radians.
    :ivar pitch: angle below the horizon, radians.
    :ivar fov_y: vertical field of view, radians.
    """

    position: Vector
    yaw: float
    pitch: float
    fov_y: float


@dataclasses.dataclass(frozen=True)
class SceneLight:
    """A distant light; `direction` is the way the light travels; intensities in 0-1."""

    direction: Vector
    ambient: Vector
    diffuse: Vector
    specular: float


@dataclasses.dataclass(frozen=True)
class SceneTable:
    """The table top at z = 0 and what lies behind it; colours in 0-1.

    :ivar material: one of `TABLES`.
    :ivar rgb: colour of the top, varied a little around the material's.
    :ivar x_range: near and far edge, metres.
    :ivar half_width: from the middle to the side edges, metres.
    :ivar wall_rgb: colour of the wall behind.
    :ivar floor_rgb: colour of the floor.
    """

    material: str
    rgb: Vector
    x_range: tuple[float, float]
    half_width: float
    wall_rgb: Vector
    floor_rgb: Vector


@dataclasses.dataclass(frozen=True)
class Scene:
    """One world, a function of its seed alone."""

    seed: int
    objects: tuple[SceneObject, ...]
    camera: SceneCamera
    lights: tuple[SceneLight, ...]
    table: SceneTable

    def to_dict(self) -> dict:
        """The scene as lists, dicts, strings and numbers, ready for JSON."""
        return dataclasses.asdict(self)
