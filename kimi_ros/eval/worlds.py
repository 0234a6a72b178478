"""Held-out scenes: rendered as a camera would see them, with the truth beside."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kimi_ros.agent import Frame
from kimi_ros.sim import ObjectTruth, Renderer, ground_truth, sample_scene

FIRST_SEED = 2_000_000  # training refuses this seed and all that follow


@dataclass(frozen=True)
class World:
    """A scene: what the camera sees and what is true.

    :ivar seed: the number after FIRST_SEED.
    :ivar segmentation: int (H, W), an object's index or -1.
    :ivar objects: the truth, in the order that indices into it mean.
    """

    seed: int
    frame: Frame
    segmentation: np.ndarray
    objects: tuple[ObjectTruth, ...]

    def shows(self, index: int, point: Sequence[float]) -> bool:
        """Return whether the pixel (x, y) lies on the object."""
        height, width = self.segmentation.shape
        x, y = int(point[0]), int(point[1])
        inside = 0 <= x < width and 0 <= y < height
        return bool(inside and self.segmentation[y, x] == self.objects[index].index)

    def places(self, indices: Iterable[int]) -> tuple[tuple[float, ...], ...]:
        """Return the boxes of the objects in 0-1."""
        width, height = self.frame.size
        scale = (width, height, width, height)
        return tuple(
            tuple(v / s for v, s in zip(self.objects[i].box, scale, strict=True)) for i in indices
        )

    def rng(self, what: str) -> np.random.Generator:
        """Return the generator of one purpose: the same draws for this scene in every language."""
        return np.random.default_rng((zlib.crc32(what.encode()), self.seed))


class Tables:
    """Held-out scenes by their numbers; the renderer is made when the first one is needed."""

    def __init__(self) -> None:
        self._renderer: Renderer | None = None
        self._newest: World | None = None

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        if self._renderer is not None:
            self._renderer.close()

    def world(self, seed: int) -> World:
        """Return the scene of a number. Raises GLNotAvailable."""
        if self._newest is None or self._newest.seed != seed:
            self._renderer = self._renderer or Renderer()
            self._newest = world(seed, self._renderer)
        return self._newest


def worlds(first: int, count: int, width: int = 640, height: int = 480) -> Iterator[World]:
    """Yield the held-out scenes numbered from `first`."""
    with Renderer(width=width, height=height) as renderer:
        for seed in range(first, first + count):
            yield world(seed, renderer)


def world(seed: int, renderer: Renderer) -> World:
    """Render the held-out scene of a number."""
    scene = sample_scene(FIRST_SEED + seed)
    view = renderer.render(scene)
    frame = Frame(
        rgb=view.rgb,
        depth=view.depth,
        intrinsics=view.intrinsics,
        camera_pose=view.camera_pose,
    )
    return World(seed, frame, view.segmentation, ground_truth(scene, view))
