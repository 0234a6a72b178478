"""A world in a thread of its own: OpenGL belongs to one thread, and others ask for the robot's."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from kimi_ros.sim.libero.benchmark import read_tasks
from kimi_ros.sim.libero.robot import Robot
from kimi_ros.sim.libero.world import World

_T = TypeVar('_T')


class Stage:
    """Keeps the world to itself: who moves the robot gets no more than the robot."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, 'simulator')
        self._world: World | None = None
        self._verdict: Path | None = None

    def begin(self, suite: str, task: int, state: int, step_limit: int, verdict: str) -> Robot:
        """Build a task's scene, which takes seconds to minutes, and return its robot.

        Its methods must be called in `run`.

        :param suite: one of `kimi_ros.sim.libero.benchmark.SUITES`.
        :param task: its number in the suite.
        :param state: number of the initial state.
        :param step_limit: control steps before OutOfSteps is raised; 0: the task's own limit.
        :param verdict: file that gets what the environment says of the task; '' for none.
        :raises ValueError: for a suite or task that is not there.
        :raises LiberoNotInstalled: without the benchmark.
        :raises GLNotAvailable: where nothing can render.
        """
        tasks = read_tasks(suite)
        if not 0 <= task < len(tasks):
            raise ValueError(f'{suite} has tasks 0 to {len(tasks) - 1}, not {task}')
        chosen = tasks[task]
        if step_limit:
            chosen = dataclasses.replace(chosen, step_limit=step_limit)
        self._verdict = Path(verdict) if verdict else None

        def build() -> Robot:
            world = World(chosen)
            robot = world.begin(state)
            self._world = world
            return robot

        return self.run(build)

    @property
    def world(self) -> World:
        """Return the world, for scoring and for ground truth alone; to be used in `run`."""
        assert self._world is not None, 'begin comes first'
        return self._world

    def run(self, function: Callable[[], _T]) -> _T:
        """Call a function in the simulator's thread and return what it returns, or raise that."""
        return self._thread.submit(self._noted, function).result()

    def close(self) -> None:
        """Free the simulator, once what runs in it has ended."""
        if self._world is not None:
            self._thread.submit(self._world.close).result()
        self._thread.shutdown()

    def _noted(self, function: Callable[[], _T]) -> _T:
        try:
            return function()
        finally:
            if self._verdict is not None and self._world is not None:
                said = {'done': self._world.is_done(), 'steps': self._world.robot.steps}
                # Whoever reads it must not find half of it.
                new = self._verdict.with_suffix('.new')
                new.write_text(json.dumps(said), encoding='utf-8')
                new.replace(self._verdict)
