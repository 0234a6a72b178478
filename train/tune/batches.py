"""Images with their lessons, in an order that a seed decides, as tensors."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.crops import Crops, overlap_crops
from kimi_train.lessons import Lesson, Packed, pack
from kimi_train.tune.samples import DataError, Sample


@dataclass(frozen=True)
class Unit:
    """An image, or none, and lessons about it that share its prefix."""

    image: Path | None
    lessons: tuple[Lesson, ...]


@dataclass
class Batch:
    """Lessons, and the images that they are about: none, or one for each row of `lessons`.

    `views` are uint8 crops (n, S, S, 3) and tiling of each image; None for one that is known.
    """

    images: list[Path]
    views: list[Crops | None]
    lessons: Packed


def group(samples: Sequence[Sample], lessons: Sequence[Lesson], longest: int) -> list[Unit]:
    """Put lessons about one image together, in the data's order, up to `longest` tokens."""
    open_units: dict[Path | None, list[Lesson]] = {}
    units = []
    for sample, lesson in zip(samples, lessons, strict=True):
        mine = open_units.setdefault(sample.image, [])
        if mine and sum(len(other.ids) for other in mine) + len(lesson.ids) > longest:
            units.append(Unit(sample.image, tuple(mine)))
            mine.clear()
        mine.append(lesson)
    return units + [Unit(image, tuple(mine)) for image, mine in open_units.items()]


def units_of_step(units: Sequence[Unit], step: int, images: int, seed: int) -> list[Unit]:
    """Return the units from which a step learns.

    Epochs follow each other without a gap, each in an order of its own.
    """
    chosen = []
    for index in range(step * images, (step + 1) * images):
        epoch, place = divmod(index, len(units))
        chosen.append(units[np.random.default_rng((seed, epoch)).permutation(len(units))[place]])
    return chosen


def batches(
    units: Sequence[Unit], at_once: int, config: ModelConfig, known: Container[Path] = ()
) -> Iterator[Batch]:
    """Yield the units as tensors, at most `at_once` together, those without an image last.

    :param known: images whose crops are not needed.

    Raises DataError, naming the file, for an image that cannot be decoded.
    """
    for seeing in (True, False):
        alike = [unit for unit in units if (unit.image is not None) == seeing]
        for start in range(0, len(alike), at_once):
            some = alike[start : start + at_once]
            images = [unit.image for unit in some if unit.image is not None]
            views = [
                None if image in known else overlap_crops(_read(image), config.vision)
                for image in images
            ]
            yield Batch(images, views, pack([unit.lessons for unit in some]))


def _read(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert('RGB'))
    # Pillow raises what its decoders raise: OSError, SyntaxError, ValueError, ...
    except Exception as error:
        raise DataError([f'the image {path} cannot be read: {error}']) from error
