"""From a seed to a scene of the full table: numbers only, the same on every machine."""

from __future__ import annotations

import dataclasses
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
from kimi_ros.sim.full.detailed_object import DetailedObject
from kimi_ros.sim.full.object_classes import (
    COLORS,
    NOMINAL_SIZES,
    SKIN,
)
from kimi_ros.sim.full.object_sampling import Group, sample_groups, vary_color
from kimi_ros.sim.full.shapes import make_shapes
from kimi_ros.sim.projection import camera_pose, intrinsics, project
from kimi_ros.sim.scene import Scene, SceneCamera, SceneTable
from kimi_ros.sim.scene_random import SceneRandom
from kimi_ros.sim.seeds import FIRST_EVALUATION_SEED, HeldOutSeedError

MARGIN, GAP = 6, 0.012
TRIES = 40
HAND_SHARE, PERSON_SHARE = 0.25, 0.18
FACING = ('sign', 'picture', 'bottle', 'can')
"""Kinds whose front, +x, is turned to the camera; a box's and a book's is -y."""


def full_scene(seed: int, held_out: bool = False) -> Scene:
    """Return the scene of a checked seed; see `kimi_ros.sim.sample_scene`.

    :raises HeldOutSeedError: when held-out pairs are asked for with a seed below
        FIRST_EVALUATION_SEED.
    """
    if held_out and seed < FIRST_EVALUATION_SEED:
        raise HeldOutSeedError(
            f'seed {seed}: held-out pairs are drawn only with seeds from {FIRST_EVALUATION_SEED} on'
        )
    # A stream of its own, so that the two tables of one seed do not resemble each other.
    draw = SceneRandom(seed + (2 + held_out) * 10**40)
    lights, table = sample_lights(draw), sample_table(draw)
    found = sample_groups(draw, held_out)
    while True:
        camera = sample_camera(draw)
        placed = _arrange(draw, found, camera, table)
        if placed is not None:
            return Scene(seed, placed + _people(draw, placed, camera, table), camera, lights, table)
        if len(found) > 3:
            found = found[:-1]


@functools.cache
def outline(category: str) -> np.ndarray:
    """Return a category's vertices at nominal size, z = 0 at its foot."""
    parts = make_shapes()[category]
    points = np.concatenate([p.mesh.vertices for p in parts if getattr(p, 'when', '') != 'hot'])
    return np.unique(points.round(5), axis=0)


def vertices(thing: DetailedObject) -> np.ndarray:
    """Return the object's vertices in the base frame, metres (n, 3)."""
    scale = np.asarray(thing.size) / NOMINAL_SIZES[thing.category]
    base = np.asarray(thing.position) - (0.0, 0.0, thing.size[2] / 2)
    return (outline(thing.category) * scale) @ thing.pose[:3, :3].T + base


def footprint(thing: DetailedObject) -> np.ndarray:
    """Return the corners (4, 2) of the rectangle that the object covers, metres."""
    points = (
        outline(thing.category)[:, :2]
        * (np.asarray(thing.size) / NOMINAL_SIZES[thing.category])[:2]
    )
    low, high = points.min(axis=0), points.max(axis=0)
    corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    return corners @ thing.pose[:2, :2].T + thing.position[:2]


def separation(one: np.ndarray, other: np.ndarray) -> float:
    """Return the widest gap between two rectangles (4, 2) along their sides; negative: overlap."""
    best = -math.inf
    for corners in (one, other):
        for side in (corners[1] - corners[0], corners[3] - corners[0]):
            axis = side / np.linalg.norm(side)
            a, b = one @ axis, other @ axis
            best = max(best, b.min() - a.max(), a.min() - b.max())
    return best


def _arrange(
    draw, found: list[Group], camera: SceneCamera, table: SceneTable
) -> tuple[DetailedObject, ...] | None:
    matrix, pose = intrinsics(camera.fov_y, WIDTH, HEIGHT), camera_pose(camera)
    placed: list[DetailedObject] = []
    taken: list[np.ndarray] = []
    views: list[tuple[float, np.ndarray]] = []
    for group in found:
        for _ in range(TRIES):
            moved = _moved(draw, group, camera, table, len(placed))
            ground = footprint(moved[0])
            if any(separation(ground, other) < GAP for other in taken):
                continue
            seen = [_view(t, matrix, pose) for t in moved]
            if any(v is None for v in seen) or not mostly_visible([*views, *seen[:1]], 0.5):
                continue
            placed += moved
            taken.append(ground)
            views.append(seen[0])
            break
        else:
            return None
    return tuple(placed)


