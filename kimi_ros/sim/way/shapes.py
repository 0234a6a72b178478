"""What the things of a way look like: boxes, bars and balls in a thing's own frame."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

from kimi_ros.sim.way.world import Vector, WayObject

_WHITE, _RED, _DARK = (0.92, 0.92, 0.90), (0.78, 0.13, 0.11), (0.16, 0.16, 0.18)
_ORANGE, _STEEL, _WOOD = (0.93, 0.38, 0.08), (0.55, 0.57, 0.60), (0.46, 0.32, 0.20)
_SKIN, _LEAVES, _GLASS = (0.80, 0.62, 0.50), (0.27, 0.44, 0.20), (0.16, 0.20, 0.25)
_RISER = 0.17  # metres


@dataclasses.dataclass(frozen=True)
class Piece:
    """A simple solid.

    :ivar shape: 'box', 'ball' (an ellipsoid) or 'bar' (round, from `at` to `to`).
    :ivar at: its middle, of bars the begin; the foot of the thing is at (0, 0, 0).
    :ivar size: half extents of boxes and balls; of bars the radius first.
    :ivar to: the end of a bar.
    """

    shape: str
    at: Vector
    size: Vector
    rgb: Vector
    to: Vector = (0.0, 0.0, 0.0)


def pieces_of(item: WayObject) -> list[Piece]:
    """Return what a thing consists of, in its own frame."""
    return list(_SHAPES[item.kind](item))


def _box(at: Vector, size: Vector, rgb: Vector) -> Piece:
    """Return a box by its middle and whole extents."""
    return Piece('box', at, tuple(v / 2 for v in size), rgb)  # type: ignore[arg-type]


def _bar(at: Vector, to: Vector, radius: float, rgb: Vector) -> Piece:
    return Piece('bar', at, (radius, 0.0, 0.0), rgb, to)


def _cone(item: WayObject) -> Iterator[Piece]:
    x, y, z = item.size
    yield _box((0, 0, 0.02), (x, y, 0.04), _DARK)
    radii = [0.13 - 0.0155 * i for i in range(8)]
    for number, radius in enumerate(radii):
        low, high = (0.04 + (z - 0.04) * (number + k) / len(radii) for k in (0, 1))
        yield _bar((0, 0, low), (0, 0, high), radius, _WHITE if number in (3, 4) else _ORANGE)


def _barrier(item: WayObject) -> Iterator[Piece]:
    x, y, z = item.size
    for side in (-1, 1):
        foot = side * (y / 2 - 0.12)
        yield _box((0, foot, 0.03), (x, 0.16, 0.06), _DARK)
        yield _box((0, foot, z / 2), (0.04, 0.04, z), _STEEL)
    for height in (z - 0.11, z - 0.50):
        for number in range(6):
            middle = -y / 2 + y * (number + 0.5) / 6
            rgb = _WHITE if number % 2 else _RED
            yield _box((-0.03, middle, height), (0.03, y / 6, 0.2), rgb)


def _bicycle(item: WayObject) -> Iterator[Piece]:
    half, z, rgb = item.size[0] / 2, item.size[2], item.rgb
    radius = 0.33
    wheels = -half + radius, half - radius
    for middle in wheels:
        rim = [
            (middle + 0.31 * math.cos(a), 0.0, radius + 0.31 * math.sin(a))
            for a in (2 * math.pi * i / 14 for i in range(15))
        ]
        for a, b in zip(rim, rim[1:], strict=False):
            yield _bar(a, b, 0.025, _DARK)
        for a in rim[:7:2]:
            yield _bar((middle, 0, radius), a, 0.006, _STEEL)
            yield _bar(
                (middle, 0, radius), (2 * middle - a[0], 0, 2 * radius - a[2]), 0.006, _STEEL
            )
    back, front = (wheels[0], 0, radius), (wheels[1], 0, radius)
    seat, crank, head = (-0.22, 0, 0.82), (-0.08, 0, 0.30), (0.36, 0, 0.85)
    for a, b in ((back, crank), (back, seat), (crank, seat), (crank, head), (head, front)):
        yield _bar(a, b, 0.028, rgb)
    yield _bar((-0.2, 0, 0.62), (0.36, 0, 0.78), 0.03, rgb)
    yield _box((-0.24, 0, 0.88), (0.26, 0.16, 0.07), _DARK)
    yield _bar(head, (0.34, 0, z - 0.04), 0.022, _STEEL)
    yield _bar((0.34, -0.25, z - 0.04), (0.34, 0.25, z - 0.04), 0.022, _DARK)
    yield _box((0.56, 0, 0.83), (0.3, 0.32, 0.2), _DARK)  # basket
    yield _box((wheels[0], 0, 0.69), (0.5, 0.09, 0.03), rgb)  # mudguard


def _pole(item: WayObject) -> Iterator[Piece]:
    x, _, z = item.size
    yield _bar((0, 0, 0), (0, 0, z), x / 2 - 0.02, item.rgb)
    yield _bar((0, 0, 0), (0, 0, 0.9), x / 2, item.rgb)
    if z > 3:  # a lamp; the others are pillars
        yield _bar((0, 0, z), (0, -0.9, z + 0.1), 0.04, item.rgb)
        yield _box((0, -1.0, z + 0.08), (0.2, 0.5, 0.08), _WHITE)


def _stairs(item: WayObject) -> Iterator[Piece]:
    x, y, z = item.size
    count = round(z / _RISER)
    run = x / count
    for number in range(count):
        middle = -x / 2 + run * (number + 0.5)
        top = -_RISER * (number + 1) if item.down else _RISER * (number + 1)
        low = -z - 0.3 if item.down else 0.0
        yield _box((middle, 0, (low + top) / 2), (run, y, top - low), (0.62, 0.60, 0.57))
        edge = middle + (run / 2 - 0.025) * (1 if item.down else -1)
        yield _box((edge, 0, top + 0.002), (0.05, y, 0.004), (0.86, 0.72, 0.16))
    if item.down:
        yield _box((-x / 2 - 0.04, 0, 0.002), (0.08, y, 0.004), (0.86, 0.72, 0.16))
    for side in (-1, 1):
        rail = side * (y / 2 - 0.06)
        rise = -z if item.down else z
        yield _bar((-x / 2, rail, 0.9), (x / 2, rail, 0.9 + rise), 0.03, _STEEL)
        yield _bar((-x / 2, rail, 0), (-x / 2, rail, 0.9), 0.025, _STEEL)


def _kerb(item: WayObject) -> Iterator[Piece]:
    return iter(())  # the ground has it


def _car(item: WayObject) -> Iterator[Piece]:
    x, y, z = item.size
    yield _box((0, 0, 0.55), (x, y, 0.55), item.rgb)
    yield _box((-0.15, 0, 1.1), (0.52 * x, 0.9 * y, 2 * (z - 1.1)), _GLASS)
    yield _box((-0.15, 0, z - 0.03), (0.48 * x, 0.86 * y, 0.06), item.rgb)
    for end in (-0.3, 0.3):
        for side in (-1, 1):
            at = end * x, side * (y / 2 - 0.1), 0.31
            yield Piece('ball', at, (0.31, 0.11, 0.31), _DARK)
    for side in (-1, 1):
        yield _box((x / 2, side * 0.6, 0.62), (0.03, 0.3, 0.12), _WHITE)
        yield _box((-x / 2, side * 0.6, 0.62), (0.03, 0.3, 0.12), _RED)


def _person(item: WayObject) -> Iterator[Piece]:
    _, y, z = item.size
    scale = z / 1.72
    trousers = tuple(0.55 * v for v in (0.35, 0.38, 0.45))
    for side in (-1, 1):
        yield _bar((0, 0.1 * side, 0.08), (0, 0.09 * side, 0.82 * scale), 0.075, trousers)
        yield _box((0.05, 0.1 * side, 0.04), (0.26, 0.1, 0.08), _DARK)
        shoulder = 0, side * (y / 2 - 0.06), 1.36 * scale
        yield _bar(shoulder, (0.06, side * (y / 2 - 0.05), 0.84 * scale), 0.05, item.rgb)
        yield Piece('ball', (0.07, side * (y / 2 - 0.05), 0.78 * scale), (0.05,) * 3, _SKIN)
    yield Piece('ball', (0, 0, 1.12 * scale), (0.13, 0.19, 0.36 * scale), item.rgb)
    yield _bar((0, 0, 1.4 * scale), (0, 0, 1.5 * scale), 0.05, _SKIN)
    yield Piece('ball', (0.01, 0, z - 0.12), (0.1, 0.085, 0.125), _SKIN)
    yield Piece('ball', (-0.02, 0, z - 0.08), (0.1, 0.092, 0.1), _DARK)


def _chair(item: WayObject) -> Iterator[Piece]:
    x, y, z = item.size
    for i in (-1, 1):
        for j in (-1, 1):
            top = z if i < 0 else 0.45
            foot = i * (x / 2 - 0.03), j * (y / 2 - 0.03)
            yield _bar((*foot, 0), (*foot, top), 0.02, _DARK)
    yield _box((0, 0, 0.45), (x, y, 0.04), item.rgb)
    yield _box((-x / 2 + 0.03, 0, z - 0.14), (0.03, y, 0.28), item.rgb)


def _table(item: WayObject) -> Iterator[Piece]:
    x, y, z = item.size
    yield _box((0, 0, z - 0.02), (x, y, 0.04), item.rgb)
    yield _bar((0, 0, 0), (0, 0, z - 0.03), 0.04, _DARK)
    yield _box((0, 0, 0.02), (0.4, 0.4, 0.04), _DARK)


def _sign(item: WayObject) -> Iterator[Piece]:
    x, y, z = item.size
    for side in (-1, 1):
        yield _bar((-x / 2, side * y / 2, 0), (0, side * y / 2, z), 0.02, _WOOD)
        yield _bar((x / 2, side * y / 2, 0), (0, side * y / 2, z), 0.02, _WOOD)
    for number in range(5):
        share = (number + 1) / 6
        rgb = item.rgb if number != 3 else _WHITE
        yield _box((-x / 2 * (1 - share), 0, z * share), (0.03, y, z / 5.8), rgb)
        yield _box((x / 2 * (1 - share), 0, z * share), (0.03, y, z / 5.8), item.rgb)


def _door(item: WayObject) -> Iterator[Piece]:
    x, y, z = item.size
    yield _box((0, 0, z / 2), (x, y, z), item.rgb)
    darker = tuple(0.8 * v for v in item.rgb)
    for height in (0.55, 1.5):
        yield _box((0, 0, height), (x + 0.02, 0.6 * y, 0.7), darker)
    yield _bar((-0.08, 0.4 * y, 1.0), (0.08, 0.4 * y, 1.0), 0.015, _STEEL)


def _bin(item: WayObject) -> Iterator[Piece]:
    x, _, z = item.size
    yield _bar((0, 0, 0), (0, 0, z - 0.1), x / 2, item.rgb)
    yield _bar((0, 0, z - 0.1), (0, 0, z), x / 2 - 0.03, _DARK)


def _tree(item: WayObject) -> Iterator[Piece]:
    x, _, z = item.size
    yield _bar((0, 0, 0), (0.05, 0, z), x / 2, _WOOD)
    yield _bar((0, 0, 1.9), (0.4, 0.5, 3.0), 0.05, _WOOD)
    for at, radius in (((0, 0, z), 1.15), ((0.6, 0.5, z - 0.6), 0.8), ((-0.5, -0.6, z - 0.4), 0.9)):
        yield Piece('ball', at, (radius, radius, 0.8 * radius), _LEAVES)


_SHAPES: dict[str, Callable[[WayObject], Iterator[Piece]]] = {
    'traffic cone': _cone,
    'barrier': _barrier,
    'bicycle': _bicycle,
    'pole': _pole,
    'stairs': _stairs,
    'kerb': _kerb,
    'car': _car,
    'person': _person,
    'chair': _chair,
    'table': _table,
    'sign': _sign,
    'door': _door,
    'bin': _bin,
    'tree': _tree,
}
