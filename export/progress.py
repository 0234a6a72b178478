"""Telling whoever started an export how far it is."""

from __future__ import annotations

import sys
import time

_PATIENCE = 2.0  # seconds until a bar is worth its place on the screen


class Progress:
    """Says nothing: what a program that calls the exporter gets."""

    def say(self, line: str) -> None:
        """Take a line that is worth reading."""

    def begin(self, what: str, steps: int) -> None:
        """Begin a piece of work of so many steps."""

    def advance(self) -> None:
        """One step is done."""

    def close(self) -> None:
        """No more is to come."""


class TerminalProgress(Progress):
    """Prints every line; on a terminal a bar moves below them once two seconds have passed."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._what, self._steps, self._done = '', 0, 0
        self._bar = None
        self._task = None

    def say(self, line: str) -> None:
        """Print the line, above the bar where there is one."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, flush=True)

    def begin(self, what: str, steps: int) -> None:
        """Begin a piece of work of so many steps."""
        self._what, self._steps, self._done = what, steps, 0
        if self._bar is not None:
            self._bar.update(self._task, description=what, total=steps, completed=0)

    def advance(self) -> None:
        """One step is done."""
        self._done += 1
        late = time.monotonic() - self._start > _PATIENCE
        if self._bar is None and late and sys.stdout.isatty():
            self._show()
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, transient=True)
        self._task = self._bar.add_task(self._what, total=self._steps)
        self._bar.start()
