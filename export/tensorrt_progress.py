"""Progress and cancellation of a TensorRT build."""

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
    """Reports the innermost phase of a build. TensorRT calls it from its own threads."""

    def __init__(self, engine: str, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self._lock = threading.Lock()
        self._phases: list[_Phase] = []
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the build was cancelled."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Stop TensorRT after its current step."""
        self._cancelled.set()

    def start(self, phase: str, steps: int) -> None:
        """A phase of so many steps starts, nested in the current ones."""
        with self._lock:
            self._phases.append(_Phase(phase, steps))
            self._show()

    def step(self, phase: str) -> bool:
        """A step is done; return whether to continue."""
        with self._lock:
            for each in self._phases:
                each.done += each.name == phase
            if self._phases and self._phases[-1].name == phase:
                self._progress.advance()
        return not self.cancelled

    def finish(self, phase: str) -> None:
        """A phase has ended, possibly before its last step."""
        with self._lock:
            self._phases = [each for each in self._phases if each.name != phase]
            self._show()

    def _show(self) -> None:
        if self._phases:
            phase = self._phases[-1]
            self._progress.start(f'building {self._engine}: {phase.name}', phase.steps)
            for _ in range(phase.done):
                self._progress.advance()


def progress_monitor(tensorrt: ModuleType, progress: BuildProgress) -> Any:
    """An IProgressMonitor; it must outlive the builder config that uses it."""

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
