"""Spots on the table: requests to put something beside something, and the truth about both.

Sides are the viewer's: left in the image, in front is nearer to the camera. Evaluation only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kimi_ros.sim.footprint import footprint_distance, is_on_table
from kimi_ros.sim.full.object_classes import PEOPLE
from kimi_ros.sim.language import add_politeness, verbalize
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.scene import Scene
from kimi_ros.sim.tasks import Task
from kimi_ros.sim.truth import ObjectTruth

RELATIONS = {
    'left_of': ('to the left of', '左边'),
    'right_of': ('to the right of', '右边'),
    'in_front_of': ('in front of', '前面'),
    'behind': ('behind', '后面'),
    'next_to': ('next to', '旁边'),
    'between': ('between', '中间'),
}
_TEMPLATES = {
    'en': (
        'put {thing} {place}',
        'place {thing} {place}',
        'set {thing} down {place}',
        'move {thing} so that it is {place}',
        'could you put {thing} {place}?',
        'I want {thing} to stand {place}',
        '{thing} should go {place}',
        'take {thing} and put it {place}',
    ),
    'zh': (
        '把{thing}放到{place}',
        '将{thing}放在{place}',
        '把{thing}移到{place}',
        '麻烦把{thing}放在{place}',
        '拿起{thing}，放到{place}',
        '{thing}放到{place}去',
        '我想把{thing}放在{place}',
    ),
}
CELL = 0.01
"""Metres; a side of the grid on which the truth about free spots is computed."""
SECTOR = math.radians(60)
"""Up to this angle from straight left a spot is still left of something."""
DISTANCE = 0.45
"""Metres from the middle of a landmark within which a spot is still beside it."""
_CLEAR_SECTOR, _CLEAR_DISTANCE, _CLEAR_MARGIN = math.radians(35), 0.30, 0.03
"""A free spot within these stricter limits is no borderline case."""


@dataclass(frozen=True)
class PlacementTask(Task):
    """A request to put something in a relation to one or two landmarks.

    :ivar relation: a key of `RELATIONS`.
    :ivar thing: place in the scene's truth of what is to be moved.
    :ivar landmarks: places in the scene's truth of the landmarks.
    :ivar possible: whether there is a free spot.
    """

    relation: str = ''
    thing: int = -1
    landmarks: tuple[int, ...] = ()
    possible: bool = True


def sample_placement(
    objects: Sequence[ObjectTruth], scene: Scene, frame: RenderedFrame, language: str, rng
) -> PlacementTask | None:
    """Return a request without borderline cases, or None if the scene has none.

    Where there clearly is no free spot, the right plan is infeasible.
    """
    alone = [
        i
        for i, o in enumerate(objects)
        if o.category not in PEOPLE
        and o.support == -1
        and not any(p.support == o.index for p in objects)
        and _is_unique(o, objects)
    ]
    order = [(i, j) for i in alone for j in alone if i != j]
    for at in rng.permutation(len(order))[:20]:
        thing, landmark = order[at]
        relation = list(RELATIONS)[int(rng.integers(len(RELATIONS)))]
        landmarks = (landmark,)
        if relation == 'between':
            others = [i for i in alone if i not in (thing, landmark)]
            if not others:
                continue
            landmarks = (landmark, others[int(rng.integers(len(others)))])
        possible = free_spot(objects, scene, frame, relation, thing, landmarks)
        if possible is not None:
            return _task(objects, relation, thing, landmarks, possible, language, rng)
    return None


def free_spot(
    objects: Sequence[ObjectTruth],
    scene: Scene,
    frame: RenderedFrame,
    relation: str,
    thing: int,
    landmarks: Sequence[int],
) -> bool | None:
    """Tell whether there is a spot in view for a thing; None where one could argue.

    Nothing is a spot that the camera does not see: it cannot be known to be free.
    """
    x_min, x_max = scene.table.x_range
    half = scene.table.half_width
    columns, rows = np.arange(-half, half, CELL), np.arange(x_min, x_max, CELL)
    grid = np.stack(np.meshgrid(columns, rows)[::-1], axis=2)  # (rows, columns, x y)
    seen = _is_seen(grid, frame)
    own = scene.objects[objects[thing].index]
    blocked = np.zeros(seen.shape, bool)
    for item in scene.objects:
        if item is not own:
            blocked |= footprint_distance(item, grid) <= 0
    free = np.pad((seen & ~blocked).astype(np.uint8), 1)
    room = cv2.distanceTransform(free, cv2.DIST_L2, 5)[1:-1, 1:-1] * CELL
    marks = [scene.objects[objects[i].index] for i in landmarks]
    radius = max(own.size[:2]) / 2
    strict = _is_in_relation(grid, relation, marks, frame, _CLEAR_SECTOR, _CLEAR_DISTANCE + radius)
    if (strict & (room > radius + _CLEAR_MARGIN)).any():
        return True
    loose = _is_in_relation(grid, relation, marks, frame, SECTOR, DISTANCE + radius)
    narrow = min(own.size[:2]) / 2
    return None if (loose & (room > narrow)).any() else False


def spot_errors(
    scene: Scene,
    frame: RenderedFrame,
    relation: str,
    thing: int,
    landmarks: Sequence[int],
    spot: Sequence[float],
) -> list[str]:
    """Return what is wrong with a spot, metres in the base frame; indices are the scene's."""
    wrong = []
    where = np.asarray(spot[:2], float)
    if abs(spot[2]) > 0.02:
        wrong.append('the spot is not on the table')
    if not is_on_table(where, scene.table):
        wrong.append('the spot is beyond the edge')
    own = scene.objects[thing]
    narrow = min(own.size[:2]) / 2
    for index, item in enumerate(scene.objects):
        if index != thing and footprint_distance(item, where) < max(narrow - 0.01, 0.003):
            wrong.append(f'the spot is taken by the {item.name}')
    marks = [scene.objects[i] for i in landmarks]
    far = DISTANCE + max(own.size[:2]) / 2
    if not _is_in_relation(where, relation, marks, frame, SECTOR, far):
        wrong.append(f'the spot is not {relation} the {marks[0].name}')
    return wrong


