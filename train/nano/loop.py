"""The training loop: resumable, deterministic by seed and step, with progress people can follow."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from kimi_train.model import Moondream
from kimi_train.nano.batches import LOOK_BLOCKS, Batch, BatchMaker
from kimi_train.nano.losses import TrainingHeads, batch_losses
from kimi_train.nano.muon import Muon
from kimi_train.nano.plan import Plan
from kimi_train.precision import has_bf16


class Trainer:
    """A model, its heads for training only, and its optimisers; saved and loaded as one file.

    They learn where the model is, on a CPU or a GPU.
    """

    def __init__(self, model: Moondream, plan: Plan):
        if model.config.text.n_layers <= LOOK_BLOCKS[-1]:
            raise ValueError(f'the decoder needs more than {LOOK_BLOCKS[-1]} layers to be taught')
        self.model, self.plan, self.step = model, plan, 0
        self.device = model.text.wte.device
        self._half = plan.precision == 'bf16' or plan.precision == 'auto' and has_bf16(self.device)
        self.heads = TrainingHeads(model.config.vision.enc_dim, model.config.text.dim)
        self.heads.to(self.device)
        # Of the blocks' matrices and of all others: the parameters by their share of the rate.
        learnt = {hidden: defaultdict(list) for hidden in (True, False)}
        for name, parameter in [*model.named_parameters(), *self.heads.named_parameters()]:
            share = plan.vision_rate if name.startswith('vision.') else 1.0
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
            Muon(matrices, lr=plan.rate, weight_decay=0.02),
            torch.optim.AdamW(rest, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01),
        ]

    def run(self, batches: BatchMaker, folder: Path, log_every: int = 20, save_every: int = 100):
        """Train to the plan's last step, saving as it goes; a line of figures every `log_every`
        steps.
        """
        plan, seen, began = self.plan, defaultdict(list), time.monotonic()
        for batch in _ahead(batches, range(self.step, plan.steps), plan, self.device):
            losses = self.learn(batch)
            for name, value in losses.items():
                seen[name].append(value)
            if self.step % log_every == 0:
                # Only now: reading a number waits for the GPU.
                means = {name: fmean(map(float, values)) for name, values in seen.items()}
                self._report(folder, means, (time.monotonic() - began) / log_every)
                seen, began = defaultdict(list), time.monotonic()
            if self.step % save_every == 0 or self.step == plan.steps:
                self.save(folder / 'last.pt')

    def learn(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step from a batch; returns its losses and the shares to follow."""
        plan = self.plan
        batch = batch.to(self.device)
        crops = alter_colors(batch.frames, self._random())
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            losses = batch_losses(self.model, self.heads, batch, crops, plan.patches)
        losses['total'].backward()
        losses['norm'] = nn.utils.clip_grad_norm_(self._parameters, 2.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group['lr'] = plan.rate_at(self.step) * group['share']
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return {name: value.detach() for name, value in losses.items()}

    def _random(self) -> torch.Generator:
        """Return what a step's chance is drawn from: the same after a stop."""
        return torch.Generator(self.device).manual_seed(self.plan.seed * 2**32 + self.step)

    def _report(self, folder: Path, means: dict, took: float) -> None:
        left = (self.plan.steps - self.step) * took / 60
        figures = '  '.join(f'{n} {v:.3f}' for n, v in means.items())
        speed = self.plan.images / took
        print(
            f'{self.step}/{self.plan.steps}  {speed:.1f} images/s  {left:.0f} min left  {figures}',
            flush=True,
        )
        with (folder / 'log.jsonl').open('a') as log:
            line = {'step': self.step, 'images': self.step * self.plan.images, **means}
            log.write(json.dumps({**line, 'images_per_s': speed}) + '\n')

    def save(self, path: Path) -> None:
        """Write everything that continuing needs, beside and then in place."""
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            'model': self.model.state_dict(),
            'heads': self.heads.state_dict(),
            'optimizers': [o.state_dict() for o in self.optimizers],
            'step': self.step,
            'plan': asdict(self.plan),
        }
        torch.save(state, path.with_suffix('.tmp'))
        path.with_suffix('.tmp').replace(path)

    def load(self, path: Path, weights_only: bool = False) -> None:
        """Continue from a saved file; with `weights_only` begin a new stage from its weights."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state['model'])
        self.heads.load_state_dict(state['heads'])
        if not weights_only:
            self.step = state['step']
            for optimizer, saved in zip(self.optimizers, state['optimizers'], strict=True):
                shares = [g['share'] for g in optimizer.param_groups]
                optimizer.load_state_dict(saved)
                for group, share in zip(optimizer.param_groups, shares, strict=True):
                    group['share'] = share


class _Steps(Dataset):
    """The batches of steps."""

    def __init__(self, batches: BatchMaker, plan: Plan):
        self._batches, self._plan = batches, plan

    def __getitem__(self, step: int) -> Batch:
        return self._batches.batch(step, self._plan.short, self._plan.long)


def _ahead(batches: BatchMaker, steps: range, plan: Plan, device: torch.device) -> Iterable[Batch]:
    """Yield the steps' batches, written ahead by the plan's workers."""
    if plan.workers:
        # A batch is dozens of tensors, and each would hold a file open.
        torch.multiprocessing.set_sharing_strategy('file_system')
    return DataLoader(
        _Steps(batches, plan),
        batch_size=None,
        sampler=steps,
        num_workers=plan.workers,
        # The scenes are gigabytes: workers share them.
        multiprocessing_context='fork' if plan.workers else None,
        pin_memory=device.type == 'cuda',
    )


def alter_colors(frames: Tensor, random: torch.Generator) -> Tensor:
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
