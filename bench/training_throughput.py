"""Training throughput of nano, with the recipe's steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from .timing import Timer
from .worker import Missing

try:
    import torch
except ImportError as error:
    raise Missing(f'PyTorch is not installed ({error}): make test-train installs it') from error

from kimi_ros.vlm.config import ModelConfig
from kimi_train.model import Moondream
from kimi_train.nano.architecture import build_tokenizer, config_with, initialise
from kimi_train.nano.batches import BatchBuilder
from kimi_train.nano.corpus import corpus
from kimi_train.nano.loop import Trainer
from kimi_train.nano.questions import QuestionWriter
from kimi_train.nano.recipe import STAGES, prepare
from kimi_train.nano.scenes import SceneSet

_STEPS = 3  # in a repeat


class TrainingThroughput:
    """Trains a randomly initialized nano on batches of rendered scenes.

    :ivar trained: 'encoder', as in the recipe's first stage, or 'all', as in its last.
    :ivar precision: 'fp32' or 'bf16'.
    """

    def __init__(self, threads: int, folder: str, trained: str, precision: str) -> None:
        torch.set_num_threads(threads)
        prepare(seed=0)
        settings = replace(STAGES[0 if trained == 'encoder' else -1].settings, precision=precision)
        if trained == 'encoder':
            settings = replace(settings, short_questions=0, long_questions=0)
        scenes = SceneSet.load(Path(folder))
        tokenizer = build_tokenizer(corpus(scenes, np.random.default_rng(0)))
        model = Moondream(ModelConfig.from_dict(config_with(tokenizer)))
        initialise(model)
        self._trainer = Trainer(model, settings)
        writer = QuestionWriter(model.config, tokenizer)
        self._batches = BatchBuilder(scenes, writer, settings.batch_size, settings.seed)

    def turn(self, steps: int = _STEPS) -> dict[str, float]:
        """Images and questions per second, and the share of time spent on batch preparation."""
        trainer, settings, batch_seconds, trained_seconds = (
            self._trainer,
            self._trainer.settings,
            0.0,
            0.0,
        )
        for _ in range(steps):
            with Timer() as making:
                batch = self._batches.batch(
                    trainer.step, settings.short_questions, settings.long_questions
                )
            with Timer() as learning:
                trainer.learn(batch)
            batch_seconds += making.seconds
            trained_seconds += learning.seconds
        images_per_second = steps * settings.batch_size / (batch_seconds + trained_seconds)
        return {
            'images': images_per_second,
            'questions': images_per_second * (settings.short_questions + settings.long_questions),
            'making': batch_seconds / (batch_seconds + trained_seconds),
        }
