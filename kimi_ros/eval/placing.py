"""Putting things beside things: is the spot right, and does it hold when a robot goes there?"""

from __future__ import annotations

from kimi_ros.agent import Plan, Status
from kimi_ros.eval.execution import execute, movements
from kimi_ros.eval.held_out_scenes import HeldOutScene
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.eval.planning import outcome_of, plan_summary
from kimi_ros.eval.system import System
from kimi_ros.sim.executor import SimulatedRobot
from kimi_ros.sim.placement import PlacementTask, sample_placement, spot_errors


def places(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Ask to put something beside something: left of, between, ...; judge the plan's free spot."""
    task = _task(world, language, 'places')
    if task is None:
        return []
    plan = system.plan(world.frame, task.instruction)
    wrong = placement_errors(plan, task, world)
    counts = {'exact': binary(not wrong)}
    counts['exact_possible' if task.possible else 'exact_no_place'] = binary(not wrong)
    return [_outcome(plan, task, world, counts, wrong)]


def closed_loop_places(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Ask the same, carry the plan out, and look where everything ended."""
    task = _task(world, language, 'closed-loop places')
    if task is None:
        return []
    plan = system.plan(world.frame, task.instruction)
    robot = SimulatedRobot(world.scene, world.frame)
    reason = '' if plan is None else execute(robot, movements(plan, robot))
    wrong = [reason] if reason else _final_errors(robot, task, world)
    return [_outcome(plan, task, world, {'success': binary(not wrong)}, wrong)]


def placement_errors(plan: Plan | None, task: PlacementTask, world: HeldOutScene) -> list[str]:
    """Return what is wrong with a plan: status, skills, the thing's point, the spot."""
    if plan is None:
        return ['no plan']
    expected = task.plan['status']
    if plan.status.value != expected:
        return [f'{plan.status.value} instead of {expected}: {plan.say}']
    if plan.status is not Status.OK:
        return []
    if [step.skill for step in plan.steps] != list(task.required_skills):
        return [f'the steps are {", ".join(step.skill for step in plan.steps)}']
    thing = plan.object(plan.steps[0].object_ids[0])
    if not world.point_on_object(task.thing, thing.point):
        return [f'the point is not on the {task.referents[0][0]}']
    spot = plan.object(plan.steps[-1].object_ids[-1])
    if spot.position is None:
        return [f'the spot has no position: {spot.depth_status.value}']
    return spot_errors(
        world.scene,
        world.frame,
        task.relation,
        world.objects[task.thing].index,
        [world.objects[i].index for i in task.landmarks],
        spot.position,
    )


def _final_errors(robot: SimulatedRobot, task: PlacementTask, world: HeldOutScene) -> list[str]:
    before, thing = world.scene.objects, world.objects[task.thing].index
    wrong = [f'the {before[i].name} fell' for i in sorted(robot.disturbed)]
    moved = {i for i, item in enumerate(robot.things) if item != before[i]}
    if not task.possible:
        return wrong + [f'the {before[i].name} was moved' for i in sorted(moved)]
    wrong += [f'the {before[i].name} was moved' for i in sorted(moved - {thing} - robot.disturbed)]
    end = robot.things[thing]
    if thing not in moved or robot.held == thing or end.support != -1:
        return [*wrong, f'the {before[thing].name} does not stand on the table']
    foot = (*end.position[:2], end.bottom)
    landmarks = [world.objects[i].index for i in task.landmarks]
    return wrong + spot_errors(world.scene, world.frame, task.relation, thing, landmarks, foot)


def _task(world: HeldOutScene, language: str, purpose: str) -> PlacementTask | None:
    return sample_placement(world.objects, world.scene, world.frame, language, world.rng(purpose))


def _outcome(plan, task, world, counts, wrong) -> Outcome:
    predicted = '; '.join([plan_summary(plan, task, world), *wrong])
    return outcome_of(plan, task, world, counts, correct=not wrong, predicted=predicted)
