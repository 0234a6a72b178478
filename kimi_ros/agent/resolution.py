"""Resolving references: which object in the image a noun phrase refers to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kimi_ros.agent.grounding import NMS_IOU, Candidate, box_iou
from kimi_ros.agent.naming import UnknownWordError
from kimi_ros.agent.perception import Perception
from kimi_ros.agent.plan import GroundedObject
from kimi_ros.agent.references import Reference, parse_reference
from kimi_ros.agent.relations import (
    Geometry,
    parse_order,
    select_by_order,
    select_by_relation,
)

_SURFACES = frozenset(('table', 'desk', 'floor', 'counter', '桌子', '桌', '桌面', '地', '地上'))


@dataclass(frozen=True)
class Resolution:
    """The candidates for a reference.

    :ivar subject: the reference itself, or the landmark whose candidates these are.
    :ivar disputed: the model and the geometry each see another object.
    :ivar supported: the geometry found what the model sees.
    """

    subject: Reference
    candidates: tuple[Candidate, ...]
    disputed: bool = False
    supported: bool = True


class Resolver:
    """Resolves references in one frame, each once.

    Relations and superlatives are resolved on boxes, points and depth. If the model was trained on
    them, its own view of the whole phrase must agree.
    """

    def __init__(self, perception: Perception):
        self._perception = perception
        self._geometry = Geometry(perception.frame)
        self._known: dict[Reference, Resolution] = {}

    def resolve(self, reference: Reference) -> Resolution:
        """Return the candidates that a reference may refer to, from left to right.

        A landmark that is missing, or is there more than once, is returned in the reference's
        place.
        """
        if reference not in self._known:
            self._known[reference] = self._resolve(reference)
        return self._known[reference]

    def is_present(self, reference: Reference) -> bool:
        """Tell whether a thing is in view: found, and confirmed by the verification."""
        candidates = self.resolve(reference).candidates
        detections = (self._perception.detect(reference, c) for c in candidates)
        return any(d.verified for d in detections)

    def _resolve(self, reference: Reference) -> Resolution:
        if reference.is_plain:
            return self._found(reference, self._find(reference))
        resolved = self._by_geometry(reference)
        naming = self._perception.naming
        if not naming.taught:
            return resolved
        seen = self._perception.find(naming.phrase(reference))
        return _reconciled(reference, seen, resolved)

    def _by_geometry(self, reference: Reference) -> Resolution:
        """Find the head with its attributes, then select by relation, then by order."""
        candidates: Sequence[Candidate] = self._find(reference.without_place)
        if reference.relation:
            landmarks: list[Candidate] = []
            for landmark in reference.landmarks:
                resolution = self.resolve(landmark)
                if len(resolution.candidates) != 1 and landmark.head in _SURFACES:
                    continue  # what everything stands on tells nothing apart
                if len(resolution.candidates) != 1:
                    return resolution
                landmarks += resolution.candidates
            if landmarks:
                candidates = select_by_relation(
                    candidates, reference.relation, landmarks, self._geometry
                )
        order = parse_order(reference.order) if reference.order else None
        if order and candidates:
            candidates = select_by_order(candidates, order, self._geometry)
        return self._found(reference, candidates)

    def _find(self, reference: Reference) -> list[Candidate]:
        return self._perception.find(self._perception.naming.name(reference))

    @staticmethod
    def _found(reference: Reference, candidates: Sequence[Candidate]) -> Resolution:
        return Resolution(reference, tuple(sorted(candidates, key=lambda c: c.point)))


def locate(perception: Perception, names: Sequence[str]) -> tuple[GroundedObject, ...]:
    """Return all that a frame shows under these names, in the order of the names.

    A name that the model has no word for is not found.
    """
    resolver = Resolver(perception)
    found: list[GroundedObject] = []
    for name in names:
        reference = parse_reference(name.strip())
        try:
            resolution = resolver.resolve(reference)
            if resolution.subject != reference:  # its landmark is missing, or not the only one
                continue
            seen = [perception.detect(reference, c) for c in resolution.candidates]
        except UnknownWordError:
            continue
        for detection in seen:
            item = perception.object_of(f'o{len(found) + 1}', detection)
            found.append(replace(item, label=name))
    return tuple(found)


def _reconciled(
    reference: Reference, seen: Sequence[Candidate], resolved: Resolution
) -> Resolution:
    """Return what the model and the geometry agree on, or both views where they do not."""
    if resolved.subject != reference or len(resolved.candidates) != 1 or not seen:
        return Resolution(reference, tuple(seen), supported=bool(resolved.candidates))
    (other,) = resolved.candidates
    if len(seen) > 1:
        # Of several that the model sees, the one that the geometry tells apart.
        chosen = [one for one in seen if same_object(one, other)]
        return Resolution(reference, tuple(chosen if len(chosen) == 1 else seen))
    (one,) = seen
    if same_object(one, other):
        return Resolution(reference, (one,))
    return Resolution(reference, tuple(sorted((one, other), key=lambda c: c.point)), disputed=True)


def same_object(one: Candidate, other: Candidate) -> bool:
    """Tell whether two candidates of one name show the same object."""
    if one.box and other.box:
        return box_iou(one.box, other.box) > NMS_IOU
    box, point = (one.box, other.point) if one.box else (other.box, one.point)
    if box:
        return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
    return abs(one.point[0] - other.point[0]) < 2 and abs(one.point[1] - other.point[1]) < 2
