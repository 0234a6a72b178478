"""The figures of an episode: `plan`, `grounded` and `success`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kimi_ros.agent import Plan, PlanStep, Status
from kimi_ros.agent.planners import RemoteSettings
from kimi_ros.eval.libero.episode import Acted, Episode
from kimi_ros.eval.libero.instructions import asks_for, said
from kimi_ros.eval.libero.truth import GroundTruthDetector, masks
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.sim.libero.world import World

FIGURES = ('plan', 'grounded', 'success')
TRUTH = 'truth'
_PLACES = ('place', 'stack')


def score_episode(
    world: World,
    number: int,
    perception: Any,
    planner: str,
    language: str,
    remote: RemoteSettings | None = None,
) -> tuple[Outcome, np.ndarray]:
    """Run an episode of the world's task; return its outcome and its first image.

    :param number: of the initial state.
    :param perception: a vision-language model, or TRUTH for ground-truth detections.
    :param planner: one of `kimi_ros.agent.planners.PLANNERS`.
    :param language: 'en' or 'zh', of the instruction.
    :param remote: the server of the planner 'remote'.
    :return: the outcome; the image that the plan was made for, uint8 (H, W, 3).
    """
    robot = world.begin(number)
    instruction = said(world.task, language)
    seen = dict(masks(world))
    goal = world.goal
    if perception == TRUTH:
        perception = GroundTruthDetector(world, seed=number)
    acted = Episode(robot, perception, planner, instruction, language, remote).run()
    plan = acted.plan
    skills = [step.skill for step in plan.steps] if plan and plan.status is Status.OK else []
    planned = asks_for(world.task, skills)
    grounded = planned and _is_grounded(plan, goal, seen)
    success = world.is_done()
    counts = {
        'plan': binary(planned),
        'grounded': binary(grounded),
        'success': binary(success),
        'steps': (float(robot.steps), 1.0),
    }
    return _outcome(acted, instruction, goal, counts, success), acted.frame.rgb


def _is_grounded(plan: Plan, goal: Sequence[tuple[str, ...]], seen: dict[str, np.ndarray]) -> bool:
    """Tell whether every point of a plan is on what the goal names, by the segmentation.

    A free spot ("right of the plate") is on nothing: only where it leads counts, `success`.
    """
    things = {state[1] for state in goal}
    places = {state[2] for state in goal if len(state) > 2}
    for step in plan.steps:
        for place, item in _points(plan, step):
            wanted = places if place else things
            if item.box is None:
                continue
            column, row = int(item.point[0]), int(item.point[1])
            hit = {name for name, mask in seen.items() if mask[row, column]}
            if not any(_is_on(hit, region, seen) for region in wanted):
                return False
    return True


def _points(plan: Plan, step: PlanStep) -> list[tuple[bool, Any]]:
    """Return the objects of a step, and whether each is where the other goes."""
    items = [plan.object(i) for i in step.object_ids]
    moves = step.skill in (*_PLACES, 'push')
    return [(moves and k == len(items) - 1 and k > 0, item) for k, item in enumerate(items)]


def _is_on(hit: set[str], region: str, seen: Iterable[str]) -> bool:
    """Tell whether what was hit is the goal's thing, or has the goal's region.

    Where a drawer is meant that drawer must be hit, not just its cabinet.
    """
    for thing in (name for name in hit if '/' not in name and region.startswith(name)):
        parts = [name for name in seen if name.startswith(f'{thing}/')]
        rest = region.removeprefix(thing)
        meant = [p for p in parts if p.partition('/')[2] in rest and not rest.endswith('_side')]
        if not meant or hit & set(meant):
            return True
    return False


def _outcome(
    acted: Acted,
    instruction: str,
    goal: Sequence[tuple[str, ...]],
    counts: dict[str, tuple[float, float]],
    success: bool,
) -> Outcome:
    height, width = acted.frame.rgb.shape[:2]
    plan = acted.plan
    told = '; '.join([_told(plan), *acted.trouble])
    return Outcome(
        question=instruction,
        expected=', '.join(' '.join(state) for state in goal),
        predicted=told,
        correct=success,
        counts=counts,
        predicted_at=tuple((o.point[0] / width, o.point[1] / height) for o in plan.objects)
        if plan
        else (),
    )


def _told(plan: Plan | None) -> str:
    if plan is None:
        return 'no plan'
    steps = [
        f'{s.skill}({", ".join(plan.object(i).label for i in s.object_ids)})' for s in plan.steps
    ]
    return ', '.join(steps) or f'{plan.status.value}: {plan.say}'
