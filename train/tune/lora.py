"""LoRA: low-rank adapters of frozen linear layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kimi_export.lora import FORMAT, MERGED
from kimi_train.files import save_tensors
from kimi_train.tune.settings import TuneError


class LoraLinear(nn.Linear):
    """A linear layer that computes weight @ x + bias + scale * B @ A @ x; B starts at zero.

    In `state_dict()` its matrices have the names that adapters have in files, `LAYER.A`, `LAYER.B`.
    """

    def __init__(self, base: nn.Linear, rank: int, scale: float):
        super().__init__(base.in_features, base.out_features, device='meta')
        self.weight, self.bias, self.scale = base.weight, base.bias, scale
        # As the layers of torch themselves begin.
        a = torch.empty(rank, base.in_features)
        self.A = nn.Parameter(nn.init.kaiming_uniform_(a, a=math.sqrt(5)))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., outputs) for (..., inputs)."""
        return super().forward(x) + self.scale * F.linear(F.linear(x, self.A), self.B)


def add_adapters(
    model: nn.Module, patterns: Sequence[str], rank: int, scale: float
) -> dict[str, nn.Parameter]:
    """Give the linear layers that a pattern names an adapter; return the adapters' parameters.

    Everything else is no longer trained. Raises TuneError where a pattern names no linear layer.
    """
    model.requires_grad_(False)
    linear = {name: m for name, m in model.named_modules() if isinstance(m, nn.Linear)}
    for name in matching_names(patterns, linear, 'linear layer'):
        parent, _, last = name.rpartition('.')
        setattr(model.get_submodule(parent), last, LoraLinear(linear[name], rank, scale))
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def matching_names(patterns: Sequence[str], names: Sequence[str] | dict, what: str) -> list[str]:
    """Return the names that a pattern fits. Raises TuneError where one fits none."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            some = ', '.join(list(names)[:3])
            raise TuneError(f'no {what} has a name like {pattern!r}; they are {some}, ...')
    return [name for name in names if any(fnmatchcase(name, p) for p in patterns)]


def save_adapter(
    path: Path,
    matrices: dict[str, Tensor],
    scale: float,
    tasks: Sequence[str],
    languages: Sequence[str],
) -> None:
    """Write the adapters in fp32, beside and then in place, for `kimi-export --lora`."""
    about = {'format': FORMAT, 'scale': repr(float(scale)), 'proj': MERGED}
    about |= {'tasks': ' '.join(tasks), 'languages': ' '.join(languages)}
    tensors = {name: m.detach().cpu().float().contiguous() for name, m in matrices.items()}
    save_tensors(tensors, path, about)