def _is_in_relation(where, relation, marks, frame: RenderedFrame, sector: float, far: float):
    middle = np.asarray(marks[0].position[:2])
    offset = where - middle
    distance = np.linalg.norm(offset, axis=-1)
    if relation == 'between':
        along = np.asarray(marks[1].position[:2]) - middle
        length = max(float(np.linalg.norm(along)), 1e-6)
        share = offset @ along / length**2
        aside = np.linalg.norm(offset - share[..., None] * along, axis=-1)
        return (share > 0.1) & (share < 0.9) & (aside < 0.5 * length)
    near = distance < far + max(marks[0].size[:2]) / 2
    if relation == 'next_to':
        return near
    right = frame.camera_pose[:2, 0] / np.linalg.norm(frame.camera_pose[:2, 0])
    away = np.array([-right[1], right[0]])
    direction = {'left_of': -right, 'right_of': right, 'in_front_of': -away, 'behind': away}
    cosine = offset @ direction[relation] / np.maximum(distance, 1e-6)
    return near & (np.arccos(np.clip(cosine, -1, 1)) < sector)


def _is_seen(grid: np.ndarray, frame: RenderedFrame) -> np.ndarray:
    """Tell of places (..., 2) on the table whether the camera sees the table there."""
    points = np.concatenate([grid, np.zeros((*grid.shape[:2], 1))], axis=2)
    pose = frame.camera_pose
    optical = (points - pose[:3, 3]) @ pose[:3, :3]
    pixels = optical @ frame.intrinsics.T
    with np.errstate(divide='ignore', invalid='ignore'):
        u, v = np.round(pixels[..., 0] / pixels[..., 2]), np.round(pixels[..., 1] / pixels[..., 2])
    height, width = frame.depth.shape
    inside = (optical[..., 2] > 0) & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    rows = np.clip(np.nan_to_num(v), 0, height - 1).astype(int)
    columns = np.clip(np.nan_to_num(u), 0, width - 1).astype(int)
    return inside & (np.abs(frame.depth[rows, columns] - optical[..., 2]) < 0.02)


def _task(objects, relation, thing, landmarks, possible, language, rng) -> PlacementTask:
    meant = [
        ReferringExpression(objects[i].category, objects[i].color) for i in (thing, *landmarks)
    ]
    said = [verbalize(what, language, rng) for what in meant]
    words = RELATIONS[relation][language == 'zh']
    if language == 'zh':
        place = f'{"和".join(said[1:])}{words}'
    else:
        place = f'{words} {" and ".join(said[1:])}'
    template = _TEMPLATES[language][int(rng.integers(len(_TEMPLATES[language])))]
    names = [what.name(language) for what in meant]
    steps = [
        {'skill': 'pick', 'object': names[0]},
        {'skill': 'place', 'object': names[0], 'target': relation},
    ]
    plan = {'status': 'ok', 'say': '', 'steps': steps}
    if not possible:
        plan = {'status': 'infeasible', 'say': '', 'steps': []}
    return PlacementTask(
        instruction=add_politeness(template.format(thing=said[0], place=place), language, rng),
        language=language,
        plan=plan,
        referents=tuple((n, (i,)) for n, i in zip(names, (thing, *landmarks), strict=True)),
        expressions=tuple(meant),
        required_skills=('pick', 'place'),
        relation=relation,
        thing=thing,
        landmarks=tuple(landmarks),
        possible=possible,
    )


def _is_unique(thing: ObjectTruth, objects: Sequence[ObjectTruth]) -> bool:
    return sum((o.category, o.color) == (thing.category, thing.color) for o in objects) == 1
