"""The outcome of one question of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Place = tuple[float, ...]  # (x, y) or (x_min, y_min, x_max, y_max) in 0-1


@dataclass(frozen=True)
class Outcome:
    """A question, the right answer, the model's answer, and what they count for.

    :ivar correct: whether there is nothing to show among the failures.
    :ivar counts: for each figure what this question adds to its numerator and to its denominator:
        every figure is a sum over a sum, a share counts (0 or 1, 1).
    :ivar expected_at: where the right answer is in the picture.
    :ivar predicted_at: where the model's answer is.
    """

    question: str
    expected: str
    predicted: str
    correct: bool
    counts: Mapping[str, tuple[float, float]]
    expected_at: tuple[Place, ...] = ()
    predicted_at: tuple[Place, ...] = ()

    def to_dict(self) -> dict:
        """Return what a line of JSON holds."""
        # The keys are those of journals since the first version: they stay readable.
        return {
            'asked': self.question,
            'wanted': self.expected,
            'came': self.predicted,
            'right': self.correct,
            'counts': {name: list(pair) for name, pair in self.counts.items()},
            'wanted_at': [list(place) for place in self.expected_at],
            'came_at': [list(place) for place in self.predicted_at],
        }

    @classmethod
    def from_dict(cls, data: dict) -> Outcome:
        """Read what `to_dict` returned; KeyError, TypeError or ValueError for anything else."""
        return cls(
            question=str(data['asked']),
            expected=str(data['wanted']),
            predicted=str(data['came']),
            correct=bool(data['right']),
            counts={str(n): (float(a), float(b)) for n, (a, b) in data['counts'].items()},
            expected_at=tuple(tuple(map(float, place)) for place in data['wanted_at']),
            predicted_at=tuple(tuple(map(float, place)) for place in data['came_at']),
        )


def binary(hit: bool) -> tuple[float, float]:
    """Return what one question adds to a proportion: numerator and denominator."""
    return float(hit), 1.0
