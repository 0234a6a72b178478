"""Ground truth about a frame: for training and evaluation, never for planning."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from kimi_ros.sim.full.detailed_object import DetailedObject
from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.scene import Scene, Vector

MIN_VISIBLE_SHARE = 100 / (640 * 480)
"""Share of the image that an object must show for questions about it: less is a guess."""


@dataclasses.dataclass(frozen=True)
class ObjectTruth:
    """One visible object.

    :ivar index: into `scene.objects`, and the object's label in `frame.segmentation`.
    :ivar category: one of `CATEGORIES`.
    :ivar color: one of its colours; '' for people.
    :ivar box: edges (x_min, y_min, x_max, y_max) of what is visible, in pixels, where the image
        reaches from 0 to its width and height.
    :ivar point: (x, y) in the same coordinates, the centre of a pixel well inside the mask, where
        one would touch it (`grasp_point`): `segmentation[int(y), int(x)] == index`.
    :ivar pixels: number of pixels in the mask.
    :ivar position: the object's centre in the base frame, metres.
    :ivar size: extents along its own axes, metres.
    :ivar distance: from the camera to its centre, metres.
    :ivar occluded: share of the pixels it would have alone in the frame that others hide, 0-1; NaN
        when the frame was rendered without `count_unoccluded=True`.
    :ivar size_name: 'small', 'medium' or 'large' for its category; '' on the small table, where
        sizes have no names; there the attributes below keep their defaults.
    :ivar material: what it is made of, '' for people.
    :ivar support: `index` of the object it stands on or lies in, -1 for the table.
    :ivar relation: 'on' or 'in' its support; 'beside' for people.
    :ivar text: what is written on it, '' for nothing.
    :ivar shows: (category, colour) of what a picture shows, or ('', ''): it is a picture of that.
    :ivar hazard: 'sharp', 'fragile', 'hot' or ''.
    """

    index: int
    category: str
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

    def normalized(self, width: int, height: int) -> ObjectTruth:
        """The same, box and point as shares of a picture of so many pixels, 0 to 1."""
        places = zip((*self.box, *self.point), (width, height) * 3, strict=True)
        shares = tuple(round(pixels / all_of_them, 5) for pixels, all_of_them in places)
        return dataclasses.replace(self, box=shares[:4], point=shares[4:])


_TO_THE_MIDDLE = 0.6
_KNOWN_OF_THINGS = ('size_name', 'material', 'support', 'relation', 'text', 'shows', 'hazard')


def visible_truth(scene: Scene, frame: RenderedFrame) -> tuple[ObjectTruth, ...]:
    """`ground_truth` of the objects that show at least `MIN_VISIBLE_SHARE` of the frame."""
    truth = ground_truth(scene, frame)
    return tuple(t for t in truth if t.pixels >= MIN_VISIBLE_SHARE * frame.segmentation.size)


def ground_truth(scene: Scene, frame: RenderedFrame) -> tuple[ObjectTruth, ...]:
    """The truth about every object that shows at least one pixel, in the scene's order.

    :raises ValueError: when the frame has no segmentation.
    """
    if frame.segmentation is None:
        raise ValueError('ground truth needs a frame rendered with segmentation=True')
    truths = []
    for index, item in enumerate(scene.objects):
        mask = frame.segmentation == index
        rows, columns = np.nonzero(mask)
        if not len(rows):
            continue
        x, y = columns.min(), rows.min()
        box = x, y, columns.max() + 1, rows.max() + 1
        row, column = grasp_point(mask[box[1] : box[3], box[0] : box[2]])
        unoccluded_pixels = 0 if frame.unoccluded_pixels is None else frame.unoccluded_pixels[index]
        known = _KNOWN_OF_THINGS if isinstance(item, DetailedObject) else ()
        truths.append(
            ObjectTruth(
                index=index,
                category=item.category,
                color=item.color,
                box=tuple(map(float, box)),
                point=(float(x + column) + 0.5, float(y + row) + 0.5),
                pixels=len(rows),
                position=item.position,
                size=item.size,
                distance=math.dist(item.position, frame.camera_pose[:3, 3]),
                occluded=max(0.0, 1 - len(rows) / unoccluded_pixels)
                if unoccluded_pixels
                else math.nan,
                **{name: getattr(item, name) for name in known},
            )
        )
    return tuple(truths)


def grasp_point(mask: np.ndarray) -> tuple[int, int]:
    """Return (row, column) of the pixel of a mask that is safest to touch.

    It is far from the edge and not far from the centre of mass: on a spoon's bowl, on the middle of
    a banana and of a pen, on the part of a book that nothing covers. Of all pixels it has the most
    of d / max(d) - 0.6 c / sqrt(n), with d the distance to what is outside, c that to the centre of
    mass and n the number of pixels; 0.6 was chosen by looking at tables.

    :param mask: bool (H, W), at least one of them True; beyond the array nothing is.
    """
    rows, columns = np.nonzero(mask)
    padded = np.pad(mask, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1][rows, columns]
    off = np.hypot(rows - rows.mean(), columns - columns.mean()) / math.sqrt(len(rows))
    best = int((depth / depth.max() - _TO_THE_MIDDLE * off).argmax())
    return int(rows[best]), int(columns[best])
