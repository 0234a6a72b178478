"""The training examples, generated in groups that share a catalogue."""

from __future__ import annotations

import random
from collections.abc import Sequence

from kimi_train.reader.language import Example, generate

LANGUAGES = ('en', 'zh')
OVERSAMPLING, MAX_CATALOGUES = (
    2,
    3,
)  # times as many examples, and catalogues at most, to choose from


class InstructionDataset:
    """Generated groups of examples; they depend only on seed and step.

    :param held_out: use held-out 'nouns' or 'skills', True for both.
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
        """Return the groups of a step, alternating between languages."""
        out = []
        for number in range(step * count, (step + 1) * count):
            rng = random.Random(self._seed * 2**40 + number)
            language = self._languages[number % len(self._languages)]
            out.append(self._group(rng, language, size))
        return out

    def _group(self, rng: random.Random, language: str, size: int) -> list[Example]:
        """Return examples under one catalogue, more of them with values than are drawn.

        Numbers, choices and texts are rarer in what is generated than in what robots are told.
        """
        drawn, wanted = [], rng.choice(_WANTED)
        for _ in range(MAX_CATALOGUES):
            drawn = generate(rng, language, OVERSAMPLING * size, self._held_out, self._noisy)
            if max(map(_rarity, drawn)) >= wanted:
                break
        drawn.sort(key=_rarity, reverse=True)  # keeps the order of those that are as rare
        half = size // 2
        rest = [example for example in drawn[half:] if not _rarity(example)]
        return (drawn[:half] + rest + drawn[half:])[:size]


# How rare what a catalogue is asked for shall be, if that is soon found.
_WANTED = (0, 0, 1, 2)


def _rarity(example: Example) -> int:
    """Return 2 where a choice was said, 1 where another value was, else 0."""
    types = {
        (card.name, argument.name): argument.type
        for card in example.catalogue
        for argument in card.arguments
    }
    said = {types[step.skill, name] for step in example.reading.steps for name in step.values}
    return 2 if said & {'enum', 'bool'} else 1 if said else 0
