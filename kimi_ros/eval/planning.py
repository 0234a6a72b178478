"""Instructions through the whole agent: plans, questions back, and words never trained on."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from kimi_ros.agent import Agent, Plan, Policy, SkillCatalogue, Status
from kimi_ros.agent.errors import PlanNotWritten
from kimi_ros.eval.demo_tasks import demo_tasks
from kimi_ros.eval.judge import mistakes
from kimi_ros.eval.outcome import Outcome, share
from kimi_ros.eval.phrasings import in_new_words
from kimi_ros.eval.worlds import World
from kimi_ros.resources import share as shipped
from kimi_ros.sim import COLORS, KINDS
from kimi_ros.sim.language import Description
from kimi_ros.sim.tasks import Task, make_task, some_task, wrong
from kimi_ros.vlm import VisionLanguageModel

_BACK = (Status.NEEDS_CLARIFICATION.value, Status.INFEASIBLE.value)
_NO_PLAN = 'no plan'


def plans(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Give an instruction; many must be asked back or turned down."""
    task = some_task(world.objects, language, world.rng('plans'))
    plan = _plan(vlm, world, task)
    wanted = Counter(step['skill'] for step in task.plan['steps'])
    came = Counter(step.skill for step in plan.steps) if plan else Counter()
    counts = {
        'exact': share(_right(plan, task, world)),
        'schema_valid': share(plan is not None),
        # F1 = 2 * common / (wanted + came)
        'skill_f1': (2.0 * (wanted & came).total(), float((wanted + came).total())),
    }
    return [_outcome(plan, task, world, counts)]


def clarify(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Ask for what is there once, more than once, or not at all: a third each, where it can be."""
    task = _clear_or_not(world, language)
    plan = _plan(vlm, world, task)
    wanted, came = task.plan['status'], plan.status.value if plan else _NO_PLAN
    positives = (wanted in _BACK) + (came in _BACK)
    counts = {'f1': (2.0 * (wanted in _BACK and came == wanted), float(positives))}
    if wanted == Status.INFEASIBLE.value:
        counts['not_there_recall'] = share(came == wanted)
    if wanted == Status.NEEDS_CLARIFICATION.value:
        counts['asks_recall'] = share(came == wanted)
    if wanted == Status.OK.value:
        counts['acts_recall'] = share(came == wanted)
    return [_outcome(plan, task, world, counts, right=came == wanted)]


def phrasings(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Give the instruction of `plans` in words never trained on, and in its own beside them."""
    known = some_task(world.objects, language, world.rng('plans'))
    new = in_new_words(known, world.rng('phrasings'))
    plan = _plan(vlm, world, new)
    right = _right(plan, new, world)
    beside = _right(_plan(vlm, world, known), known, world)
    counts = {
        'exact': share(right),
        'in_domain': share(beside),
        'ratio': (float(right), float(beside)),
    }
    return [_outcome(plan, new, world, counts)]


def demo(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Ask what `make demo` asks of this seed, in both languages: are both answers right?"""
    tasks = demo_tasks(world.objects, world.seed)
    made = [_plan(vlm, world, task) for task in tasks]
    wrong_ones = [
        (p, t) for p, t in zip(made, tasks, strict=True) if not _right(p, t, world)
    ]
    plan, task = wrong_ones[0] if wrong_ones else (made[0], tasks[0])
    return [_outcome(plan, task, world, {'right': share(not wrong_ones)})]


def agent_of(vlm: VisionLanguageModel) -> Agent:
    """Return an agent with the catalogue and the policy that are shipped."""
    return Agent(vlm, _catalogue(), _policy())


@lru_cache(maxsize=1)
def _catalogue() -> SkillCatalogue:
    return SkillCatalogue.load(shipped('config/skills.yaml'))


@lru_cache(maxsize=1)
def _policy() -> Policy:
    return Policy.load(shipped('config/policy.yaml'))


def _plan(vlm: VisionLanguageModel, world: World, task: Task) -> Plan | None:
    """Return the agent's plan, None where what the model wrote is none."""
    try:
        return agent_of(vlm).run(world.frame, task.instruction)
    except PlanNotWritten:
        return None


def _right(plan: Plan | None, task: Task, world: World) -> bool:
    return plan is not None and not mistakes(plan, task, world)


def _clear_or_not(world: World, language: str) -> Task:
    """Return a request to find or to pick something, there once, more than once, or not."""
    rng, objects = world.rng('clarify'), world.objects
    by_number: dict[int, list[Description]] = {1: [], 2: []}
    for kind in ('', *KINDS):
        for color in ('', *COLORS):
            what = Description(kind, color)
            found = len(what.matches(objects))
            if found and (kind or color):
                by_number[min(found, 2)].append(what)
    possible = [0, *(number for number, group in by_number.items() if group)]
    number = possible[int(rng.integers(len(possible)))]
    if number:
        what = by_number[number][int(rng.integers(len(by_number[number])))]
    else:
        thing = objects[int(rng.integers(len(objects)))]
        what = wrong(Description(thing.kind, thing.color), rng)
        while what.matches(objects):
            what = wrong(what, rng)
    skill = ('locate', 'pick')[int(rng.integers(2))]
    return make_task(skill, objects, [what], language, rng)


def _outcome(
    plan: Plan | None, task: Task, world: World, counts: dict, right: bool | None = None
) -> Outcome:
    width, height = world.frame.size
    if right is None:
        right = _right(plan, task, world)
    return Outcome(
        asked=task.instruction,
        wanted=_wanted(task),
        came=_came(plan, task, world),
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


def _came(plan: Plan | None, task: Task, world: World) -> str:
    if plan is None:
        return _NO_PLAN
    steps = [
        f'{s.skill}({", ".join(plan.object(i).label for i in s.object_ids)})' for s in plan.steps
    ]
    text = ', '.join(steps) or f'{plan.status.value}: {plan.say}'
    # Where the words are right, the places may not be.
    return text if text != _wanted(task) else '; '.join([text, *mistakes(plan, task, world)])
