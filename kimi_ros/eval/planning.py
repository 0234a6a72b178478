"""Instructions through the whole agent: plans, questions back, and words never trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from kimi_ros.agent import Agent, Plan, Policy, SkillCatalogue, Status
from kimi_ros.agent.errors import PlanNotWritten
from kimi_ros.eval.demo_tasks import demo_tasks
from kimi_ros.eval.judge import mistakes
from kimi_ros.eval.outcome import Outcome, share
from kimi_ros.eval.phrasings import in_new_words
from kimi_ros.eval.worlds import World
from kimi_ros.resources import share as shipped
from kimi_ros.sim import COLORS, KINDS, ObjectTruth
from kimi_ros.sim.full.catalogue import PEOPLE, SCALABLE, SIZES
from kimi_ros.sim.meaning import Meaning
from kimi_ros.sim.tasks import Task, make_task, some_task, wrong
from kimi_ros.vlm import VisionLanguageModel

_BACK = (Status.NEEDS_CLARIFICATION.value, Status.INFEASIBLE.value)
_NO_PLAN = 'no plan'
_OTHER_SIZE = 0.25  # of what is not there: as often it is there in another size


def plans(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Give an instruction; many must be asked back or turned down."""
    task = some_task(world.objects, language, world.rng('plans'))
    plan = planned(vlm, world, task)
    wanted = Counter(step['skill'] for step in task.plan['steps'])
    came = Counter(step.skill for step in plan.steps) if plan else Counter()
    counts = {
        'exact': share(is_right(plan, task, world)),
        'schema_valid': share(plan is not None),
        # F1 = 2 * common / (wanted + came)
        'skill_f1': (2.0 * (wanted & came).total(), float((wanted + came).total())),
    }
    return [outcome_of(plan, task, world, counts)]


def clarify(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Ask for what is there once, more than once, or not at all: a third each, where it can be."""
    task = _clear_or_not(world, language)
    plan = planned(vlm, world, task)
    wanted, came = task.plan['status'], plan.status.value if plan else _NO_PLAN
    positives = (wanted in _BACK) + (came in _BACK)
    counts = {'f1': (2.0 * (wanted in _BACK and came == wanted), float(positives))}
    if wanted == Status.INFEASIBLE.value:
        counts['not_there_recall'] = share(came == wanted)
    if wanted == Status.NEEDS_CLARIFICATION.value:
        counts['asks_recall'] = share(came == wanted)
    if wanted == Status.OK.value:
        counts['acts_recall'] = share(came == wanted)
    return [outcome_of(plan, task, world, counts, right=came == wanted)]


def phrasings(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Give the instruction of `plans` in words never trained on, and in its own beside them."""
    known = some_task(world.objects, language, world.rng('plans'), turns=0)
    new = in_new_words(known, world.rng('phrasings'))
    plan = planned(vlm, world, new)
    right = is_right(plan, new, world)
    beside = is_right(planned(vlm, world, known), known, world)
    counts = {
        'exact': share(right),
        'in_domain': share(beside),
        'ratio': (float(right), float(beside)),
    }
    return [outcome_of(plan, new, world, counts)]


def demo(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Ask what `make demo` asks of this seed, in both languages: are both answers right?"""
    tasks = demo_tasks(world.objects, world.seed)
    made = [planned(vlm, world, task) for task in tasks]
    wrong_ones = [
        (p, t) for p, t in zip(made, tasks, strict=True) if not is_right(p, t, world)
    ]
    plan, task = wrong_ones[0] if wrong_ones else (made[0], tasks[0])
    return [outcome_of(plan, task, world, {'right': share(not wrong_ones)})]


def planned(
    vlm: VisionLanguageModel, world: World, task: Task, skills: SkillCatalogue | None = None
) -> Plan | None:
    """Return the agent's plan, None where what the model wrote is none.

    The agent has the policy that is shipped.

    :param skills: the catalogue; the one that is shipped where none is given.
    """
    try:
        return Agent(vlm, skills or _catalogue(), _policy()).run(world.frame, task.instruction)
    except PlanNotWritten:
        return None


def is_right(plan: Plan | None, task: Task, world: World) -> bool:
    """Return whether there is a plan and nothing is wrong with it."""
    return plan is not None and not mistakes(plan, task, world)


@lru_cache(maxsize=1)
def _catalogue() -> SkillCatalogue:
    return SkillCatalogue.load(shipped('config/skills.yaml'))


@lru_cache(maxsize=1)
def _policy() -> Policy:
    return Policy.load(shipped('config/policy.yaml'))


def _clear_or_not(world: World, language: str) -> Task:
    """Return a request to find or to pick something, there once, more than once, or not."""
    rng, objects = world.rng('clarify'), world.objects
    by_number: dict[int, list[Meaning]] = {1: [], 2: []}
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


def _descriptions() -> Iterator[Meaning]:
    """Yield what things are called by kind, colour, and size."""
    for kind in ('', *KINDS):
        for color in ('', *COLORS):
            for size in ('', *SIZES) if kind in SCALABLE else ('',):
                if (kind or color) and kind not in PEOPLE:
                    yield Meaning(kind, color, size)


def _missing(objects: Sequence[ObjectTruth], rng) -> Meaning:
    """Return a description of nothing that is there: a near miss."""
    things = [o for o in objects if o.kind not in PEOPLE]
    thing = things[int(rng.integers(len(things)))]
    what = Meaning(thing.kind, thing.color)
    if thing.size_name and thing.kind in SCALABLE and rng.random() < _OTHER_SIZE:
        sized = [replace(what, size=size) for size in SIZES]
        absent = [m for m in sized if not m.matches(objects)]
        if absent:
            return absent[int(rng.integers(len(absent)))]
    while what.matches(objects):
        what = wrong(what, rng)
    return what


def outcome_of(
    plan: Plan | None,
    task: Task,
    world: World,
    counts: Mapping[str, tuple[float, float]],
    right: bool | None = None,
    came: str = '',
) -> Outcome:
    """Return what came of a task.

    :param right: where that is not whether the plan is.
    :param came: what to say of it, where that is more than the plan.
    """
    width, height = world.frame.size
    if right is None:
        right = is_right(plan, task, world)
    return Outcome(
        asked=task.instruction,
        wanted=_wanted(task),
        came=came or told(plan, task, world),
        right=right,
        counts=counts,
        wanted_at=world.places(i for _, group in task.referents for i in group),
        came_at=tuple((o.point[0] / width, o.point[1] / height) for o in plan.objects)
        if plan
        else (),
    )


def _wanted(task: Task) -> str:
    steps = [
        f'{s["skill"]}({", ".join(v for k, v in s.items() if k != "skill")})'
        for s in task.plan['steps']
    ]
    return ', '.join(steps) or task.plan['status']


def told(plan: Plan | None, task: Task, world: World) -> str:
    """Return the steps of a plan, or how else it ended."""
    if plan is None:
        return _NO_PLAN
    steps = [
        f'{s.skill}({", ".join(plan.object(i).label for i in s.object_ids)})' for s in plan.steps
    ]
    text = ', '.join(steps) or f'{plan.status.value}: {plan.say}'
    # Where the words are right, the places may not be.
    return text if text != _wanted(task) else '; '.join([text, *mistakes(plan, task, world)])
