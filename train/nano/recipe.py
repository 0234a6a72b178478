"""nano from scratch: the stages, one after the other; each resumes where it stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from kimi_train.memory import keep_freed_memory
from kimi_train.nano.architecture import CROP, PATCH, build_tokenizer, initialise
from kimi_train.nano.batches import BatchBuilder
from kimi_train.nano.checkpoint import load_start, load_weights, save_checkpoint, save_start
from kimi_train.nano.corpus import corpus
from kimi_train.nano.loop import Trainer
from kimi_train.nano.questions import QuestionWriter
from kimi_train.nano.scenes import SceneSet, render_set
from kimi_train.nano.stage_settings import StageSettings


@dataclass(frozen=True)
class Stage:
    """A part of the training, in a folder of its own name."""

    name: str
    settings: StageSettings


_TOGETHER = StageSettings(
    batch_size=8,
    learning_rate=1.3e-3,  # 3e-3 undoes what this learns
    warmup_steps=40,
    patch_loss_weight=0.5,
    # A faster encoder moves away from the features that the decoder has matched to words.
    vision_learning_rate_scale=0.2,
)
STAGES = (
    # The encoder alone, from every patch's label: four times as many images a second.
    Stage('see', StageSettings(steps=9000, batch_size=16, learning_rate=2e-3, decay_steps=5000)),
    # Then everything: mostly short questions, until words find their patches; then plans as well.
    Stage(
        'match', replace(_TOGETHER, steps=4000, decay_steps=0, short_questions=14, long_questions=1)
    ),
    Stage(
        'speak',
        replace(
            _TOGETHER,
            steps=11000,
            learning_rate=1e-3,
            decay_steps=8000,
            short_questions=9,
            long_questions=5,
        ),
    ),
)


def make_nano(
    folder: Path,
    scenes: int,
    workers: int,
    weights: Path | None = None,
    steps: int | None = None,
) -> Path:
    """Render, train and save; returns the checkpoint's folder. What is there already is kept.

    :param scenes: how many are rendered, from seed 0 on.
    :param weights: a checkpoint's folder to begin from; None starts from random weights.
    :param steps: of each stage, instead of the recipe's: for a trial.
    """
    data, start = folder / 'scenes', folder / 'start'
    done = data / 'done'
    if not done.exists():
        render_set(data, range(scenes), CROP, PATCH, workers)
        done.write_text(f'{scenes}\n')
    elif int(done.read_text()) != scenes:
        raise ValueError(f'{data} holds {done.read_text().strip()} scenes: give another folder')
    loaded = SceneSet.load(data)
    if not (start / 'tasks.json').exists():
        save_start(start, build_tokenizer(corpus(loaded, np.random.default_rng(0))))
    for stage in STAGES:
        settings = replace(stage.settings, steps=steps) if steps else stage.settings
        train(loaded, start, folder / stage.name, settings, weights)
        weights = folder / stage.name / 'last.pt'
    save_checkpoint(start, weights, folder / 'nano')
    return folder / 'nano'


def prepare(seed: int) -> None:
    """Seed PyTorch, and set up the process to train fast on a CPU."""
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)
    keep_freed_memory()


def train(
    scenes: SceneSet, start: Path, out: Path, settings: StageSettings, weights: Path | None
) -> None:
    """Run one stage, or the rest of it.

    :param start: folder with config.json and tokenizer.json.
    :param out: folder for last.pt and log.jsonl.
    :param weights: a `last.pt` or a checkpoint's folder to begin from; None: random weights.
    :raises ValueError: where the scenes were rendered for another size of image.
    """
    prepare(settings.seed)
    model, tokenizer = load_start(start)
    rendered, seen = scenes.frames.shape[1], model.config.vision.crop_size
    if rendered != seen:
        raise ValueError(
            f'the scenes are {rendered} pixels wide, the model in {start} sees '
            f'{seen}: render them again (kimi-train render)'
        )
    initialise(model)
    model.to('cuda' if torch.cuda.is_available() else 'cpu')
    trainer, last = Trainer(model, settings), out / 'last.pt'
    if last.exists():
        trainer.load(last)
        print(f'{out.name}: going on from step {trainer.step}')
    elif weights and weights.is_dir():
        load_weights(model, tokenizer, weights)
    elif weights:
        trainer.load(weights, weights_only=True)
    out.mkdir(parents=True, exist_ok=True)
    writer = QuestionWriter(model.config, tokenizer)
    trainer.run(BatchBuilder(scenes, writer, settings.batch_size, settings.seed), out)
