"""Whether the things that a plan is about are still where they were, and where they are now."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.geometry import Position, estimate_position
from kimi_ros.agent.grounding import Candidate
from kimi_ros.agent.naming import UnknownWordError
from kimi_ros.agent.perception import Detection, Perception
from kimi_ros.agent.plan import GroundedObject, Plan
from kimi_ros.agent.references import parse_reference

_PATCH = 32  # pixels a side that a thing is compared in
_SPOT = 0.02  # of the image's width: half a side of the patch around a thing without a box
# Mean difference of colour values below which a patch shows the same: above a camera's noise
# (2 to 4), below what another thing in the same place changes; not tuned.
_SAME = 12.0


@dataclass(frozen=True)
class SceneSnapshot:
    """What the objects of a plan looked like, and where they were.

    :ivar patches: uint8 (32, 32, 3) of each object's box.
    :ivar positions: in metres, where depth gave them.
    """

    objects: tuple[GroundedObject, ...]
    patches: tuple[np.ndarray, ...]
    positions: tuple[Position, ...]

    @classmethod
    def of(cls, plan: Plan, frame: Frame) -> SceneSnapshot:
        """Take the snapshot of a plan's objects in the frame that it was made for."""
        return cls(
            plan.objects,
            tuple(_patch(frame.rgb, item) for item in plan.objects),
            tuple(estimate_position(frame, item.point, item.box) for item in plan.objects),
        )

    def moved(self, frame: Frame, look: Callable[[], Perception], limit: float) -> list[str]:
        """Return the labels of the objects that are gone, hidden or moved by more than `limit`.

        An object whose patch of the image is the same has not moved; only where it differs, the
        model is asked to find the object again.

        :param look: encodes the frame; called at most once.
        :param limit: metres where depth is known, else the same share of the image's width.
        """
        perception: Perception | None = None
        found = []
        for item, patch, position in zip(self.objects, self.patches, self.positions, strict=True):
            now = estimate_position(frame, item.point, item.box)
            if _same_patch(_patch(frame.rgb, item), patch) and not _apart(position, now, limit):
                continue
            if item.box is not None:
                perception = perception or look()
                if _is_near(perception, item, position, limit):
                    continue
            found.append(item.label)
        return found


def find_again(
    perception: Perception, objects: Iterable[GroundedObject]
) -> tuple[GroundedObject, ...]:
    """Return those of the objects that are in view, with their ids, where they are now.

    Of several things that a label fits, the nearest to where the object is expected is taken; that
    is its `position`, or its `point` where no positions are known.
    """
    found = []
    for item in objects:
        seen = [
            perception.object_of(item.id, Detection(item.label, candidate))
            for candidate in _candidates(perception, item.label)
        ]
        if seen:
            found.append(min(seen, key=lambda now: _distance(now, item)))
    return tuple(found)


def _distance(one: GroundedObject, other: GroundedObject) -> tuple[bool, float]:
    """Return a distance to sort by: in metres, and after these in pixels."""
    if one.position and other.position and one.position_frame == other.position_frame:
        return False, math.dist(one.position, other.position)
    return True, math.dist(one.point, other.point)


def _candidates(perception: Perception, label: str) -> list[Candidate]:
    try:
        return perception.find(perception.naming.name(parse_reference(label).without_place))
    except UnknownWordError:
        return []


def _is_near(perception: Perception, item: GroundedObject, was: Position, limit: float) -> bool:
    frame = perception.frame
    for candidate in _candidates(perception, item.label):
        now = estimate_position(frame, candidate.point, candidate.box)
        if was.xyz is not None and now.xyz is not None and was.frame == now.frame:
            near = not _apart(was, now, limit)
        else:
            near = math.dist(candidate.point, item.point) <= limit * frame.size[0]
        if near:
            return True
    return False


def _apart(one: Position, other: Position, limit: float) -> bool:
    """Tell whether two positions are known to be further apart than `limit` metres."""
    if one.xyz is None or other.xyz is None or one.frame != other.frame:
        return False
    return math.dist(one.xyz, other.xyz) > limit


def _same_patch(one: np.ndarray, other: np.ndarray) -> bool:
    return float(np.abs(one.astype(int) - other.astype(int)).mean()) < _SAME


def _patch(rgb: np.ndarray, item: GroundedObject) -> np.ndarray:
    height, width = rgb.shape[:2]
    x, y = item.point
    side = _SPOT * width
    box = item.box or (x - side, y - side, x + side, y + side)
    left, top = (min(max(int(v), 0), s - 1) for v, s in zip(box[:2], (width, height), strict=True))
    right, bottom = max(left + 1, math.ceil(box[2])), max(top + 1, math.ceil(box[3]))
    patch = np.ascontiguousarray(rgb[top:bottom, left:right])
    return cv2.resize(patch, (_PATCH, _PATCH), interpolation=cv2.INTER_AREA)
