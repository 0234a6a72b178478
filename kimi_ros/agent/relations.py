"""Relations and superlatives, resolved on boxes, points and depth, whatever model found them.

Left and right, front and behind are the viewer's: left in the image, and nearer to the camera.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.geometry import estimate_position
from kimi_ros.agent.grounding import NMS_IOU, Candidate, box_iou

# Fraction of the image's width that two things must differ by to be on a side of each other, and
# of the leading value that the next one must be worse by to leave no doubt about a superlative:
# the margins of the rendered scenes' ground truth, which leave no borderline cases.
SIDE_MARGIN = 0.01
CLEAR_LEAD = 0.04
# Metres between surfaces of things next to each other; without depth, in sizes of the two.
NEXT_TO_GAP = 0.12
NEXT_TO_SIZES = 0.75
# Fraction of a thing's box that must lie inside its container's, or its support's.
INSIDE_FRACTION = 0.6

_SUPERLATIVES = {
    'leftmost': r'left|最?左',
    'rightmost': r'right|最?右',
    'nearest': r'near|clos|最?近|前面|最前',
    'farthest': r'far|furth|最?远|后面|最后面',
    'smallest': r'small|littl|tini|tiny|小',
    'largest': r'larg|big|hug|大',
    'topmost': r'top|upper|highest|上',
    'bottommost': r'bottom|low|下|低',
    'tallest': r'tall|high|高',
    'shortest': r'short|矮',
    'middle': r'middle|cent(er|re)|中间|中央|正中',
}
_ORDINALS = {
    'first': 1, 'second': 2, 'third': 3, 'fourth': 4, 'fifth': 5, 'sixth': 6, 'last': -1,
    '1st': 1, '2nd': 2, '3rd': 3, '4th': 4, '5th': 5, '6th': 6,
}  # fmt: skip
_ZH_DIGITS = {c: i for i, c in enumerate('一二三四五六七八九', 1)} | {'两': 2}
_ZH_ORDINAL = re.compile(r'(?:第|数)([一二两三四五六七八九1-9])|(倒数第[一1]|最后一)')


@dataclass(frozen=True)
class Order:
    """A superlative, or the `rank`-th along it: 'second from the left' is leftmost, rank 2."""

    by: str
    rank: int = 1


def parse_order(words: str) -> Order | None:
    """Read "smaller", "second from the left", 最左边的, 左起第二个; None if it is no order."""
    text = words.lower()
    rank = next((n for word, n in _ORDINALS.items() if re.search(rf'\b{word}\b', text)), None)
    if match := _ZH_ORDINAL.search(text):
        rank = -1 if match[2] else int(_ZH_DIGITS.get(match[1], match[1]))
    if rank is not None:
        text = _ZH_ORDINAL.sub('', text)
    by = next((name for name, pattern in _SUPERLATIVES.items() if re.search(pattern, text)), '')
    if rank is None:
        return Order(by) if by else None
    # Ranks are counted from the left where nothing else was said.
    return Order(by or 'leftmost', rank)


class Geometry:
    """What a frame knows about where candidates are: pixels always, metres with depth."""

    def __init__(self, frame: Frame):
        self.frame = frame
        self._positions: dict[Candidate, np.ndarray | None] = {}

    def position(self, candidate: Candidate) -> np.ndarray | None:
        """Return the visible surface in metres (3,), or None without depth on it."""
        if candidate not in self._positions:
            found = estimate_position(self.frame, candidate.point, candidate.box)
            self._positions[candidate] = None if found.xyz is None else np.array(found.xyz)
        return self._positions[candidate]

    def distance(self, candidate: Candidate) -> float | None:
        """Return metres from the camera, or None."""
        position = self.position(candidate)
        if position is None:
            return None
        pose = self.frame.camera_pose
        camera = np.zeros(3) if pose is None else np.asarray(pose, float)[:3, 3]
        return float(np.linalg.norm(position - camera))

    def scale(self, candidate: Candidate) -> float:
        """Return metres for each pixel at the candidate; 1 where that is not known."""
        distance = self.distance(candidate)
        if distance is None or self.frame.intrinsics is None:
            return 1.0
        return distance / float(self.frame.intrinsics[0][0])

    def gap(self, one: Candidate, other: Candidate) -> float | None:
        """Return metres between two things, their halves subtracted, or None without depth."""
        a, b = self.position(one), self.position(other)
        if a is None or b is None:
            return None
        halves = sum(_side(c) / 2 * self.scale(c) for c in (one, other))
        return float(np.linalg.norm(a - b)) - halves

    def knows_depth_of(self, candidates: Sequence[Candidate]) -> bool:
        """Tell whether every candidate has a position."""
        return all(self.position(c) is not None for c in candidates)


def select_by_relation(
    candidates: Sequence[Candidate],
    relation: str,
    landmarks: Sequence[Candidate],
    geometry: Geometry,
) -> list[Candidate]:
    """Return the candidates that stand in the relation to the landmarks, from left to right.

    :param relation: one of `kimi_ros.reader.reading.RELATIONS`.
    :param landmarks: one thing, or two for 'between'.
    """
    others = [c for c in candidates if not any(_coincide(c, mark) for mark in landmarks)]
    if relation in ('nearest_to', 'next_to'):
        return _nearest(others, landmarks[0], geometry, only_close=relation == 'next_to')
    return [c for c in others if holds(c, relation, landmarks, geometry)]


def holds(
    one: Candidate, relation: str, landmarks: Sequence[Candidate], geometry: Geometry
) -> bool:
    """Tell whether one thing stands in a relation to others. Raises ValueError if unknown."""
    if relation not in _TESTS:
        raise ValueError(f'{relation!r} is not a relation: use one of {", ".join(_TESTS)}')
    return _TESTS[relation](one, landmarks, geometry)


def select_by_order(
    candidates: Sequence[Candidate], order: Order, geometry: Geometry
) -> list[Candidate]:
    """Return the candidate that an order means; several if the lead of the first is in doubt.

    Empty where there are fewer candidates than the rank asks for.
    """
    if order.by == 'middle':
        return _middle(candidates)
    measure, scale = _measure(order.by, candidates, geometry)
    ranked = sorted(candidates, key=measure)
    place = order.rank - 1 if order.rank > 0 else len(ranked) + order.rank
    if not 0 <= place < len(ranked):
        return []
    chosen = measure(ranked[place])
    return [c for c in ranked if abs(measure(c) - chosen) < CLEAR_LEAD * scale]


def _nearest(
    others: Sequence[Candidate], landmark: Candidate, geometry: Geometry, only_close: bool
) -> list[Candidate]:
    """Return the nearest; others too that are nearly as near, each measured in the same unit."""
    if not others:
        return []
    if geometry.knows_depth_of([*others, landmark]):
        gaps = [max(geometry.gap(c, landmark) or 0.0, 0.0) for c in others]
        limit, same = NEXT_TO_GAP, 0.03
    else:
        gaps = [_pixel_gap(c, landmark) for c in others]
        limit, same = NEXT_TO_SIZES, 0.15
    least = min(gaps)
    if only_close and least > limit:
        return []
    return [c for c, gap in zip(others, gaps, strict=True) if gap <= least + same]


def _pixel_gap(one: Candidate, other: Candidate) -> float:
    """Return the distance of two boxes in units of their mean side."""
    a, b = one.extent, other.extent
    dx = max(a[0] - b[2], b[0] - a[2], 0.0)
    dy = max(a[1] - b[3], b[1] - a[3], 0.0)
    return math.hypot(dx, dy) / max((_side(one) + _side(other)) / 2, 1.0)


def _middle(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the middle one of a row or a stack (of drawers); of an even number, two."""
    if not candidates:
        return []
    along = int(np.ptp([_center(c) for c in candidates], axis=0).argmax())
    ranked = sorted(candidates, key=lambda c: _center(c)[along])
    half = len(ranked) // 2
    return ranked[half : half + 1] if len(ranked) % 2 else ranked[half - 1 : half + 1]


