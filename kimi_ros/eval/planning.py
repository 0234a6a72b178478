"""Instructions through the whole agent: plans, clarification, and wording not in training data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kimi_ros.agent import Plan, Status
from kimi_ros.eval.demo_tasks import demo_tasks
from kimi_ros.eval.held_out_scenes import HeldOutScene
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.eval.phrasings import rephrased
from kimi_ros.eval.plan_checks import plan_errors
from kimi_ros.eval.system import System
from kimi_ros.sim import CATEGORIES, COLORS, ObjectTruth
from kimi_ros.sim.expression_sampling import perturbed
from kimi_ros.sim.full.object_classes import PEOPLE, SCALABLE, SIZES
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.sim.tasks import Task, make_task, sample_task

_BACK = (Status.NEEDS_CLARIFICATION.value, Status.INFEASIBLE.value)
_NO_PLAN = 'no plan'
_OTHER_SIZE = 0.25  # of what is not there: as often it is there in another size


def plans(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Give an instruction; many need a question back, or must be declined."""
    task = sample_task(world.objects, language, world.rng('plans'))
    plan = system.plan(world.frame, task.instruction)
    expected = Counter(step['skill'] for step in task.plan['steps'])
    predicted = Counter(step.skill for step in plan.steps) if plan else Counter()
    counts = {
        'exact': binary(is_correct(plan, task, world)),
        'schema_valid': binary(plan is not None),
        # F1 = 2 * common / (wanted + came)
        'skill_f1': (2.0 * (expected & predicted).total(), float((expected + predicted).total())),
    }
    return [outcome_of(plan, task, world, counts)]


def clarify(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Ask for what is there once, more than once, or not at all: a third each, where it can be."""
    task = _clear_or_not(world, language)
    plan = system.plan(world.frame, task.instruction)
    expected, predicted = task.plan['status'], plan.status.value if plan else _NO_PLAN
    positives = (expected in _BACK) + (predicted in _BACK)
    counts = {'f1': (2.0 * (expected in _BACK and predicted == expected), float(positives))}
    if expected == Status.INFEASIBLE.value:
        counts['not_there_recall'] = binary(predicted == expected)
    if expected == Status.NEEDS_CLARIFICATION.value:
        counts['asks_recall'] = binary(predicted == expected)
    if expected == Status.OK.value:
        counts['acts_recall'] = binary(predicted == expected)
    return [outcome_of(plan, task, world, counts, correct=predicted == expected)]


def phrasings(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Give the instructions of `plans` in wording not in the training data, and in their own."""
    known = sample_task(world.objects, language, world.rng('plans'), compound_share=0)
    new = rephrased(known, world.rng('phrasings'))
    plan = system.plan(world.frame, new.instruction)
    correct = is_correct(plan, new, world)
    beside = is_correct(system.plan(world.frame, known.instruction), known, world)
    counts = {
        'exact': binary(correct),
        'in_domain': binary(beside),
        'ratio': (float(correct), float(beside)),
    }
    return [outcome_of(plan, new, world, counts)]


def demo(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Ask what `make demo` asks of this seed, in both languages: are both answers right?"""
    tasks = demo_tasks(world.objects, world.seed)
    made = [system.plan(world.frame, task.instruction) for task in tasks]
    wrong_ones = [(p, t) for p, t in zip(made, tasks, strict=True) if not is_correct(p, t, world)]
    plan, task = wrong_ones[0] if wrong_ones else (made[0], tasks[0])
    return [outcome_of(plan, task, world, {'right': binary(not wrong_ones)})]


def is_correct(plan: Plan | None, task: Task, world: HeldOutScene) -> bool:
    """Return whether there is a plan and nothing is wrong with it."""
    return plan is not None and not plan_errors(plan, task, world)


def _clear_or_not(world: HeldOutScene, language: str) -> Task:
    """Return a request to find or to pick something, there once, more than once, or not."""
    rng, objects = world.rng('clarify'), world.objects
    by_number: dict[int, list[ReferringExpression]] = {1: [], 2: []}
    for what in _descriptions():
        if found := len(what.matches(objects)):
            by_number[min(found, 2)].append(what)
    possible = [0, *(number for number, group in by_number.items() if group)]
    number = possible[int(rng.integers(len(possible)))]
    if number:
        what = by_number[number][int(rng.integers(len(by_number[number])))]
    else:
        what = _missing(objects, rng)
    skill = ('locate', 'pick')[int(rng.integers(2))]
    return make_task(skill, objects, [what], language, rng)


def _descriptions() -> Iterator[ReferringExpression]:
    """Yield what objects are called by category, colour, and size."""
    for category in ('', *CATEGORIES):
        for color in ('', *COLORS):
            for size in ('', *SIZES) if category in SCALABLE else ('',):
                if (category or color) and category not in PEOPLE:
                    yield ReferringExpression(category, color, size)


def _missing(objects: Sequence[ObjectTruth], rng) -> ReferringExpression:
    """Return a description of nothing that is there: a near miss."""
    things = [o for o in objects if o.category not in PEOPLE]
    thing = things[int(rng.integers(len(things)))]
    what = ReferringExpression(thing.category, thing.color)
    if thing.size_name and thing.category in SCALABLE and rng.random() < _OTHER_SIZE:
        sized = [replace(what, size=size) for size in SIZES]
        absent = [m for m in sized if not m.matches(objects)]
        if absent:
            return absent[int(rng.integers(len(absent)))]
    while what.matches(objects):
        what = perturbed(what, rng)
    return what


def outcome_of(
    plan: Plan | None,
    task: Task,
    world: HeldOutScene,
    counts: Mapping[str, tuple[float, float]],
    correct: bool | None = None,
    predicted: str = '',
) -> Outcome:
    """Return the outcome of a task.

    :param correct: where that is not whether the plan is.
    :param predicted: what to say of it, where that is more than the plan.
    """
    width, height = world.frame.size
    if correct is None:
        correct = is_correct(plan, task, world)
    return Outcome(
        question=task.instruction,
        expected=_expected_steps(task),
        predicted=predicted or plan_summary(plan, task, world),
        correct=correct,
        counts=counts,
        expected_at=world.normalized_boxes(i for _, group in task.referents for i in group),
        predicted_at=tuple((o.point[0] / width, o.point[1] / height) for o in plan.objects)
        if plan
        else (),
    )


def _expected_steps(task: Task) -> str:
    steps = [
        f'{s["skill"]}({", ".join(v for k, v in s.items() if k != "skill")})'
        for s in task.plan['steps']
    ]
    return ', '.join(steps) or task.plan['status']


def plan_summary(plan: Plan | None, task: Task, world: HeldOutScene) -> str:
    """Return the steps of a plan, or how else it ended."""
    if plan is None:
        return _NO_PLAN
    steps = [
        f'{s.skill}({", ".join(plan.object(i).label for i in s.object_ids)})' for s in plan.steps
    ]
    text = ', '.join(steps) or f'{plan.status.value}: {plan.say}'
    # Where the words are right, the places may not be.
    return (
        text
        if text != _expected_steps(task)
        else '; '.join([text, *plan_errors(plan, task, world)])
    )
