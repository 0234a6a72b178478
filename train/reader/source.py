"""Where training's examples come from: groups under one catalogue, each by its own number."""

from __future__ import annotations

import random
from collections.abc import Sequence

from kimi_train.reader.language import Example, generate

LANGUAGES = ('en', 'zh')


class Source:
    """Generated groups of examples, no two alike; which ones depends on the step alone.

    :param held_out: 'nouns' or 'skills' that training never holds, True for both.
    """

    def __init__(
        self,
        seed: int = 0,
        languages: Sequence[str] = LANGUAGES,
        held_out: bool | str = False,
        noisy: bool = True,
    ):
        self._seed, self._languages = seed, tuple(languages)
        self._held_out, self._noisy = held_out, noisy

    def groups(self, step: int, count: int, size: int) -> list[list[Example]]:
        """Return the groups of a step, in the languages by turns."""
        out = []
        for number in range(step * count, (step + 1) * count):
            rng = random.Random(self._seed * 2**40 + number)
            language = self._languages[number % len(self._languages)]
            out.append(generate(rng, language, size, self._held_out, self._noisy))
        return out
