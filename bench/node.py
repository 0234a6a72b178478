"""Latency over ROS: from goal accepted to plan published."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import yaml

from kimi_ros.process import NodeProcess, isolated, ros_arguments
from kimi_ros.resources import share

from .results import Results
from .worker import Missing, Worker

if TYPE_CHECKING:
    from kimi_ros.nodes.client import KimiClient
    from kimi_ros.sim import ObjectTruth

_ROUNDS = 25
_NAMES = {1: 'one step', 3: 'three steps'}
_SCENE = 3  # four objects, all different
_SLOW_CAMERA = {'width': 1920, 'height': 1080}  # at 10 Hz
_FAST_CAMERA = _SLOW_CAMERA | {'rate': 60.0}


class Node:
    """A simulated camera, the node, and a client that sends instructions."""

    def __init__(self, threads: int, model: str) -> None:
        self._threads, self._model = threads, model
        self._environment = isolated(os.environ)
        os.environ.update(self._environment)
        # Imported late: the ROS wheels start Python anew, with the environment as it is by then.
        try:
            from kimi_ros.nodes.client import KimiClient
        except ImportError as error:
            raise Missing(f'ROS 2 is not available ({error}): see kimi doctor') from error
        self._client = KimiClient

    def seconds(
        self, rounds: int, camera: Mapping[str, Any] | None = None
    ) -> dict[str, list[float]]:
        """Latencies of plans with one step and with three steps.

        :param camera: parameters of the camera; None is 640x480 at 10 Hz.
        """
        from kimi_ros.eval.held_out_scenes import FIRST_EVALUATION_SEED
        from kimi_ros.nodes.sim_camera import render_scene

        seed = FIRST_EVALUATION_SEED + _SCENE
        asked = instructions(render_scene(seed).truth)
        nodes: list[NodeProcess] = []
        with tempfile.TemporaryDirectory() as folder:
            policy = _short_approval(Path(folder))
            node = {'model': self._model, 'threads': self._threads, 'policy': str(policy)}
            started = (('sim_camera', {'seed': seed, **(camera or {})}), ('kimi_node', node))
            try:
                for name, parameters in started:
                    module, log = f'kimi_ros.nodes.{name}', Path(folder) / f'{name}.log'
                    arguments = ros_arguments(parameters)
                    nodes.append(NodeProcess(module, arguments, self._environment, log))
                with self._client() as client:
                    client.wait_until_ready(180.0, lambda: [node.check() for node in nodes])
                    return {
                        _NAMES[steps]: _seconds(client, words, steps, rounds)
                        for steps, words in asked.items()
                    }
            finally:
                for node in reversed(nodes):
                    node.stop()


def _short_approval(folder: Path) -> Path:
    """Write the shipped policy with an approval timeout of one second: nobody approves here."""
    policy = yaml.safe_load(share('config/policy.yaml').read_text(encoding='utf-8'))
    path = folder / 'policy.yaml'
    path.write_text(yaml.safe_dump(policy | {'approval_seconds': 1}), encoding='utf-8')
    return path


def _seconds(client: KimiClient, words: Sequence[str], steps: int, rounds: int) -> list[float]:
    """Send the instructions alternately; plans with another number of steps do not count.

    Nor do plans that waited for approval: they have expired, and hold no steps any more.
    """
    from kimi_ros.agent import Status

    replies = [client.instruct(words[i % len(words)]) for i in range(rounds)]
    return [
        reply.seconds
        for reply in replies
        if reply.seconds
        and reply.plan
        and reply.plan.status is Status.OK
        and len(reply.plan.steps) == steps
    ]


def instructions(truth: Sequence[ObjectTruth]) -> dict[int, list[str]]:
    """Return instructions that take one step, and three, in English and in Chinese.

    :param truth: things, each of them alone of its kind and colour, three at least, with a plate.
    """
    from kimi_ros.sim.referring_expression import ReferringExpression

    things = sorted(truth, key=lambda thing: thing.category == 'plate')
    named = [ReferringExpression(thing.category, thing.color) for thing in things]
    one, other, *_, plate = (meaning.name('en') for meaning in named)
    first, second, *_, place = (meaning.name('zh') for meaning in named)
    return {
        1: [f'pick up the {one}', f'找到{first}'],
        3: [
            f'find the {one}, then put the {other} on the {plate}',
            f'找到{first}，然后把{second}放到{place}上',
        ],
    }


def measure(model: str, threads: int) -> Results:
    """The medians of 25 instructions that take a step, and that take three.

    About images of 640x480 at 10 Hz, of 1920x1080 at 10 Hz, and of these at 60 Hz.
    """
    found = Results()
    try:
        with Worker('node', threads, model=model) as node:
            taken = node.call('seconds', rounds=_ROUNDS)
            slow, fast = (
                node.call('seconds', rounds=_ROUNDS, camera=camera)
                for camera in (_SLOW_CAMERA, _FAST_CAMERA)
            )
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
        if slow[steps] and fast[steps]:
            found.add(
                f'{name}.slow_1080p', f'the same of 1080p at 10 Hz, {steps}', 's', slow[steps]
            )
            ratio = f'{median(fast[steps]) / median(slow[steps]):.2f} times as long as at 10 Hz'
            label = f'the same of 1080p at 60 Hz, {steps}'
            found.add(f'{name}.fast_1080p', label, 's', fast[steps], ratio)
    return found
