"""Closed-loop evaluation: a simulated robot executes the plan, and the final state is checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kimi_ros.agent import GroundedObject, Plan, Status
from kimi_ros.eval.held_out_scenes import HeldOutScene
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.eval.planning import outcome_of, plan_summary
from kimi_ros.eval.system import System
from kimi_ros.sim.executor import Goal, SimulatedRobot, goal_violations
from kimi_ros.sim.tasks import Task, sample_task

_TRIES = 60
Place = Sequence[float]


def evaluate_closed_loop(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Give an instruction, execute the plan, and check the final state.

    Steps that need approval are executed: the user is taken to approve them.
    """
    task = sample_executable_task(world, language)
    if task is None:
        return []
    plan = system.plan(world.frame, task.instruction)
    robot = SimulatedRobot(world.scene, world.frame)
    reason = '' if plan is None else execute(robot, movements(plan, robot))
    wrong = goal_violations(world.scene, robot, goal_of(task, world))
    counts = {'success': binary(not wrong)}
    counts['success_acting' if _acts(task) else 'success_leaving'] = binary(not wrong)
    predicted = '; '.join(t for t in (plan_summary(plan, task, world), reason, *wrong) if t)
    return [outcome_of(plan, task, world, counts, correct=not wrong, predicted=predicted)]


def sample_executable_task(world: HeldOutScene, language: str) -> Task | None:
    """Return a request that the simulated robot can execute, or one to decline; None if neither.

    A request that the robot fails with the true positions is replaced by another one for the same
    skill, else for another skill: the share of requests to decline stays that of `sample_task`.
    """
    drawn = [task for task in _requests(world, language) if task.skill != 'describe']
    if not drawn:
        return None
    first = drawn[0]
    alike = [task for task in drawn if _acts(task) == _acts(first)]
    alike.sort(key=lambda task: task.skill != first.skill)
    return next((task for task in alike if _can_be_done(task, world)), None)


def _requests(world: HeldOutScene, language: str) -> Iterator[Task]:
    for number in range(_TRIES):
        # Each from a generator of its own: words take draws, and not as many in every language.
        yield sample_task(
            world.objects, language, world.rng(f'closed-loop {number}'), compound_share=0
        )


def goal_of(task: Task, world: HeldOutScene) -> Goal:
    """Return the wanted final state."""
    if not _acts(task):
        return Goal('none')
    places = [tuple(world.objects[i].index for i in found) for _, found in task.referents]
    return Goal(task.skill, *places)


def execute(robot: SimulatedRobot, movements: Iterable[tuple[str, Place | None]]) -> str:
    """Act until something fails; return why it did, '' where nothing failed.

    :param movements: skills with where to move, metres in the base frame; None where that is not
        known.
    """
    for skill, where in movements:
        if where is None:
            return f'{skill}: its position is unknown'
        result = getattr(robot, skill)(where)
        if not result.succeeded:
            return f'{skill}: {result.reason}'
    return ''


def _acts(task: Task) -> bool:
    return task.plan['status'] == Status.OK.value


def _can_be_done(task: Task, world: HeldOutScene) -> bool:
    """Return whether the right plan with the true positions succeeds, or nothing is to be done."""
    robot, expressions = SimulatedRobot(world.scene, world.frame), dict(task.referents)
    movements = []
    for step in task.plan['steps']:
        # The last of a step's objects is where the hand goes: to place is to go to the target.
        *_, name = (value for key, value in step.items() if key != 'skill')
        movements.append((step['skill'], _metres(robot, world.objects[expressions[name][0]].point)))
    execute(robot, movements)
    return not goal_violations(world.scene, robot, goal_of(task, world))


def movements(plan: Plan, robot: SimulatedRobot) -> Iterator[tuple[str, Place | None]]:
    """Yield the skills of a plan with where to move: the place of each step's last object."""
    for step in plan.steps:
        if step.object_ids:  # describing moves nothing
            yield step.skill, _where(plan.object(step.object_ids[-1]), robot)


def _where(item: GroundedObject, robot: SimulatedRobot) -> Place | None:
    """Return where a grounded object is: by its position, or by what its pixel shows."""
    return _metres(robot, item.point) if item.position is None else item.position


def _metres(robot: SimulatedRobot, pixel: Place) -> Place | None:
    try:
        return robot.deproject_pixel(pixel)
    except ValueError:
        return None  # a hole in the depth, or no depth at all
