"""How a fine-tuning run is set up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kimi_train.schedule import warmup_and_decay


class TuneError(ValueError):
    """A run cannot begin or go on: the message says what to change."""


FORMER_NAMES = {
    'batch_size': 'images',
    'micro_batch_size': 'at_once',
    'learning_rate': 'rate',
    'target_modules': 'parts',
    'lora_rank': 'rank',
    'lora_scale': 'strength',
    'gradient_checkpointing': 'checkpointing',
}
"""What settings were called in runs that earlier versions began."""


@dataclass(frozen=True)
class Settings:
    """How a fine-tuning run is set up; two runs with the same settings and data are the same.

    :ivar epochs: how often every image is seen.
    :ivar batch_size: images, with all their questions, from which one step learns.
    :ivar micro_batch_size: how many of these images are in memory at once; gradients are
        accumulated over the others.
    :ivar learning_rate: its maximum; it rises over the first twentieth of the steps and falls over
        the last half.
    :ivar target_modules: patterns of the tensors that are trained or, with LoRA, of the layers that
        get an adapter: 'text.*', 'region.*', 'text.blocks.2?.attn.*'.
    :ivar lora_rank: rank of the adapters; 0 trains the weights themselves.
    :ivar lora_scale: factor of an adapter's product.
    :ivar precision: 'fp32' or 'bf16', of the arithmetic; trained parameters are kept in fp32.
    :ivar gradient_checkpointing: recompute activations in the backward pass: slower, and far less
        memory.
    :ivar validation: a JSONL file, or the share of the images that is held out; '' for none.
    :ivar validate_every: steps between validations; 0 for an epoch.
    :ivar rehearse: what is mixed in so that it is not forgotten: a JSONL file or 'synthetic'.
    """

    epochs: int = 3
    batch_size: int = 8
    micro_batch_size: int = 1
    learning_rate: float = 1e-5
    target_modules: tuple[str, ...] = ('*',)
    lora_rank: int = 0
    lora_scale: float = 2.0
    precision: str = 'fp32'
    gradient_checkpointing: bool = False
    seed: int = 0
    validation: str = ''
    validate_every: int = 0
    rehearse: str = ''

    def __post_init__(self) -> None:
        for name in ('epochs', 'batch_size', 'micro_batch_size'):
            if getattr(self, name) < 1:
                raise TuneError(f'{name} must be at least 1, not {getattr(self, name)}')
        for name in ('lora_rank', 'validate_every'):
            if getattr(self, name) < 0:
                raise TuneError(f'{name} must be at least 0, not {getattr(self, name)}')
        for name in ('learning_rate', 'lora_scale'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise TuneError(f'{name} must be a number above 0, not {value}')

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        warmup, decay = round(0.05 * steps), round(0.5 * steps)
        return self.learning_rate * warmup_and_decay(step, steps, warmup, decay)
