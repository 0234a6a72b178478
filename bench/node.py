"""How long an answer takes over ROS: from goal accepted to plan published."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_ros.process import NodeProcess, isolated, ros_arguments

from .results import Results
from .worker import Missing, Worker

if TYPE_CHECKING:
    from kimi_ros.sim import ObjectTruth

_ROUNDS = 25
_NAMES = {1: 'one step', 3: 'three steps'}
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

    def seconds(self, rounds: int) -> dict[str, list[float]]:
        """Of the plans with one step and with three, by their number in words.

        Instructions are in English and Chinese in turn; what became another plan does not count.
        """
        from kimi_ros.agent import Status
        from kimi_ros.eval.worlds import FIRST_SEED
        from kimi_ros.nodes.sim_camera import look

        seed = FIRST_SEED + _SCENE
        asked = instructions(look(seed).truth)
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
                    replies = {
                        steps: [client.instruct(words[i % len(words)]) for i in range(rounds)]
                        for steps, words in asked.items()
                    }
            finally:
                for node in reversed(nodes):
                    node.stop()
        return {
            _NAMES[steps]: [
                reply.seconds
                for reply in told
                if reply.seconds
                and reply.plan
                and reply.plan.status is Status.OK
                and len(reply.plan.steps) == steps
            ]
            for steps, told in replies.items()
        }


def instructions(truth: Sequence[ObjectTruth]) -> dict[int, list[str]]:
    """Return instructions that take one step, and three, in English and in Chinese.

    :param truth: things, each of them alone of its kind and colour, three at least, with a plate.
    """
    import numpy as np

    from kimi_ros.sim.meaning import LANGUAGES, Meaning
    from kimi_ros.sim.tasks import in_turn, make_task

    rng = np.random.default_rng(_SCENE)
    things = sorted(truth, key=lambda thing: thing.kind == 'plate')
    one, other, *_, plate = (Meaning(thing.kind, thing.color) for thing in things)
    words: dict[int, list[str]] = {1: [], 3: []}
    for language in LANGUAGES:
        single = make_task('pick' if language == 'en' else 'locate', truth, [one], language, rng)
        find = make_task('locate', truth, [one], language, rng)
        place = make_task('place', truth, [other, plate], language, rng)
        words[1].append(single.instruction)
        words[3].append(in_turn(find, place, rng).instruction)
    return words


def measure(model: str, threads: int) -> Results:
    """The medians of 25 instructions about 640x480 that take a step, and that take three."""
    found = Results()
    try:
        with Worker('node', threads, model=model) as node:
            taken = node.call('seconds', rounds=_ROUNDS)
    except Missing as reason:
        found.missing['node.plan'] = str(reason)
        return found
    for name, (steps, seconds) in zip(('node.plan', 'node.plan3'), taken.items(), strict=True):
        if not seconds:
            found.missing[name] = f'none of {_ROUNDS} instructions became a plan with {steps}'
            continue
        note = f'{steps}, {len(seconds)} of {_ROUNDS}'
        found.add(name, f'goal accepted to plan published, {steps}', 's', seconds, note)
        found.add(f'{name}.slowest', 'the slowest of these', 's', [max(seconds)])
    return found
