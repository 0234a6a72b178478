"""Training on both worlds; resumable, deterministic by seed and step."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from kimi_train.model import Moondream
from kimi_train.nano.loop import color_jitter
from kimi_train.nano.losses import feature_losses
from kimi_train.nano.muon import Muon
from kimi_train.precision import has_bf16
from kimi_train.things.batches import MixedBatch, MixedBatches
from kimi_train.things.losses import CLASS_WEIGHTS, ClassHeads
from kimi_train.things.optimizer import RelativeAdam
from kimi_train.things.settings import ThingsSettings
from kimi_train.training_loop import (
    TrainingLog,
    load_optimizers,
    prepared_by_workers,
    save_state,
)

FROZEN_BLOCKS = 5  # of the stem: edges and colours are the same everywhere
CLIP = 5.0

Evaluation = Callable[[nn.ModuleDict], dict[str, float]]


class ThingsTrainer:
    """A model, its heads for training only, their moving average and their optimisers.

    :param teacher: the model whose features of painted tables are to be kept, or None.
    """

    def __init__(
        self,
        model: Moondream,
        heads: ClassHeads,
        settings: ThingsSettings,
        teacher: Moondream | None = None,
    ):
        self.learner = nn.ModuleDict({'model': model, 'heads': heads})
        self.settings, self.teacher, self.step = settings, teacher, 0
        self.device = model.text.wte.device
        self._half = has_bf16(self.device)
        if model.vision.stem:
            model.vision.stem.freeze(FROZEN_BLOCKS)
        self.average = AveragedModel(
            self.learner, multi_avg_fn=get_ema_multi_avg_fn(settings.average_decay)
        )
        self.optimizers = self._optimizers()

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        settings, groups = self.settings, defaultdict(list)
        for name, parameter in self.learner.named_parameters():
            seen = name.startswith('model.vision.')
            share = settings.vision_learning_rate_scale if seen else 1.0
            if not share:
                parameter.requires_grad_(False)
            if parameter.requires_grad:
                hidden = '.blocks.' in name and parameter.ndim == 2
                kind = 'stem' if '.stem.' in name else 'matrix' if hidden else 'rest'
                groups[kind, share].append(parameter)

        def of(kind: str, rate: float) -> list[dict]:
            return [
                {'params': parameters, 'rate': rate * share}
                for (name, share), parameters in groups.items()
                if name == kind
            ]

        rate = settings.learning_rate
        made = [
            (Muon, of('matrix', rate), {'weight_decay': 0.02}),
            (torch.optim.AdamW, of('rest', rate), {'betas': (0.9, 0.98), 'weight_decay': 0.01}),
            (RelativeAdam, of('stem', settings.stem_learning_rate), {'betas': (0.9, 0.98)}),
        ]
        return [kind(parameters, lr=rate, **more) for kind, parameters, more in made if parameters]

    def learn(self, batch: MixedBatch) -> dict[str, Tensor]:
        """Take one step from a batch; returns its losses and metrics."""
        batch, settings = batch.to(self.device), self.settings
        model, heads = self.learner['model'], self.learner['heads']
        crops = color_jitter(batch.frames, self._random())
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            features = model.vision.encode(crops)
            losses = feature_losses(model, heads, batch, features, settings.patch_loss_weight)
            of_classes = heads.class_losses(
                features, batch.classes, batch.labels.category, batch.labels.weight
            )
            if self.teacher and settings.teacher_weight and batch.classes.painted.any():
                losses |= self._taught(features, crops, batch.classes.painted)
        total = losses['total'] + settings.teacher_weight * losses.get('teacher', 0.0)
        weight = settings.patch_loss_weight
        total = total + weight * sum(w * of_classes[name] for name, w in CLASS_WEIGHTS.items())
        total.backward()
        learnt = [p for o in self.optimizers for g in o.param_groups for p in g['params']]
        norm = nn.utils.clip_grad_norm_([p for p in learnt if p.grad is not None], CLIP)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group['lr'] = group['rate'] * settings.schedule(self.step)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.average.update_parameters(self.learner)
        self.step += 1
        losses = losses | of_classes | {'total': total, 'norm': norm}
        return {name: value.detach() for name, value in losses.items()}

    def _taught(self, features: Tensor, crops: Tensor, painted: Tensor) -> dict[str, Tensor]:
        """Return the distance from the features that the teacher has for painted tables."""
        with torch.no_grad():
            wanted = self.teacher.vision.encode(crops[painted])
        return {'teacher': (features[painted].float() - wanted.float()).square().mean()}

    def _random(self) -> torch.Generator:
        """Return the random generator of a step: the same after a resumption."""
        return torch.Generator(self.device).manual_seed(self.settings.seed * 2**32 + self.step)

    def run(
        self,
        batches: MixedBatches,
        folder: Path,
        evaluate: Evaluation | None = None,
        log_every: int = 10,
    ) -> None:
        """Train to the last step; metrics in log.jsonl, those of `evaluate` in curve.jsonl."""
        settings, seen, began = self.settings, defaultdict(list), time.monotonic()
        log = TrainingLog(folder, self.step, settings.steps)
        curve = TrainingLog(folder, self.step, settings.steps, 'curve.jsonl')
        images = settings.pictures + settings.tables
        for batch in self._prepared(batches):
            for name, value in self.learn(batch).items():
                seen[name].append(value)
            if self.step % log_every == 0:
                means = {name: fmean(map(float, values)) for name, values in seen.items()}
                step_s = (time.monotonic() - began) / log_every
                log.show(self.step, means, f'{images / step_s:.1f} images/s', step_s)
                log.write(self.step, means | {'images_per_s': images / step_s})
                seen, began = defaultdict(list), time.monotonic()
            last = self.step == settings.steps
            if self.step % settings.save_every == 0 or last:
                self.save(folder / 'last.pt')
            if evaluate and (self.step % settings.evaluate_every == 0 or last):
                metrics = evaluate(self.average.module)
                curve.write(self.step, {'images': self.step * images} | metrics)
                print('  '.join(f'{name} {value:.3f}' for name, value in metrics.items()))
                began = time.monotonic()

    def save(self, path: Path) -> None:
        """Write everything that resuming needs; 'model' is the average. Raises OSError."""
        state = {
            'model': self.average.module['model'].state_dict(),
            'heads': self.average.module['heads'].state_dict(),
            'learner': self.learner.state_dict(),
            'averaged': int(self.average.n_averaged),
            'optimizers': [optimizer.state_dict() for optimizer in self.optimizers],
            'step': self.step,
            'settings': asdict(self.settings),
        }
        save_state(state, path)

    def load(self, path: Path, weights_only: bool = False) -> None:
        """Continue from a saved file; with `weights_only` begin a new stage from its average."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        for part, module in self.average.module.items():
            module.load_state_dict(state[part])
        if weights_only:
            for part, module in self.learner.items():
                module.load_state_dict(state[part])
            return
        self.learner.load_state_dict(state['learner'])
        self.average.n_averaged.fill_(state['averaged'])
        self.step = state['step']
        load_optimizers(self.optimizers, state['optimizers'], 'rate')

    def _prepared(self, batches: MixedBatches) -> Iterable[MixedBatch]:
        s = self.settings
        return prepared_by_workers(
            lambda step: batches.batch(
                step, s.pictures, s.tables, s.short_questions, s.long_questions
            ),
            range(self.step, s.steps),
            s.workers,
            self.device,
        )
