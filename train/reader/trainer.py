"""Trains the reader: resumable, reproducible by seed and step, with a log of metrics."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from kimi_ros.reader.features import Featurizer
from kimi_ros.reader.word_vectors import WordVectors
from kimi_train.nano.muon import Muon
from kimi_train.precision import has_bf16
from kimi_train.reader.batches import CatalogueBatch, Collator, InstructionBatch
from kimi_train.reader.dataset import InstructionDataset
from kimi_train.reader.losses import (
    EncodedCatalogues,
    compute_losses,
    encode_catalogues,
    encode_instructions,
    predict,
)
from kimi_train.reader.model import ModelConfig, ReaderModel


@dataclass(frozen=True)
class TrainingConfig:
    """The hyperparameters of training.

    :ivar minutes: of training, over all runs: the learning rate decays to 0 by then.
    :ivar learning_rate: of Muon; AdamW uses `learning_rate * adamw_scale`.
    :ivar catalogues_per_batch: in each step.
    :ivar instructions_per_catalogue: in each micro-batch of a step, the shortest first.
    :ivar word_dropout: share of words without vector, and of tokens without spelling features.
    """

    minutes: float = 60.0
    learning_rate: float = 3e-3
    adamw_scale: float = 0.5
    warmup: int = 100
    catalogues_per_batch: int = 16
    instructions_per_catalogue: tuple[int, ...] = (12, 8, 4)
    word_dropout: float = 0.1
    seed: int = 0
    workers: int = 1

    def learning_rate_at(self, progress: float, step: int) -> float:
        """Return the learning rate at a progress of 0 to 1: warm-up, then cosine decay."""
        return (
            self.learning_rate
            * min(1, (step + 1) / self.warmup)
            * (0.5 + 0.5 * math.cos(math.pi * progress))
        )


class Trainer:
    """A model in bfloat16 with master weights in float32."""

    def __init__(
        self, words: WordVectors, config: TrainingConfig, model_config: ModelConfig | None = None
    ):
        torch.manual_seed(config.seed)
        self.config, self.words, self.step, self.seconds = config, words, 0, 0.0
        self.network = ReaderModel(model_config or ModelConfig())
        self.master_weights = {n: p.detach().clone() for n, p in self.network.named_parameters()}
        self.network.to(torch.bfloat16)
        self.word_vectors = word_vector_tensor(words).to(torch.bfloat16)
        self._bf16_weights = dict(self.network.named_parameters())
        muon_weights, adamw_weights = [], []
        for name, p in self.master_weights.items():
            hidden = p.ndim == 2 and any(f'{part}.' in name for part in _MUON_MODULES)
            (muon_weights if hidden else adamw_weights).append(p)
        self.optimizers = [
            Muon(
                muon_weights,
                lr=config.learning_rate,
                weight_decay=0.01,
                half=has_bf16(torch.device('cpu')),
            ),
            torch.optim.AdamW(
                adamw_weights,
                lr=config.learning_rate,
                betas=(0.9, 0.99),
                weight_decay=0.0,
                foreach=True,
            ),
        ]

    @property
    def progress(self) -> float:
        """Return the elapsed share of the training time, 0 to 1."""
        return min(1.0, self.seconds / (60 * self.config.minutes))

    def training_step(
        self, catalogues: CatalogueBatch, batches: Sequence[InstructionBatch]
    ) -> dict[str, Tensor]:
        """Take one optimizer step, accumulating gradients over the batches; return the metrics."""
        metrics: dict[str, Tensor] = defaultdict(float)
        encoded = encode_catalogues(self.network, self.word_vectors, catalogues)
        # Backward after each batch: its activations are still in the cache, and freed for the next.
        catalogue_states = _detached(encoded)
        for batch in batches:
            share = len(batch) / sum(map(len, batches))
            instruction_states = encode_instructions(
                self.network, self.word_vectors, batch, catalogue_states
            )
            losses = compute_losses(
                predict(self.network, instruction_states, catalogue_states, catalogues, batch),
                batch,
            )
            (losses['total'] * share).backward()
            for name, value in losses.items():
                value = value.detach()
                metrics[name] += value if name.endswith(SUMMED) else value * share
        torch.autograd.backward(
            [getattr(encoded, name) for name in _DIFFERENTIABLE],
            [getattr(catalogue_states, name).grad for name in _DIFFERENTIABLE],
        )
        for name, weight in self.master_weights.items():
            grad = self._bf16_weights[name].grad
            weight.grad = None if grad is None else grad.float()
            self._bf16_weights[name].grad = None
        metrics['norm'] = nn.utils.clip_grad_norm_(list(self.master_weights.values()), 5.0)
        learning_rate = self.config.learning_rate_at(self.progress, self.step)
        for optimizer, share in zip(self.optimizers, (1.0, self.config.adamw_scale), strict=True):
            for group in optimizer.param_groups:
                group['lr'] = learning_rate * share
            optimizer.step()
        with torch.no_grad():
            torch._foreach_copy_(
                list(self._bf16_weights.values()), list(self.master_weights.values())
            )
        self.step += 1
        return {name: value.detach() for name, value in metrics.items()}

    def run(
        self, dataset: InstructionDataset, folder: Path, log_every: int = 50, save_every: int = 60.0
    ) -> None:
        """Train until the time is over.

        :param save_every: seconds between checkpoints.
        """
        folder.mkdir(parents=True, exist_ok=True)
        history, examples = defaultdict(list), 0
        began = saved = logged = time.monotonic()
        for catalogues, batches in _data_loader(dataset, self.words, self.config, self.step):
            for name, value in self.training_step(catalogues, batches).items():
                history[name].append(value)
            examples += sum(map(len, batches))
            now = time.monotonic()
            self.seconds, began = self.seconds + now - began, now
            if self.step % log_every == 0:
                means = _aggregate(history)
                self._report(folder, means, examples / (now - logged))
                history, examples, logged = defaultdict(list), 0, now
            if now - saved > save_every or self.progress >= 1:
                self.save(folder / 'last.pt')
                saved = now
            if self.progress >= 1:
                return
        # A StopIteration of the generator ends a loader's loop as if there were no more steps.
        raise RuntimeError(f'the examples of step {self.step} could not be generated')

    def _report(self, folder: Path, means: dict, speed: float) -> None:
        means = {name: round(value, 4) for name, value in means.items()}
        short = ('total', 'event_correct', 'first_correct', 'first_end_correct', 'role_correct')
        print(
            f'{self.step}  {100 * self.progress:.0f} %  {speed:.0f} examples/s  '
            + '  '.join(f'{n.removesuffix("_correct")} {means[n]:.3f}' for n in short),
            flush=True,
        )
        line = {'step': self.step, 'minutes': round(self.seconds / 60, 2), 'examples_per_s': speed}
        with (folder / 'log.jsonl').open('a') as log:
            log.write(json.dumps({**line, **means}) + '\n')

    def save(self, path: Path) -> None:
        """Write a checkpoint atomically."""
        state = {
            'weights': self.master_weights,
            'optimizers': [o.state_dict() for o in self.optimizers],
            'step': self.step,
            'seconds': self.seconds,
            'training': asdict(self.config),
            'config': asdict(self.network.config),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, path.with_suffix('.tmp'))
        path.with_suffix('.tmp').replace(path)

    def load(self, path: Path, weights_only: bool = False) -> None:
        """Load a checkpoint; with `weights_only`, without optimizer state and step."""
        state = torch.load(path, weights_only=True)
        with torch.no_grad():
            for name, weight in self.master_weights.items():
                weight.copy_(state['weights'][name])
                self._bf16_weights[name].copy_(weight)
        if not weights_only:
            self.step, self.seconds = state['step'], state['seconds']
            for optimizer, saved in zip(self.optimizers, state['optimizers'], strict=True):
                optimizer.load_state_dict(saved)


# Parts of `EncodedCatalogues` that depend on the weights.
_DIFFERENTIABLE = ('tokens', 'candidates', 'arguments', 'values')


def _detached(encoded: EncodedCatalogues) -> EncodedCatalogues:
    """Return the encoded catalogues as leaves, which collect gradients of their own."""
    leaves = {name: getattr(encoded, name).detach().requires_grad_() for name in _DIFFERENTIABLE}
    return replace(encoded, **leaves)


SUMMED = ('_correct', '_count')  # metrics that are summed, not averaged


def _aggregate(history: dict[str, list[Tensor]]) -> dict[str, float]:
    """Return the mean of each metric over steps, and the accuracy of predictions."""
    out = {}
    for name, values in history.items():
        if not name.endswith(SUMMED):
            out[name] = fmean(map(float, values))
        elif name.endswith('_correct'):
            count = sum(map(float, history[name.replace('_correct', '_count')]))
            if count:
                out[name] = sum(map(float, values)) / count
    return out


# Modules whose matrices Muon optimizes.
_MUON_MODULES = (
    'encoder',
    'fusion',
    'decoder',
    'argument_decoder',
    'history_projections',
    'argument_inputs',
    'candidate_projection',
    'argument_projection',
)


def word_vector_tensor(words: WordVectors) -> Tensor:
    """Return the word vectors (words + 1, 2 * size) in float32, each of length 1 or 0."""
    return torch.from_numpy(words.normalized())


class _StepDataset(Dataset):
    """The batches, by step."""

    def __init__(self, dataset: InstructionDataset, words: WordVectors, config: TrainingConfig):
        self._dataset, self._config = dataset, config
        self._collator = Collator(Featurizer(words), config.word_dropout)

    def __getitem__(self, step: int) -> tuple[CatalogueBatch, list[InstructionBatch]]:
        config = self._config
        rng = np.random.default_rng([config.seed, step])
        groups = self._dataset.groups(
            step, config.catalogues_per_batch, sum(config.instructions_per_catalogue)
        )
        return self._collator.collate(groups, config.instructions_per_catalogue, rng)


class _StepSampler:
    """All steps from a given one."""

    def __init__(self, first: int):
        self._first = first

    def __iter__(self):
        step = self._first
        while True:
            yield step
            step += 1

    def __len__(self) -> int:
        return 10**9


def _data_loader(
    dataset: InstructionDataset, words: WordVectors, config: TrainingConfig, first: int
) -> Iterable[tuple]:
    """Yield the batches of steps, prefetched by worker processes."""
    if config.workers:
        # Each of the many tensors of a batch would keep a file descriptor open.
        torch.multiprocessing.set_sharing_strategy('file_system')
    return DataLoader(
        _StepDataset(dataset, words, config),
        batch_size=None,
        sampler=_StepSampler(first),
        num_workers=config.workers,
        multiprocessing_context='fork' if config.workers else None,
        prefetch_factor=4 if config.workers else None,
    )
