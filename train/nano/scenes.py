"""Rendered scenes on disk: frames at the encoder's size, with a label for every patch.

A folder holds `frames.npy` (n, S, S, 3) uint8, `owners.npy` (n, g, g) int8 - which of the scene's
things covers most of the patch, -1 for none - and `truth.jsonl`, a line a scene: its things that
can be seen, as lists of `ObjectTruth`'s fields, boxes and points in 0-1.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kimi_ros.sim import ObjectTruth, Renderer, sample_scene, visible_truth
from kimi_ros.sim.seeds import check_training

RENDER_SIZE = (640, 480)
MIN_PATCH_COVER = 0.06  # of a patch, for it to belong to a thing: a far pen is two pixels thick
SMALL_SHARE = 8  # one scene in so many is of the small world
_ARRAYS = ('frames', 'owners')
_FIELDS = [field.name for field in dataclasses.fields(ObjectTruth)]


@dataclass(frozen=True)
class SceneSet:
    """A folder of scenes, in memory: random reads from disk would starve the training."""

    frames: np.ndarray
    instance_map: np.ndarray
    lines: Sequence[str]

    @classmethod
    def load(cls, folder: Path) -> SceneSet:
        """Read the folder."""
        arrays = (np.load(folder / f'{n}.npy') for n in _ARRAYS)
        return cls(*arrays, (folder / 'truth.jsonl').read_text(encoding='utf-8').splitlines())

    def __len__(self) -> int:
        return len(self.frames)

    def objects(self, index: int) -> list[ObjectTruth]:
        """Return what a scene shows, in the order that `instance_map` counts."""
        rows = json.loads(self.lines[index])
        return [ObjectTruth(**dict(zip(_FIELDS, row, strict=True))) for row in rows]


def as_line(objects: Sequence[ObjectTruth]) -> str:
    """Return a line of `truth.jsonl`."""
    return json.dumps([[getattr(t, name) for name in _FIELDS] for t in objects])


def label(seed: int, renderer: Renderer, crop_size: int, patch_size: int):
    """Render a scene; return its frame, the object of each patch, and its objects."""
    scene = sample_scene(seed, 'small' if seed % SMALL_SHARE == 0 else 'full')
    frame = renderer.render(scene, depth=False)
    truth = visible_truth(scene, frame)
    height, width = frame.rgb.shape[:2]
    size = (crop_size, crop_size)
    rgb = np.asarray(Image.fromarray(frame.rgb).resize(size, Image.Resampling.LANCZOS))
    seg = np.asarray(Image.fromarray(frame.segmentation.astype(np.int32)).resize(size, 0))
    grid = crop_size // patch_size
    blocks = seg.reshape(grid, patch_size, grid, patch_size).swapaxes(1, 2).reshape(grid, grid, -1)
    covers = np.stack([(blocks == thing.index).mean(-1) for thing in truth])
    objects = [dataclasses.replace(t.normalized(width, height), occluded=0.0) for t in truth]
    return rgb, assign_patches(covers), objects


def assign_patches(covers: np.ndarray) -> np.ndarray:
    """Return the object of each patch, int8 (g, g): the one that covers most of it, -1 for none.

    Every visible object gets a patch, or it would be trained as background: an object that covers
    most of no patch gets the one that it covers best, unless that is another object's only one.

    :param covers: (objects, g, g), the share of each patch that each object covers.
    """
    instance_map = np.where(covers.max(0) > MIN_PATCH_COVER, covers.argmax(0), -1).astype(np.int8)
    for thing in np.argsort(-covers.max((1, 2))):
        if (instance_map == thing).any():
            continue
        patches = np.bincount(instance_map[instance_map >= 0], minlength=len(covers))
        free = (instance_map < 0) | (patches[instance_map] > 1)
        own = np.where(free, covers[thing], 0)
        if own.any():
            instance_map[np.unravel_index(own.argmax(), own.shape)] = thing
    return instance_map


def render_set(folder: Path, seeds: range, crop_size: int, patch_size: int, workers: int) -> None:
    """Render the seeds' scenes into the folder, in parallel processes.

    :raises HeldOutSeedError: unless all seeds are for training, or all for validation.
    """
    check_training(seeds)
    folder.mkdir(parents=True, exist_ok=True)
    n, grid = len(seeds), crop_size // patch_size
    for name, shape, dtype in (
        ('frames', (n, crop_size, crop_size, 3), np.uint8),
        ('owners', (n, grid, grid), np.int8),
    ):
        np.lib.format.open_memmap(folder / f'{name}.npy', 'w+', dtype, shape)
    jobs = [(folder, seeds, start, workers, crop_size, patch_size) for start in range(workers)]
    with multiprocessing.get_context('spawn').Pool(workers) as pool:
        shares = pool.starmap(_render_share, jobs)
    lines = [shares[i % workers][i // workers] for i in range(n)]
    (folder / 'truth.jsonl').write_text('\n'.join(lines) + '\n', encoding='utf-8')


def _render_share(folder, seeds, start, step, crop_size, patch_size) -> list[str]:
    frames, instance_map = (np.load(folder / f'{name}.npy', mmap_mode='r+') for name in _ARRAYS)
    lines = []
    with Renderer(*RENDER_SIZE) as renderer:
        for i in range(start, len(seeds), step):
            frames[i], instance_map[i], objects = label(seeds[i], renderer, crop_size, patch_size)
            lines.append(as_line(objects))
    return lines
