"""Progress reports of an export."""

from __future__ import annotations

import sys
import time

_BAR_DELAY = 2.0  # seconds


class Progress:
    """Receives progress reports and ignores them: the default of the Python API."""

    def log(self, line: str) -> None:
        """Report a line of text."""

    def start(self, task: str, steps: int) -> None:
        """Start a task of so many steps."""

    def advance(self) -> None:
        """One step of the task is done."""

    def close(self) -> None:
        """The export has ended."""


class TerminalProgress(Progress):
    """Prints each line; on a terminal a progress bar appears after two seconds."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._what, self._steps, self._done = '', 0, 0
        self._bar = None
        self._task = None

    def log(self, line: str) -> None:
        """Print the line, above the progress bar if there is one."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, flush=True)

    def start(self, task: str, steps: int) -> None:
        """Start a task of so many steps."""
        self._what, self._steps, self._done = task, steps, 0
        if self._bar is not None:
            self._bar.update(self._task, description=task, total=steps, completed=0)

    def advance(self) -> None:
        """One step is done."""
        self._done += 1
        late = time.monotonic() - self._started > _BAR_DELAY
        if self._bar is None and late and sys.stdout.isatty():
            self._show()
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)

    def close(self) -> None:
        """Remove the progress bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn('{task.description}'), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, transient=True)
        self._task = self._bar.add_task(self._what, total=self._steps)
        self._bar.start()
