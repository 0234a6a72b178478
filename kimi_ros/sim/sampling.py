"""From a seed to a scene: numbers only, no OpenGL, the same on every machine."""

import numpy as np

from kimi_ros.sim.full.layout import full_scene
from kimi_ros.sim.scene import Scene
from kimi_ros.sim.small_layout import small_scene

WORLDS = ('full', 'small')
"""The table with all 23 categories of objects, and the one with 8."""


def sample_scene(seed: int, world: str = 'small', held_out: bool = False) -> Scene:
    """The scene of a seed.

    The small world: 2 to 6 objects that do not touch, each entirely inside a 640x480 frame (or
    any 4:3 frame), 48 to 150 of its pixels wide and at least four fifths visible. In a quarter of
    the scenes two objects share category and colour, in 35 % two share the category alone, in the
    others all categories differ.
    The full world: 3 to 8 groups of `DetailedObject`s, see docs/table.md.

    :param seed: a non-negative integer.
    :param world: one of `WORLDS`.
    :param held_out: of the full world only: one object has a (category, colour) of `HELD_OUT`,
        which is otherwise never drawn.
    :raises ValueError: when the seed is no such integer, or the world is unknown or has no such
        pairs.
    :raises HeldOutSeedError: when held-out pairs are asked for with a seed for training.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f'a scene seed is a non-negative integer, not {seed!r}')
    if world not in WORLDS or (held_out and world != 'full'):
        raise ValueError(
            f'no world {world!r} with held_out={held_out}: worlds are '
            f'{", ".join(WORLDS)}, and only the full one holds pairs out'
        )
    return full_scene(int(seed), held_out) if world == 'full' else small_scene(int(seed))
