"""The training examples, generated in groups that share a catalogue."""

from __future__ import annotations

import random
from collections.abc import Sequence

from kimi_train.reader.language import Example, generate

LANGUAGES = ('en', 'zh')
OVERSAMPLING = 2  # examples to choose from, per example returned
MAX_CATALOGUES = 3  # to choose from, per group


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
        """Return examples that share a catalogue; those with values or places are oversampled.

        Both are rarer in generated than in real instructions.
        """
        drawn, min_priority = [], rng.choice(_MIN_PRIORITIES)
        for _ in range(MAX_CATALOGUES):
            drawn = generate(rng, language, OVERSAMPLING * size, self._held_out, self._noisy)
            if max(map(_priority, drawn)) >= min_priority:
                break
        drawn.sort(key=_priority, reverse=True)  # stable
        half = size // 2
        rest = [example for example in drawn[half:] if not _priority(example)]
        return (drawn[:half] + rest + drawn[half:])[:size]


# Priority that some example of a group should have, sampled per group.
_MIN_PRIORITIES = (0, 0, 1, 2)


def _priority(example: Example) -> int:
    """Return 2 for an example with an enum or bool, 1 with another value or a place, else 0."""
    types = {
        (card.name, argument.name): argument.type
        for card in example.catalogue
        for argument in card.arguments
    }
    used = {types[step.skill, name] for step in example.reading.steps for name in step.values}
    placed = any(step.relation for step in example.reading.steps)
    return 2 if used & {'enum', 'bool'} else 1 if used or placed else 0
