"""Is a plan right? Held against the task that was asked for and against the scene's truth."""

from __future__ import annotations

from kimi_ros.agent import Plan, Status
from kimi_ros.eval.worlds import World
from kimi_ros.sim.tasks import Task


def mistakes(plan: Plan, task: Task, world: World) -> list[str]:
    """Return what is wrong with the plan, nothing where it is exactly right.

    Right means: the status; and if there is something to do, the skills in order, each step about
    the very objects meant, and every object's point inside its mask. What a catalogue calls its
    arguments does not matter: the plan's objects and the task's names are both in its order.
    """
    wanted = task.plan
    if plan.status.value != wanted['status']:
        return [f'{plan.status.value} instead of {wanted["status"]}']
    if plan.status is not Status.OK:
        return []
    skills = [s.skill for s in plan.steps]
    if skills != [s['skill'] for s in wanted['steps']]:
        return [f'the steps are {", ".join(skills)}']
    meant = dict(task.referents)
    found = []
    for step, right in zip(plan.steps, wanted['steps'], strict=True):
        names = [name for key, name in right.items() if key != 'skill']
        for object_id, name in zip(step.object_ids, names, strict=True):
            if not world.shows(meant[name][0], plan.object(object_id).point):
                found.append(f'{step.skill}: the point is not on the {name}')
    return found
