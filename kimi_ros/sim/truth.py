"""What is really in a frame: for training and for judging, never for planning."""

import dataclasses
import math

import numpy as np

from kimi_ros.sim.frame import Frame
from kimi_ros.sim.full.thing import Thing
from kimi_ros.sim.scene import Scene, Vector

VISIBLE = 100 / (640 * 480)
"""Share of the picture that a thing must show to be spoken of: less is guessed, not seen."""


@dataclasses.dataclass(frozen=True)
class ObjectTruth:
    """One visible object.

    Attributes:
        index: into `scene.objects`, and the object's label in `frame.segmentation`.
        kind: one of the table's kinds.
        color: one of its colours; '' for people.
        box: edges (x_min, y_min, x_max, y_max) of what is visible, in pixels, where the image
            reaches from 0 to its width and height.
        point: (x, y) in the same coordinates, the centre of a pixel inside the mask, so that
            `segmentation[int(y), int(x)] == index`.
        pixels: number of pixels in the mask.
        position: the object's centre in the base frame, metres.
        size: extents along its own axes, metres.
        distance: from the camera to its centre, metres.
        occluded: share of the pixels it would have alone in the frame that others hide, 0-1; NaN
            when the frame was rendered without `alone=True`.
        size_name: 'small', 'medium' or 'large' for its kind; '' on the small table, where sizes
            have no names, as the following are at rest there.
        material: what it is made of, '' for people.
        support: `index` of the object it stands on or lies in, -1 for the table.
        relation: 'on' or 'in' its support; 'beside' for people.
        text: what is written on it, '' for nothing.
        shows: (kind, colour) of what a picture shows, or ('', ''): it is a picture of that.
        hazard: 'sharp', 'fragile', 'hot' or ''.
    """

    index: int
    kind: str
    color: str
    box: tuple[float, float, float, float]
    point: tuple[float, float]
    pixels: int
    position: Vector
    size: Vector = (0.0, 0.0, 0.0)
    distance: float = 0.0
    occluded: float = math.nan
    size_name: str = ''
    material: str = ''
    support: int = -1
    relation: str = 'on'
    text: str = ''
    shows: tuple[str, str] = ('', '')
    hazard: str = ''


_KNOWN_OF_THINGS = ('size_name', 'material', 'support', 'relation', 'text', 'shows', 'hazard')


def visible_truth(scene: Scene, frame: Frame) -> tuple[ObjectTruth, ...]:
    """The truth about what can be spoken of: `ground_truth` with `VISIBLE` or more to see."""
    truth = ground_truth(scene, frame)
    return tuple(t for t in truth if t.pixels >= VISIBLE * frame.segmentation.size)


def ground_truth(scene: Scene, frame: Frame) -> tuple[ObjectTruth, ...]:
    """The truth about every object that shows at least one pixel, in the scene's order.

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
        alone = 0 if frame.alone is None else frame.alone[index]
        known = _KNOWN_OF_THINGS if isinstance(item, Thing) else ()
        truths.append(ObjectTruth(
            index=index, kind=item.kind, color=item.color,
            box=(float(columns.min()), float(rows.min()),
                 float(columns.max() + 1), float(rows.max() + 1)),
            point=(float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5),
            pixels=len(rows), position=item.position, size=item.size,
            distance=math.dist(item.position, frame.camera_pose[:3, 3]),
            occluded=max(0.0, 1 - len(rows) / alone) if alone else math.nan,
            **{name: getattr(item, name) for name in known}))
    return tuple(truths)
