"""Visual grounding: from a name to candidate boxes and points in the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

from kimi_ros.agent.vlm_protocol import Box, Vlm

# Boxes of one name with a higher IoU are one object. Detectors usually take 0.5 to 0.7; not tuned.
NMS_IOU = 0.6
# Factor on the score of a box without a point, or a point without a box: one half, so that such a
# candidate never outscores a certain one that both found; not tuned.
UNPAIRED_PENALTY = 0.5
# Candidates below this fraction of the best score are dropped. Below UNPAIRED_PENALTY, so that an
# unpaired candidate as confident as the best one is still offered as an alternative; not tuned.
MIN_RELATIVE_SCORE = 0.4
# Per name: the options of a question have one digit, and a model that repeats itself is stopped.
MAX_CANDIDATES = 9


@dataclass(frozen=True)
class Candidate:
    """A region of the image that a name may refer to.

    :ivar point: x, y in pixels of the source image.
    :ivar box: x_min, y_min, x_max, y_max in the same pixels, inside the image; or None.
    :ivar score: 0 to 1.
    :ivar agreed: both `detect` and `point` found it.
    """

    point: tuple[float, float]
    box: tuple[float, float, float, float] | None
    score: float
    agreed: bool = True

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Return its box; without one, its point as a box without area."""
        return self.box or (*self.point, *self.point)


def ground(
    vlm: Vlm, image: Any, name: str, size: tuple[int, int], cancel: Event | None = None
) -> list[Candidate]:
    """Return the candidates for a name, sorted from left to right; empty if nothing is found.

    Each box is paired with the point inside it that is nearest to its centre; the score is the
    geometric mean of both scores. A box without a point is represented by its centre. Unpaired
    boxes and points are multiplied by UNPAIRED_PENALTY, and candidates far weaker than the best one
    are dropped.

    :param size: (width, height) of the source image in pixels.
    """
    boxes = _boxes(vlm, image, name, cancel)
    points = list(vlm.point(image, name, max_objects=MAX_CANDIDATES, cancel=cancel))
    candidates = []
    for box in boxes:
        center = (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
        inside = [
            p for p in points if box.x_min <= p.x <= box.x_max and box.y_min <= p.y <= box.y_max
        ]
        if inside:
            nearest = min(inside, key=lambda p: math.dist((p.x, p.y), center))
            points = [p for p in points if p not in inside]
            position, score = (nearest.x, nearest.y), math.sqrt(box.score * nearest.score)
        else:
            position, score = center, box.score * UNPAIRED_PENALTY
        x_min, y_min, x_max, y_max = _pixels((box.x_min, box.y_min, box.x_max, box.y_max), size)
        corners = x_min, y_min, x_max, y_max
        candidates.append(Candidate(_pixel(position, size), corners, score, agreed=bool(inside)))
    candidates += [
        Candidate(_pixel((p.x, p.y), size), None, p.score * UNPAIRED_PENALTY, agreed=False)
        for p in points
        if 0 <= p.x <= 1 and 0 <= p.y <= 1
    ]
    best = max((c.score for c in candidates), default=0.0)
    strong = [c for c in candidates if c.score >= MIN_RELATIVE_SCORE * best]
    return sorted(strong, key=lambda c: c.point)


def detected(
    vlm: Vlm, image: Any, name: str, size: tuple[int, int], cancel: Event | None = None
) -> list[Candidate]:
    """Return what the detector alone finds, each at the centre of its box."""
    candidates = []
    for box in _boxes(vlm, image, name, cancel):
        x_min, y_min, x_max, y_max = _pixels((box.x_min, box.y_min, box.x_max, box.y_max), size)
        center = (x_min + x_max) / 2, (y_min + y_max) / 2
        candidates.append(Candidate(center, (x_min, y_min, x_max, y_max), box.score, agreed=False))
    return candidates


def _boxes(vlm: Vlm, image: Any, name: str, cancel: Event | None) -> list[Box]:
    found = vlm.detect(image, name, max_objects=MAX_CANDIDATES, cancel=cancel)
    return non_maximum_suppression([b.clip() for b in found])


def box_iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the intersection over union of two boxes (x_min, y_min, x_max, y_max)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return shared / (areas - shared)


def non_maximum_suppression(boxes: Sequence[Box]) -> list[Box]:
    """Keep the best of overlapping boxes (IoU >= NMS_IOU); drop those without area."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda b: -b.score):
        corners = (box.x_min, box.y_min, box.x_max, box.y_max)
        if corners[2] <= corners[0] or corners[3] <= corners[1]:
            continue
        if all(box_iou(corners, (k.x_min, k.y_min, k.x_max, k.y_max)) < NMS_IOU for k in kept):
            kept.append(box)
    return kept


def _pixel(position: Sequence[float], size: tuple[int, int]) -> tuple[float, float]:
    """Scale a position in 0-1 to pixels, at most those of the last row and column."""
    x, y = _pixels(position, size)
    return min(x, size[0] - 1.0), min(y, size[1] - 1.0)


def _pixels(values: Sequence[float], size: tuple[int, int]) -> tuple[float, ...]:
    """Scale x, y, x, y, ... from 0-1 to pixels."""
    return tuple(float(v) * size[i % 2] for i, v in enumerate(values))
