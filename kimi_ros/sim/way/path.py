"""A free path along a way, by dynamic programming over a grid."""

from __future__ import annotations

import numpy as np

from kimi_ros.sim.way.world import STEP, Way

_ALONG, _ACROSS = 0.25, 0.1  # metres of the grid
_BODY = 0.42  # metres from the middle of a person to what they pass
_SLOPE = 2  # cells to the side in one along
_TURN, _AWAY = 1.0, 0.004  # cost of a cell to the side, squared, and of one off the middle
_HALF = 2.0  # metres to the sides that are looked at
_SMOOTH = 5  # points that are averaged


def find_path(way: Way) -> tuple[tuple[float, float], ...]:
    """Return points (x, y) every 25 cm that keep off what is solid; () where there is no way.

    The ground is level across the path, which may lead over a kerb.
    """
    xs, ys = np.arange(0.0, way.length + 1e-6, _ALONG), np.arange(-_HALF, _HALF + 1e-6, _ACROSS)
    points = np.stack(np.meshgrid(xs, ys, indexing='ij'), axis=-1)
    flat = points.reshape(-1, 2)
    ground = way.ground(flat).reshape(len(xs), len(ys))
    level = np.isfinite(ground)
    for shift in (-4, 4):  # cells: the edge of the pavement is no place to walk
        beside = np.nan_to_num(np.roll(ground, shift, axis=1), neginf=-9.0)
        level &= np.abs(beside - ground) < STEP
    free = level & ~way.blocked(flat, _BODY).reshape(len(xs), len(ys))
    cost = np.where(free, _AWAY * (ys / _ACROSS) ** 2, np.inf)
    best, came = cost[0], []
    if not np.isfinite(best).any():
        return ()
    best = np.where(np.abs(ys) < 0.3, best, np.inf)
    for row in cost[1:]:
        options = np.full((2 * _SLOPE + 1, len(ys)), np.inf)
        for number, shift in enumerate(range(-_SLOPE, _SLOPE + 1)):
            lead = slice(max(0, shift), len(ys) + min(0, shift))
            to = slice(max(0, -shift), len(ys) + min(0, -shift))
            options[number, to] = best[lead] + _TURN * shift**2
        chosen = options.argmin(axis=0)
        came.append(np.arange(len(ys)) + chosen - _SLOPE)
        best = options.min(axis=0) + row
    if not np.isfinite(best).any():
        return ()
    index = int(best.argmin())
    path = [index]
    for step in reversed(came):
        path.append(int(step[path[-1]]))
    side = np.pad(ys[path[::-1]], _SMOOTH // 2, mode='edge')
    side = np.convolve(side, np.full(_SMOOTH, 1 / _SMOOTH), mode='valid')
    return tuple((float(x), float(y)) for x, y in zip(xs, side, strict=True))
