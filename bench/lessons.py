"""Steps of nano's training, as its recipe takes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from .timing import Watch
from .worker import Missing

try:
    import torch
except ImportError as error:
    raise Missing(f'PyTorch is not installed ({error}): make test-train installs it') from error

from kimi_ros.vlm.config import ModelConfig
from kimi_train.model import Moondream
from kimi_train.nano.batches import BatchMaker
from kimi_train.nano.corpus import corpus
from kimi_train.nano.loop import Trainer
from kimi_train.nano.questions import QuestionWriter
from kimi_train.nano.recipe import STAGES, prepare
from kimi_train.nano.scenes import SceneSet
from kimi_train.nano.sizes import build_tokenizer, config_with, initialise

_STEPS = 3  # in a repeat


class Lessons:
    """A nano that begins from nothing, and batches of rendered scenes.

    :ivar study: 'encoder', as the recipe's first stage has it, or 'all', as its last.
    :ivar precision: 'fp32' or 'bf16'.
    """

    def __init__(self, threads: int, folder: str, study: str, precision: str) -> None:
        torch.set_num_threads(threads)
        prepare(seed=0)
        plan = replace(STAGES[0 if study == 'encoder' else -1].plan, precision=precision)
        if study == 'encoder':
            plan = replace(plan, short=0, long=0)
        scenes = SceneSet.load(Path(folder))
        tokenizer = build_tokenizer(corpus(scenes, np.random.default_rng(0)))
        model = Moondream(ModelConfig.from_dict(config_with(tokenizer)))
        initialise(model)
        self._trainer = Trainer(model, plan)
        writer = QuestionWriter(model.config, tokenizer)
        self._batches = BatchMaker(scenes, writer, plan.images, plan.seed)

    def turn(self, steps: int = _STEPS) -> dict[str, float]:
        """Images and questions a second, and the share of the time that made batches."""
        trainer, plan, made, learnt = self._trainer, self._trainer.plan, 0.0, 0.0
        for _ in range(steps):
            with Watch() as making:
                batch = self._batches.batch(trainer.step, plan.short, plan.long)
            with Watch() as learning:
                trainer.learn(batch)
            made += making.seconds
            learnt += learning.seconds
        images = steps * plan.images / (made + learnt)
        return {
            'images': images,
            'questions': images * (plan.short + plan.long),
            'making': made / (made + learnt),
        }
