"""What every world has: lights, a table, a camera, and a coarse grid over its image."""

import math

import numpy as np

from kimi_ros.sim.object_classes import TABLES
from kimi_ros.sim.scene import SceneCamera, SceneLight, SceneTable, Vector
from kimi_ros.sim.scene_random import SceneRandom

WIDTH, HEIGHT = 640, 480
"""Pixels of the image that scenes are laid out for."""

_ANGLES = np.arange(16) * math.pi / 8
_DIRECTIONS = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_CELL = 8
_CELLS = (
    np.stack(
        np.meshgrid(np.arange(_CELL / 2, WIDTH, _CELL), np.arange(_CELL / 2, HEIGHT, _CELL)),
        axis=-1,
    ).reshape(-1, 2)
    @ _DIRECTIONS.T
)


def coarse_mask(pixels: np.ndarray) -> np.ndarray:
    """Return which cells of 8x8 pixels the convex outline of pixels (n, 2) covers, bool (cells,).

    The outline is taken in 16 directions.
    """
    support = (pixels @ _DIRECTIONS.T).max(axis=0)
    return (_CELLS <= support).all(axis=1)


def mostly_visible(views, hidden: float) -> bool:
    """Return whether nearer objects hide at most this share of every farther one.

    :param views: the depth and the coarse mask of each object.
    """
    covered = np.zeros(len(_CELLS), bool)
    for _, mask in sorted(views, key=lambda view: view[0]):
        if (mask & covered).sum() > hidden * mask.sum():
            return False
        covered |= mask
    return True


def sample_lights(draw: SceneRandom) -> tuple[SceneLight, ...]:
    """Return a main light from above and a weaker one from the front."""
    warmth = draw.uniform(-0.04, 0.04)

    def tinted(level: float) -> Vector:
        return tuple(round(level * (1 + k * warmth), 6) for k in (1, 0, -1))

    def travelling(azimuth: float, elevation: float) -> Vector:
        flat = math.cos(elevation)
        return tuple(
            round(-c, 6)
            for c in (flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation))
        )

    exposure = draw.uniform(0.92, 1.12)
    main = SceneLight(
        travelling(draw.uniform(0, 2 * math.pi), math.radians(draw.uniform(42, 72))),
        tinted(exposure * draw.uniform(0.42, 0.52)),
        tinted(exposure * draw.uniform(0.40, 0.52)),
        draw.uniform(0.2, 0.5),
    )
    fill = SceneLight(
        travelling(math.pi + draw.uniform(-1.2, 1.2), math.radians(draw.uniform(25, 50))),
        (0.0, 0.0, 0.0),
        tinted(exposure * draw.uniform(0.10, 0.18)),
        0.0,
    )
    return main, fill


def sample_table(draw: SceneRandom) -> SceneTable:
    """Return the table top and what lies behind it."""

    def varied(rgb: Vector, spread: float) -> Vector:
        level = 1 + draw.uniform(-spread, spread)
        return tuple(round(c * level * (1 + draw.uniform(-0.02, 0.02)), 6) for c in rgb)

    material = draw.choice(tuple(TABLES))
    wall, floor = draw.uniform(0.45, 0.72), draw.uniform(0.22, 0.36)
    return SceneTable(
        material,
        varied(TABLES[material], 0.10),
        (0.0, draw.uniform(1.05, 1.35)),
        draw.uniform(0.65, 0.95),
        varied((wall, wall, wall), 0.05),
        varied((floor,) * 3, 0.05),
    )


def sample_camera(draw: SceneRandom) -> SceneCamera:
    """Return a camera that looks down at the table from in front of it."""
    pitch, yaw = math.radians(draw.uniform(36, 60)), math.radians(draw.uniform(-8, 8))
    distance = draw.uniform(0.66, 0.80)
    target = draw.uniform(0.50, 0.58), draw.uniform(-0.04, 0.04), 0.04
    forward = (math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), -math.sin(pitch))
    position = tuple(round(t - distance * f, 6) for t, f in zip(target, forward, strict=True))
    return SceneCamera(
        position, round(yaw, 6), round(pitch, 6), round(math.radians(draw.uniform(42, 48)), 6)
    )
