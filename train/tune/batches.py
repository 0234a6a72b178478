"""Images with their examples, in an order that a seed decides, as tensors."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.crops import Crops, overlap_crops
from kimi_train.examples import Example, PackedExamples, pack
from kimi_train.tune.samples import DataError, Sample


@dataclass(frozen=True)
class ImageGroup:
    """An image, or none, and examples about it that share its prefix."""

    image: Path | None
    examples: tuple[Example, ...]


@dataclass
class Batch:
    """Examples, and the images that they are about: none, or one for each row of `examples`.

    `views` are uint8 crops (n, S, S, 3) and tiling of each image; None for one that is known.
    """

    images: list[Path]
    views: list[Crops | None]
    examples: PackedExamples


def group_by_image(
    samples: Sequence[Sample], examples: Sequence[Example], longest: int
) -> list[ImageGroup]:
    """Put examples about one image together, in the data's order, up to `longest` tokens."""
    open_units: dict[Path | None, list[Example]] = {}
    groups = []
    for sample, example in zip(samples, examples, strict=True):
        mine = open_units.setdefault(sample.image, [])
        if mine and sum(len(other.ids) for other in mine) + len(example.ids) > longest:
            groups.append(ImageGroup(sample.image, tuple(mine)))
            mine.clear()
        mine.append(example)
    return groups + [ImageGroup(image, tuple(mine)) for image, mine in open_units.items()]


def groups_of_step(
    groups: Sequence[ImageGroup], step: int, images: int, seed: int
) -> list[ImageGroup]:
    """Return the units from which a step learns.

    Epochs follow each other without a gap, each in an order of its own.
    """
    matching_names = []
    for index in range(step * images, (step + 1) * images):
        epoch, place = divmod(index, len(groups))
        matching_names.append(
            groups[np.random.default_rng((seed, epoch)).permutation(len(groups))[place]]
        )
    return matching_names


def batches(
    groups: Sequence[ImageGroup],
    micro_batch_size: int,
    config: ModelConfig,
    known: Container[Path] = (),
) -> Iterator[Batch]:
    """Yield the units as tensors, at most `micro_batch_size` together, those without an image last.

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
            yield Batch(images, views, pack([group.examples for group in some]))


def _read(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert('RGB'))
    # Pillow raises what its decoders raise: OSError, SyntaxError, ValueError, ...
    except Exception as error:
        raise DataError([f'the image {path} cannot be read: {error}']) from error
