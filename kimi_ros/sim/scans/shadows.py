"""How much light reaches a point: soft shadows of lamps, and of the sky. Compiled by Numba."""

from __future__ import annotations

import math

import numpy as np

from kimi_ros.sim.scans.raster import compiled

TAPS = 6
_ANGLES = 2.399963 * np.arange(TAPS)  # the golden angle
_DISC = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_DISC *= np.sqrt((np.arange(TAPS) + 0.5) / TAPS)[:, None]
"""float (TAPS, 2), the samples of a shadow, spread over the unit disc."""
LAMP_REACH, SKY_REACH = 0.10, 0.08
"""Metres: how far above a point blockers of a lamp are sought, and how far beside it of the sky."""


@compiled
def turn_of(x, y):
    """Return cosine and sine of some angle, another one for every pixel."""
    n = (x * 73856093) ^ (y * 19349663)
    n = (n ^ (n >> 13)) * 1274126177
    angle = ((n ^ (n >> 16)) & 0xFFFF) * (2 * math.pi / 65536)
    return math.cos(angle), math.sin(angle)


@compiled
def visibility(shadow, ceiling, frame, p, softness, turn):
    """Return the share of a light, 0-1, that reaches point `p`.

    :param shadow: float32 (M, M), height towards the light.
    :param ceiling: float32 (M, M), the greatest of `shadow` around each of its pixels.
    :param frame: float32 (3, 4), from the base frame to (column, row, height in metres); the first
        two rows are in pixels.
    :param softness: half the light's angular width, radians.
    :param turn: cosine and sine by which the samples are turned, other ones at every pixel: grain
        instead of bands.
    """
    size = shadow.shape[0]
    x, y, h = _in_map(frame, p)
    if _is_open(ceiling, x, y, h + 0.003):
        return 1.0
    scale = math.sqrt(frame[0, 0] ** 2 + frame[0, 1] ** 2 + frame[0, 2] ** 2)
    reach = max(LAMP_REACH * softness * scale, 1.0)
    above, blockers = 0.0, 0
    cos, sin = reach * turn[0], reach * turn[1]
    for i in range(TAPS):
        column, row = _tap(i, x, y, cos, sin)
        if 0 <= column < size and 0 <= row < size and shadow[row, column] > h + 0.003:
            above += shadow[row, column] - h
            blockers += 1
    if blockers == 0 or blockers == TAPS:
        return 1.0 - blockers / TAPS
    reach = max(above / blockers * softness * scale, 0.7)
    lit = 0
    # At a right angle to the first samples.
    cos, sin = -reach * turn[1], reach * turn[0]
    for i in range(TAPS):
        column, row = _tap(i, x, y, cos, sin)
        if not (0 <= column < size and 0 <= row < size and shadow[row, column] > h + 0.003):
            lit += 1
    return lit / TAPS


@compiled
def openness(heights, ceiling, frame, p, turn):
    """Return the share of the sky, 0-1, that is open above point `p`: contact shadows."""
    size = heights.shape[0]
    x, y, h = _in_map(frame, p)
    if _is_open(ceiling, x, y, h + 0.002):
        return 1.0
    scale = math.sqrt(frame[0, 0] ** 2 + frame[0, 1] ** 2 + frame[0, 2] ** 2)
    closed = 0.0
    cos, sin = SKY_REACH * scale * turn[0], SKY_REACH * scale * turn[1]
    for i in range(TAPS):
        away = SKY_REACH * math.sqrt((i + 0.5) / TAPS)
        column, row = _tap(i, x, y, cos, sin)
        if 0 <= column < size and 0 <= row < size:
            above = heights[row, column] - h
            if above > 0.002:
                closed += above / math.sqrt(above * above + away * away)
    return 1.0 - closed / TAPS


@compiled
def _in_map(frame, p):
    """Return the column, the row and the height at which point `p` is in a height map."""
    return (
        frame[0, 0] * p[0] + frame[0, 1] * p[1] + frame[0, 2] * p[2] + frame[0, 3],
        frame[1, 0] * p[0] + frame[1, 1] * p[1] + frame[1, 2] * p[2] + frame[1, 3],
        frame[2, 0] * p[0] + frame[2, 1] * p[1] + frame[2, 2] * p[2] + frame[2, 3],
    )


@compiled
def _is_open(ceiling, x, y, height):
    """Return whether nothing near (x, y) is above a height, as over most of a table."""
    size = ceiling.shape[0]
    if x < 1 or y < 1 or x > size - 2 or y > size - 2:
        return True
    return ceiling[int(y), int(x)] <= height


@compiled
def _tap(i, x, y, cos, sin):
    """Return the pixel of a sample around (x, y): its place on the disc turned and scaled."""
    column = int(x + cos * _DISC[i, 0] - sin * _DISC[i, 1] + 0.5)
    row = int(y + sin * _DISC[i, 0] + cos * _DISC[i, 1] + 0.5)
    return column, row
