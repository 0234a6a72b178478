"""Random numbers for scenes, the same with every version of NumPy and on every machine."""

from collections.abc import Sequence

import numpy as np


class SceneRandom:
    """Random numbers from PCG64's raw output, whose stream NumPy promises never to change."""

    def __init__(self, seed: int):
        self._bits = np.random.PCG64(seed)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return a number between two others, to six decimals."""
        unit = (int(self._bits.random_raw()) >> 11) * 2.0**-53
        return round(low + (high - low) * unit, 6)

    def below(self, count: int) -> int:
        """Return an integer from 0 to `count` - 1."""
        return int(self._bits.random_raw()) * count >> 64

    def choice(self, items: Sequence):
        """Return one of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence) -> list:
        """Return the items in random order."""
        items = list(items)
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
        return items
