"""Verification: is each object what its name says, and can the steps follow one another?"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import Any

from kimi_ros.agent.answers import Verdict, parse_yes_no
from kimi_ros.agent.grounding import Candidate, box_iou
from kimi_ros.agent.noun_matching import strip_qualifiers
from kimi_ros.agent.plan import PlanStep
from kimi_ros.agent.prompts import check_question, detect_language
from kimi_ros.agent.skills import Predicate, SkillCatalogue
from kimi_ros.agent.vlm_protocol import Vlm

# Factor on the score of an object that the verification rejects. One half, so that under the
# shipped policy (min_score 0.15) a confident object survives, and one below 0.3 is asked about; not
# tuned.
REJECTION_PENALTY = 0.5
# Above this IoU two different names refer to the same object. Higher than NMS_IOU, because a plate
# and what lies on it are two objects; not tuned.
DUPLICATE_IOU = 0.8


def verify_object(
    vlm: Vlm,
    image: Any,
    name: str,
    candidate: Candidate,
    size: tuple[int, int],
    cancel: Event | None = None,
) -> Verdict:
    """Ask the model whether the candidate is what the name says.

    The question is in the name's own language and leaves out where the object is: 'red cup' for
    'red cup left of the plate'.

    :param size: (width, height) of the source image in pixels.
    """
    region = candidate.point if candidate.box is None else candidate.box
    reference = tuple(v / size[i % 2] for i, v in enumerate(region))
    question = check_question(strip_qualifiers(name), detect_language(name))
    answer = vlm.query(image, question, spatial_refs=[reference], max_tokens=8, cancel=cancel)
    return parse_yes_no(answer.text)


def find_duplicate(candidates: Sequence[tuple[str, Candidate]]) -> tuple[str, str] | None:
    """Return two names whose boxes show the same object, or None."""
    for i, (first, a) in enumerate(candidates):
        for second, b in candidates[i + 1 :]:
            if a.box and b.box and box_iou(a.box, b.box) > DUPLICATE_IOU:
                return first, second
    return None


def first_unmet_precondition(
    steps: Sequence[PlanStep], catalogue: SkillCatalogue, facts: Sequence[Predicate]
) -> Predicate | None:
    """Return the first precondition that does not hold when its step begins, or None.

    The effects of each step hold for the next, as in STRIPS: negated ones are deleted, the others
    added.

    :param facts: what holds at the beginning, over object ids.
    """
    known = set(facts)
    for step in steps:
        skill, arguments = catalogue[step.skill], step.arguments
        for precondition in skill.preconditions:
            wanted = precondition.bind(arguments)
            if (Predicate(wanted.name, wanted.terms) in known) == wanted.negated:
                return wanted
        effects = [e.bind(arguments) for e in skill.effects]
        known -= {Predicate(e.name, e.terms) for e in effects if e.negated}
        known |= {e for e in effects if not e.negated}
    return None
