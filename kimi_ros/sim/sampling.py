"""From a seed to a scene: numbers only, no OpenGL, the same on every machine."""

import colorsys
import functools
import math
from collections.abc import Sequence

import numpy as np

from kimi_ros.sim.catalogue import (
    COLORS,
    HUE_SATURATION_VALUE,
    KINDS,
    NOMINAL_SIZES,
    TABLES,
)
from kimi_ros.sim.projection import camera_pose, intrinsics, project
from kimi_ros.sim.scene import Scene, SceneCamera, SceneLight, SceneObject, SceneTable, Vector
from kimi_ros.sim.shapes import make_shapes

WIDTH, HEIGHT = 640, 480
SAME_NAME_SHARE = 0.25
SAME_KIND_SHARE = 0.35
OBJECT_COUNTS = (2, 6)
WIDTH_RANGE = (48, 150)
HEIGHT_RANGE = (20, 185)
MARGIN = 8
GAP = 0.015
VISIBLE_SHARE = 0.80
TRIES_PER_OBJECT = 40

_ANGLES = np.arange(16) * math.pi / 8
_DIRECTIONS = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_CELL = 8
_CELLS = np.stack(np.meshgrid(np.arange(_CELL / 2, WIDTH, _CELL), np.arange(_CELL / 2, HEIGHT,
                              _CELL)), axis=-1).reshape(-1, 2) @ _DIRECTIONS.T


class _Draw:
    """Random numbers from PCG64's raw output, whose stream NumPy promises never to change."""

    def __init__(self, seed: int):
        self._bits = np.random.PCG64(seed)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        unit = (int(self._bits.random_raw()) >> 11) * 2.0**-53
        return round(low + (high - low) * unit, 6)

    def below(self, count: int) -> int:
        return int(self._bits.random_raw()) * count >> 64

    def choice(self, items: Sequence):
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence) -> list:
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items


WORLDS = ('small', 'full')
"""The table with 8 kinds that nano was trained on, and the one with everything."""


