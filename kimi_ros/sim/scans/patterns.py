"""Patterns for tables, floors, walls and made-up things: wood, cloth, stone, tiles and others."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np

from kimi_ros.sim.scans.texture import Pyramid, pyramid

SIZE = 512
COUNT = 160
"""Number of patterns; more would not be told apart after turning, scaling and tinting."""


@functools.cache
def pattern(number: int) -> Pyramid:
    """Return the pattern of a number below `COUNT`; always the same, SIZE texels a side."""
    rng = np.random.default_rng([number, 7])
    makers = (_wood, _wood, _cloth, _stone, _tiles, _stripes, _plain, _dots)
    image = makers[number % len(makers)](rng)
    return pyramid(np.clip(image, 0, 255).astype(np.uint8))


def draw_pattern(rng: np.random.Generator) -> Pyramid:
    """Return some pattern."""
    return pattern(int(rng.integers(COUNT)))


def fractal(rng: np.random.Generator, cells: tuple[int, int], octaves: int = 5) -> np.ndarray:
    """Return smooth noise, float32 (SIZE, SIZE), mean 0, standard deviation 1.

    :param cells: rows and columns of the coarsest octave.
    """
    total = np.zeros((SIZE, SIZE), np.float32)
    for octave in range(octaves):
        rows, columns = (min(c * 2**octave, SIZE) for c in cells)
        grain = rng.standard_normal((rows + 1, columns + 1)).astype(np.float32)
        total += cv2.resize(grain, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    return (total - total.mean()) / total.std()


def _color(rng, low: float = 40, high: float = 225, most: float = 0.5) -> np.ndarray:
    """Return some RGB (3,), rather pale than bright."""
    value = rng.uniform(low, high)
    saturation = most * rng.random() ** 1.5
    hue = rng.random() * 6
    wave = np.array([abs(((hue + k) % 6) - 3) - 1 for k in (0, 4, 2)]).clip(0, 1)
    return value * (1 - saturation + saturation * wave)


def _mix(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    return a + (b - a) * share[..., None]


def _wood(rng) -> np.ndarray:
    light = np.array([205, 165, 120]) * rng.uniform(0.35, 1.15) * rng.uniform(0.93, 1.07, 3)
    dark = light * rng.uniform(0.5, 0.85)
    bend = fractal(rng, (2, 3), 3) * rng.uniform(0.02, 0.12)
    x = np.linspace(0, 1, SIZE, dtype=np.float32)[:, None] + bend
    rings = 0.5 + 0.5 * np.sin(x * 2 * math.pi * rng.uniform(6, 26) + fractal(rng, (2, 2), 2))
    image = _mix(light, dark, rings ** rng.uniform(1, 4) * rng.uniform(0.3, 1))
    image *= 1 + 0.06 * fractal(rng, (180, 3), 2)[..., None]
    if rng.random() < 0.5:
        image = _planks(image, rng)
    return image


def _planks(image: np.ndarray, rng) -> np.ndarray:
    count = int(rng.integers(3, 9))
    edges = np.linspace(0, SIZE, count + 1).astype(int)
    for top, bottom in zip(edges[:-1], edges[1:], strict=True):
        image[top:bottom] = np.roll(image[top:bottom], int(rng.integers(SIZE)), axis=1)
        image[top:bottom] *= rng.uniform(0.82, 1.15)
        image[top : top + 2] *= 0.45
    return image


def _cloth(rng) -> np.ndarray:
    a, b = _color(rng, 60, 240), _color(rng, 40, 240)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    image = np.broadcast_to(a, (SIZE, SIZE, 3)).copy()
    if rng.random() < 0.6:
        period = SIZE / int(rng.integers(3, 14))
        width = rng.uniform(0.2, 0.6)
        rows, columns = (y / period % 1 < width), (x / period % 1 < width)
        image = _mix(a, b, (rows * 0.5 + columns * 0.5).astype(np.float32))
    threads = SIZE / rng.uniform(2.5, 6)
    weave = np.sin(x * 2 * math.pi * threads / SIZE) * np.sin(y * 2 * math.pi * threads / SIZE)
    image *= 1 + rng.uniform(0.04, 0.14) * weave[..., None]
    return image * (1 + 0.05 * fractal(rng, (4, 4), 3)[..., None])


def _stone(rng) -> np.ndarray:
    a, b = _color(rng, 60, 235, 0.25), _color(rng, 40, 235, 0.25)
    share = 1 / (1 + np.exp(-rng.uniform(1, 4) * fractal(rng, (4, 4), 7)))
    image = _mix(a, b, share * rng.uniform(0.2, 1))
    if rng.random() < 0.5:
        veins = np.abs(fractal(rng, (3, 3), 5)) < rng.uniform(0.02, 0.06)
        veins = cv2.GaussianBlur(veins.astype(np.float32), (0, 0), 1.2)
        image = _mix(image, _color(rng, 30, 250, 0.2), veins * 0.8)
    return image + rng.uniform(2, 14) * rng.standard_normal((SIZE, SIZE, 1))


def _tiles(rng) -> np.ndarray:
    base, joint = _color(rng, 80, 240, 0.4), _color(rng, 50, 220, 0.15)
    count, other = int(rng.integers(2, 9)), _color(rng, 40, 240, 0.6)
    tones = rng.normal(1, 0.07, (count, count, 1)) * np.ones(3)
    tones = tones * (
        base if rng.random() < 0.6 else _mix(base, other, np.indices((count, count)).sum(0) % 2.0)
    )
    image = cv2.resize(tones.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)
    step = SIZE / count
    near = np.abs((np.arange(SIZE) / step + 0.5) % 1 - 0.5) * step < rng.uniform(1, 5)
    lines = cv2.GaussianBlur((near[:, None] | near[None]).astype(np.float32), (0, 0), 0.8)
    return _mix(image, joint, lines) * (1 + 0.05 * fractal(rng, (6, 6), 4)[..., None])


def _stripes(rng) -> np.ndarray:
    colors = np.array([_color(rng, 30, 245, 0.8) for _ in range(int(rng.integers(2, 5)))])
    widths = rng.uniform(0.3, 1, len(colors))
    edges = np.cumsum(widths) / widths.sum()
    x = np.linspace(0, int(rng.integers(2, 10)), SIZE, dtype=np.float32) % 1
    image = np.broadcast_to(
        colors[np.searchsorted(edges, x).clip(0, len(colors) - 1)], (SIZE, SIZE, 3)
    )
    return image * (1 + 0.05 * fractal(rng, (5, 5), 5)[..., None])


def _plain(rng) -> np.ndarray:
    rough = rng.uniform(0.01, 0.06)
    return _color(rng, 30, 245) * (1 + rough * fractal(rng, (8, 8), 6)[..., None])


def _dots(rng) -> np.ndarray:
    """Return a busy surface: overlapping discs and boxes, as prints and posters have."""
    image = np.broadcast_to(_color(rng, 30, 240, 0.8), (SIZE, SIZE, 3)).astype(np.float32).copy()
    for _ in range(int(rng.integers(10, 90))):
        center = tuple(int(v) for v in rng.integers(0, SIZE, 2))
        color = tuple(float(v) for v in _color(rng, 10, 250, 0.9))
        reach = int(SIZE * 0.12 * rng.random() ** 1.5) + 4
        if rng.random() < 0.5:
            cv2.circle(image, center, reach, color, -1, cv2.LINE_AA)
        else:
            box = cv2.boxPoints(
                (center, (reach * 2, reach * rng.uniform(0.3, 2)), rng.uniform(0, 90))
            )
            cv2.fillConvexPoly(image, box.astype(np.int32), color, cv2.LINE_AA)
    return image * (1 + 0.04 * fractal(rng, (6, 6), 5)[..., None])
