"""The mean of the weights before and after a training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def check_share(share: float) -> None:
    """Raise ValueError unless the trained weights' share in a mean is within 0-1."""
    if not 0 <= share <= 1:
        raise ValueError(f'the share of the trained weights is {share}: give one from 0 to 1')


def mean_weights(
    before: Mapping[str, Tensor], trained: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Return the mean of trained weights and those that they went on from, by name.

    It may keep most of what was taught, and forget less (arXiv:2109.01903).

    :param share: of the trained weights in that mean, 0-1.
    :raises ValueError: where the tensors are others.
    """
    if {n: t.shape for n, t in before.items()} != {n: t.shape for n, t in trained.items()}:
        raise ValueError('the two checkpoints have different tensors and cannot be averaged')
    return {name: torch.lerp(before[name], tensor, share) for name, tensor in trained.items()}
