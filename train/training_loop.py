"""What the training loops share: look-ahead, saving and resuming, and the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

T = TypeVar('T')


def prefetch(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and prepare the next one in a thread meanwhile."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, iterator, end)
            yield item


class _Batches(Dataset):
    def __init__(self, make: Callable[[int], Any]):
        self._make = make

    def __getitem__(self, step: int) -> Any:
        return self._make(step)


def prepared_by_workers(
    make: Callable[[int], T], steps: range, workers: int, device: torch.device
) -> Iterable[T]:
    """Yield a step's batch, `make(step)`, for each step; processes prepare the next ones meanwhile.

    :param workers: processes; 0 prepares in this one.
    """
    if workers:
        # A batch is dozens of tensors, and each would hold a file open.
        torch.multiprocessing.set_sharing_strategy('file_system')
    return DataLoader(
        _Batches(make),
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        # The scenes are gigabytes: workers share them.
        multiprocessing_context='fork' if workers else None,
        pin_memory=device.type == 'cuda',
    )


def load_optimizers(
    optimizers: Sequence[torch.optim.Optimizer], states: Sequence[Mapping[str, Any]], own: str
) -> None:
    """Load what `state_dict` returned; of each group the value `own` stays as the settings say."""
    for optimizer, state in zip(optimizers, states, strict=True):
        kept = [group[own] for group in optimizer.param_groups]
        optimizer.load_state_dict(dict(state))
        for group, value in zip(optimizer.param_groups, kept, strict=True):
            group[own] = value


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
