"""Muon: steps for hidden matrices, made orthogonal, all matrices of a shape at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import sqrt

import torch
from torch import Tensor
from torch.optim import Optimizer

MOMENTUM = 0.95
# The quintic whose slope at zero is steepest: Jordan et al. 2024, "Muon: an optimizer for hidden
# layers in neural networks".
QUINTIC = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class Muon(Optimizer):
    """What `torch.optim.Muon` does under adjust_lr_fn='match_rms_adamw', in a fraction of its time.

    torch's takes one matrix after the other, in bfloat16: small models wait for launches on a GPU,
    and for emulated arithmetic on most CPUs. This one stacks them, and keeps float32 on CPUs.

    :param params: matrices, or groups of them with their own `lr` and `weight_decay`.
    :param half: whether to make them orthogonal in bfloat16 on a CPU too, where it has that.
    :raises ValueError: where a parameter is not a matrix.
    """

    def __init__(self, params: Iterable, lr: float, weight_decay: float = 0.0, half: bool = False):
        super().__init__(params, {'lr': lr, 'weight_decay': weight_decay})
        self._half = half
        shapes = [p.shape for group in self.param_groups for p in group['params']]
        if any(len(shape) != 2 for shape in shapes):
            raise ValueError('Muon optimizes matrices only: give the other parameters to AdamW')

    @torch.no_grad()
    def step(self) -> None:
        """Change every matrix that has a gradient."""
        for group in self.param_groups:
            of_shape = defaultdict(list)
            for matrix in group['params']:
                if matrix.grad is not None:
                    of_shape[matrix.shape].append(matrix)
            for shape, matrices in of_shape.items():
                momenta = torch.stack([self._momentum(m) for m in matrices])
                updates = orthogonal(momenta, self._half)
                # Steps as large as AdamW's: Liu et al. 2025, "Muon is scalable for LLM training".
                learning_rate = group['lr'] * 0.2 * sqrt(max(shape))
                torch._foreach_mul_(matrices, 1 - group['lr'] * group['weight_decay'])
                torch._foreach_add_(matrices, updates.unbind(), alpha=-learning_rate)

    def _momentum(self, matrix: Tensor) -> Tensor:
        """Return the gradient and, by Nesterov, its mean over the steps as it will be."""
        state = self.state[matrix]
        if not state:
            state['momentum_buffer'] = torch.zeros_like(matrix)
        mean = state['momentum_buffer'].lerp_(matrix.grad, 1 - MOMENTUM)
        return matrix.grad.lerp(mean, MOMENTUM)


def orthogonal(matrices: Tensor, half: bool = False) -> Tensor:
    """Return (n, rows, columns) with all singular values near 1, by Newton and Schulz's iteration.

    :param matrices: (n, rows, columns) float32.
    :param half: whether to work in bfloat16 on a CPU too.
    """
    a, b, c = QUINTIC
    x = matrices.bfloat16() if half or matrices.is_cuda else matrices
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    # By Frobenius' norm, which no singular value exceeds.
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)
