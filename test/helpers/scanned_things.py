"""Pictures of made-up scanned things: coloured rectangles, as a dataset would return them."""

from dataclasses import dataclass

import numpy as np

from kimi_ros.sim.scans.things import parse_things
from kimi_ros.sim.scans.truth import ScanTruth

SIZE = 384, 288
COLORS = {'red': (200, 30, 30), 'blue': (30, 40, 200), 'white': (240, 240, 240)}
THINGS = parse_things(
    {
        'mesh': '{id}.obj',
        'kinds': {'can': {'en': ['can', 'tin'], 'zh': ['罐头']}},
        'things': [
            {
                'id': 'soup',
                'kind': 'can',
                'color': 'red',
                'names': {'en': ['soup can', 'can of soup'], 'zh': ['汤罐头']},
            },
            {
                'id': 'tuna',
                'kind': 'can',
                'color': 'blue',
                'names': {'en': ['tuna can'], 'zh': ['金枪鱼罐头']},
            },
            {
                'id': 'plate',
                'kind': 'plate',
                'color': 'white',
                'supports': 'on',
                'names': {'en': ['plate'], 'zh': ['盘子']},
            },
        ],
    },
    'test',
)


@dataclass(frozen=True)
class FakePicture:
    """A picture with its instance map and its objects."""

    rgb: np.ndarray
    instances: np.ndarray
    objects: tuple
    setting: str = 'table'
    seed: int = 0


def truth(index, thing, box, **more):
    """The truth about a thing that fills its box."""
    known = THINGS[thing]
    x0, y0, x1, y1 = box
    place = ((x0 + x1) / 2, (y0 + y1) / 2)
    values = {
        'index': index,
        'category': known.names['en'][0],
        'color': known.color,
        'box': tuple(map(float, box)),
        'point': place,
        'pixels': (x1 - x0) * (y1 - y0),
        'position': (1 - y0 / 288, 0.5 - x0 / 384, 0.0),
        'size': (0.1, 0.1, 0.1),
        'distance': 1.5 - y0 / 288,
        'thing': thing,
        'kind': known.kind,
    }
    return ScanTruth(**values | more)


def picture(*objects, background=110):
    """Draw the objects as plain rectangles, the last ones before the others."""
    rgb = np.full((SIZE[1], SIZE[0], 3), background, np.uint8)
    instances = np.full((SIZE[1], SIZE[0]), -1, np.int16)
    for thing in objects:
        x0, y0, x1, y1 = map(int, thing.box)
        rgb[y0:y1, x0:x1] = COLORS[thing.color]
        instances[y0:y1, x0:x1] = thing.index
    return FakePicture(rgb, instances, objects)


def some_picture(rng):
    """A picture of two or three things side by side."""
    ids = rng.permutation(['soup', 'tuna', 'plate'])[: rng.integers(2, 4)]
    objects = []
    for i, thing in enumerate(ids):
        x, y = 20 + 120 * i + int(rng.integers(20)), int(rng.integers(20, 180))
        objects.append(truth(i, str(thing), (x, y, x + 60, y + 70)))
    return picture(*objects, background=int(rng.integers(60, 160)))
