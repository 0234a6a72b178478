"""What the demo asks about a scene; an evaluation over many seeds asks the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kimi_ros.sim import ObjectTruth
from kimi_ros.sim.full.object_classes import PEOPLE
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.sim.tasks import Task, make_task


def demo_tasks(truth: Sequence[ObjectTruth], seed: int) -> tuple[Task, Task]:
    """Return an English request to pick and a Chinese one to find, about different objects.

    Objects with a unique colour and category are preferred; about another, the correct answer is
    to ask. The same seed gives the same words everywhere.

    :param truth: at least one of which is no person.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    expressions = [
        ReferringExpression(item.category, item.color)
        for item in truth
        if item.category not in PEOPLE
    ]
    order = [int(i) for i in rng.permutation(len(expressions))]
    order.sort(key=lambda i: len(expressions[i].matches(truth)) > 1)
    second = next((i for i in order[1:] if expressions[i] != expressions[order[0]]), order[0])
    return (
        make_task('pick', truth, [expressions[order[0]]], 'en', rng),
        make_task('locate', truth, [expressions[second]], 'zh', rng),
    )
