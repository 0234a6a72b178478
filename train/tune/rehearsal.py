"""Rehearsal: lines that a checkpoint could already answer, mixed in so that it does not forget."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kimi_train.tune.dataset import read_samples
from kimi_train.tune.samples import Sample

TABLES = ('synthetic', 'table')
"""What `--rehearse` calls lines about the rendered table, which nano was trained on."""
_FIRST_SEED = 500_000  # of training; nano's own seeds are lower
_VALIDATION_SEED = 1_500_000
VALIDATION_SCENES = 24


def rehearsal_samples(source: str, folder: Path, images: int) -> tuple[list[Sample], list[Sample]]:
    """Return the lines to rehearse, and further ones that tell whether they are forgotten.

    :param source: one of `TABLES`, or a JSONL file, of whose images one in ten is for validation.
    :param folder: where rendered scenes are written, and found again.
    :param images: how many to render.

    Raises DataError, and GLNotAvailable where nothing can be rendered.
    """
    if source in TABLES:
        return (
            _rendered(folder / 'rehearsal', _FIRST_SEED, images),
            _rendered(folder / 'rehearsal_validation', _VALIDATION_SEED, VALIDATION_SCENES),
        )
    samples = read_samples([Path(source)])
    keys = list(dict.fromkeys(sample.image for sample in samples))
    held_out = set(keys[::10]) if len(keys) > 1 else set()
    return (
        [sample for sample in samples if sample.image not in held_out],
        [sample for sample in samples if sample.image in held_out],
    )


def _rendered(folder: Path, first: int, count: int) -> list[Sample]:
    from kimi_train.synthetic_data import write_synthetic_data

    done = folder / f'{count}_scenes'
    if not done.exists():
        write_synthetic_data(folder, range(first, first + count), rehearsal=True)
        done.touch()
    return read_samples([folder / 'table.jsonl'])


def chunks(samples: Sequence[Sample], size: int) -> list[list[Sample]]:
    """Return the samples of every `size` images; what is left over joins the last of several."""
    images = list(dict.fromkeys(sample.image for sample in samples))
    number = {image: index // size for index, image in enumerate(images)}
    whole = max(1, len(images) // size)
    out: list[list[Sample]] = [[] for _ in range(whole)]
    for sample in samples:
        out[min(number[sample.image], whole - 1)].append(sample)
    return out
