"""The training loop: resumable, deterministic by seed, on whatever devices Accelerate finds."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from kimi_train.model import Moondream
from kimi_train.training_loop import TrainingLog, prefetch, save_state
from kimi_train.tune.batches import ImageGroup, batches, groups_of_step
from kimi_train.tune.image_cache import ImageEncoder
from kimi_train.tune.losses import LOSS_TERMS, summed_losses, target_counts
from kimi_train.tune.settings import FORMER_NAMES, Settings, TuneError

_SHOW_EVERY_S = 10.0
_CLIP = 1.0


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
        groups: Sequence[ImageGroup],
        settings: Settings,
        out: Path,
        identity: Mapping[str, str],
    ):
        self._accelerator, self._model, self._trained = accelerator, model, dict(trained)
        self._groups, self._settings, self._out = list(groups), settings, out
        self._identity = dict(identity)
        self._images = ImageEncoder(model, accelerator.device)
        self._step, self._steps = 0, settings.steps(len(self._groups))
        # Norms, biases and tables are not pulled towards zero.
        matrices = [p for n, p in self._trained.items() if p.ndim == 2 and n != 'text.wte']
        rest = [p for n, p in self._trained.items() if p.ndim != 2 or n == 'text.wte']
        groups = [{'params': matrices, 'weight_decay': 0.01}, {'params': rest, 'weight_decay': 0.0}]
        groups = [group for group in groups if group['params']]
        self._optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.95))
        if (out / 'last.pt').exists():
            self._load()

    @property
    def step(self) -> int:
        """How many steps are done."""
        return self._step

    def run(self, save_every: int) -> None:
        """Train to the end, saving as it goes; every step's metrics go to log.jsonl."""
        accelerator, settings = self._accelerator, self._settings
        log = None
        if accelerator.is_main_process:
            log = TrainingLog(self._out, self._step, self._steps)
        began = shown = time.monotonic()
        first, samples = self._step, 0
        while self._step < self._steps:
            learning_rate = settings.learning_rate_at(self._step, self._steps)
            for group in self._optimizer.param_groups:
                group['lr'] = learning_rate
            groups = groups_of_step(self._groups, self._step, settings.batch_size, settings.seed)
            losses = self._learn(groups)
            if not all(map(math.isfinite, losses.values())):
                raise TuneError(
                    f'the loss of step {self._step + 1} is not a number: the training diverged; '
                    'try a lower learning rate'
                )
            self._step += 1
            if self._step % save_every == 0 or self._step == self._steps:
                self._save()
            if log is None:
                continue
            now = time.monotonic()
            took, samples = now - began, samples + sum(len(group.examples) for group in groups)
            metrics, speed = losses | {'rate': learning_rate}, samples / took
            log.write(self._step, metrics | {'samples_per_s': round(speed, 3)})
            accelerator.log(metrics, step=self._step)
            if now - shown > _SHOW_EVERY_S or self._step in (first + 1, self._steps):
                step_s = took / (self._step - first)
                log.show(self._step, losses, f'{speed:.2f} samples/s', step_s)
                shown = now
        accelerator.wait_for_everyone()

    def _learn(self, groups: Sequence[ImageGroup]) -> dict[str, float]:
        """Take one step from these images; returns the losses, 'loss' is their sum."""
        accelerator = self._accelerator
        totals = target_counts(example for group in groups for example in group.examples)
        mine = groups[accelerator.process_index :: accelerator.num_processes]
        device = accelerator.device
        found = torch.zeros(len(LOSS_TERMS), device=device)
        micro_batch_size, known = self._settings.micro_batch_size, self._images
        for batch in prefetch(batches(mine, micro_batch_size, self._model.config, known)):
            with accelerator.autocast():
                images = self._images(batch) if batch.images else None
                parts = summed_losses(self._model, batch.examples.to(device), images)
            # Shares of the whole step, so that the same is learnt however it is cut up.
            means = {name: value / totals[name] for name, value in parts.items()}
            loss = sum(means.values())
            if loss.requires_grad:  # words alone teach region heads nothing
                loss.backward()
            for index, name in enumerate(LOSS_TERMS):
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
        losses = dict(zip(LOSS_TERMS, found.tolist(), strict=True))
        return {'loss': sum(losses.values())} | {n: v for n, v in losses.items() if totals[n]}

    def _save(self) -> None:
        if not self._accelerator.is_main_process:
            return
        state = {
            'trained': {name: p.detach() for name, p in self._trained.items()},
            'optimizer': self._optimizer.state_dict(),
            'step': self._step,
            'identity': self._identity,
        }
        save_state(state, self._out / 'last.pt')

    def _load(self) -> None:
        path = self._out / 'last.pt'
        state = torch.load(path, map_location='cpu', weights_only=True)
        for name, value in self._identity.items():
            stored = state['identity']
            before = stored.get(name, stored.get(FORMER_NAMES.get(name, '')))
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


def parameters_of(model: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    """Train only the tensors of these names; return them."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in set(names))
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
