"""Held-out scenes: rendered as a camera would see them, with the truth beside."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kimi_ros.agent import Frame
from kimi_ros.sim import WORLDS, ObjectTruth, Renderer, Scene, sample_scene, visible_truth
from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.seeds import FIRST_EVALUATION_SEED

__all__ = [
    'FIRST_EVALUATION_SEED',
    'WORLDS',
    'HeldOutScene',
    'SceneSource',
    'frame_of',
    'held_out_scene',
    'held_out_scenes',
]


@dataclass(frozen=True)
class HeldOutScene:
    """A scene: what the camera sees and what is true.

    :ivar seed: counted from FIRST_EVALUATION_SEED.
    :ivar segmentation: int (H, W), an object's index or -1.
    :ivar objects: the ground truth of the objects that questions may be about; indices refer to it.
    :ivar scene: what was rendered, for whoever acts on it; None where that is not known.
    """

    seed: int
    frame: Frame
    segmentation: np.ndarray
    objects: tuple[ObjectTruth, ...]
    scene: Scene | None = None

    def point_on_object(self, index: int, point: Sequence[float]) -> bool:
        """Return whether the pixel (x, y) lies on the object."""
        height, width = self.segmentation.shape
        x, y = int(point[0]), int(point[1])
        inside = 0 <= x < width and 0 <= y < height
        return bool(inside and self.segmentation[y, x] == self.objects[index].index)

    def normalized_boxes(self, indices: Iterable[int]) -> tuple[tuple[float, ...], ...]:
        """Return the boxes of the objects in 0-1."""
        width, height = self.frame.size
        scale = (width, height, width, height)
        return tuple(
            tuple(v / s for v, s in zip(self.objects[i].box, scale, strict=True)) for i in indices
        )

    def rng(self, what: str) -> np.random.Generator:
        """Return the generator of one purpose: the same draws for this scene in every language."""
        return np.random.default_rng((zlib.crc32(what.encode()), self.seed))


class SceneSource:
    """Held-out scenes by their numbers; the renderer is made when the first one is needed."""

    def __init__(self, world: str = 'full', held_out: bool = False) -> None:
        """Take what is rendered.

        :param world: one of `WORLDS`.
        :param held_out: of the full world only: one object in each scene has a category and a
            colour that never occurred together in training.
        """
        self.world, self.held_out = world, held_out
        self._renderer: Renderer | None = None
        self._newest: HeldOutScene | None = None

    def __enter__(self) -> SceneSource:
        return self

    def __exit__(self, *_: object) -> None:
        if self._renderer is not None:
            self._renderer.close()

    def scene(self, seed: int) -> HeldOutScene:
        """Return the scene of a number. Raises GLNotAvailable."""
        if self._newest is None or self._newest.seed != seed:
            self._renderer = self._renderer or Renderer()
            self._newest = held_out_scene(seed, self._renderer, self.world, self.held_out)
        return self._newest


def held_out_scenes(
    first: int, count: int, world: str = 'full', width: int = 640, height: int = 480
) -> Iterator[HeldOutScene]:
    """Yield the held-out scenes numbered from `first`."""
    with Renderer(width=width, height=height) as renderer:
        for seed in range(first, first + count):
            yield held_out_scene(seed, renderer, world)


def held_out_scene(
    seed: int, renderer: Renderer, world: str = 'full', held_out: bool = False
) -> HeldOutScene:
    """Render the held-out scene of a number."""
    scene = sample_scene(FIRST_EVALUATION_SEED + seed, world, held_out)
    view = renderer.render(scene)
    truth = visible_truth(scene, view)
    return HeldOutScene(seed, frame_of(view), view.segmentation, truth, scene)


def frame_of(view: RenderedFrame, stamp: float = 0.0) -> Frame:
    """Return what a camera sees of a rendered view.

    :param stamp: seconds.
    """
    return Frame(
        view.rgb,
        stamp=stamp,
        depth=view.depth,
        intrinsics=view.intrinsics,
        camera_pose=view.camera_pose,
    )
