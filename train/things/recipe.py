"""nano learns scanned things: the stages, one after the other; each resumes where it stopped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tokenizers import Tokenizer
from torch import nn

from kimi_ros.vlm.efficientnet import NAME
from kimi_train.compilation import can_compile, compile_forward
from kimi_train.model import Moondream
from kimi_train.nano.batches import BatchBuilder
from kimi_train.nano.checkpoint import load_start, load_weights, save_checkpoint
from kimi_train.nano.questions import QuestionWriter
from kimi_train.nano.recipe import prepare
from kimi_train.nano.scenes import SceneSet
from kimi_train.stem import pretrained_stem
from kimi_train.things.batches import MixedBatches
from kimi_train.things.evaluation import evaluate_encoder, labelled_photos, labelled_view
from kimi_train.things.labels import Classes
from kimi_train.things.losses import ClassHeads
from kimi_train.things.questions import ThingQuestions
from kimi_train.things.settings import ThingsSettings
from kimi_train.things.trainer import ThingsTrainer
from kimi_train.things.views import plain_view
from kimi_train.things.vocabulary import with_names

ENCODER_BLOCKS = 4  # after the stem, of the eight that do without
EVALUATED = 160  # pictures
COMPILED_STEPS = 200  # fewer do not repay the minutes of compiling


@dataclass(frozen=True)
class Stage:
    """A part of the training, in a folder of its own name."""

    name: str
    settings: ThingsSettings


STAGES = (
    # The encoder alone, from every patch's label; on tables it is to see what it saw before.
    Stage('see', ThingsSettings(steps=2500, teacher_weight=2.0)),
    # Then words, mostly in short questions. A faster encoder would move away from them.
    Stage(
        'speak',
        ThingsSettings(
            steps=4000,
            pictures=5,
            tables=3,
            learning_rate=1e-3,
            vision_learning_rate_scale=0.2,
            decay_steps=3000,
            short_questions=16,
            long_questions=3,
            patch_loss_weight=0.5,
        ),
    ),
)


@dataclass(frozen=True)
class Data:
    """What is learnt from.

    :ivar pictures: a dataset of scanned things; `validation` another one.
    :ivar tables: painted tables.
    :ivar camera: what a cheap camera does to a picture.
    :ivar photos: folder of photographs with things.jsonl, to watch the training by, or None.
    """

    pictures: Sequence
    validation: Sequence
    things: object
    tables: SceneSet
    camera: Callable
    photos: Path | None = None


def write_start(base: Path, things, out: Path) -> None:
    """Write what the training begins with: the base's config with a stem, words for the names.

    :param base: the folder of the checkpoint that learns.
    :param things: `kimi_ros.sim.scans.Things`.
    """
    out.mkdir(parents=True, exist_ok=True)
    names = [
        n for t in things.all for language in ('en', 'zh') for n in things.names(t.id, language)
    ]
    tokenizer = with_names(Tokenizer.from_file(str(base / 'tokenizer.json')), names)
    config = json.loads((base / 'config.json').read_text())
    config['text']['vocab_size'] = max(config['text']['vocab_size'], tokenizer.get_vocab_size())
    if not config['vision'].get('stem'):
        blocks = min(ENCODER_BLOCKS, config['vision']['enc_n_layers'])
        config['vision'] |= {'stem': NAME, 'enc_n_layers': blocks}
    tokenizer.save(str(out / 'tokenizer.json'))
    (out / 'config.json').write_text(json.dumps(config, indent=1) + '\n')
    # Last: with it the folder is whole.
    shutil.copyfile(base / 'tasks.json', out / 'tasks.json')


def load_learner(start: Path, base: Path) -> tuple[Moondream, Tokenizer]:
    """Return the model of a start folder with the base's weights, and its tokenizer."""
    model, tokenizer = load_start(start)
    with_stem = json.loads((base / 'config.json').read_text())['vision'].get('stem')
    load_weights(model, tokenizer, base)
    if not with_stem:
        model.vision.stem.load_state_dict(pretrained_stem())
        model.vision.patch_emb.reset_parameters()
    return model, tokenizer


def train_stage(
    stage: Stage, data: Data, base: Path, start: Path, folder: Path, weights: Path | None
) -> Path:
    """Run a stage, or the rest of it; returns the file with its weights.

    :param base: the checkpoint that learns, which is also its encoder's teacher.
    :param weights: the file of the stage before; None begins with the base's weights.
    """
    settings, last = stage.settings, folder / stage.name / 'last.pt'
    prepare(settings.seed)
    model, tokenizer = load_learner(start, base)
    teacher = None
    if settings.teacher_weight:
        teacher, words = load_start(base)
        load_weights(teacher, words, base)
        teacher.requires_grad_(False)
    classes = Classes([thing.id for thing in data.things.all])
    heads = ClassHeads(model.config.vision.enc_dim, model.config.text.dim, len(classes))
    trainer = ThingsTrainer(model, heads, settings, teacher)
    if last.exists():
        trainer.load(last)
        print(f'{stage.name}: going on from step {trainer.step}', flush=True)
    elif weights:
        trainer.load(weights, weights_only=True)
    vision = model.config.vision
    sizes = vision.crop_size, vision.enc_patch_size
    asks = settings.short_questions + settings.long_questions
    batches = MixedBatches(
        data.pictures,
        BatchBuilder(data.tables, QuestionWriter(model.config, tokenizer), 1, settings.seed),
        classes,
        ThingQuestions(model.config, tokenizer, data.things) if asks else None,
        data.camera,
        sizes,
        settings.seed,
    )
    evaluate = _evaluation(data, classes, sizes)
    if settings.steps - trainer.step >= COMPILED_STEPS and can_compile(trainer.device):
        compile_forward((*model.vision.blocks, *model.text.blocks))
    trainer.run(batches, folder / stage.name, evaluate)
    return last


def _evaluation(
    data: Data, classes: Classes, sizes: tuple[int, int]
) -> Callable[[nn.ModuleDict], dict[str, float]]:
    """Return what to measure: on validation pictures and, after 'photo_', on photographs."""
    few = range(min(EVALUATED, len(data.validation)))
    drawn = [labelled_view(plain_view(data.validation[i], *sizes), classes) for i in few]
    photos = labelled_photos(data.photos, data.things, sizes[0]) if data.photos else []

    def evaluate(learner: nn.ModuleDict) -> dict[str, float]:
        of_photos = evaluate_encoder(learner, photos, classes) if photos else {}
        return evaluate_encoder(learner, drawn, classes) | {
            f'photo_{name}': value for name, value in of_photos.items()
        }

    return evaluate


def teach(data: Data, base: Path, folder: Path, out: Path, steps: int | None = None) -> Path:
    """Run all stages and write the checkpoint; returns its folder.

    :param steps: of each stage, instead of the recipe's: for a trial.
    """
    start, weights = folder / 'start', None
    if not (start / 'tasks.json').exists():
        write_start(base, data.things, start)
    for stage in STAGES:
        if steps:
            stage = replace(stage, settings=replace(stage.settings, steps=steps))
        weights = train_stage(stage, data, base, start, folder, weights)
    save_checkpoint(start, weights, out)
    return out
