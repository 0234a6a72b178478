"""Steps for the pretrained stem, as large as its channels' weights allow."""

from __future__ import annotations

import torch
from torch import Tensor


class RelativeAdam(torch.optim.Adam):
    """Adam whose learning rate is a share of the size of each output channel.

    Folded batch norms leave channels whose weights differ a thousandfold: a step that is right for
    one would undo or not change another. `lr` is the share of a channel's root mean square by
    which its weights change in a step, at most about.
    """

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """Change every parameter that has a gradient."""
        learnt = [p for g in self.param_groups for p in g['params'] if p.grad is not None]
        before = [parameter.clone() for parameter in learnt]
        super().step(closure)
        for parameter, old in zip(learnt, before, strict=True):
            parameter.copy_(torch.lerp(old, parameter, _size(old)))


def _size(weight: Tensor) -> Tensor:
    """Return the root mean square of each output channel, or of all biases, to broadcast."""
    if weight.ndim == 1:
        return weight.square().mean().sqrt().expand_as(weight)
    across = tuple(range(1, weight.ndim))
    return weight.square().mean(across, keepdim=True).sqrt().expand_as(weight)
