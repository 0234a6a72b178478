"""How long an answer takes over ROS: from goal accepted to plan published."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from kimi_ros.process import NodeProcess, isolated, ros_arguments

from .results import Results
from .worker import Missing, Worker

_ROUNDS = 25
_SCENE = 3  # four things, all different


class Node:
    """A rendered camera, the node, and a client that instructs it."""

    def __init__(self, threads: int, model: str) -> None:
        self._threads, self._model = threads, model
        self._environment = isolated(os.environ)
        os.environ.update(self._environment)
        # Imported late: the ROS wheels start Python anew, with the environment as it is by then.
        try:
            from kimi_ros.nodes.client import KimiClient
        except ImportError as error:
            raise Missing(f'ROS 2 is not to be had ({error}): kimi doctor says more') from error
        self._client = KimiClient

    def seconds(self, rounds: int) -> list[float]:
        """Of the plans with one step: the instructions are in English and Chinese in turn."""
        from kimi_ros.agent import Status
        from kimi_ros.eval.demo_tasks import demo_tasks
        from kimi_ros.eval.worlds import FIRST_SEED
        from kimi_ros.nodes.sim_camera import look

        seed = FIRST_SEED + _SCENE
        words = [task.instruction for task in demo_tasks(look(seed).truth, _SCENE)]
        started = (
            ('sim_camera', {'seed': seed}),
            ('kimi_node', {'model': self._model, 'threads': self._threads}),
        )
        nodes: list[NodeProcess] = []
        with tempfile.TemporaryDirectory() as folder:
            try:
                for name, parameters in started:
                    module, log = f'kimi_ros.nodes.{name}', Path(folder) / f'{name}.log'
                    arguments = ros_arguments(parameters)
                    nodes.append(NodeProcess(module, arguments, self._environment, log))
                with self._client() as client:
                    client.wait_ready(180.0, lambda: [node.check() for node in nodes])
                    replies = [client.instruct(words[i % len(words)]) for i in range(rounds)]
            finally:
                for node in reversed(nodes):
                    node.stop()
        return [
            reply.seconds
            for reply in replies
            if reply.seconds
            and reply.plan
            and reply.plan.status is Status.OK
            and len(reply.plan.steps) == 1
        ]


def measure(model: str, threads: int) -> Results:
    """The median of 25 instructions about 640x480, over ROS."""
    found = Results()
    try:
        with Worker('node', threads, model=model) as node:
            seconds = node.call('seconds', rounds=_ROUNDS)
    except Missing as reason:
        found.missing['node.plan'] = str(reason)
        return found
    if not seconds:
        found.missing['node.plan'] = f'none of {_ROUNDS} instructions became a plan with one step'
        return found
    note = f'one step, {len(seconds)} of {_ROUNDS}'
    found.add('node.plan', 'goal accepted to plan published', 's', seconds, note)
    found.add('node.slowest', 'the slowest of these', 's', [max(seconds)])
    return found
