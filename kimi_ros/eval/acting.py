"""Plans that are carried out: a simple robot does what they say, and the table's end is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kimi_ros.agent import GroundedObject, Plan, Status
from kimi_ros.eval.outcome import Outcome, share
from kimi_ros.eval.planning import outcome_of, planned, told
from kimi_ros.eval.worlds import World
from kimi_ros.sim.executor import Goal, Table, judge
from kimi_ros.sim.tasks import Task, some_task
from kimi_ros.vlm import VisionLanguageModel

_TRIES = 60
Place = Sequence[float]


def closed_loop(vlm: VisionLanguageModel, world: World, language: str) -> list[Outcome]:
    """Give an instruction, carry out what is planned, and look at how the table ends.

    Steps that wait for a person are carried out: what was asked for is agreed to.
    """
    task = feasible_task(world, language)
    if task is None:
        return []
    plan = planned(vlm, world, task)
    table = Table(world.scene, world.frame)
    reason = '' if plan is None else carry_out(table, _movements(plan, table))
    wrong = judge(world.scene, table, goal_of(task, world))
    counts = {'success': share(not wrong)}
    counts['success_acting' if _acts(task) else 'success_leaving'] = share(not wrong)
    came = '; '.join(t for t in (told(plan, task, world), reason, *wrong) if t)
    return [outcome_of(plan, task, world, counts, right=not wrong, came=came)]


def feasible_task(world: World, language: str) -> Task | None:
    """Return a request that can be carried out if it is to be, or None where there is none.

    What the simple robot could not do with the true positions is replaced by another request for
    the same skill, else for another one: as many as in `some_task` are for nothing to come of.
    """
    drawn = [task for task in _requests(world, language) if task.skill != 'describe']
    if not drawn:
        return None
    first = drawn[0]
    alike = [task for task in drawn if _acts(task) == _acts(first)]
    alike.sort(key=lambda task: task.skill != first.skill)
    return next((task for task in alike if _can_be_done(task, world)), None)


def _requests(world: World, language: str) -> Iterator[Task]:
    for number in range(_TRIES):
        # Each from a generator of its own: words take draws, and not as many in every language.
        yield some_task(world.objects, language, world.rng(f'closed-loop {number}'), turns=0)


def goal_of(task: Task, world: World) -> Goal:
    """Return how the table should end."""
    if not _acts(task):
        return Goal('none')
    places = [tuple(world.objects[i].index for i in found) for _, found in task.referents]
    return Goal(task.skill, *places)


def carry_out(table: Table, movements: Iterable[tuple[str, Place | None]]) -> str:
    """Act until something fails; return why it did, '' where nothing failed.

    :param movements: skills with where to move, metres in the base frame; None where that is not
        known.
    """
    for skill, where in movements:
        if where is None:
            return f'{skill}: nobody knows where'
        done = getattr(table, skill)(where)
        if not done.done:
            return f'{skill}: {done.reason}'
    return ''


def _acts(task: Task) -> bool:
    return task.plan['status'] == Status.OK.value


def _can_be_done(task: Task, world: World) -> bool:
    """Return whether the right plan with the true positions succeeds, or nothing is to be done."""
    table, meant = Table(world.scene, world.frame), dict(task.referents)
    movements = []
    for step in task.plan['steps']:
        # The last of a step's things is where the hand goes: to place is to go to the target.
        *_, name = (value for key, value in step.items() if key != 'skill')
        movements.append((step['skill'], _metres(table, world.objects[meant[name][0]].point)))
    carry_out(table, movements)
    return not judge(world.scene, table, goal_of(task, world))


def _movements(plan: Plan, table: Table) -> Iterator[tuple[str, Place | None]]:
    for step in plan.steps:
        if step.object_ids:  # describing moves nothing
            yield step.skill, _where(plan.object(step.object_ids[-1]), table)


def _where(item: GroundedObject, table: Table) -> Place | None:
    """Return where a grounded object is: by its position, or by what its pixel shows."""
    return _metres(table, item.point) if item.position is None else item.position


def _metres(table: Table, pixel: Place) -> Place | None:
    try:
        return table.metres(pixel)
    except ValueError:
        return None  # a hole in the depth, or no depth at all
