"""What both training loops share: the schedule, look-ahead, saving, and the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import torch

T = TypeVar('T')


def prefetch(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and prepare the next one in a thread meanwhile."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, iterator, end)
            yield item


def save_state(state: Mapping[str, Any], path: Path) -> None:
    """Write a training state to a temporary file and move it into place.

    :raises OSError: where it cannot be written; the file that was there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix('.tmp')
    try:
        torch.save(dict(state), temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch raises RuntimeError for a full disk
        temporary.unlink(missing_ok=True)
        raise OSError(f'{path} cannot be written: {error}') from error


class TrainingLog:
    """The metrics of a run: one JSON object a line in a file, and lines on the terminal."""

    def __init__(self, folder: Path, step: int, steps: int, name: str = 'log.jsonl'):
        """Open the log.

        :param step: the step that the run resumes from: later lines are of steps that were not
            saved and are taken again, so they are dropped.
        :param steps: of the whole run.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._steps = folder / name, steps
        if self._path.exists():
            lines = self._path.read_text(encoding='utf-8').splitlines()
            kept = [line for line in lines if _step_of(line) <= step]
            self._path.write_text(''.join(f'{line}\n' for line in kept), encoding='utf-8')

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append a line."""
        with self._path.open('a', encoding='utf-8') as file:
            file.write(json.dumps({'step': step, **metrics}) + '\n')

    def show(self, step: int, metrics: Mapping[str, float], speed: str, step_s: float) -> None:
        """Print the metrics, the speed and the time that is left.

        :param step_s: seconds that a step takes.
        """
        left = (self._steps - step) * step_s
        estimate = f'{left / 60:.0f} min' if left > 90 else f'{left:.0f} s'
        shown = '  '.join(f'{name} {value:.4g}' for name, value in metrics.items())
        print(f'{step}/{self._steps}  {shown}  {speed}  {estimate} left', flush=True)


def _step_of(line: str) -> float:
    try:
        return json.loads(line)['step']
    except (ValueError, KeyError, TypeError):  # cut off when the run was killed
        return float('inf')
