"""What is really in a frame: for training and for judging, never for planning."""

import dataclasses

import numpy as np

from kimi_ros.sim.frame import Frame
from kimi_ros.sim.scene import Scene, Vector


@dataclasses.dataclass(frozen=True)
class ObjectTruth:
    """One visible object.

    Attributes:
        index: into `scene.objects`, and the object's label in `frame.segmentation`.
        kind: one of `KINDS`.
        color: one of `COLORS`.
        box: edges (x_min, y_min, x_max, y_max) of what is visible, in pixels, where the image
            reaches from 0 to its width and height.
        point: (x, y) in the same coordinates, the centre of a pixel inside the mask, so that
            `segmentation[int(y), int(x)] == index`.
        pixels: number of pixels in the mask.
        position: the object's centre in the base frame, metres.
    """

    index: int
    kind: str
    color: str
    box: tuple[float, float, float, float]
    point: tuple[float, float]
    pixels: int
    position: Vector


def ground_truth(scene: Scene, frame: Frame) -> tuple[ObjectTruth, ...]:
    """The truth about every object that shows at least one pixel, in the scene's order.

    About the full table's objects it is a `ThingTruth`.

    Raises:
        ValueError: when the frame has no segmentation.
    """
    if frame.segmentation is None:
        raise ValueError('ground truth needs a frame rendered with segmentation=True')
    truths = []
    for index, item in enumerate(scene.objects):
        rows, columns = np.nonzero(frame.segmentation == index)
        if not len(rows):
            continue
        # The mask's pixel nearest to its centre of mass: the same for solid and for bent shapes.
        distance = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
        nearest = int(distance.argmin())
        told = ObjectTruth(
            index, item.kind, item.color,
            (float(columns.min()), float(rows.min()),
             float(columns.max() + 1), float(rows.max() + 1)),
            (float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5),
            len(rows), item.position)
        truths.append(item.truth(told, frame) if hasattr(item, 'truth') else told)
    return tuple(truths)