def _measure(
    by: str, candidates: Sequence[Candidate], geometry: Geometry
) -> tuple[Callable[[Candidate], float], float]:
    """Return what an order sorts by, least first, and the unit that leads are measured in."""
    width, height = geometry.frame.size
    if by in ('leftmost', 'rightmost'):
        sign = 1 if by == 'leftmost' else -1
        return lambda c: sign * _center(c)[0], width / 2
    if by in ('topmost', 'bottommost'):
        sign = 1 if by == 'topmost' else -1
        return lambda c: sign * _center(c)[1], height / 2
    metric = geometry.knows_depth_of(candidates)
    if by in ('nearest', 'farthest'):
        sign = 1 if by == 'nearest' else -1
        if metric:
            return lambda c: sign * (geometry.distance(c) or 0.0), 1.0
        # On a surface seen from above, what stands lower in the image is nearer.
        return lambda c: -sign * c.extent[3], height
    scale = geometry.scale if metric else lambda c: 1.0
    if by in ('tallest', 'shortest'):
        sign = -1 if by == 'tallest' else 1
        return lambda c: sign * math.log(max(_height(c) * scale(c), 1e-6)), 1.0
    sign = -1 if by == 'largest' else 1
    return lambda c: sign * math.log(max(_area(c) * scale(c) ** 2, 1e-9)), 2.0


