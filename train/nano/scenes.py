"""Rendered scenes on disk: frames at the encoder's size, with a label for every patch.

A folder holds `frames.npy` (n, S, S, 3) uint8, `owners.npy` (n, g, g) int8 - the object that covers
most of the patch, -1 for none - and `objects.npy` (n, MAX_OBJECTS, 6) float32: kind, colour, box
(0-1); kind -1 where there is none.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.sim import COLORS, KINDS, Renderer, ground_truth, sample_scene

TRAIN_SEEDS = range(0, 1_000_000)
VALIDATION_SEEDS = range(1_000_000, 2_000_000)
MAX_OBJECTS = 8
RENDER_SIZE = (320, 240)
MIN_COVER = 0.25  # of a patch, for it to belong to an object


class HeldOutSeedError(ValueError):
    """A seed that is kept for examinations was asked for in training."""


@dataclass(frozen=True)
class SceneSet:
    """The arrays of a folder of scenes, in memory: random reads from disk would starve the
    training.
    """

    frames: np.ndarray
    owners: np.ndarray
    objects: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> SceneSet:
        """Read the three arrays of the folder."""
        return cls(*(np.load(folder / f'{n}.npy') for n in _ARRAYS))

    def __len__(self) -> int:
        return len(self.frames)


_ARRAYS = ('frames', 'owners', 'objects')


def label(seed: int, renderer: Renderer, crop_size: int, patch_size: int):
    """Render a scene; return its frame, its patches' owners and its objects as in the module's
    text.
    """
    scene = sample_scene(seed)
    frame = renderer.render(scene, depth=False)
    truth = ground_truth(scene, frame)
    height, width = frame.rgb.shape[:2]
    size = (crop_size, crop_size)
    rgb = np.asarray(Image.fromarray(frame.rgb).resize(size, Image.Resampling.LANCZOS))
    seg = np.asarray(Image.fromarray(frame.segmentation.astype(np.int32)).resize(size, 0))
    grid = crop_size // patch_size
    blocks = seg.reshape(grid, patch_size, grid, patch_size).swapaxes(1, 2).reshape(grid, grid, -1)
    owners = np.full((grid, grid), -1, np.int8)
    most = np.full((grid, grid), MIN_COVER)
    objects = np.full((MAX_OBJECTS, 6), -1, np.float32)
    scale = np.array([width, height, width, height], np.float32)
    for slot, thing in enumerate(truth[:MAX_OBJECTS]):
        cover = (blocks == thing.index).mean(-1)
        owners[cover > most] = slot
        most = np.maximum(most, cover)
        objects[slot] = [
            KINDS.index(thing.kind),
            COLORS.index(thing.color),
            *(np.asarray(thing.box) / scale),
        ]
    return rgb, owners, objects


def render_set(folder: Path, seeds: range, crop_size: int, patch_size: int, workers: int) -> None:
    """Render the seeds' scenes into the folder, in parallel processes.

    :raises HeldOutSeedError: unless all seeds are for training, or all for validation.
    """
    if not any(seeds[0] in lot and seeds[-1] in lot for lot in (TRAIN_SEEDS, VALIDATION_SEEDS)):
        raise HeldOutSeedError(
            f'seeds {seeds[0]} to {seeds[-1]}: training has those below 1,000,000, validation '
            'those below 2,000,000, and the others are for examinations'
        )
    folder.mkdir(parents=True, exist_ok=True)
    n, grid = len(seeds), crop_size // patch_size
    shapes = ((n, crop_size, crop_size, 3), (n, grid, grid), (n, MAX_OBJECTS, 6))
    for name, shape, dtype in zip(_ARRAYS, shapes, (np.uint8, np.int8, np.float32), strict=True):
        np.lib.format.open_memmap(folder / f'{name}.npy', 'w+', dtype, shape)
    jobs = [(folder, seeds, start, workers, crop_size, patch_size) for start in range(workers)]
    with multiprocessing.get_context('spawn').Pool(workers) as pool:
        pool.starmap(_render_share, jobs)


def _render_share(folder, seeds, start, step, crop_size, patch_size) -> None:
    arrays = [np.load(folder / f'{name}.npy', mmap_mode='r+') for name in _ARRAYS]
    with Renderer(*RENDER_SIZE) as renderer:
        for i in range(start, len(seeds), step):
            for array, value in zip(
                arrays, label(seeds[i], renderer, crop_size, patch_size), strict=True
            ):
                array[i] = value
