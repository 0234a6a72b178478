"""The training of the reader: resumable, the same by seed and step, with figures to follow."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from kimi_ros.reader.features import Featurizer
from kimi_ros.reader.words import WordTable
from kimi_train.nano.muon import Muon
from kimi_train.precision import has_bf16
from kimi_train.reader.batches import Batch, Catalogues, Collator
from kimi_train.reader.layers import Block
from kimi_train.reader.losses import answers, hear, losses, offer
from kimi_train.reader.model import Match, Network, Sizes
from kimi_train.reader.source import Source


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train.

    :ivar minutes: of training, over all its runs: the rate falls to nothing by then.
    :ivar rate: of Muon's matrices; the other parameters learn at `rate * other_rate`.
    :ivar groups: catalogues in a batch; each: instructions under one,
        in as many batches, the shortest instructions first.
    """

    minutes: float = 60.0
    rate: float = 3e-3
    other_rate: float = 0.5
    warmup: int = 100
    groups: int = 16
    each: tuple[int, ...] = (12, 8, 4)
    forget: float = 0.1
    seed: int = 0
    workers: int = 1

    def rate_at(self, done: float, step: int) -> float:
        """Return the rate when a share of the time is done: a rise, then half a cosine."""
        return self.rate * min(1, (step + 1) / self.warmup) * (0.5 + 0.5 * math.cos(math.pi * done))


