"""Whether a plan may be carried out, and whether a step did what it should; no ROS graph needed."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from kimi_ros.agent import Approval, Plan, Status

MOVED = 0.03  # metres, by which a thing that was picked is at least away from where it was
ON = 0.15  # metres, between a thing and what it was put on or into, seen from above

_GRANTED = (Approval.NOT_NEEDED, Approval.GRANTED)
_PREDICATE = re.compile(r'(?P<no>not )?(?P<name>\w+)\((?P<terms>[^)]*)\)')
Position = tuple[float, float, float]


def refusal(
    plan: Plan, catalogue_hash: str, skills: Collection[str], now: float, max_age: float
) -> str:
    """Return why a plan must not be carried out, or ''.

    :param catalogue_hash: of the skills file that the executor knows.
    :param skills: those that an action carries out.
    :param now: seconds, on the clock of the plan's stamp.
    :param max_age: seconds since the image of a plan that needed no approval.
    """
    if plan.status is not Status.OK:
        return f'its status is {plan.status.value}'
    if not plan.steps:
        return 'it has no steps'
    if plan.approval not in _GRANTED:
        return f'it is not approved: {plan.approval.value}'
    if plan.approval is Approval.NOT_NEEDED and any(step.needs_approval for step in plan.steps):
        return 'a step needs an approval that the plan does not have'
    if plan.hash != plan.content_hash():
        return 'its hash is not that of its content: it was changed on the way'
    if plan.catalogue_hash != catalogue_hash:
        return 'it was made with another skills file'
    if plan.expires and now > plan.expires:
        return 'its approval has expired'
    if not plan.expires and now - plan.stamp > max_age:
        return f'it is {now - plan.stamp:.0f} s old'
    unknown = [step.skill for step in plan.steps if step.skill not in skills]
    return f'no action carries out {", ".join(unknown)}' if unknown else ''


def unseen_effect(effect: str, before: Mapping[str, Position], now: Mapping[str, Position]) -> str:
    """Return which expected effect of a step the camera contradicts, or ''.

    Only what can be seen is judged: a thing that was picked is not where it was, and one that was
    put somewhere is there. What is out of view contradicts nothing.

    :param effect: `PlanStep.expected_effect`: 'holding(o1), not hand_empty'.
    :param before: positions by object id, metres.
    :param now: of those objects that are in view.
    """
    for text, holds, name, terms in _predicates(effect):
        if not holds or any(term not in now for term in terms):
            continue
        if name == 'holding' and terms[0] in before:
            if math.dist(now[terms[0]], before[terms[0]]) < MOVED:
                return f'{text}: it is where it was'
        elif name == 'on' and len(terms) == 2:
            apart = math.dist(now[terms[0]][:2], now[terms[1]][:2])
            if apart > ON:
                return f'{text}: they are {apart:.2f} m apart'
    return ''


def put_on(effect: str, positions: Mapping[str, Position]) -> dict[str, Position]:
    """Return where things are to be expected that a step with this effect put on others."""
    return {
        terms[0]: positions[terms[1]]
        for _, holds, name, terms in _predicates(effect)
        if holds and name == 'on' and len(terms) == 2 and terms[1] in positions
    }


def held_after(effects: Iterable[str]) -> set[str]:
    """Return the ids of what the hand holds after steps with these effects, in order."""
    held: set[str] = set()
    for effect in effects:
        for _, holds, name, terms in _predicates(effect):
            if name == 'holding':
                (held.add if holds else held.discard)(terms[0])
    return held


def _predicates(effect: str) -> Iterator[tuple[str, bool, str, list[str]]]:
    """Yield (text, whether it holds, name, terms): 'not holding(o1)' is False, 'holding', [o1]."""
    for found in _PREDICATE.finditer(effect):
        terms = [term.strip() for term in found['terms'].split(',')]
        yield found[0], not found['no'], found['name'], terms
