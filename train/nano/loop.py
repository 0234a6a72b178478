"""The training loop: resumable, deterministic by seed and step, with progress people can follow."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor, nn

from kimi_train.model import Moondream
from kimi_train.nano.batches import ATTENTION_BLOCKS, Batch, BatchBuilder
from kimi_train.nano.losses import TrainingHeads, batch_losses
from kimi_train.nano.muon import Muon
from kimi_train.nano.stage_settings import StageSettings
from kimi_train.precision import has_bf16
from kimi_train.training_loop import (
    TrainingLog,
    load_optimizers,
    prepared_by_workers,
    save_state,
)


class Trainer:
    """A model, its heads for training only, and its optimisers; saved and loaded as one file.

    They learn where the model is, on a CPU or a GPU.
    """

    def __init__(self, model: Moondream, settings: StageSettings):
        if model.config.text.n_layers <= ATTENTION_BLOCKS[-1]:
            raise ValueError(
                f'the decoder needs more than {ATTENTION_BLOCKS[-1]} layers to supervise attention'
            )
        self.model, self.settings, self.step = model, settings, 0
        self.device = model.text.wte.device
        self._half = (
            settings.precision == 'bf16' or settings.precision == 'auto' and has_bf16(self.device)
        )
        self.heads = TrainingHeads(model.config.vision.enc_dim, model.config.text.dim)
        self.heads.to(self.device)
        # Of the blocks' matrices and of all others: the parameters by their share of the rate.
        learnt = {hidden: defaultdict(list) for hidden in (True, False)}
        for name, parameter in [*model.named_parameters(), *self.heads.named_parameters()]:
            share = settings.vision_learning_rate_scale if name.startswith('vision.') else 1.0
            parameter.requires_grad_(share > 0)
            if share:
                learnt['.blocks.' in name and parameter.ndim == 2][share].append(parameter)
        matrices, rest = (
            [{'params': part, 'share': share} for share, part in shares.items()]
            for shares in learnt.values()
        )
        self._parameters = [p for group in matrices + rest for p in group['params']]
        self.optimizers = [
            # Orthogonal steps for the matrices: half the steps of AdamW alone, here.
            Muon(matrices, lr=settings.learning_rate, weight_decay=0.02),
            torch.optim.AdamW(
                rest, lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
            ),
        ]

    def run(self, batches: BatchBuilder, folder: Path, log_every: int = 20, save_every: int = 100):
        """Train to the last step, saving every `save_every` steps; metrics every `log_every`."""
        settings, seen, began = self.settings, defaultdict(list), time.monotonic()
        log = TrainingLog(folder, self.step, settings.steps)
        for batch in self._prepared(batches):
            losses = self.learn(batch)
            for name, value in losses.items():
                seen[name].append(value)
            if self.step % log_every == 0:
                # Only now: reading a number waits for the GPU.
                means = {name: fmean(map(float, values)) for name, values in seen.items()}
                step_s = (time.monotonic() - began) / log_every
                speed = settings.batch_size / step_s
                log.show(self.step, means, f'{speed:.1f} images/s', step_s)
                images = {'images': self.step * settings.batch_size}
                log.write(self.step, images | means | {'images_per_s': speed})
                seen, began = defaultdict(list), time.monotonic()
            if self.step % save_every == 0 or self.step == settings.steps:
                self.save(folder / 'last.pt')

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step from a batch; returns its losses and metrics."""
        settings = self.settings
        batch = batch.to(self.device)
        crops = color_jitter(batch.frames, self._random())
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            losses = batch_losses(self.model, self.heads, batch, crops, settings.patch_loss_weight)
        losses['total'].backward()
        losses['norm'] = nn.utils.clip_grad_norm_(self._parameters, 2.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group['lr'] = settings.learning_rate_at(self.step) * group['share']
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return {name: value.detach() for name, value in losses.items()}

    def _random(self) -> torch.Generator:
        """Return the random generator of a step: the same after a resumption."""
        return torch.Generator(self.device).manual_seed(self.settings.seed * 2**32 + self.step)

    def save(self, path: Path) -> None:
        """Write everything that resuming needs. Raises OSError."""
        state = {
            'model': self.model.state_dict(),
            'heads': self.heads.state_dict(),
            'optimizers': [o.state_dict() for o in self.optimizers],
            'step': self.step,
            'settings': asdict(self.settings),
        }
        save_state(state, path)

    def load(self, path: Path, weights_only: bool = False) -> None:
        """Continue from a saved file; with `weights_only` begin a new stage from its weights."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state['model'])
        self.heads.load_state_dict(state['heads'])
        if not weights_only:
            self.step = state['step']
            load_optimizers(self.optimizers, state['optimizers'], 'share')

    def _prepared(self, batches: BatchBuilder) -> Iterable[Batch]:
        settings = self.settings
        return prepared_by_workers(
            lambda step: batches.batch(step, settings.short_questions, settings.long_questions),
            range(self.step, settings.steps),
            settings.workers,
            self.device,
        )


def color_jitter(frames: Tensor, random: torch.Generator) -> Tensor:
    """Return frames normalised to (n, 3, S, S), with small random gain, tint, offset and noise.

    :param frames: (n, S, S, 3) uint8.
    """

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random, device=random.device)

    n = len(frames)
    x = frames.permute(0, 3, 1, 2).float() / 127.5 - 1
    gain = (1 + 0.06 * normal(n, 1, 1, 1)) * (1 + 0.02 * normal(n, 3, 1, 1))
    x = x * gain + 0.04 * normal(n, 1, 1, 1)
    strength = 0.03 * torch.rand((n, 1, 1, 1), generator=random, device=random.device)
    return (x + normal(*x.shape) * strength).clamp(-1, 1)
