"""What TensorRT tells of a build, told on; and the user's wish to stop it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from .progress import Progress


@dataclass
class _Phase:
    name: str
    steps: int
    done: int = 0


class BuildProgress:
    """Shows the innermost phase of a build. TensorRT calls from threads of its own."""

    def __init__(self, engine: str, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self._lock = threading.Lock()
        self._phases: list[_Phase] = []
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the build is to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Have TensorRT stop after its present step."""
        self._cancelled.set()

    def start(self, phase: str, steps: int) -> None:
        """A phase of so many steps begins, within those that have begun."""
        with self._lock:
            self._phases.append(_Phase(phase, steps))
            self._show()

    def step(self, phase: str) -> bool:
        """A step is done; whether the build goes on."""
        with self._lock:
            for each in self._phases:
                each.done += each.name == phase
            if self._phases and self._phases[-1].name == phase:
                self._progress.advance()
        return not self.cancelled

    def finish(self, phase: str) -> None:
        """A phase is over, whether or not it took all its steps."""
        with self._lock:
            self._phases = [each for each in self._phases if each.name != phase]
            self._show()

    def _show(self) -> None:
        if self._phases:
            phase = self._phases[-1]
            self._progress.begin(f'building {self._engine}: {phase.name}', phase.steps)
            for _ in range(phase.done):
                self._progress.advance()


def progress_monitor(tensorrt: ModuleType, progress: BuildProgress) -> Any:
    """An IProgressMonitor; it must live as long as the config it is given to."""

    class Monitor(tensorrt.IProgressMonitor):
        def __init__(self) -> None:
            tensorrt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress.start(phase_name, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return progress.step(phase_name)

        def phase_finish(self, phase_name: str) -> None:
            progress.finish(phase_name)

    return Monitor()
