"""What the demo asks about a scene, and whether the answer is right: it alone knows what is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kimi_ros.agent import Plan
from kimi_ros.sim import ObjectTruth
from kimi_ros.sim.language import Description
from kimi_ros.sim.tasks import Task, make_task


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and in words why."""

    right: bool
    text: str


def choose_tasks(truth: Sequence[ObjectTruth], seed: int) -> tuple[Task, Task]:
    """Return an English request to pick and a Chinese one to find, about different objects.

    Objects that their colour and kind tell from all others are preferred; about another, the right answer is to ask.
    The same seed gives the same words everywhere.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    meant = [Description(item.kind, item.color) for item in truth]
    order = [int(i) for i in rng.permutation(len(truth))]
    order.sort(key=lambda i: len(meant[i].matches(truth)) > 1)
    second = next((i for i in order[1:] if meant[i] != meant[order[0]]), order[0])
    return (
        make_task('pick', truth, [meant[order[0]]], 'en', rng),
        make_task('locate', truth, [meant[second]], 'zh', rng),
    )


def judge(plan: Plan, task: Task, segmentation: np.ndarray) -> Verdict:
    """Hold an answer against what is really there.

    :param segmentation: int (H, W), the index of the object that each pixel shows, -1 elsewhere.
    """
    wanted = task.plan['status']
    if plan.status.value != wanted:
        return Verdict(False, f'the answer should be {wanted}, not {plan.status.value}')
    if wanted != 'ok':
        return Verdict(True, f'the answer is {wanted}, as it should be')
    steps = [
        (step.skill, [plan.object(i).label for i in step.object_ids]) for step in plan.steps
    ]
    right = [
        (step['skill'], [v for k, v in step.items() if k != 'skill']) for step in task.plan['steps']
    ]
    if steps != right:
        return Verdict(False, f'the steps should be {_told(right)}, not {_told(steps)}')
    for name, (index,) in task.referents:
        item = next(o for o in plan.objects if o.label == name)
        if not _shows(segmentation, item.point, index):
            return Verdict(False, f'the mark is not on the {name}')
    return Verdict(True, f'the mark sits on the {", the ".join(n for n, _ in task.referents)}')


def _shows(segmentation: np.ndarray, point: tuple[float, float], index: int) -> bool:
    x, y = (int(v) for v in point)
    height, width = segmentation.shape
    return 0 <= x < width and 0 <= y < height and int(segmentation[y, x]) == index


def _told(steps: Sequence[tuple[str, list[str]]]) -> str:
    return ', '.join(f'{skill}({", ".join(names)})' for skill, names in steps)
