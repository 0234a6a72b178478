"""A corridor: doors, some of them open into it, chairs and people, and stairs at its end."""

from __future__ import annotations

import math

import numpy as np

from kimi_ros.sim.way.world import KINDS, Block, Vector, Way, WayObject

_HALF = 1.2  # metres: half its width
_HEIGHT = 2.7
_DOORS = ((0.52, 0.36, 0.22), (0.30, 0.42, 0.52), (0.66, 0.62, 0.52))
_BEFORE = 0.9  # metres before the stairs, where the path ends
_GREY: Vector = (0.32, 0.34, 0.37)
_Draw = np.random.Generator


def lay_out_corridor(seed: int, rng: _Draw) -> Way:
    """Return a corridor; the path is not yet found."""
    length = float(rng.uniform(14.0, 18.0))
    down = bool(rng.random() < 0.5)
    objects = [_stairs(length, down), *_doors(rng, length - 0.5), *_things(rng, length - 2.0)]
    grounds, walls, scenery = _shell(length, down)
    return Way(seed, 'corridor', grounds, walls, scenery, tuple(objects), length - _BEFORE)


def _stairs(begin: float, down: bool) -> WayObject:
    size = KINDS['stairs'].size
    return WayObject('stairs', (begin + size[0] / 2, 0.0, 0.0), 0.0, size, _GREY, down=down)


def _doors(rng: _Draw, end: float) -> list[WayObject]:
    """Return doors in both walls; one in five stands open, at a right angle to the wall."""
    doors = []
    rgb = _DOORS[rng.integers(len(_DOORS))]
    thick, width, height = KINDS['door'].size
    for side in (-1.0, 1.0):
        for x in np.arange(float(rng.uniform(2.5, 4.5)), end - 1.5, 3.4):
            y = side * (_HALF - thick / 2)
            yaw = math.pi / 2
            if rng.random() < 0.2 and x > 4.0:
                y, yaw = side * (_HALF - width / 2), 0.0
            doors.append(WayObject('door', (float(x), y, 0.0), yaw, (thick, width, height), rgb))
    return doors


def _things(rng: _Draw, end: float) -> list[WayObject]:
    """Return what stands about, at one wall or the other."""
    things = []
    x = float(rng.uniform(4.5, 6.0))
    while x < end:
        kind = str(rng.choice(['chair', 'table', 'person', 'bin', 'barrier', 'pole']))
        size = KINDS[kind].size
        side = 1.0 if rng.random() < 0.5 else -1.0
        y = side * (_HALF - size[1] / 2 - float(rng.uniform(0.1, 0.4)))
        if kind == 'barrier':
            y = side * (_HALF - size[1] / 2)
        rgb = (0.62, 0.25, 0.18) if kind in ('person', 'chair') else _GREY
        yaw = -side * math.pi / 2 if kind in ('chair', 'person') else 0.0
        height = _HEIGHT if kind == 'pole' else size[2]
        things.append(WayObject(kind, (x, y, 0.0), yaw, (*size[:2], height), rgb))
        x += float(rng.uniform(3.2, 4.6))
    return things


def _shell(length: float, down: bool) -> tuple[tuple[Block, ...], ...]:
    """Return floor, walls, and what is only seen; beyond the stairs the corridor goes on."""
    run, _, rise = KINDS['stairs'].size
    begin, beyond, end = -2.5, length + run, length + run + 4
    level = -rise if down else rise
    floor = Block((begin, -_HALF, -0.3), (length, _HALF, 0.0), 'linoleum')
    landing = Block((beyond, -_HALF, level - 0.3), (end, _HALF, level), 'linoleum')
    low, high = min(level, 0.0) - 0.3, _HEIGHT + max(level, 0.0)
    walls = [Block((begin, y, low), (end, y + 0.3, high), 'plaster') for y in (-_HALF - 0.3, _HALF)]
    walls.append(Block((end, -_HALF, low), (end + 0.3, _HALF, high), 'plaster'))
    walls.append(Block((begin - 0.3, -_HALF, low), (begin, _HALF, high), 'plaster'))
    skirting = [
        Block((begin, y, 0.0), (length, y + 0.02, 0.1), 'skirting') for y in (-_HALF, _HALF - 0.02)
    ]
    above = _HEIGHT + max(level, 0.0)  # beyond the stairs
    ceilings = [
        Block((begin, -_HALF, _HEIGHT), (length, _HALF, above + 0.2), 'ceiling'),
        Block((length, -_HALF, above), (end, _HALF, above + 0.2), 'ceiling'),
    ]
    return (floor, landing), tuple(walls), (*skirting, *ceilings)
