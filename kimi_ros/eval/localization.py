"""Points and boxes: on one named object of a picture, rendered or a user's own.

In photographs names of what is not there are asked, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kimi_ros.agent.grounding import box_iou
from kimi_ros.eval.outcome import Outcome, Place, binary
from kimi_ros.vlm import VisionLanguageModel

_HALF = 0.5  # from this overlap on a box counts, as in RefCOCO


@dataclass(frozen=True, eq=False)
class LocalizationSample:
    """An object in a picture and a name that refers to no other object in it, or to nothing.

    :ivar rgb: uint8 (H, W, 3).
    :ivar mask: bool (H, W), its visible pixels; None where only boxes are asked for.
    :ivar box: x_min, y_min, x_max, y_max in pixels, edges of what is visible; None where the name
        refers to nothing in the picture.
    :ivar expression_type: one of `referring.EXPRESSION_TYPES`; '' where that is unknown.
    """

    rgb: np.ndarray
    name: str
    mask: np.ndarray | None
    box: tuple[float, float, float, float] | None
    expression_type: str = ''


def evaluate_point(vlm: VisionLanguageModel, thing: LocalizationSample) -> Outcome:
    """Ask for points: is the first one inside the mask?"""
    found = vlm.point(vlm.encode_image(thing.rgb), thing.name)
    height, width = thing.rgb.shape[:2]
    hit = False
    if found:
        x, y = int(found[0].x * width), int(found[0].y * height)
        hit = 0 <= x < width and 0 <= y < height and bool(thing.mask[y, x])
    counts = {'in_mask': binary(hit)}
    if thing.expression_type:
        counts[f'in_mask_{thing.expression_type}'] = binary(hit)
    return Outcome(
        question=f'point: {thing.name}',
        expected='inside its mask',
        predicted=f'{found[0].x:.3f}, {found[0].y:.3f}' if found else 'nothing',
        correct=hit,
        counts=counts,
        expected_at=(_place(thing),),
        predicted_at=((found[0].x, found[0].y),) if found else (),
    )


def evaluate_box(vlm: VisionLanguageModel, thing: LocalizationSample) -> Outcome:
    """Ask for boxes: how much do the first one and the true one overlap?"""
    found = vlm.detect(vlm.encode_image(thing.rgb), thing.name)
    height, width = thing.rgb.shape[:2]
    iou, predicted_at = 0.0, ()
    if found:
        first = found[0].clip()
        predicted_at = ((first.x_min, first.y_min, first.x_max, first.y_max),)
        corners = (first.x_min * width, first.y_min * height)
        corners += (first.x_max * width, first.y_max * height)
        iou = float(box_iou(corners, thing.box))
    return Outcome(
        question=f'box: {thing.name}',
        expected='an overlap (IoU) of 0.5 or more',
        predicted=f'{iou:.2f}' if found else 'nothing',
        correct=iou >= _HALF,
        counts={'iou50': binary(iou >= _HALF), 'mean_iou': (iou, 1.0)},
        expected_at=(_place(thing),),
        predicted_at=predicted_at,
    )


def evaluate_photo(vlm: VisionLanguageModel, thing: LocalizationSample) -> Outcome:
    """Ask for a point and a box: is the point in the object's box, and how well do boxes agree?

    Of what is not there a point is a false alarm.
    """
    image = vlm.encode_image(thing.rgb)
    points = vlm.point(image, thing.name)
    first = ((points[0].x, points[0].y),) if points else ()
    shown = f'{points[0].x:.3f}, {points[0].y:.3f}' if points else 'nothing'
    if thing.box is None:
        return Outcome(
            question=f'photo: {thing.name}',
            expected='nothing',
            predicted=shown,
            correct=not points,
            counts={'false_alarms': binary(bool(points))},
            predicted_at=first,
        )
    height, width = thing.rgb.shape[:2]
    x0, y0, x1, y1 = _place(thing)
    hit = bool(points) and x0 <= points[0].x <= x1 and y0 <= points[0].y <= y1
    iou, boxes = 0.0, vlm.detect(image, thing.name)
    if boxes:
        found = boxes[0].clip()
        corners = (
            found.x_min * width,
            found.y_min * height,
            found.x_max * width,
            found.y_max * height,
        )
        iou = float(box_iou(corners, thing.box))
    counts = {'in_box': binary(hit), 'iou50': binary(iou >= _HALF), 'mean_iou': (iou, 1.0)}
    return Outcome(
        question=f'photo: {thing.name}',
        expected='a point in its box, and a box with an overlap (IoU) of 0.5 or more',
        predicted=f'{shown}; {iou:.2f}',
        correct=hit and iou >= _HALF,
        counts=counts | {'found': binary(bool(points))},
        expected_at=(_place(thing),),
        predicted_at=first,
    )


LOCALIZATION_SUITES = {'points': evaluate_point, 'boxes': evaluate_box, 'photos': evaluate_photo}


def _place(thing: LocalizationSample) -> Place:
    height, width = thing.rgb.shape[:2]
    x0, y0, x1, y1 = thing.box
    return x0 / width, y0 / height, x1 / width, y1 / height