def _is_left(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    margin = SIDE_MARGIN * geometry.frame.size[0]
    return _center(landmarks[0])[0] - _center(one)[0] > margin


def _is_right(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    return _is_left(landmarks[0], [one], geometry)


def _is_in_front(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    other = landmarks[0]
    near, far = geometry.distance(one), geometry.distance(other)
    if near is not None and far is not None:
        return far - near > 0.02
    return one.extent[3] - other.extent[3] > SIDE_MARGIN * geometry.frame.size[1]


def _is_behind(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    return _is_in_front(landmarks[0], [one], geometry)


def _is_on(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    """Tell whether the lower edge of one thing lies within the other's box, and its middle above.

    What lies flat on a large surface lies wholly within it.
    """
    a, b = one.extent, landmarks[0].extent
    x, bottom = (a[0] + a[2]) / 2, a[3]
    standing = b[0] <= x <= b[2] and b[1] - 0.1 * _height(landmarks[0]) <= bottom <= b[3]
    higher = _center(one)[1] < _center(landmarks[0])[1]
    return (standing and higher) or _is_part(one, landmarks, geometry)


def _is_part(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    a, b = one.extent, landmarks[0].extent
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0 or _area(one) > _area(landmarks[0]):
        return False
    return width * height >= INSIDE_FRACTION * max(_area(one), 1.0)


def _is_next(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    gap = geometry.gap(one, landmarks[0])
    if gap is not None:
        return gap <= NEXT_TO_GAP
    return _pixel_gap(one, landmarks[0]) <= NEXT_TO_SIZES


def _is_between(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    if len(landmarks) < 2:
        return False
    things = (one, *landmarks[:2])
    places = [p for c in things if (p := geometry.position(c)) is not None]
    if len(places) < len(things):
        places = [np.array(_center(c)) for c in things]
    middle, start, end = places
    along = end - start
    length = float(np.linalg.norm(along))
    if length == 0:
        return False
    share = float((middle - start) @ along) / length**2
    aside = float(np.linalg.norm(middle - start - share * along))
    return 0.1 < share < 0.9 and aside < 0.35 * length


def _is_above(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    a, b = one.extent, landmarks[0].extent
    over = min(a[2], b[2]) - max(a[0], b[0]) > 0
    return over and _center(one)[1] < _center(landmarks[0])[1]


def _is_under(one: Candidate, landmarks: Sequence[Candidate], geometry: Geometry) -> bool:
    return _is_above(landmarks[0], [one], geometry)


_TESTS: dict[str, Callable[[Candidate, Sequence[Candidate], Geometry], bool]] = {
    'on': _is_on,
    'in': _is_on,
    'left_of': _is_left,
    'right_of': _is_right,
    'in_front_of': _is_in_front,
    'behind': _is_behind,
    'next_to': _is_next,
    'nearest_to': _is_next,
    'between': _is_between,
    'above': _is_above,
    'under': _is_under,
    'part_of': _is_part,
}


def _center(candidate: Candidate) -> tuple[float, float]:
    x_min, y_min, x_max, y_max = candidate.extent
    return (x_min + x_max) / 2, (y_min + y_max) / 2


def _height(candidate: Candidate) -> float:
    box = candidate.extent
    return box[3] - box[1]


def _side(candidate: Candidate) -> float:
    box = candidate.extent
    return (box[2] - box[0] + box[3] - box[1]) / 2


def _area(candidate: Candidate) -> float:
    box = candidate.extent
    return (box[2] - box[0]) * (box[3] - box[1])


def _coincide(one: Candidate, other: Candidate) -> bool:
    """Tell whether two candidates, of different names, have the same box or the same point.

    Unlike in `resolution.same_object`, a point inside the other's box is not enough: a cup on a
    plate lies in the plate's box.
    """
    if one.box is None or other.box is None:
        return math.dist(one.point, other.point) < 2.0
    return box_iou(one.box, other.box) > NMS_IOU
