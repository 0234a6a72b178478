"""The training loop: resumable, deterministic by seed, on whatever devices Accelerate finds."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from kimi_train.model import Moondream
from kimi_train.training_loop import TrainingLog, prefetch, save_state
from kimi_train.tune.batches import EpochOrder, ImageGroup, batches
from kimi_train.tune.identity import check_identity
from kimi_train.tune.image_cache import ImageEncoder
from kimi_train.tune.losses import LOSS_TERMS, summed_losses, target_counts
from kimi_train.tune.settings import Settings, TuneError
from kimi_train.tune.validation import validate

_SHOW_EVERY_S = 10.0
_CLIP = 1.0


class Loop:
    """A model in training; `last.pt` in the run's folder holds everything that resuming needs.

    :param trained: the parameters that are trained, by name.
    :param validation: images on which training is measured; `best.pt` then holds the parameters of
        the best step.
    :param identity: a run with another identity is not resumed.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: Moondream,
        trained: Mapping[str, nn.Parameter],
        order: EpochOrder,
        validation: Sequence[ImageGroup],
        settings: Settings,
        out: Path,
        identity: Mapping[str, str],
    ):
        self._accelerator, self._model, self._trained = accelerator, model, dict(trained)
        self._order, self._validation = order, list(validation)
        self._settings, self._out, self._identity = settings, out, dict(identity)
        self._images = ImageEncoder(model, accelerator.device)
        self._step, self._steps = 0, order.steps
        self._best: dict[str, float] = {}
        # Norms, biases and embeddings are not pulled towards zero.
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
        """Train to the end, saving as it goes; every step's metrics go to log.jsonl.

        With validation data their metrics go to validation.jsonl, beginning before the first step,
        and the trained parameters end as those of the best step.
        """
        accelerator, settings = self._accelerator, self._settings
        main = accelerator.is_main_process
        log = TrainingLog(self._out, self._step, self._steps) if main else None
        every = settings.validate_every or self._order.epoch_steps
        if self._validation and self._step == 0:
            self._validate()
        began = shown = time.monotonic()
        first, samples = self._step, 0
        while self._step < self._steps:
            learning_rate = settings.learning_rate_at(self._step, self._steps)
            for group in self._optimizer.param_groups:
                group['lr'] = learning_rate
            groups = self._order.groups_of_step(self._step)
            losses, norm = self._learn(groups)
            if not all(map(math.isfinite, losses.values())):
                raise TuneError(
                    f'the loss of step {self._step + 1} is not a number: the training diverged; '
                    'try a lower learning rate'
                )
            self._step += 1
            last = self._step == self._steps
            if self._validation and (self._step % every == 0 or last):
                self._validate()
            if self._step % save_every == 0 or last:
                self._save()
            if log is None:
                continue
            now = time.monotonic()
            took, samples = now - began, samples + sum(len(group.examples) for group in groups)
            speed = samples / took
            metrics = losses | {'rate': learning_rate, 'grad_norm': norm}
            metrics |= {'samples_per_s': round(speed, 3), 'memory_gb': round(self._memory(), 3)}
            log.write(self._step, metrics)
            accelerator.log(metrics, step=self._step)
            if now - shown > _SHOW_EVERY_S or self._step == first + 1 or last:
                step_s = took / (self._step - first)
                log.show(self._step, losses, f'{speed:.2f} samples/s', step_s)
                shown = now
        if self._best and self._best['step'] < self._steps:
            self._use_best()
        accelerator.wait_for_everyone()

    def _learn(self, groups: Sequence[ImageGroup]) -> tuple[dict[str, float], float]:
        """Take one step from these images; return the losses, 'loss' being their sum, and the
        gradient's norm.
        """
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
        norm = nn.utils.clip_grad_norm_(self._trained.values(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        losses = dict(zip(LOSS_TERMS, found.tolist(), strict=True))
        losses = {'loss': sum(losses.values())} | {n: v for n, v in losses.items() if totals[n]}
        return losses, float(norm)

    def _validate(self) -> None:
        metrics = validate(
            self._accelerator,
            self._model,
            self._images,
            self._validation,
            self._settings.micro_batch_size,
        )
        better = not self._best or metrics['loss'] < self._best['loss']
        if better:
            self._best = {'step': self._step, 'loss': metrics['loss']}
        if not self._accelerator.is_main_process:
            return
        if better:
            save_state(self._best | {'trained': self._parameters()}, self._out / 'best.pt')
        before = self._step - 1  # that this step was validated may be in the file already
        log = TrainingLog(self._out, before, self._steps, 'validation.jsonl')
        log.write(self._step, metrics)
        self._accelerator.log({f'validation/{n}': v for n, v in metrics.items()}, step=self._step)
        exact = {n: v for n, v in metrics.items() if n == 'loss' or n.endswith('_exact')}
        shown = '  '.join(f'{name} {value:.3f}' for name, value in exact.items())
        print(f'validation at step {self._step}:  {shown}', flush=True)

    def _use_best(self) -> None:
        state = torch.load(self._out / 'best.pt', map_location='cpu', weights_only=True)
        self._restore(state['trained'])
        self._accelerator.print(
            f'the best validation loss, {state["loss"]:.4f}, is that of step {state["step"]}: '
            'its parameters are written'
        )

    def _memory(self) -> float:
        """Return the peak memory of the device, or of the process without a GPU, in GB."""
        if self._accelerator.device.type == 'cuda':
            return torch.cuda.max_memory_allocated() / 1e9
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9

    def _parameters(self) -> dict[str, Tensor]:
        return {name: p.detach() for name, p in self._trained.items()}

    def _restore(self, parameters: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(parameters[name])

    def _save(self) -> None:
        if not self._accelerator.is_main_process:
            return
        state: dict[str, Any] = {
            'trained': self._parameters(),
            'optimizer': self._optimizer.state_dict(),
            'step': self._step,
            'identity': self._identity,
            'best': self._best,
        }
        save_state(state, self._out / 'last.pt')

    def _load(self) -> None:
        state = torch.load(self._out / 'last.pt', map_location='cpu', weights_only=True)
        check_identity(state['identity'], self._identity, self._out)
        self._restore(state['trained'])
        self._optimizer.load_state_dict(state['optimizer'])
        self._step, self._best = state['step'], state.get('best', {})


def parameters_of(model: nn.Module, names: Sequence[str]) -> dict[str, Tensor]:
    """Train only the tensors of these names; return them."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in set(names))
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
