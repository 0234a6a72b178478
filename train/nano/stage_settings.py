"""The settings of a stage of nano's training."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_train.schedule import warmup_and_decay


@dataclass(frozen=True)
class StageSettings:
    """How a stage of nano's training runs.

    :ivar steps: at which the stage ends, counted from its start.
    :ivar batch_size: images a step.
    :ivar warmup_steps: the first steps, over which the learning rate rises.
    :ivar decay_steps: the last steps, over which the learning rate falls to 0.
    :ivar short_questions: short questions for each image.
    :ivar long_questions: plans and captions for each image; where both are 0, only the encoder
        learns, from the patches' labels.
    :ivar patch_loss_weight: weight of the patches' labels.
    :ivar vision_learning_rate_scale: the encoder's share of the learning rate; 0 freezes it.
    :ivar precision: 'fp32' or 'bf16', to multiply in; 'auto' for 'bf16' where the device has it.
    :ivar workers: processes that prepare batches, for a GPU; 0 for none.
    """

    steps: int = 4000
    batch_size: int = 16
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    decay_steps: int = 500
    short_questions: int = 0
    long_questions: int = 0
    patch_loss_weight: float = 1.0
    vision_learning_rate_scale: float = 1.0
    precision: str = 'auto'
    seed: int = 0
    workers: int = 0

    def __post_init__(self):
        if self.precision not in ('auto', 'bf16', 'fp32'):
            raise ValueError(f'precision {self.precision!r}: auto, bf16 or fp32')
        if not (self.patch_loss_weight or self.short_questions or self.long_questions):
            raise ValueError(
                'nothing to learn: ask short or long questions, or set a patch loss weight above 0'
            )

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return self.learning_rate * warmup_and_decay(
            step, self.steps, self.warmup_steps, self.decay_steps
        )
