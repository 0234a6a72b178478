"""Latency over ROS: from goal accepted to plan published, and what a fast camera adds to it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from kimi_ros.process import NodeProcess, isolated

from .nodes import cpu_seconds, running
from .results import Results
from .worker import Missing, Worker

if TYPE_CHECKING:
    from kimi_ros.nodes.client import InstructResult, KimiClient
    from kimi_ros.sim import ObjectTruth

_ROUNDS = 24
_BLOCKS = 2  # of each rate, alternately
_NAMES = {1: 'one step', 3: 'three steps'}
_SCENE = 3  # four objects, all different
_READY = 180.0  # seconds
_SETTLING = 9.0  # seconds after a change of rate, of which the node knows by then
_SLOW, _FAST = 10.0, 60.0  # images a second
_1080P = {'width': 1920, 'height': 1080}
# Camera parameters, and those of the node.
_STREAMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    'raw': (_1080P, {}),
    'compressed': (_1080P | {'depth': False}, {'image_transport': 'compressed'}),
}
_LABELS = {'raw': '1080p with depth, raw', 'compressed': '1080p, compressed'}


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

    def seconds(self, rounds: int) -> dict[str, list[float]]:
        """Latencies of plans with one step and with three, of a camera of 640x480 at 10 Hz."""
        with self._running({}, {}) as (client, asked, _), self._approved():
            return {
                _NAMES[steps]: _seconds(client, words, steps, rounds)
                for steps, words in asked.items()
            }

    def beside_fast_camera(self, stream: str, rounds: int) -> dict[str, dict[str, list[float]]]:
        """Latencies of plans with one step while a camera is slow, and fast, alternately.

        And the cores that the camera's process and the node's keep busy meanwhile, and the images
        a second that are published: each is a dict of 'slow' and 'fast'.

        :param stream: of _STREAMS.
        """
        found: dict[str, dict[str, list[float]]] = {
            what: {'slow': [], 'fast': []} for what in ('seconds', 'camera', 'node', 'rate')
        }
        with self._running(*_STREAMS[stream]) as (client, asked, nodes), _Camera() as camera:
            for block in range(2 * _BLOCKS):
                name, rate = (('slow', _SLOW), ('fast', _FAST))[block % 2]
                camera.set_rate(rate)
                began, before = time.monotonic(), [cpu_seconds(node.pid) for node in nodes]
                found['seconds'][name] += _seconds(client, asked[1], 1, rounds // _BLOCKS)
                elapsed = time.monotonic() - began
                for what, node, was in zip(('camera', 'node'), nodes, before, strict=True):
                    found[what][name].append((cpu_seconds(node.pid) - was) / elapsed)
                found['rate'][name].append(camera.published())
        return found

    @contextlib.contextmanager
    def _running(
        self, camera: Mapping[str, Any], node: Mapping[str, Any]
    ) -> Iterator[tuple[KimiClient, dict[int, list[str]], list[NodeProcess]]]:
        """Start a camera and the node with these parameters; both are ready."""
        from kimi_ros.eval.held_out_scenes import FIRST_EVALUATION_SEED
        from kimi_ros.nodes.sim_camera import render_scene

        seed = FIRST_EVALUATION_SEED + _SCENE
        asked = instructions(render_scene(seed).truth)
        nodes = {
            'sim_camera': {'seed': seed, **camera},
            'kimi_node': {'model': self._model, 'threads': self._threads, **node},
        }
        with running(nodes, self._environment) as started, self._client() as client:
            client.wait_until_ready(_READY, lambda: [process.check() for process in started])
            yield client, asked, started

    @contextlib.contextmanager
    def _approved(self) -> Iterator[None]:
        """Approve what waits for a person: nano doubts plans that place a thing.

        A plan counts from when it is published, whether or not it waits after that.
        """
        done = Event()

        def approve() -> None:
            with self._client() as client:
                while not done.is_set():
                    for plan, shown in client.waiting_plans(timeout=_READY).items():
                        client.decide(plan, shown['hash'], approved=True)

        thread = Thread(target=approve)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


class _Camera:
    """The camera's rate: that it is told, and that the node says it has; a context manager."""

    def __init__(self) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.parameter_client import AsyncParameterClient

        self._context = rclpy.Context()
        self._context.init()
        self._node = rclpy.create_node('bench', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._parameters = AsyncParameterClient(self._node, 'sim_camera')
        self._node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self._published = 0.0

    def __enter__(self) -> _Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def set_rate(self, rate: float) -> None:
        """Change the rate, and wait until the node knows of it."""
        from rclpy.parameter import Parameter

        self._parameters.wait_for_services(_READY)
        future = self._parameters.set_parameters([Parameter('rate', value=rate)])
        self._executor.spin_until_future_complete(future, _READY)
        if failed := [r.reason for r in future.result().results if not r.successful]:
            raise RuntimeError(failed[0])
        self.published(_SETTLING)

    def published(self, seconds: float = 1.5) -> float:
        """Return the images a second that are published, as the node says after some seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(left)
        return self._published

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            values = {value.key: value.value for value in status.values}
            if rate := values.get('published_hz'):
                self._published = float(rate)


def _seconds(client: KimiClient, words: Sequence[str], steps: int, rounds: int) -> list[float]:
    """Send the instructions alternately; plans with another number of steps do not count."""
    from kimi_ros.agent import Status

    def counts(reply: InstructResult) -> bool:
        plan = reply.plan
        return plan is not None and plan.status is Status.OK and len(plan.steps) == steps

    replies = [client.instruct(words[i % len(words)]) for i in range(rounds)]
    return [reply.seconds for reply in replies if reply.seconds and counts(reply)]


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
    """The medians of instructions that take a step, and that take three; and what is added.

    About images of 640x480 at 10 Hz; then of 1080p at 10 Hz and at 60 Hz, alternately.
    """
    found = Results()
    try:
        with Worker('node', threads, model=model) as node:
            taken = node.call('seconds', rounds=_ROUNDS)
            beside = {
                stream: node.call('beside_fast_camera', stream=stream, rounds=_ROUNDS)
                for stream in _STREAMS
            }
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
    for stream, measured in beside.items():
        _add_stream(found, stream, measured)
    return found


def _add_stream(found: Results, stream: str, measured: dict[str, dict[str, list[float]]]) -> None:
    seconds, label = measured['seconds'], _LABELS[stream]
    if not all(seconds.values()):
        found.missing[f'node.{stream}'] = f'no plan with one step ({label})'
        return
    for name, rate in (('slow', _SLOW), ('fast', _FAST)):
        cores = (f'{what}: {median(measured[what][name]):.2f} cores' for what in ('camera', 'node'))
        note = f'{", ".join(cores)}; {median(measured["rate"][name]):.0f} images a second'
        if name == 'fast':
            times = median(seconds['fast']) / median(seconds['slow'])
            note = f'{times:.2f} times as long as at {_SLOW:.0f} Hz; {note}'
        found.add(
            f'node.{stream}.{name}', f'one step, {label}, {rate:.0f} Hz', 's', seconds[name], note
        )
