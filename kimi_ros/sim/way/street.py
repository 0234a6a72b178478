"""A pavement beside a road: roadworks, bicycles to rent, people, posts; perhaps a crossing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from kimi_ros.sim.way.world import KINDS, Block, Vector, Way, WayObject

HALF = 1.6
"""Metres: half the width of the pavement."""

KERB = 0.14
"""Metres that the road lies below it."""

_LENGTH = 24.0
_ROAD = 6.5  # metres
_FIRST, _GAP = (3.5, 5.0), (2.4, 4.0)  # where the first group begins, and metres to the next
_CROSSING = 4.5  # metres, the width of a side road
_CLEAR = 1.2  # metres before and behind it that nothing stands on
_BIKES = ((0.92, 0.75, 0.10), (0.15, 0.45, 0.78), (0.90, 0.45, 0.12), (0.20, 0.60, 0.55))
_CLOTHES = ((0.65, 0.18, 0.20), (0.20, 0.30, 0.55), (0.30, 0.45, 0.30), (0.75, 0.70, 0.55))
_PAINTS = ((0.55, 0.10, 0.12), (0.75, 0.76, 0.78), (0.14, 0.22, 0.40), (0.20, 0.20, 0.22))
_Draw = np.random.Generator


def lay_out_street(seed: int, rng: _Draw) -> Way:
    """Return a pavement; the houses are on one side or the other, the path is not yet found."""
    house = 1.0 if rng.random() < 0.5 else -1.0
    crossing = float(rng.uniform(9.5, 12.0)) if rng.random() < 0.6 else None
    objects: list[WayObject] = []
    x = float(rng.uniform(*_FIRST))
    order = [_OFTEN[i] for i in rng.permutation(len(_OFTEN))]
    while x < _LENGTH - 3 and order:
        group = _GROUPS[order.pop()](rng, house)
        length = max(o.position[0] + _reach(o) for o in group)
        if crossing is not None and crossing - _CLEAR - length < x < crossing + _CROSSING + _CLEAR:
            x = crossing + _CROSSING + _CLEAR
        objects += [_moved(o, x) for o in group if x + o.position[0] < _LENGTH - 1]
        x += length + float(rng.uniform(*_GAP))
    objects += _cars(rng, house, crossing)
    grounds, walls, scenery = _ground(house, crossing, rng)
    if crossing is not None:
        for at, down in ((crossing, True), (crossing + _CROSSING, False)):
            size = (KINDS['kerb'].size[0], 2 * HALF, KERB)
            objects.append(WayObject('kerb', (at, 0.0, 0.0), 0.0, size, (0.7, 0.7, 0.7), down))
    return Way(seed, 'street', grounds, walls, scenery, tuple(objects), _LENGTH, house)


def _thing(
    kind: str, x: float, y: float, yaw: float = 0.0, rgb: Vector = (0.3, 0.32, 0.34), z: float = 0.0
) -> WayObject:
    return WayObject(kind, (x, y, z), yaw, KINDS[kind].size, rgb)


def _moved(item: WayObject, x: float) -> WayObject:
    at = item.position
    return dataclasses.replace(item, position=(at[0] + x, at[1], at[2]))


def _reach(item: WayObject) -> float:
    return math.hypot(*item.size[:2]) / 2


def _color(rng: _Draw, colors: tuple[Vector, ...]) -> Vector:
    return colors[rng.integers(len(colors))]


def _side(rng: _Draw) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


def _roadworks(rng: _Draw, house: float) -> list[WayObject]:
    side = _side(rng)
    middle = side * float(rng.uniform(0.75, 0.9))
    length = float(rng.uniform(1.6, 2.4))
    cones = [
        _thing('traffic cone', float(x), middle - side * 0.62 + float(rng.uniform(-0.05, 0.05)))
        for x in np.linspace(0.5, length - 0.5, 2)
    ]
    return [_thing('barrier', 0.0, middle), _thing('barrier', length, middle), *cones]


def _shared_bikes(rng: _Draw, house: float) -> list[WayObject]:
    rgb = _color(rng, _BIKES)
    yaw = -house * math.radians(float(rng.uniform(70, 90)))
    return [
        _thing('bicycle', 0.4 + 0.62 * i, -house * float(rng.uniform(0.68, 0.74)), yaw, rgb)
        for i in range(int(rng.integers(3, 5)))
    ]


def _parked_bike(rng: _Draw, house: float) -> list[WayObject]:
    y = house * (HALF - 0.4)
    rgb = _color(rng, _PAINTS)
    return [_thing('bicycle', 0.8, y, math.radians(float(rng.uniform(-6, 6))), rgb)]


def _post(rng: _Draw, house: float) -> list[WayObject]:
    return [
        _thing('pole', 0.0, -house * float(rng.uniform(0.2, 1.2)), 0.0 if house > 0 else math.pi)
    ]


def _people(rng: _Draw, house: float) -> list[WayObject]:
    y = float(rng.uniform(-0.9, 0.9))
    yaw = float(rng.uniform(-math.pi, math.pi))
    people = [_thing('person', 0.0, y, yaw, _color(rng, _CLOTHES))]
    if rng.random() < 0.5:
        other = float(rng.uniform(0.1, 0.7)), y + math.copysign(0.65, -y)
        people.append(_thing('person', *other, yaw + math.pi, _color(rng, _CLOTHES)))
    return people


def _cafe(rng: _Draw, house: float) -> list[WayObject]:
    y, rgb = house * (HALF - 0.55), (0.52, 0.36, 0.22)
    return [
        _thing('chair', 0.0, y, 0.0, rgb),
        _thing('table', 0.75, y, 0.0, rgb),
        _thing('chair', 1.5, y, math.pi, rgb),
    ]


def _board(rng: _Draw, house: float) -> list[WayObject]:
    return [_thing('sign', 0.0, float(rng.uniform(-0.8, 0.8)), 0.0, (0.12, 0.16, 0.14))]


def _litter_bin(rng: _Draw, house: float) -> list[WayObject]:
    return [_thing('bin', 0.0, -house * float(rng.uniform(0.1, 1.1)), 0.0, (0.16, 0.34, 0.24))]


def _tree(rng: _Draw, house: float) -> list[WayObject]:
    return [_thing('tree', 0.0, -house * float(rng.uniform(0.8, 1.2)))]


_GROUPS: dict[str, Callable[[_Draw, float], list[WayObject]]] = {
    'roadworks': _roadworks,
    'shared bikes': _shared_bikes,
    'parked bicycle': _parked_bike,
    'post': _post,
    'people': _people,
    'cafe': _cafe,
    'board': _board,
    'bin': _litter_bin,
    'tree': _tree,
}

_OFTEN = (*_GROUPS, 'roadworks', 'shared bikes', 'people')


def _cars(rng: _Draw, house: float, crossing: float | None) -> list[WayObject]:
    """Return cars that are parked at the kerb, on the road."""
    y = -house * (HALF + 1.25)
    cars = [
        _thing('car', float(x + rng.uniform(-0.4, 0.4)), y, 0.0, _color(rng, _PAINTS), -KERB)
        for x in np.arange(4.0, _LENGTH + 12, 5.6)
        if rng.random() < 0.5
    ]
    clear = [
        c for c in cars if crossing is None or not -4.5 < c.position[0] - crossing < _CROSSING + 4.5
    ]
    return clear


def _ground(
    house: float, crossing: float | None, rng: _Draw
) -> tuple[tuple[Block, ...], tuple[Block, ...], tuple[Block, ...]]:
    """Return the grounds, the walls, and what is only seen."""
    far, thick = _LENGTH + 25, 0.4
    stretches = [(-3.0, far)]
    if crossing is not None:
        stretches = [(-3.0, crossing), (crossing + _CROSSING, far)]
    grounds, walls, scenery = [], [], []

    def across(begin: float, end: float) -> tuple[float, float]:
        """Return y from here to there, counted from the road to the houses, as low and high."""
        return min(house * begin, house * end), max(house * begin, house * end)

    def block(
        x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], look: str
    ) -> Block:
        return Block((x[0], y[0], z[0]), (x[1], y[1], z[1]), look)

    for begin, end in stretches:
        pavement = begin, end
        grounds.append(block(pavement, across(-HALF + 0.15, HALF), (-thick, 0.0), 'paving'))
        grounds.append(block(pavement, across(-HALF, -HALF + 0.15), (-thick, 0.0), 'kerb'))
        walls.append(block(pavement, across(HALF, HALF + 6), (-thick, 7.0), 'brick'))
        scenery.append(block(pavement, across(HALF - 0.03, HALF), (0.0, 0.5), 'stone'))
        scenery += [
            block((x, x + 1.1), across(HALF - 0.02, HALF), (z, z + 1.4), 'window')
            for x in np.arange(begin + 1.0, end - 1.5, 2.6)
            for z in (1.1, 4.0)
        ]
        if end < far:
            scenery.append(block((end - 0.15, end), across(-HALF, HALF), (-thick, 0.003), 'kerb'))
        if begin > 0:
            scenery.append(
                block((begin, begin + 0.15), across(-HALF, HALF), (-thick, 0.003), 'kerb')
            )
    low = -thick, -KERB
    grounds.append(block((-3.0, far), across(-HALF - _ROAD, -HALF), low, 'asphalt'))
    if crossing is not None:
        side = crossing, crossing + _CROSSING
        grounds.append(block(side, across(-HALF, HALF + 9), low, 'asphalt'))
        stripes = np.arange(-HALF + 0.25, HALF - 0.4, 0.9)
        scenery += [
            block(
                (side[0] + 0.4, side[1] - 0.4),
                across(float(y), float(y) + 0.45),
                (-KERB, -KERB + 0.004),
                'paint',
            )
            for y in stripes
        ]
        walls.append(block(side, across(HALF + 9, HALF + 9.4), (-thick, 6.0), 'stone'))
    opposite = -HALF - _ROAD
    front = opposite - 2.5
    scenery.append(block((-3.0, far), across(front, opposite), (-thick, 0.0), 'paving'))
    scenery.append(block((-3.0, far), across(front - 5.5, front), (-thick, 6.5), 'plaster'))
    scenery += [
        block((x, x + 1.3), across(front, front + 0.02), (z, z + 1.5), 'window')
        for x in np.arange(0.0, far - 2, 3.1)
        for z in (1.0, 3.9)
    ]
    scenery.append(block((far, far + 4), (-14.0, 14.0), (-thick, 8.0), 'stone'))
    scenery += [
        block(
            (x, x + 2.0),
            across(-HALF - _ROAD / 2 - 0.06, -HALF - _ROAD / 2 + 0.06),
            (-KERB, -KERB + 0.004),
            'paint',
        )
        for x in np.arange(-2.0, far - 2, 4.0)
    ]
    return tuple(grounds), tuple(walls), tuple(scenery)
