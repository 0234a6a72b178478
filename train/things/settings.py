"""The settings of a stage in which nano learns scanned things."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_train.schedule import warmup_and_decay


@dataclass(frozen=True)
class ThingsSettings:
    """How a stage runs.

    :ivar steps: at which the stage ends, counted from its start.
    :ivar pictures: views of scanned things in a step.
    :ivar tables: painted tables in a step, so that they are not forgotten.
    :ivar learning_rate: of all but the stem.
    :ivar stem_learning_rate: the share of its size by which a weight of the stem changes in a step.
    :ivar vision_learning_rate_scale: the encoder's share of both rates, once questions are asked.
    :ivar warmup_steps: the first steps, over which the learning rate rises.
    :ivar decay_steps: the last steps, over which it falls to 0.
    :ivar short_questions: short questions for each image.
    :ivar long_questions: plans and captions for each image; where both are 0, only the encoder
        learns, from the patches' labels.
    :ivar patch_loss_weight: weight of the patches' labels.
    :ivar teacher_weight: weight of the squared difference between the features of painted tables
        and those that the former encoder has for them.
    :ivar average_decay: of the moving average of the weights, which is what is evaluated and saved.
    :ivar workers: processes that prepare batches.
    """

    steps: int = 2000
    pictures: int = 12
    tables: int = 4
    learning_rate: float = 2e-3
    stem_learning_rate: float = 5e-3
    vision_learning_rate_scale: float = 1.0
    warmup_steps: int = 60
    decay_steps: int = 400
    short_questions: int = 0
    long_questions: int = 0
    patch_loss_weight: float = 1.0
    teacher_weight: float = 0.0
    average_decay: float = 0.985
    evaluate_every: int = 200
    save_every: int = 50
    seed: int = 0
    workers: int = 1

    def schedule(self, step: int) -> float:
        """Return the share of the learning rates that a step has, counted from 0."""
        return warmup_and_decay(step, self.steps, self.warmup_steps, self.decay_steps)
