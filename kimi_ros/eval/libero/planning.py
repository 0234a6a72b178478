"""The figure `plan` without a simulator: does the planner find the skills, in order?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kimi_ros.agent.draft import DraftPlan, DraftStep
from kimi_ros.agent.errors import InvalidDraftError
from kimi_ros.agent.instruction import validate_instruction
from kimi_ros.agent.planners.protocol import Planner, PlanRequest
from kimi_ros.eval.libero.instructions import asks_for, catalogue, said
from kimi_ros.sim.libero.benchmark import Task


@dataclass(frozen=True)
class DraftedTask:
    """A task, what the planner drafted for it, and whether those are the skills asked for.

    :ivar instruction: as the planner was given it, in the language of the run.
    :ivar came: the steps with their things, or how else it ended.
    :ivar correct: the skills are those asked for, in order.
    """

    task: Task
    instruction: str
    came: str
    correct: bool


def draft_tasks(planner: Planner, tasks: Iterable[Task], language: str) -> Iterator[DraftedTask]:
    """Draft a plan for each task; no image is shown."""
    for task in tasks:
        text = said(task, language)
        try:
            draft = planner.draft(PlanRequest(validate_instruction(text), language))
        except InvalidDraftError as error:
            yield DraftedTask(task, text, f'no draft: {error}', False)
            continue
        skills = [skill for step in draft.steps for skill in [step.skill] * _times(step)]
        yield DraftedTask(task, text, _told(draft), asks_for(task, _alternating(skills)))


def _times(step: DraftStep) -> int:
    """Return how often a step is done: once for each of the things that a reference counts."""
    references = step.references(catalogue()[step.skill]).values()
    counted = [2 if r.number == 'both' else int(r.number) for r in references if _counts(r.number)]
    return max(counted, default=1)


def _counts(number: str) -> bool:
    return number == 'both' or number.isdigit()


def _alternating(skills: list[str]) -> list[str]:
    """Return pick, pick, place, place as the pipeline does them: one thing after the other."""
    return ['pick', 'place'] * 2 if skills == ['pick', 'pick', 'place', 'place'] else skills


def _told(draft: DraftPlan) -> str:
    steps = []
    for step in draft.steps:
        names = [r.text for r in step.references(catalogue()[step.skill]).values()]
        steps.append(f'{step.skill}({", ".join(names)})')
    return ', '.join(steps) or f'{draft.status.value}: {draft.say}'
