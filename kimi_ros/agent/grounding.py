"""Where the things named are: boxed and pointed at, and believed when both agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from kimi_ros.agent.interface import Vlm

# Two boxes that overlap more are one thing.
SAME = 0.6
# What only a box, or only a point, speaks for counts half.
ALONE = 0.5
# A candidate with less than this share of the best one's score is no rival.
RIVAL = 0.4
# More of one name are not told apart by asking, and a model that goes astray is stopped.
MOST = 9


@dataclass(frozen=True)
class Candidate:
    """A place in the image that may be what a name means.

    :ivar point: x, y in pixels of the source image.
    :ivar box: x_min, y_min, x_max, y_max in the same pixels, inside the image; or None.
    :ivar score: 0 to 1.
    :ivar agreed: both a box and a point speak for it.
    """

    point: tuple[float, float]
    box: tuple[float, float, float, float] | None
    score: float
    agreed: bool = True


def ground(
    vlm: Vlm, image, name: str, size: tuple[int, int], cancel: Event | None = None
) -> list[Candidate]:
    """Return the candidates for a name, from left to right; none where nothing is seen.

    A box is paired with the point inside it that is nearest to its middle; the score is the
    geometric mean of both. A box or point without a partner stands alone with half of its score - a
    box's middle may lie beside its thing - and weak candidates beside a strong one are dropped.

    :param size: (width, height) of the source image in pixels.
    """
    boxes = _distinct([b.clip() for b in vlm.detect(image, name, max_objects=MOST, cancel=cancel)])
    points = list(vlm.point(image, name, max_objects=MOST, cancel=cancel))
    candidates = []
    for box in boxes:
        middle = (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
        inside = [
            p for p in points if box.x_min <= p.x <= box.x_max and box.y_min <= p.y <= box.y_max
        ]
        if inside:
            nearest = min(inside, key=lambda p: math.dist((p.x, p.y), middle))
            points = [p for p in points if p not in inside]
            place, score = (nearest.x, nearest.y), math.sqrt(box.score * nearest.score)
        else:
            place, score = middle, box.score * ALONE
        corners = (box.x_min, box.y_min, box.x_max, box.y_max)
        candidates.append(
            Candidate(_pixel(place, size), _pixels(corners, size), score, agreed=bool(inside))
        )
    candidates += [
        Candidate(_pixel((p.x, p.y), size), None, p.score * ALONE, agreed=False)
        for p in points
        if 0 <= p.x <= 1 and 0 <= p.y <= 1
    ]
    best = max((c.score for c in candidates), default=0.0)
    strong = [c for c in candidates if c.score >= RIVAL * best]
    return sorted(strong, key=lambda c: c.point)


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the intersection over union of two boxes (x_min, y_min, x_max, y_max)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return shared / (areas - shared)


def _distinct(boxes: list) -> list:
    """Keep the best of boxes that overlap, and none without area."""
    kept: list = []
    for box in sorted(boxes, key=lambda b: -b.score):
        corners = (box.x_min, box.y_min, box.x_max, box.y_max)
        if corners[2] <= corners[0] or corners[3] <= corners[1]:
            continue
        if all(overlap(corners, (k.x_min, k.y_min, k.x_max, k.y_max)) < SAME for k in kept):
            kept.append(box)
    return kept


def _pixel(place: Sequence[float], size: tuple[int, int]) -> tuple[float, float]:
    """Return the pixel that holds a place in 0-1; the last one holds the edge, too."""
    x, y = _pixels(place, size)
    return min(x, size[0] - 1.0), min(y, size[1] - 1.0)


def _pixels(values: Sequence[float], size: tuple[int, int]) -> tuple[float, ...]:
    """Scale x, y, x, y, ... from 0-1 to pixels."""
    return tuple(float(v) * size[i % 2] for i, v in enumerate(values))
