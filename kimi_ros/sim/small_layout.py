"""The scenes of the small world: numbers only, no OpenGL, the same on every machine."""

import colorsys
import functools
import math

import numpy as np

from kimi_ros.sim.environment import (
    HEIGHT,
    WIDTH,
    coarse_mask,
    mostly_visible,
    sample_camera,
    sample_lights,
    sample_table,
)
from kimi_ros.sim.object_classes import (
    CATEGORIES,
    COLORS,
    HUE_SATURATION_VALUE,
    NOMINAL_SIZES,
)
from kimi_ros.sim.projection import camera_pose, intrinsics, project
from kimi_ros.sim.scene import Scene, SceneCamera, SceneObject, SceneTable
from kimi_ros.sim.scene_random import SceneRandom
from kimi_ros.sim.shapes import make_shapes

SAME_NAME_SHARE = 0.25
SAME_CATEGORY_SHARE = 0.35
OBJECT_COUNTS = (2, 6)
WIDTH_RANGE = (48, 150)
HEIGHT_RANGE = (20, 185)
MARGIN = 8
GAP = 0.015
VISIBLE_SHARE = 0.80
TRIES_PER_OBJECT = 40


def small_scene(seed: int) -> Scene:
    """Return the scene of a checked seed; see `kimi_ros.sim.sample_scene`."""
    draw = SceneRandom(seed)
    names = _names(draw)
    lights = sample_lights(draw)
    table = sample_table(draw)
    while True:
        camera = sample_camera(draw)
        objects = _arrange(draw, names, camera, table)
        if objects is not None:
            return Scene(seed, objects, camera, lights, table)


def _names(draw: SceneRandom) -> list[tuple[str, str]]:
    count = OBJECT_COUNTS[0] + draw.below(OBJECT_COUNTS[1] - OBJECT_COUNTS[0] + 1)
    categories = draw.shuffled(CATEGORIES)[:count]
    names = [(category, draw.choice(COLORS)) for category in categories]
    which = draw.uniform()
    if which < SAME_NAME_SHARE:
        names[1] = names[0]
    elif which < SAME_NAME_SHARE + SAME_CATEGORY_SHARE:
        category, color = names[0]
        names[1] = category, draw.choice([other for other in COLORS if other != color])
    return draw.shuffled(names)


@functools.cache
def _outline(category: str) -> np.ndarray:
    """The vertices of a category in units of its nominal extents, z = 0 in the middle."""
    points = np.concatenate([part.mesh.vertices for part in make_shapes()[category]])
    points = np.unique(points.round(6), axis=0) / NOMINAL_SIZES[category]
    return points - (0.0, 0.0, 0.5)


def _arrange(
    draw: SceneRandom, names: list[tuple[str, str]], camera: SceneCamera, table: SceneTable
) -> tuple[SceneObject, ...] | None:
    """Place the objects one by one, or None when there is no room left for one of them."""
    matrix, pose = intrinsics(camera.fov_y, WIDTH, HEIGHT), camera_pose(camera)
    placed: list[SceneObject] = []
    seen: list[tuple[float, np.ndarray]] = []
    for category, color in names:
        for _ in range(TRIES_PER_OBJECT):
            candidate = _object(draw, category, color, camera, table)
            if not _has_room(candidate, placed):
                continue
            view = _view(candidate, matrix, pose)
            if view is None or not mostly_visible([*seen, view], 1 - VISIBLE_SHARE):
                continue
            placed.append(candidate)
            seen.append(view)
            break
        else:
            return None
    return tuple(placed)


def _object(
    draw: SceneRandom, category: str, color: str, camera: SceneCamera, table: SceneTable
) -> SceneObject:
    scale = draw.uniform(0.84, 1.20)
    size = [extent * scale for extent in NOMINAL_SIZES[category]]
    if category in ('book', 'box'):
        size = [extent * draw.uniform(0.94, 1.06) for extent in size]
    size = tuple(round(extent, 6) for extent in size)
    x, y = draw.uniform(0.28, table.x_range[1] - 0.12), draw.uniform(-0.42, 0.42)
    yaw = draw.uniform(-math.pi, math.pi)
    away = math.atan2(y - camera.position[1], x - camera.position[0])
    if category == 'cup':
        # A handle behind the cup could not be seen: keep it on the near half or at the sides.
        yaw = round(away + math.pi + 0.62 * yaw, 6)
    if category == 'book':
        # With the spine (at -y) in front no page would show: turn it away or to a side.
        yaw = round(away + math.pi / 2 + 0.75 * yaw, 6)
    hue, saturation, value = HUE_SATURATION_VALUE[color]
    rgb = colorsys.hsv_to_rgb(
        (hue + draw.uniform(-0.011, 0.011)) % 1.0,
        saturation * draw.uniform(0.92, 1.0),
        min(value * draw.uniform(0.90, 1.05), 1.0),
    )
    return SceneObject(
        category, color, (x, y, round(size[2] / 2, 6)), yaw, size, tuple(round(c, 6) for c in rgb)
    )


def _has_room(candidate: SceneObject, placed: list[SceneObject]) -> bool:
    return all(
        math.dist(candidate.position[:2], other.position[:2])
        > _radius(candidate) + _radius(other) + GAP
        for other in placed
    )


def _radius(item: SceneObject) -> float:
    """Of the circle about the object's axis that holds its footprint."""
    if item.category in ('book', 'box', 'block'):
        return math.hypot(item.size[0], item.size[1]) / 2
    return float(np.abs(_outline(item.category)[:, 0]).max() * item.size[0])


def _view(
    item: SceneObject, matrix: np.ndarray, pose: np.ndarray
) -> tuple[float, np.ndarray] | None:
    """Depth and coarse mask of an object, or None when it is cut off, too small or too large."""
    points = (_outline(item.category) * item.size) @ item.pose[:3, :3].T + item.position
    pixels = project(points, matrix, pose)
    low, high = pixels[:, :2].min(axis=0), pixels[:, :2].max(axis=0)
    if (low < MARGIN).any() or (high > (WIDTH - MARGIN, HEIGHT - MARGIN)).any():
        return None
    width, height = high - low
    if not (
        WIDTH_RANGE[0] <= width <= WIDTH_RANGE[1] and HEIGHT_RANGE[0] <= height <= HEIGHT_RANGE[1]
    ):
        return None
    return float(pixels[:, 2].mean()), coarse_mask(pixels[:, :2])
