"""People and hazards in the view, near what a step handles: what nobody mentioned counts, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.grounding import NMS_IOU, Candidate, box_iou
from kimi_ros.agent.naming import UnknownWordError
from kimi_ros.agent.perception import Perception
from kimi_ros.agent.plan import GroundedObject, PlanStep, Reason, Risk
from kimi_ros.agent.policy_rules import Near
from kimi_ros.agent.references import parse_reference
from kimi_ros.agent.relations import Geometry

_MIN_SCORE = 0.3  # of a detection that counts; below it, detectors see hands everywhere
# Without depth: half the longer side of the smaller box, which for a hand and a cup is about 6 cm.
_SIZES = 0.5


def raise_risk(
    steps: Sequence[PlanStep],
    objects: Sequence[GroundedObject],
    perception: Perception,
    near: Near,
    named: Sequence[str] = (),
) -> tuple[tuple[PlanStep, ...], tuple[str, ...]]:
    """Return the steps, those that handle something near a person or a hazard raised, and why.

    A step that handles an object or puts something at a target within `near.metres` of a person, a
    hand or a hazard waits for approval. A model with a closed vocabulary is only asked for what
    was named.

    :param named: people and hazards that the instruction names.
    """
    handled = [s for s in steps if s.risk >= Risk.LOW and s.object_ids]
    if not handled:
        return tuple(steps), ()
    watched = [(n, Reason.NEAR_PERSON) for n in near.people]
    watched += [(n, Reason.NEAR_HAZARD) for n in near.hazards]
    if perception.naming.taught:
        watched = []
    watched += [(n, Reason.NEAR_HAZARD) for n in named if n not in dict(watched)]
    geometry = Geometry(perception.frame)
    by_id = {o.id: o for o in objects}
    wanted = {i for s in handled for i in s.object_ids}
    close: dict[str, str] = {}  # reason by object id
    for name, reason in watched:
        if any(o.label == name for o in objects):
            continue
        for candidate in _detected(perception, name):
            for item in (by_id[i] for i in wanted - close.keys()):
                if _is_near(item, candidate, geometry, perception.frame, near.metres):
                    close[item.id] = reason
    raised = tuple(
        replace(s, risk=max(s.risk, near.risk), needs_approval=True)
        if s in handled and close.keys() & set(s.object_ids)
        else s
        for s in steps
    )
    return raised, tuple(dict.fromkeys(close.values()))


def _detected(perception: Perception, name: str) -> list[Candidate]:
    try:
        own = perception.naming.name(parse_reference(name).without_place)
    except UnknownWordError:
        return []
    return [c for c in perception.boxes(own) if c.score >= _MIN_SCORE]


def _is_near(
    item: GroundedObject, other: Candidate, geometry: Geometry, frame: Frame, metres: float
) -> bool:
    this = Candidate(item.point, item.box, item.score)
    if item.box and other.box and box_iou(item.box, other.box) > NMS_IOU:
        return False  # it is the object itself
    gap = geometry.gap(this, other)
    if gap is not None:
        return gap <= metres
    one, two = this.extent, other.extent
    apart = max(one[0] - two[2], two[0] - one[2], one[1] - two[3], two[1] - one[3], 0.0)
    size = min(_side(one), _side(two)) or 0.02 * frame.size[0]
    return apart <= _SIZES * size


def _side(box: Sequence[float]) -> float:
    return max(box[2] - box[0], box[3] - box[1])
