"""Detections from the simulator's segmentation instead of a model: figures are upper bounds.

For developing skills and for scoring. It reads the World, which no skill, planner or model is
given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import yaml

from kimi_ros.sim.libero.robot import CAMERAS, HEIGHT, WIDTH, Robot
from kimi_ros.sim.libero.world import World
from kimi_ros.sim.projection import project

_NOISE = 2.0  # pixels, standard deviation of a point; of a box's sides half of it
_SMALLEST = 25  # visible pixels of what can be seen at all
_REGIONS = {
    'table_center_1': ('main_table_table_center', 0.1),
    'desk_caddy_1/back_contain': ('desk_caddy_1_back_contain_region', 0.0),
}
"""What is no thing of its own: a region of the benchmark, and half of its least side in metres."""
_ARTICLE = re.compile(r'^(?:the|a|an|both|both the) ', re.IGNORECASE)


@dataclass(frozen=True)
class Box:
    """A rectangle as models return it, x right and y down, in shares (0 to 1) of the image's sides.

    :ivar score: 0 to 1.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float = 1.0

    def clip(self) -> Box:
        """Return the part inside the image."""
        sides = (self.x_min, self.y_min, self.x_max, self.y_max)
        return Box(*(min(max(v, 0.0), 1.0) for v in sides), self.score)


class GroundTruthDetector:
    """Stands in for a vision-language model: points and boxes of the segmentation, with noise."""

    name = 'truth'
    tasks = ('query', 'point', 'detect')
    languages = ('en', 'zh')

    def __init__(self, world: World, seed: int = 0):
        """Take the world whose segmentation is read.

        :param seed: of the noise, whose standard deviations `_NOISE` gives.
        """
        self._world = world
        self._rng = np.random.default_rng(seed)

    def require(self, task: str) -> None:
        """Accept points, boxes and yes-or-no questions, the tasks of `tasks`.

        :raises ValueError: for another task.
        """
        if task not in self.tasks:
            raise ValueError(f'ground truth cannot {task}: give --planner reader')

    def encode_image(self, rgb: np.ndarray, *, cancel=None) -> list[tuple[str, np.ndarray]]:
        """Return the masks of what is in view now; the image itself is not used."""
        return list(masks(self._world))

    def point(self, image, name: str, *, max_objects: int, cancel=None) -> list:
        """Return a point, x and y in 0 to 1, on every thing of this name."""
        return [self._point(mask) for mask in self._named(image, name)][:max_objects]

    def detect(self, image, name: str, *, max_objects: int, cancel=None) -> list[Box]:
        """Return a box around every thing of this name."""
        return [self._box(mask) for mask in self._named(image, name)][:max_objects]

    def query(self, image, question: str, **_) -> SimpleNamespace:
        """Answer yes: what was found by its true name is what the name says."""
        return SimpleNamespace(text='Yes' if question.isascii() else '是')

    def _named(self, image, name: str) -> list[np.ndarray]:
        kinds = kinds_of(name, {kind for thing, _ in image for kind in _kinds_of_thing(thing)})
        return [mask for thing, mask in image if set(_kinds_of_thing(thing)) & kinds]

    def _point(self, mask: np.ndarray) -> SimpleNamespace:
        """Return a point well inside a mask."""
        depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        height, width = mask.shape
        shift = np.clip(self._rng.normal(0, _NOISE, 2), -depth.max() / 2, depth.max() / 2)
        return SimpleNamespace(x=(x + shift[0]) / width, y=(y + shift[1]) / height, score=1.0)

    def _box(self, mask: np.ndarray) -> Box:
        rows, columns = np.nonzero(mask)
        height, width = mask.shape
        sides = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
        sides += self._rng.normal(0, _NOISE / 2, 4)
        return Box(*(float(v) for v in sides / [width, height, width, height]))


def masks(world: World) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and the mask, bool (H, W), of everything in view of the table's camera.

    A part has the name of its thing, a slash, and its own: 'wooden_cabinet_1/top'.
    """
    geoms, names = world.segmentation(CAMERAS[0])
    things: dict[str, list[int]] = {}
    for number, (body, geom) in names.items():
        thing = re.match(r'(.+?_\d+)(?=_|$)', body)
        if thing is None or thing[1].startswith(('robot0', 'mount0', 'gripper0')):
            continue
        things.setdefault(thing[1], []).append(number)
        rest = f'{body} {geom}'.removeprefix(thing[1])
        for kind in _names():
            whole, _, part = kind.partition('/')
            if part and whole in thing[1] and part in rest:
                things.setdefault(f'{thing[1]}/{part}', []).append(number)
    for thing, numbers in things.items():
        mask = np.isin(geoms, numbers)
        if mask.sum() >= _SMALLEST:
            yield thing, mask
    for thing, (region, least) in _REGIONS.items():
        corners = world.region(region, least)
        if corners is not None:
            yield thing, _seen_region(world.robot, corners)


def _seen_region(robot: Robot, corners: np.ndarray) -> np.ndarray:
    """Return the mask, bool (H, W), of a flat region in the image of the table's camera."""
    seen = project(corners, *robot.calibration(CAMERAS[0]))[:, :2]
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillConvexPoly(drawn, cv2.convexHull(np.round(seen).astype(np.int32)), 1)
    return drawn.astype(bool)


def kinds_of(name: str, there: set[str] | None = None) -> set[str]:
    """Return the kinds of things that are called so: those with the longest fitting name.

    :param there: the kinds to choose from; all if None.
    """
    plain = _ARTICLE.sub('', name.strip().lower())
    # "The drawer of the cabinet" is a drawer.
    head = plain.partition(' of ')[0] if plain.isascii() else plain.rpartition('的')[2]
    for text in (head, plain):
        fitting = [
            (len(called), kind)
            for kind, group in _names().items()
            if there is None or kind in there
            for called in group
            if called == text or _holds(text, called)
        ]
        if fitting:
            longest = max(fitting)[0]
            return {kind for length, kind in fitting if length == longest}
    return set()


def _holds(text: str, called: str) -> bool:
    if called.isascii():
        return re.search(rf'(?<![a-z]){re.escape(called)}s?(?![a-z])', text) is not None
    return called in text


def _kinds_of_thing(thing: str) -> list[str]:
    """Return the kinds that the simulator's name of a thing stands for."""
    whole, _, part = thing.partition('/')
    return [
        kind
        for kind in _names()
        if kind.partition('/')[2] == part and kind.partition('/')[0] in whole
    ]


@lru_cache(maxsize=1)
def _names() -> dict[str, Sequence[str]]:
    file = Path(__file__).parent / 'things.yaml'
    return yaml.safe_load(file.read_text(encoding='utf-8'))
