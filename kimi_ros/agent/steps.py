"""From draft steps to plan steps: object ids, risk, approval, and what stands in their way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kimi_ros.agent.checks import first_unmet_precondition
from kimi_ros.agent.draft import DraftStep
from kimi_ros.agent.plan import DepthStatus, GroundedObject, PlanStep, Reason, Risk
from kimi_ros.agent.policy import Policy
from kimi_ros.agent.skills import Predicate, SkillCatalogue

_EXPLAINED = ('holding', 'hand_empty', 'positioned')  # preconditions with a sentence in `phrases`


class Obstacle(NamedTuple):
    """Why steps cannot be executed: a reason code, and a sentence of `phrases` with its values."""

    reason: str
    key: str
    values: tuple[object, ...] = ()


def bind_steps(
    drafts: Sequence[DraftStep],
    ids: Mapping[str, Sequence[str]],
    instruction: str,
    skills: SkillCatalogue,
    policy: Policy,
    doubted: bool = False,
    history: Sequence[str] = (),
) -> tuple[tuple[PlanStep, ...], tuple[str, ...]]:
    """Return the steps with their risk and approval, and the reason codes of those that wait.

    :param ids: the objects' ids for each reference's text; a reference to several objects repeats
        the steps that handle it.
    :param doubted: the planner first said that it cannot be done, or not without asking; then every
        step that carries a risk needs approval.
    :param history: earlier instructions of the conversation, oldest first.
    """
    steps, reasons = [], [Reason.DOUBTED] if doubted else []
    for draft, objects in _repeated(drafts, ids, skills):
        skill = skills[draft.skill]
        risk, needs_approval, rules = policy.assess_risk(instruction, draft, skill, history)
        reasons += [r for r in rules if r not in reasons]
        references = draft.references(skill)
        bound = {name: objects[reference.text] for name, reference in references.items()}
        arguments = {
            a.name: bound.get(a.name, draft.arguments[a.name])
            for a in skill.arguments
            if a.name in draft.arguments
        }
        steps.append(
            PlanStep(
                skill=skill.name,
                object_ids=tuple(bound.values()),
                arguments_json=json.dumps(arguments, ensure_ascii=False),
                risk=risk,
                needs_approval=needs_approval or (doubted and risk is not Risk.NONE),
                expected_effect=', '.join(str(e.bind(bound)) for e in skill.effects),
            )
        )
    return tuple(steps), tuple(reasons)


def _repeated(
    drafts: Sequence[DraftStep], ids: Mapping[str, Sequence[str]], skills: SkillCatalogue
) -> Iterator[tuple[DraftStep, dict[str, str]]]:
    """Yield each step with one object for each reference.

    "Put all the cups into the box": pick and place the first, then pick and place the second.
    """
    texts = [[r.text for r in d.references(skills[d.skill]).values()] for d in drafts]
    first = {text: found[0] for text, found in ids.items() if found}
    start = 0
    while start < len(drafts):
        several = next((t for t in texts[start] if len(ids[t]) > 1), None)
        end = start + 1
        while several and end < len(drafts) and several in texts[end]:
            end += 1
        choices = [{**first, several: i} for i in ids[several]] if several else [first]
        for chosen in choices:
            yield from ((draft, chosen) for draft in drafts[start:end])
        start = end


def find_obstacle(
    steps: Sequence[PlanStep], objects: Sequence[GroundedObject], skills: SkillCatalogue
) -> Obstacle | None:
    """Return why the steps cannot follow one another or are out of reach, or None."""
    by_id = {o.id: o for o in objects}
    facts = [Predicate('hand_empty')]
    facts += [Predicate('visible', (o.id,)) for o in objects]
    facts += [Predicate('positioned', (o.id,)) for o in objects if o.position]
    if unmet := first_unmet_precondition(steps, skills, facts):
        explained = unmet.name in _EXPLAINED and not unmet.negated
        labels = tuple(by_id[term].label for term in unmet.terms)
        return Obstacle(Reason.PRECONDITION, unmet.name if explained else 'precondition', labels)
    for step in steps:
        reach = skills[step.skill].limits.get('reach_m')
        for item in (by_id[i] for i in step.object_ids):
            # In the camera's own frame a distance says nothing about the arm.
            if reach and item.position and item.depth_status is DepthStatus.OK:
                distance = sum(v * v for v in item.position) ** 0.5
                if distance > reach:
                    return Obstacle(Reason.OUT_OF_REACH, 'out_of_reach', (item.label, distance))
    return None
