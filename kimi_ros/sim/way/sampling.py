"""The way of a seed: two streets for each corridor."""

from __future__ import annotations

import dataclasses

import numpy as np

from kimi_ros.sim.way.corridor import lay_out_corridor
from kimi_ros.sim.way.path import find_path
from kimi_ros.sim.way.street import lay_out_street
from kimi_ros.sim.way.world import Way

_TRIES = 50


def sample_way(seed: int) -> Way:
    """Return the way of a seed: the same one always, with a free path from its begin to its end."""
    for number in range(_TRIES):
        rng = np.random.default_rng((0x3A7, seed, number))
        way = lay_out_corridor(seed, rng) if seed % 3 == 2 else lay_out_street(seed, rng)
        path = find_path(way)
        if path:
            return dataclasses.replace(way, path=path)
    raise RuntimeError(f'no free path in {_TRIES} layouts of seed {seed}')
