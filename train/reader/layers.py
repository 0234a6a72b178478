"""The network's layers: attention with rotary positions, and a look at the neighbours."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD = 64  # dimensions of a head of attention


class Norm(nn.Module):
    """RMS norm, in the arithmetic of what comes in."""

    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        scale = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + 1e-5)
        return x * (scale * self.weight).to(x.dtype)


def rotary(positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return cosines and sines (..., 1, n, HEAD / 2) of positions (..., n)."""
    rates = 1000.0 ** (-torch.arange(HEAD // 2, dtype=torch.float32) / (HEAD // 2))
    angles = positions.float().unsqueeze(-1) * rates
    return angles.cos().to(dtype).unsqueeze(-3), angles.sin().to(dtype).unsqueeze(-3)


def _rotate(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = turns
    a, b = x[..., : HEAD // 2], x[..., HEAD // 2 :]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def split_heads(x: Tensor) -> Tensor:
    """Return (..., heads, n, HEAD) of (..., n, dim)."""
    return x.unflatten(-1, (x.shape[-1] // HEAD, HEAD)).transpose(-2, -3)


def join_heads(x: Tensor) -> Tensor:
    """Return (..., n, dim) of (..., heads, n, HEAD)."""
    return x.transpose(-2, -3).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Return (..., heads, n, HEAD): the mean of values by likeness of query and key, and bias."""
    logits = (q @ k.transpose(-1, -2)).float() * HEAD**-0.5 + bias
    return logits.softmax(-1).to(v.dtype) @ v


class Block(nn.Module):
    """Each token looks at its own sequence, at its neighbours, and at another sequence.

    :param looks: whether there is another sequence.
    """

    def __init__(self, dim: int, widen: int, looks: bool):
        super().__init__()
        self.before = Norm(dim)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)
        self.near = nn.Parameter(torch.zeros(2, dim))
        self.looks = looks
        if looks:
            self.before_look = Norm(dim)
            self.ask = nn.Linear(dim, dim, bias=False)
            self.told = nn.Linear(dim, 2 * dim, bias=False)
            self.out_look = nn.Linear(dim, dim, bias=False)
        self.before_mlp = Norm(dim)
        self.up = nn.Linear(dim, widen * dim)
        self.down = nn.Linear(widen * dim, dim)

    def forward(
        self,
        x: Tensor,
        bias: Tensor,
        turns: tuple[Tensor, Tensor] | None,
        joined: Tensor | None,
        other: Tensor | None = None,
        other_bias: Tensor | None = None,
    ) -> Tensor:
        """Return x, changed.

        :param x: (..., n, dim).
        :param bias: of attention, (..., 1 or heads, n, n).
        :param turns: cosines and sines of the positions.
        :param joined: (..., n, 1), 1 where a token follows the one before it in its sequence.
        :param other: (..., m, dim), the other sequence.
        :param other_bias: (..., 1 or heads, n, m).
        """
        y = self.before(x)
        if joined is not None:
            behind = F.pad(y, (0, 0, 1, 0))[..., :-1, :] * joined
            ahead = F.pad(y * joined, (0, 0, 0, 1))[..., 1:, :]
            y = y + behind * self.near[0] + ahead * self.near[1]
        q, k, v = (split_heads(part) for part in self.qkv(y).chunk(3, -1))
        if turns is not None:
            q, k = _rotate(q, turns), _rotate(k, turns)
        x = x + self.out(join_heads(attend(q, k, v, bias)))
        if self.looks:
            q = split_heads(self.ask(self.before_look(x)))
            k, v = (split_heads(part) for part in self.told(other).chunk(2, -1))
            x = x + self.out_look(join_heads(attend(q, k, v, other_bias)))
        # relu squared (arXiv:2109.08668): as good as gelu, and cheaper on a processor.
        return x + self.down(F.relu(self.up(self.before_mlp(x))).square())
