"""Second looks: is each object what its name says, can the steps follow one another?"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from threading import Event

from kimi_ros.agent.grounding import Candidate, overlap
from kimi_ros.agent.interface import Vlm
from kimi_ros.agent.plan import PlanStep
from kimi_ros.agent.prompts import check_question, detect_language
from kimi_ros.agent.skills import Predicate, SkillCatalogue
from kimi_ros.agent.words import plain_name

# What a 'No' leaves of an object's score: a good one survives it, a middling one is asked about.
DOUBT = 0.5
# Two names whose boxes overlap more mean one and the same thing.
ONE_THING = 0.8


class Verdict(Enum):
    """The answer to a check question."""

    YES = 'yes'
    NO = 'no'
    UNCLEAR = 'unclear'


def look_again(
    vlm: Vlm,
    image,
    name: str,
    candidate: Candidate,
    size: tuple[int, int],
    cancel: Event | None = None,
) -> Verdict:
    """Ask the model whether the candidate is what the name says.

    Only what the thing is is asked, in the name's own language, not where: 'red cup' for 'red cup
    left of the plate'.

    :param size: (width, height) of the source image in pixels.
    """
    place = candidate.point if candidate.box is None else candidate.box
    reference = tuple(v / size[i % 2] for i, v in enumerate(place))
    question = check_question(plain_name(name), detect_language(name))
    answer = vlm.query(image, question, spatial_refs=[reference], max_tokens=8, cancel=cancel).text
    answer = answer.strip().lower()
    if answer.startswith(('no', '不', '没', '否')):
        return Verdict.NO
    return Verdict.YES if answer.startswith(('yes', '是', '对', '有')) else Verdict.UNCLEAR


def one_thing(candidates: Sequence[tuple[str, Candidate]]) -> tuple[str, str] | None:
    """Return two names that were found at the same place, or None."""
    for i, (first, a) in enumerate(candidates):
        for second, b in candidates[i + 1 :]:
            if a.box and b.box and overlap(a.box, b.box) > ONE_THING:
                return first, second
    return None


def unmet(
    steps: Sequence[PlanStep], catalogue: SkillCatalogue, facts: Sequence[Predicate]
) -> Predicate | None:
    """Return the first precondition that does not hold when its step begins, or None.

    Every step's effects become facts for the next, as in STRIPS: what it negates is deleted, the
    rest added.

    :param facts: what holds at the beginning, over object ids.
    """
    known = set(facts)
    for step in steps:
        skill, arguments = catalogue[step.skill], step.arguments
        for precondition in skill.preconditions:
            wanted = precondition.bound(arguments)
            if (Predicate(wanted.name, wanted.terms) in known) == wanted.negated:
                return wanted
        effects = [e.bound(arguments) for e in skill.effects]
        known -= {Predicate(e.name, e.terms) for e in effects if e.negated}
        known |= {e for e in effects if not e.negated}
    return None
