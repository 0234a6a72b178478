"""Held-out scenes: rendered as a camera would see them, with the truth beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        return inside and self.segmentation[y, x] == self.objects[index].index


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
