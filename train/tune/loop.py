"""The training loop: resumable, deterministic by seed, on whatever devices Accelerate finds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from kimi_train.model import Moondream
from kimi_train.tune.batches import Unit, batches, units_of_step
from kimi_train.tune.images import ImageEncoder
from kimi_train.tune.losses import PARTS, counts, sums
from kimi_train.tune.settings import Settings, TuneError

_SAY_EVERY_S = 10.0
_CLIP = 1.0
T = TypeVar('T')


class Loop:
    """A model on its way; `last.pt` in the run's folder holds all that going on needs.

    :param trained: the parameters that are trained, by name.
    :param identity: what makes this run this run; one with another identity is not gone on with.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: Moondream,
        trained: Mapping[str, nn.Parameter],
        units: Sequence[Unit],
        settings: Settings,
        out: Path,
        identity: Mapping[str, str],
    ):
        self._accelerator, self._model, self._trained = accelerator, model, dict(trained)
        self._units, self._settings, self._out = list(units), settings, out
        self._identity = dict(identity)
        self._images = ImageEncoder(model, accelerator.device)
        self._step, self._steps = 0, settings.steps(len(self._units))
        # Norms, biases and tables are not pulled towards zero.
        matrices = [p for n, p in self._trained.items() if p.ndim == 2 and n != 'text.wte']
        rest = [p for n, p in self._trained.items() if p.ndim != 2 or n == 'text.wte']
        groups = [{'params': matrices, 'weight_decay': 0.01}, {'params': rest, 'weight_decay': 0.0}]
        groups = [group for group in groups if group['params']]
        self._optimizer = torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.95))
        if (out / 'last.pt').exists():
            self._load()

    @property
    def step(self) -> int:
        """How many steps are done."""
        return self._step

    def run(self, save_every: int) -> None:
        """Train to the end, saving as it goes; every step's figures go to log.jsonl."""
        accelerator, settings = self._accelerator, self._settings
        self._cut_log()
        began = said = time.monotonic()
        first, samples = self._step, 0
        while self._step < self._steps:
            rate = settings.rate_at(self._step, self._steps)
            for group in self._optimizer.param_groups:
                group['lr'] = rate
            units = units_of_step(self._units, self._step, settings.images, settings.seed)
            losses = self._learn(units)
            if not all(map(_finite, losses.values())):
                raise TuneError(
                    f'the loss of step {self._step + 1} is not a number: the training diverged; '
                    'try a smaller rate'
                )
            self._step += 1
            if self._step % save_every == 0 or self._step == self._steps:
                self._save()
            if not accelerator.is_main_process:
                continue
            now = time.monotonic()
            took, samples = now - began, samples + sum(len(unit.lessons) for unit in units)
            self._report(losses | {'rate': rate}, samples / took)
            if now - said > _SAY_EVERY_S or self._step in (first + 1, self._steps):
                self._say(losses, samples / took, took / (self._step - first))
                said = now
        accelerator.wait_for_everyone()

    def _learn(self, units: Sequence[Unit]) -> dict[str, float]:
        """Take one step from these units; returns the losses, 'loss' is their sum."""
        accelerator = self._accelerator
        totals = counts(lesson for unit in units for lesson in unit.lessons)
        mine = units[accelerator.process_index :: accelerator.num_processes]
        device = accelerator.device
        found = torch.zeros(len(PARTS), device=device)
        at_once, known = self._settings.at_once, self._images
        for batch in _ahead(batches(mine, at_once, self._model.config, known)):
            with accelerator.autocast():
                images = self._images(batch) if batch.images else None
                parts = sums(self._model, batch.lessons.to(device), images)
            # Shares of the whole step, so that the same is learnt however it is cut up.
            means = {name: value / totals[name] for name, value in parts.items()}
            loss = sum(means.values())
            if loss.requires_grad:  # words alone teach region heads nothing
                loss.backward()
            for index, name in enumerate(PARTS):
                if name in means:
                    found[index] += means[name].detach()
        if accelerator.num_processes > 1:
            for parameter in self._trained.values():
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                parameter.grad = accelerator.reduce(parameter.grad, 'sum')
            found = accelerator.reduce(found, 'sum')
        nn.utils.clip_grad_norm_(self._trained.values(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        losses = dict(zip(PARTS, found.tolist(), strict=True))
        return {'loss': sum(losses.values())} | {n: v for n, v in losses.items() if totals[n]}

    def _report(self, figures: Mapping[str, float], speed: float) -> None:
        line = {'step': self._step, **figures, 'samples_per_s': round(speed, 3)}
        with (self._out / 'log.jsonl').open('a') as log:
            log.write(json.dumps(line) + '\n')
        self._accelerator.log(dict(figures), step=self._step)

    def _say(self, losses: Mapping[str, float], speed: float, each: float) -> None:
        figures = '  '.join(f'{name} {value:.4f}' for name, value in losses.items())
        left = (self._steps - self._step) * each
        estimate = f'{left / 60:.0f} min' if left > 90 else f'{left:.0f} s'
        print(
            f'{self._step}/{self._steps}  {figures}  {speed:.2f} samples/s  {estimate} left',
            flush=True,
        )

    def _cut_log(self) -> None:
        """Drop what a killed run did after its last save: it is done again."""
        log = self._out / 'log.jsonl'
        if self._accelerator.is_main_process and log.exists():
            kept = [line for line in log.read_text().splitlines() if _step_of(line) <= self._step]
            log.write_text(''.join(line + '\n' for line in kept))

    def _save(self) -> None:
        if not self._accelerator.is_main_process:
            return
        state = {
            'trained': {name: p.detach() for name, p in self._trained.items()},
            'optimizer': self._optimizer.state_dict(),
            'step': self._step,
            'identity': self._identity,
        }
        beside = self._out / 'last.tmp'
        try:
            torch.save(state, beside)
            beside.replace(self._out / 'last.pt')
        except (OSError, RuntimeError) as error:  # the library's own for a full disk
            beside.unlink(missing_ok=True)
            raise TuneError(f'{self._out / "last.pt"} cannot be written: {error}') from error

    def _load(self) -> None:
        path = self._out / 'last.pt'
        state = torch.load(path, map_location='cpu', weights_only=True)
        for name, value in self._identity.items():
            before = state['identity'].get(name)
            if before != value:
                raise TuneError(
                    f'{self._out} holds a run with {name} {before}, not {value}: give another '
                    'folder, or go on with what it began with'
                )
        with torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(state['trained'][name])
        self._optimizer.load_state_dict(state['optimizer'])
        self._step = state['step']


def _ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, the next one being made while the last one is worked on."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, iterator, end)
            yield item


def _finite(value: float) -> bool:
    return value == value and abs(value) != float('inf')


def _step_of(line: str) -> float:
    try:
        return json.loads(line)['step']
    except (ValueError, KeyError, TypeError):  # cut off when the run was killed
        return float('inf')


def parameters_of(model: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    """Train only the tensors of these names; return them."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in set(names))
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
