"""Is a plan right? Held against the task that was asked for and against the scene's truth."""

from __future__ import annotations

from kimi_ros.agent import Plan, Status
from kimi_ros.eval.held_out_scenes import HeldOutScene
from kimi_ros.sim.tasks import Task


def plan_errors(plan: Plan, task: Task, world: HeldOutScene) -> list[str]:
    """Return what is wrong with the plan, nothing where it is exactly right.

    Right means: the status; and if there is something to do, the skills in order, each step about
    the very objects meant, and every object's point inside its mask. What a catalogue calls its
    arguments does not matter: the plan's objects and the task's names are both in its order.
    """
    expected = task.plan
    if plan.status.value != expected['status']:
        return [f'{plan.status.value} instead of {expected["status"]}']
    if plan.status is not Status.OK:
        return []
    skills = [s.skill for s in plan.steps]
    if skills != [s['skill'] for s in expected['steps']]:
        return [f'the steps are {", ".join(skills)}']
    expressions = dict(task.referents)
    found = []
    for step, correct in zip(plan.steps, expected['steps'], strict=True):
        names = [name for key, name in correct.items() if key != 'skill']
        for object_id, name in zip(step.object_ids, names, strict=True):
            if not world.point_on_object(expressions[name][0], plan.object(object_id).point):
                found.append(f'{step.skill}: the point is not on the {name}')
    return found