def sample_scene(seed: int, world: str = 'small', held_out: bool = False) -> Scene:
    """The scene of a seed.

    The small world: 2 to 6 objects that do not touch, each entirely inside a 640x480 frame (or
    any 4:3 frame), 48
    to 150 of its pixels wide and at least four fifths visible. In a quarter of the scenes two
    objects share kind and colour, in 35 % two share the kind alone, in the others all kinds differ.
    The full world: 3 to 8 groups of `Thing`s, see docs/table.md.

    Args:
        seed: a non-negative integer.
        world: one of `WORLDS`.
        held_out: of the full world only: one thing has a (kind, colour) of `HELD_OUT`, which is
            otherwise never drawn.

    Raises:
        ValueError: when the seed is no such integer, or the world is unknown or has no such pairs.
        HeldOutSeedError: when held-out pairs are asked for with a seed for training.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f'a scene seed is a non-negative integer, not {seed!r}')
    if world not in WORLDS or (held_out and world != 'full'):
        raise ValueError(f'no world {world!r} with held_out={held_out}: worlds are '
                         f'{", ".join(WORLDS)}, and only the full one holds pairs out')
    if world == 'full':
        from kimi_ros.sim.full.layout import full_scene  # which builds on this module
        return full_scene(int(seed), held_out)
    draw = _Draw(int(seed))
    names = _names(draw)
    lights = _lights(draw)
    table = _table(draw)
    while True:
        camera = _camera(draw)
        objects = _arrange(draw, names, camera, table)
        if objects is not None:
            return Scene(int(seed), objects, camera, lights, table)


def _names(draw: _Draw) -> list[tuple[str, str]]:
    count = OBJECT_COUNTS[0] + draw.below(OBJECT_COUNTS[1] - OBJECT_COUNTS[0] + 1)
    kinds = draw.shuffled(KINDS)[:count]
    names = [(kind, draw.choice(COLORS)) for kind in kinds]
    which = draw.uniform()
    if which < SAME_NAME_SHARE:
        names[1] = names[0]
    elif which < SAME_NAME_SHARE + SAME_KIND_SHARE:
        kind, color = names[0]
        names[1] = kind, draw.choice([other for other in COLORS if other != color])
    return draw.shuffled(names)


def _lights(draw: _Draw) -> tuple[SceneLight, ...]:
    warmth = draw.uniform(-0.04, 0.04)

    def tinted(level: float) -> Vector:
        return tuple(round(level * (1 + k * warmth), 6) for k in (1, 0, -1))

    def travelling(azimuth: float, elevation: float) -> Vector:
        flat = math.cos(elevation)
        return tuple(round(-c, 6) for c in (flat * math.cos(azimuth), flat * math.sin(azimuth),
                                            math.sin(elevation)))

    exposure = draw.uniform(0.92, 1.12)
    main = SceneLight(
        travelling(draw.uniform(0, 2 * math.pi), math.radians(draw.uniform(42, 72))),
        tinted(exposure * draw.uniform(0.42, 0.52)), tinted(exposure * draw.uniform(0.40, 0.52)),
        draw.uniform(0.2, 0.5))
    fill = SceneLight(
        travelling(math.pi + draw.uniform(-1.2, 1.2), math.radians(draw.uniform(25, 50))),
        (0.0, 0.0, 0.0), tinted(exposure * draw.uniform(0.10, 0.18)), 0.0)
    return main, fill


def _table(draw: _Draw) -> SceneTable:
    def varied(rgb: Vector, spread: float) -> Vector:
        level = 1 + draw.uniform(-spread, spread)
        return tuple(round(c * level * (1 + draw.uniform(-0.02, 0.02)), 6) for c in rgb)

    material = draw.choice(tuple(TABLES))
    wall, floor = draw.uniform(0.45, 0.72), draw.uniform(0.22, 0.36)
    return SceneTable(
        material, varied(TABLES[material], 0.10), (0.0, draw.uniform(1.05, 1.35)),
        draw.uniform(0.65, 0.95), varied((wall, wall, wall), 0.05), varied((floor,) * 3, 0.05))


def _camera(draw: _Draw) -> SceneCamera:
    pitch, yaw = math.radians(draw.uniform(36, 60)), math.radians(draw.uniform(-8, 8))
    distance = draw.uniform(0.66, 0.80)
    target = draw.uniform(0.50, 0.58), draw.uniform(-0.04, 0.04), 0.04
    forward = (math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), -math.sin(pitch))
    position = tuple(round(t - distance * f, 6) for t, f in zip(target, forward, strict=True))
    return SceneCamera(position, round(yaw, 6), round(pitch, 6),
                       round(math.radians(draw.uniform(42, 48)), 6))


@functools.cache
def _outline(kind: str) -> np.ndarray:
    """The vertices of a kind in units of its nominal extents, z = 0 in the middle."""
    points = np.concatenate([part.mesh.vertices for part in make_shapes()[kind]])
    points = np.unique(points.round(6), axis=0) / NOMINAL_SIZES[kind]
    return points - (0.0, 0.0, 0.5)


def _arrange(draw: _Draw, names: list[tuple[str, str]], camera: SceneCamera,
             table: SceneTable) -> tuple[SceneObject, ...] | None:
    """Place the objects one by one, or None when there is no room left for one of them."""
    matrix, pose = intrinsics(camera.fov_y, WIDTH, HEIGHT), camera_pose(camera)
    placed: list[SceneObject] = []
    seen: list[tuple[float, np.ndarray]] = []
    for kind, color in names:
        for _ in range(TRIES_PER_OBJECT):
            candidate = _object(draw, kind, color, camera, table)
            if not _has_room(candidate, placed):
                continue
            view = _view(candidate, matrix, pose)
            if view is None or not _all_visible([*seen, view]):
                continue
            placed.append(candidate)
            seen.append(view)
            break
        else:
            return None
    return tuple(placed)


def _object(draw: _Draw, kind: str, color: str, camera: SceneCamera,
            table: SceneTable) -> SceneObject:
    scale = draw.uniform(0.84, 1.20)
    size = [extent * scale for extent in NOMINAL_SIZES[kind]]
    if kind in ('book', 'box'):
        size = [extent * draw.uniform(0.94, 1.06) for extent in size]
    size = tuple(round(extent, 6) for extent in size)
    x, y = draw.uniform(0.28, table.x_range[1] - 0.12), draw.uniform(-0.42, 0.42)
    yaw = draw.uniform(-math.pi, math.pi)
    away = math.atan2(y - camera.position[1], x - camera.position[0])
    if kind == 'cup':
        # A handle behind the cup could not be seen: keep it on the near half or at the sides.
        yaw = round(away + math.pi + 0.62 * yaw, 6)
    if kind == 'book':
        # With the spine (at -y) in front no page would show: turn it away or to a side.
        yaw = round(away + math.pi / 2 + 0.75 * yaw, 6)
    hue, saturation, value = HUE_SATURATION_VALUE[color]
    rgb = colorsys.hsv_to_rgb(
        (hue + draw.uniform(-0.011, 0.011)) % 1.0, saturation * draw.uniform(0.92, 1.0),
        min(value * draw.uniform(0.90, 1.05), 1.0))
    return SceneObject(kind, color, (x, y, round(size[2] / 2, 6)), yaw, size,
                       tuple(round(c, 6) for c in rgb))


def _has_room(candidate: SceneObject, placed: list[SceneObject]) -> bool:
    return all(
        math.dist(candidate.position[:2], other.position[:2])
        > _radius(candidate) + _radius(other) + GAP for other in placed)


def _radius(item: SceneObject) -> float:
    """Of the circle about the object's axis that holds its footprint."""
    if item.kind in ('book', 'box', 'block'):
        return math.hypot(item.size[0], item.size[1]) / 2
    return float(np.abs(_outline(item.kind)[:, 0]).max() * item.size[0])


def _view(item: SceneObject, matrix: np.ndarray,
          pose: np.ndarray) -> tuple[float, np.ndarray] | None:
    """Depth and coarse mask of an object, or None when it is cut off, too small or too large."""
    points = (_outline(item.kind) * item.size) @ item.pose[:3, :3].T + item.position
    pixels = project(points, matrix, pose)
    low, high = pixels[:, :2].min(axis=0), pixels[:, :2].max(axis=0)
    if (low < MARGIN).any() or (high > (WIDTH - MARGIN, HEIGHT - MARGIN)).any():
        return None
    width, height = high - low
    if not (WIDTH_RANGE[0] <= width <= WIDTH_RANGE[1]
            and HEIGHT_RANGE[0] <= height <= HEIGHT_RANGE[1]):
        return None
    support = (pixels[:, :2] @ _DIRECTIONS.T).max(axis=0)
    return float(pixels[:, 2].mean()), (_CELLS <= support).all(axis=1)


def _all_visible(views: list[tuple[float, np.ndarray]]) -> bool:
    """Whether the nearer objects leave enough of every farther one to see."""
    covered = np.zeros(len(_CELLS), bool)
    for _, mask in sorted(views, key=lambda view: view[0]):
        if (mask & covered).sum() > (1 - VISIBLE_SHARE) * mask.sum():
            return False
        covered |= mask
    return True
