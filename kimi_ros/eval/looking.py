"""Points and boxes: on one named thing of a picture, rendered or a user's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kimi_ros.agent.grounding import overlap
from kimi_ros.eval.outcome import Outcome, Place, share
from kimi_ros.vlm import VisionLanguageModel

_HALF = 0.5  # from this overlap on a box counts, as in RefCOCO


@dataclass(frozen=True, eq=False)
class Referent:
    """A thing in a picture and the name that means it alone.

    :ivar rgb: uint8 (H, W, 3).
    :ivar mask: bool (H, W), its visible pixels; None where only boxes are asked for.
    :ivar box: x_min, y_min, x_max, y_max in pixels, edges of what is visible.
    :ivar form: what tells it from the others, one of `referring.FORMS`; '' where nobody knows.
    """

    rgb: np.ndarray
    name: str
    mask: np.ndarray | None
    box: tuple[float, float, float, float]
    form: str = ''


def point_at(vlm: VisionLanguageModel, thing: Referent) -> Outcome:
    """Ask for points: is the first one inside the mask?"""
    found = vlm.point(vlm.encode_image(thing.rgb), thing.name)
    height, width = thing.rgb.shape[:2]
    hit = False
    if found:
        x, y = int(found[0].x * width), int(found[0].y * height)
        hit = 0 <= x < width and 0 <= y < height and bool(thing.mask[y, x])
    counts = {'in_mask': share(hit)}
    if thing.form:
        counts[f'in_mask_{thing.form}'] = share(hit)
    return Outcome(
        asked=f'point: {thing.name}',
        wanted='inside its mask',
        came=f'{found[0].x:.3f}, {found[0].y:.3f}' if found else 'nothing',
        right=hit,
        counts=counts,
        wanted_at=(_place(thing),),
        came_at=((found[0].x, found[0].y),) if found else (),
    )


def box(vlm: VisionLanguageModel, thing: Referent) -> Outcome:
    """Ask for boxes: how much do the first one and the true one overlap?"""
    found = vlm.detect(vlm.encode_image(thing.rgb), thing.name)
    height, width = thing.rgb.shape[:2]
    iou, came_at = 0.0, ()
    if found:
        first = found[0].clip()
        came_at = ((first.x_min, first.y_min, first.x_max, first.y_max),)
        corners = (first.x_min * width, first.y_min * height)
        corners += (first.x_max * width, first.y_max * height)
        iou = float(overlap(corners, thing.box))
    return Outcome(
        asked=f'box: {thing.name}',
        wanted='an overlap (IoU) of 0.5 or more',
        came=f'{iou:.2f}' if found else 'nothing',
        right=iou >= _HALF,
        counts={'iou50': share(iou >= _HALF), 'mean_iou': (iou, 1.0)},
        wanted_at=(_place(thing),),
        came_at=came_at,
    )


LOOKS = {'points': point_at, 'boxes': box}


def _place(thing: Referent) -> Place:
    height, width = thing.rgb.shape[:2]
    x0, y0, x1, y1 = thing.box
    return x0 / width, y0 / height, x1 / width, y1 / height
