"""How long an answer takes over ROS: from goal accepted to plan published."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

from kimi_ros.agent import Status
from kimi_ros.eval.demo_tasks import demo_tasks
from kimi_ros.eval.worlds import FIRST_SEED
from kimi_ros.process import NodeProcess, isolated, ros_arguments

SCENE = 3  # four things, all different


def measure(model: str, rounds: int) -> dict[str, float]:
    """Return seconds: the median and the slowest of the plans with one step, 640x480.

    :param rounds: instructions given, in English and Chinese in turn.
    """
    environment = isolated(os.environ)
    os.environ.update(environment)
    # Imported late: the ROS wheels start Python anew, with the environment as it is by then.
    from kimi_ros.nodes.client import KimiClient
    from kimi_ros.nodes.sim_camera import look

    seed = FIRST_SEED + SCENE
    words = [task.instruction for task in demo_tasks(look(seed).truth, SCENE)]
    started = (('sim_camera', {'seed': seed}), ('kimi_node', {'model': model}))
    nodes: list[NodeProcess] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name, parameters in started:
                module, log = f'kimi_ros.nodes.{name}', Path(folder) / f'{name}.log'
                nodes.append(NodeProcess(module, ros_arguments(parameters), environment, log))
            with KimiClient() as client:
                client.wait_ready(180.0, lambda: [node.check() for node in nodes])
                replies = [client.instruct(words[i % len(words)]) for i in range(rounds)]
        finally:
            for node in reversed(nodes):
                node.stop()
    plans = [
        r
        for r in replies
        if r.seconds and r.plan and r.plan.status is Status.OK and len(r.plan.steps) == 1
    ]
    if not plans:
        raise RuntimeError(f'none of {rounds} instructions became a plan with one step')
    seconds = [r.seconds for r in plans]
    name = f'goal accepted to plan published, one step ({len(plans)} of {rounds})'
    return {f'{name}, median': median(seconds), f'{name}, slowest': max(seconds)}
