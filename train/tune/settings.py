"""How a fine-tuning run is set up."""

from __future__ import annotations

import math
from dataclasses import dataclass


class TuneError(ValueError):
    """A run cannot begin or go on: the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """How a fine-tuning run is set up; two runs with the same settings and data are the same.

    :ivar epochs: how often every image is seen.
    :ivar images: with all their questions, from which one step learns.
    :ivar at_once: of these images, how many are in memory together; the gradients of the others
        are added up.
    :ivar rate: learning rate; it rises over the first twentieth and falls over the last half.
    :ivar parts: patterns of the tensors that are trained or, with LoRA, of the layers that get an
        adapter: 'text.*', 'region.*', 'text.blocks.2?.attn.*'.
    :ivar rank: of LoRA adapters; 0 trains the tensors themselves.
    :ivar strength: what an adapter's product is multiplied by.
    :ivar precision: 'fp32' or 'bf16', of the arithmetic; what is trained is kept in fp32.
    :ivar checkpointing: compute activations again on the way back: slower, and far less memory.
    """

    epochs: int = 3
    images: int = 8
    at_once: int = 1
    rate: float = 1e-5
    parts: tuple[str, ...] = ('*',)
    rank: int = 0
    strength: float = 2.0
    precision: str = 'fp32'
    checkpointing: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ('epochs', 'images', 'at_once'):
            if getattr(self, name) < 1:
                raise TuneError(f'{name} must be at least 1, not {getattr(self, name)}')
        if self.rank < 0:
            raise TuneError(f'the rank must not be negative, as {self.rank} is')
        for name in ('rate', 'strength'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise TuneError(f'{name} must be a number above 0, not {value}')

    def steps(self, units: int) -> int:
        """How many steps the epochs take over so many images."""
        return math.ceil(units * self.epochs / self.images)

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of a step, counted from 0."""
        up = min(1.0, (step + 1) / max(1, round(0.05 * steps)))
        down = min(1.0, (steps - step) / max(1, round(0.5 * steps)))
        return self.rate * up * down