class Trainer:
    """A network, in bfloat16 while it learns, and its parameters in float32."""

    def __init__(self, words: WordTable, plan: Plan, sizes: Sizes = Sizes()):  # noqa: B008
        torch.manual_seed(plan.seed)
        self.plan, self.words, self.step, self.spent = plan, words, 0, 0.0
        self.network = Network(sizes)
        self.exact = {n: p.detach().clone() for n, p in self.network.named_parameters()}
        self.network.to(torch.bfloat16)
        self.table = vectors_of(words).to(torch.bfloat16)
        self._learnt = dict(self.network.named_parameters())
        matrices, rest = [], []
        for name, p in self.exact.items():
            hidden = p.ndim == 2 and any(f'{part}.' in name for part in _HIDDEN)
            (matrices if hidden else rest).append(p)
        self.optimizers = [
            Muon(matrices, lr=plan.rate, weight_decay=0.01, half=has_bf16(torch.device('cpu'))),
            torch.optim.AdamW(
                rest, lr=plan.rate, betas=(0.9, 0.99), weight_decay=0.0, foreach=True
            ),
        ]

    @property
    def done(self) -> float:
        """Return the share of the time that is over, 0 to 1."""
        return min(1.0, self.spent / (60 * self.plan.minutes))

    def compile(self) -> None:
        """Compile the costly parts, for the whole process: minutes once, then twice as fast."""
        for part in (Block, Match):
            part.forward = torch.compile(part.forward, dynamic=True)

    def learn(self, catalogues: Catalogues, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """Take one step from some batches; returns their loss and the shares that are right."""
        figures: dict[str, Tensor] = defaultdict(float)
        offered = offer(self.network, self.table, catalogues)
        for batch in batches:
            share = len(batch) / sum(map(len, batches))
            heard = hear(self.network, self.table, batch, offered)
            for name, value in losses(
                answers(self.network, heard, offered, catalogues, batch), batch
            ).items():
                figures[name] += value if name.endswith(COUNTED) else value * share
        figures['total'].backward()
        for name, exact in self.exact.items():
            grad = self._learnt[name].grad
            exact.grad = None if grad is None else grad.float()
            self._learnt[name].grad = None
        figures['norm'] = nn.utils.clip_grad_norm_(list(self.exact.values()), 5.0)
        rate = self.plan.rate_at(self.done, self.step)
        for optimizer, share in zip(self.optimizers, (1.0, self.plan.other_rate), strict=True):
            for group in optimizer.param_groups:
                group['lr'] = rate * share
            optimizer.step()
        with torch.no_grad():
            torch._foreach_copy_(list(self._learnt.values()), list(self.exact.values()))
        self.step += 1
        return {name: value.detach() for name, value in figures.items()}

    def run(
        self, source: Source, folder: Path, log_every: int = 50, save_every: int = 60.0
    ) -> None:
        """Train until the plan's time is over, saving every so many seconds."""
        folder.mkdir(parents=True, exist_ok=True)
        seen, examples = defaultdict(list), 0
        began = saved = logged = time.monotonic()
        for catalogues, batches in _ahead(source, self.words, self.plan, self.step):
            for name, value in self.learn(catalogues, batches).items():
                seen[name].append(value)
            examples += sum(map(len, batches))
            now = time.monotonic()
            self.spent, began = self.spent + now - began, now
            if self.step % log_every == 0:
                means = _means(seen)
                self._report(folder, means, examples / (now - logged))
                seen, examples, logged = defaultdict(list), 0, now
            if now - saved > save_every or self.done >= 1:
                self.save(folder / 'last.pt')
                saved = now
            if self.done >= 1:
                break

    def _report(self, folder: Path, means: dict, speed: float) -> None:
        means = {name: round(value, 4) for name, value in means.items()}
        short = ('total', 'event_right', 'first_right', 'first_end_right', 'role_right')
        print(
            f'{self.step}  {100 * self.done:.0f} %  {speed:.0f} examples/s  '
            + '  '.join(f'{n.removesuffix("_right")} {means[n]:.3f}' for n in short),
            flush=True,
        )
        line = {'step': self.step, 'minutes': round(self.spent / 60, 2), 'examples_per_s': speed}
        with (folder / 'log.jsonl').open('a') as log:
            log.write(json.dumps({**line, **means}) + '\n')

    def save(self, path: Path) -> None:
        """Write everything that going on needs, beside and then in place."""
        state = {
            'exact': self.exact,
            'optimizers': [o.state_dict() for o in self.optimizers],
            'step': self.step,
            'spent': self.spent,
            'plan': asdict(self.plan),
            'sizes': self.network.config(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, path.with_suffix('.tmp'))
        path.with_suffix('.tmp').replace(path)

    def load(self, path: Path, weights_only: bool = False) -> None:
        """Go on from a saved file; with `weights_only` begin anew from its weights."""
        state = torch.load(path, weights_only=True)
        with torch.no_grad():
            for name, exact in self.exact.items():
                exact.copy_(state['exact'][name])
                self._learnt[name].copy_(exact)
        if not weights_only:
            self.step, self.spent = state['step'], state['spent']
            for optimizer, saved in zip(self.optimizers, state['optimizers'], strict=True):
                optimizer.load_state_dict(saved)


COUNTED = ('_right', '_count')  # what is added up, not averaged


def _means(seen: dict[str, list[Tensor]]) -> dict[str, float]:
    """Return what some steps' figures come to; of decisions that were there, the share right."""
    out = {}
    for name, values in seen.items():
        if not name.endswith(COUNTED):
            out[name] = fmean(map(float, values))
        elif name.endswith('_right'):
            count = sum(map(float, seen[name.replace('_right', '_count')]))
            if count:
                out[name] = sum(map(float, values)) / count
    return out


# Whose matrices take orthogonal steps.
_HIDDEN = ('encoder', 'mixer', 'decoder', 'holder', 'before', 'asked', 'candidate', 'argument')


def vectors_of(words: WordTable) -> Tensor:
    """Return the words' vectors (words + 1, 2 * size) in float32, each of length 1 or 0."""
    return torch.from_numpy(words.directions())


class _Steps(Dataset):
    """The batches of steps."""

    def __init__(self, source: Source, words: WordTable, plan: Plan):
        self._source, self._plan = source, plan
        self._collator = Collator(Featurizer(words), plan.forget)

    def __getitem__(self, step: int) -> tuple[Catalogues, list[Batch]]:
        plan = self._plan
        rng = np.random.default_rng([plan.seed, step])
        groups = self._source.groups(step, plan.groups, sum(plan.each))
        return self._collator.step(groups, plan.each, rng)


class _From:
    """All steps from one on."""

    def __init__(self, first: int):
        self._first = first

    def __iter__(self):
        step = self._first
        while True:
            yield step
            step += 1

    def __len__(self) -> int:
        return 10**9


def _ahead(source: Source, words: WordTable, plan: Plan, first: int) -> Iterable[tuple]:
    """Yield the batches of steps, written ahead by the plan's workers."""
    if plan.workers:
        # A batch is dozens of tensors, and each would hold a file open.
        torch.multiprocessing.set_sharing_strategy('file_system')
    return DataLoader(
        _Steps(source, words, plan),
        batch_size=None,
        sampler=_From(first),
        num_workers=plan.workers,
        multiprocessing_context='fork' if plan.workers else None,
        prefetch_factor=4 if plan.workers else None,
    )
