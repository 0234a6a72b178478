"""Held-out lines: taken from the data, and measured task by task while training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from kimi_train.model import Moondream
from kimi_train.training_loop import prefetch
from kimi_train.tune.batches import ImageGroup, batches
from kimi_train.tune.image_cache import ImageEncoder
from kimi_train.tune.losses import example_results
from kimi_train.tune.samples import Sample
from kimi_train.tune.settings import TuneError

REHEARSAL = 'rehearsal '
"""What the task names of rehearsed lines begin with."""


def validation_source(text: str) -> float | Path:
    """Return the share or the file that `--validation` names. Raises TuneError."""
    try:
        share = float(text)
    except ValueError:
        return Path(text)
    if not 0 < share < 1:
        raise TuneError(f'--validation {text}: give a share between 0 and 1, or a JSONL file')
    return share


def split(samples: Sequence[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Return training and validation samples: no image is in both, nor a line without an image.

    Raises TuneError where nothing would be left of either.
    """
    keys = list(dict.fromkeys(_key(sample) for sample in samples))
    count = max(1, round(share * len(keys)))
    if count >= len(keys):
        raise TuneError(
            f'--validation {share} of {len(keys)} images leaves none to train on: give more data '
            'or a smaller share'
        )
    order = np.random.default_rng((seed, 1)).permutation(len(keys))
    held_out = {keys[index] for index in order[:count]}
    training = [sample for sample in samples if _key(sample) not in held_out]
    return training, [sample for sample in samples if _key(sample) in held_out]


def _key(sample: Sample) -> str:
    return sample.where if sample.image is None else str(sample.image)


@torch.no_grad()
def validate(
    accelerator: Accelerator,
    model: Moondream,
    images: ImageEncoder,
    groups: Sequence[ImageGroup],
    micro_batch_size: int,
) -> dict[str, float]:
    """Return `TASK_loss` and `TASK_exact` for every task, and `loss`, which chooses the best step.

    `loss` is the mean over the examples; of one's own and of rehearsed lines, the mean of both
    means. `exact` is the share of right answers, as `example_results` says.
    """
    tasks = sorted({task for group in groups for task in group.tasks})
    device = accelerator.device
    totals = torch.zeros(len(tasks), 3, device=device)  # losses, right answers, examples
    mine = groups[accelerator.process_index :: accelerator.num_processes]
    for batch in prefetch(batches(mine, micro_batch_size, model.config, images)):
        with accelerator.autocast():
            embeddings = images(batch) if batch.images else None
            losses, right = example_results(model, batch.examples.to(device), embeddings)
        index = torch.tensor([tasks.index(task) for task in batch.tasks], device=device)
        rows = torch.stack([losses, right.float(), torch.ones_like(losses)], -1)
        totals.index_add_(0, index, rows)
    if accelerator.num_processes > 1:
        totals = accelerator.reduce(totals, 'sum')
    metrics = {}
    sets: dict[bool, list[tuple[float, float]]] = {}
    for task, (loss, right, count) in zip(tasks, totals.tolist(), strict=True):
        metrics[f'{task}_loss'], metrics[f'{task}_exact'] = loss / count, right / count
        sets.setdefault(task.startswith(REHEARSAL), []).append((loss, count))
    means = [sum(part[0] for part in s) / sum(part[1] for part in s) for s in sets.values()]
    return {'loss': sum(means) / len(means), **metrics}