def _moved(
    draw, group: Group, camera: SceneCamera, table: SceneTable, first: int
) -> list[DetailedObject]:
    x, y = draw.uniform(0.27, table.x_range[1] - 0.13), draw.uniform(-0.44, 0.44)
    away = math.atan2(y - camera.position[1], x - camera.position[0])
    moved = []
    for level, item in enumerate(group.things):
        yaw = draw.uniform(-math.pi, math.pi)
        if item.category == 'cup':
            yaw = away + math.pi + 0.62 * yaw
        elif item.category == 'book':
            yaw = away + math.pi / 2 + 0.75 * yaw
            if item.text:
                yaw = away - math.pi / 2 + 0.18 * yaw
            if level:  # books and blocks lie roughly along those that they lie on
                yaw = moved[-1].yaw + 0.06 * yaw
        elif item.category in FACING:
            yaw = away + math.pi + 0.16 * yaw
        elif item.category == 'box' and item.text:
            yaw = away - math.pi / 2 + 0.16 * yaw
        moved.append(
            dataclasses.replace(
                item,
                position=(x, y, item.position[2]),
                yaw=round(yaw, 6),
                support=first + level - 1 if level else -1,
            )
        )
    return moved


def _view(item: DetailedObject, matrix: np.ndarray, pose: np.ndarray):
    """Depth and coarse mask of an object, or None when it is cut off."""
    points = vertices(item)
    pixels = project(points, matrix, pose)
    low, high = pixels[:, :2].min(axis=0), pixels[:, :2].max(axis=0)
    if (low < MARGIN).any() or (high > (WIDTH - MARGIN, HEIGHT - MARGIN)).any():
        return None
    return float(pixels[:, 2].mean()), coarse_mask(pixels[:, :2])


def _people(draw, placed, camera: SceneCamera, table: SceneTable) -> tuple[DetailedObject, ...]:
    """Perhaps a hand that reaches in from a side, perhaps somebody at the far edge."""
    people = []
    taken = [footprint(item) for item in placed]
    if draw.uniform() < HAND_SHARE:
        for _ in range(TRIES):
            side = draw.choice((-1, 1))
            y = side * draw.uniform(0.30, 0.46)
            yaw = -side * math.pi / 2 + draw.uniform(-0.4, 0.4)
            hand = _living(draw, 'hand', (draw.uniform(0.36, 0.75), y), yaw)
            if all(separation(footprint(hand), other) > 0.01 for other in taken):
                people.append(hand)
                break
    if draw.uniform() < PERSON_SHARE:
        x = table.x_range[1] + 0.20
        person = _living(
            draw, 'person', (x, draw.uniform(-0.35, 0.35)), math.pi + draw.uniform(-0.2, 0.2)
        )
        if _in_view(person, camera):
            people.append(person)
    return tuple(people)


def _living(draw, category: str, at, yaw: float) -> DetailedObject:
    size = NOMINAL_SIZES[category]
    height = size[2] / 2 if category == 'hand' else size[2] / 2 - 0.06
    clothes = draw.choice(COLORS)
    return DetailedObject(
        category,
        '',
        (round(at[0], 6), round(at[1], 6), round(height, 6)),
        round(yaw, 6),
        size,
        vary_color(draw, clothes),
        relation='beside',
        skin=draw.choice(SKIN),
    )


def _in_view(person: DetailedObject, camera: SceneCamera) -> bool:
    pixels = project(vertices(person), intrinsics(camera.fov_y, WIDTH, HEIGHT), camera_pose(camera))
    inside = ((pixels[:, :2] > 0) & (pixels[:, :2] < (WIDTH, HEIGHT))).all(axis=1)
    return bool(inside.mean() > 0.12)
