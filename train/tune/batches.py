"""Images with their examples, shuffled by a seed, in batches of tensors."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kimi_ros.images import ImageReadError, read_image
from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.crops import Crops, overlap_crops
from kimi_train.examples import Example, PackedExamples, pack
from kimi_train.tune.samples import DataError, Sample


@dataclass(frozen=True)
class ImageGroup:
    """An image, or none, and examples about it that share its prefix."""

    image: Path | None
    examples: tuple[Example, ...]
    tasks: tuple[str, ...] = ()


@dataclass
class Batch:
    """Examples, and the images that they are about: none, or one for each row of `examples`.

    `views` are uint8 crops (n, S, S, 3) and tiling of each image; None for one that is known.
    `tasks` are those of the examples, row by row.
    """

    images: list[Path]
    views: list[Crops | None]
    examples: PackedExamples
    tasks: list[str]


def group_by_image(
    samples: Sequence[Sample], examples: Sequence[Example], longest: int, prefix: str = ''
) -> list[ImageGroup]:
    """Put examples about one image together, in the data's order, up to `longest` tokens.

    :param prefix: of the tasks' names.
    """
    open_groups: dict[Path | None, list[tuple[Example, str]]] = {}
    groups = []

    def close(image: Path | None, mine: list[tuple[Example, str]]) -> None:
        found, tasks = zip(*mine, strict=True)
        groups.append(ImageGroup(image, found, tasks))

    for sample, example in zip(samples, examples, strict=True):
        mine = open_groups.setdefault(sample.image, [])
        if mine and sum(len(other.ids) for other, _ in mine) + len(example.ids) > longest:
            close(sample.image, mine)
            mine.clear()
        mine.append((example, f'{prefix}{sample.task}'))
    for image, mine in open_groups.items():
        close(image, mine)
    return groups


class EpochOrder:
    """The images of every step: each epoch has all of one's own, and some that are rehearsed.

    Epochs follow each other without a gap, each in an order of its own. The last step takes what it
    lacks from a further epoch.
    """

    def __init__(
        self,
        own: Sequence[ImageGroup],
        epochs: int,
        batch_size: int,
        seed: int,
        rehearsal: Sequence[Sequence[ImageGroup]] = (),
    ):
        """Draw the order.

        :param rehearsal: the images that the first epoch rehearses, the second one, ...; repeated
            where there are more epochs.
        """
        self._batch_size = batch_size
        self._ordered: list[ImageGroup] = []
        epoch, wanted = 0, 0
        while epoch < epochs or len(self._ordered) < wanted:
            rehearsed = rehearsal[epoch % len(rehearsal)] if rehearsal else ()
            groups = [*own, *rehearsed]
            order = np.random.default_rng((seed, epoch)).permutation(len(groups))
            self._ordered += [groups[index] for index in order]
            epoch += 1
            if epoch == 1:
                self.epoch_steps = math.ceil(len(self._ordered) / batch_size)
            if epoch == epochs:
                self.steps = math.ceil(len(self._ordered) / batch_size)
                wanted = self.steps * batch_size

    def groups_of_step(self, step: int) -> list[ImageGroup]:
        """Return what a step learns from, counted from 0."""
        first = step * self._batch_size
        return self._ordered[first : first + self._batch_size]


def batches(
    groups: Sequence[ImageGroup],
    micro_batch_size: int,
    config: ModelConfig,
    known: Container[Path] = (),
) -> Iterator[Batch]:
    """Yield groups as tensors, at most `micro_batch_size` together, those without an image last.

    :param known: images whose crops are not needed.

    Raises DataError, naming the file, for an image that cannot be decoded.
    """
    for seeing in (True, False):
        alike = [group for group in groups if (group.image is not None) == seeing]
        for start in range(0, len(alike), micro_batch_size):
            some = alike[start : start + micro_batch_size]
            images = [group.image for group in some if group.image is not None]
            views = [
                None if image in known else overlap_crops(_read(image), config.vision)
                for image in images
            ]
            tasks = [task for group in some for task in group.tasks]
            yield Batch(images, views, pack([group.examples for group in some]), tasks)


def _read(path: Path) -> np.ndarray:
    try:
        return read_image(path)
    except ImageReadError as error:
        raise DataError([str(error)]) from error
