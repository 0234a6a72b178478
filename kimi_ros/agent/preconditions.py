"""Steps that a draft leaves unsaid: to place something, it must be picked up first."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_ros.agent.draft import DraftStep
from kimi_ros.agent.skills import Predicate, Skill, SkillCatalogue

_SUPPLIED = ('holding',)  # the preconditions that a step may be added for


def with_missing_steps(steps: Sequence[DraftStep], skills: SkillCatalogue) -> list[DraftStep]:
    """Return the steps, with those put before them that make their preconditions true.

    Only what one skill with one argument can supply is added: a pick before a place.
    """
    known: set[Predicate] = set()
    out: list[DraftStep] = []
    for step in steps:
        names = _names(step, skills[step.skill])
        for precondition in skills[step.skill].preconditions:
            wanted = precondition.bind(names)
            if wanted.negated or wanted.name not in _SUPPLIED or wanted in known:
                continue
            supplier = _supplier(wanted.name, skills)
            if supplier is None or wanted.terms[0] not in names.values():
                continue
            argument = next(a for a in names if names[a] == wanted.terms[0])
            added = DraftStep(
                supplier.name,
                {supplier.arguments[0].name: step.arguments[argument]},
                step.condition,
            )
            out.append(added)
            known = _after(known, added, skills)
        out.append(step)
        known = _after(known, step, skills)
    return out


def _supplier(predicate: str, skills: SkillCatalogue) -> Skill | None:
    return next(
        (
            skill
            for skill in skills
            if len(skill.arguments) == 1
            and skill.arguments[0].grounded
            and any(e.name == predicate and not e.negated for e in skill.effects)
        ),
        None,
    )


def _names(step: DraftStep, skill: Skill) -> dict[str, str]:
    return {name: reference.text for name, reference in step.references(skill).items()}


def _after(known: set[Predicate], step: DraftStep, skills: SkillCatalogue) -> set[Predicate]:
    skill = skills[step.skill]
    effects = [e.bind(_names(step, skill)) for e in skill.effects]
    removed = {Predicate(e.name, e.terms) for e in effects if e.negated}
    return known - removed | {e for e in effects if not e.negated}
