"""From scans to a model that knows them: draw, train, export; each step resumes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from kimi_export import export_model
from kimi_ros.eval.presence import write_threshold
from kimi_ros.resources import share
from kimi_ros.sim.scans import YCB, DrawSettings, draw_dataset, open_dataset
from kimi_ros.sim.scans.camera_effects import cheap_camera
from kimi_train.nano.scenes import SceneSet, render_set
from kimi_train.things.labelled import write_labelled
from kimi_train.things.presence import calibrate
from kimi_train.things.recipe import Data, teach

THINGS_FILE = 'things.yaml'
VALIDATION = 240  # pictures
CALIBRATION = 100  # of these, to choose the threshold of presence
FIRST_VALIDATION_SEED = 1_000_000
FIRST_TABLE_SEED = 400_000  # of scenes that nano was not trained on


@dataclass(frozen=True)
class Amounts:
    """How much is drawn and learnt.

    :ivar pictures: of the scanned things.
    :ivar tables: painted, so that they are not forgotten; 0.5 MB of memory each.
    :ivar steps: of each stage, instead of the recipe's; None for those.
    """

    pictures: int = 6500
    tables: int = 3000
    steps: int | None = None


def make_things(
    scans: Path,
    out: Path,
    work: Path,
    things: Path | None = None,
    backdrops: Path | None = None,
    base: Path | None = None,
    photos: Path | None = None,
    amounts: Amounts = Amounts(),  # noqa: B008 - frozen
    workers: int = 2,
) -> Path:
    """Teach a checkpoint scanned things; returns the folder of the exported model.

    :param scans: folder of the meshes.
    :param out: the model's folder to write.
    :param work: folder for pictures, tables, stages and the checkpoint; what is there is kept.
    :param things: the things file; None for things.yaml in the scans' folder, or that of YCB.
    :param backdrops: folder of photographs to paste things on, or None.
    :param base: folder of the checkpoint that learns; None for the shipped nano.
    :param photos: folder of photographs with things.jsonl, to watch the training by, or None.
    """
    base = base or share('models/nano')
    if things is None:
        things = scans / THINGS_FILE if (scans / THINGS_FILE).exists() else YCB
    train, validation, tables = (work / name for name in ('pictures', 'validation', 'tables'))
    _draw(
        train,
        DrawSettings(scans, things, amounts.pictures, 0, backdrops=backdrops, effects=0),
        workers,
    )
    few = min(VALIDATION, amounts.pictures)
    _draw(
        validation,
        DrawSettings(scans, things, few, FIRST_VALIDATION_SEED, backdrops=backdrops),
        workers,
    )
    if not (tables / 'truth.jsonl').exists():
        seeds = range(FIRST_TABLE_SEED, FIRST_TABLE_SEED + amounts.tables)
        vision = json.loads((base / 'config.json').read_text())['vision']
        render_set(tables, seeds, vision['crop_size'], vision['enc_patch_size'], workers)
    checkpoint = teach(
        open_data(train, validation, tables, photos), base, work, work / 'checkpoint', amounts.steps
    )
    model = export_model(checkpoint, out)
    _choose_threshold(model, checkpoint, photos or _labelled(validation, work / 'labelled'))
    return model


def _labelled(validation: Path, folder: Path) -> Path:
    """Write validation pictures with names, also of what they do not show; return the folder."""
    write_labelled(open_dataset(validation), folder, CALIBRATION)
    return folder


def _choose_threshold(model: Path, checkpoint: Path, data: Path) -> None:
    """Choose from which presence on something is there, for the model and its checkpoint."""
    try:
        chosen = calibrate(model, data)
    except ValueError as error:
        print(f'no threshold of presence: {error}', flush=True)
        return
    write_threshold(checkpoint, chosen.threshold)
    print(chosen, flush=True)


def open_data(pictures: Path, validation: Path, tables: Path, photos: Path | None = None) -> Data:
    """Return what is on disk, as far as it is drawn."""
    drawn = open_dataset(pictures)
    return Data(
        drawn, open_dataset(validation), drawn.things, SceneSet.load(tables), cheap_camera, photos
    )


def _draw(folder: Path, settings: DrawSettings, workers: int) -> None:
    from rich.progress import Progress

    with Progress(transient=True) as progress:
        task = progress.add_task(f'drawing {folder.name}', total=settings.pictures)
        draw_dataset(folder, settings, workers, lambda done: progress.update(task, completed=done))
