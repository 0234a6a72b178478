"""Transformer layers: attention with rotary positions, and mixing of neighbouring tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD_DIM = 64  # dimensions of an attention head


class RMSNorm(nn.Module):
    """RMS norm in the dtype of its input."""

    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize the last axis."""
        scale = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + 1e-5)
        return x * (scale * self.weight).to(x.dtype)


def rotary(positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return cosines and sines (..., 1, n, HEAD_DIM / 2) of positions (..., n)."""
    frequencies = 1000.0 ** (-torch.arange(HEAD_DIM // 2, dtype=torch.float32) / (HEAD_DIM // 2))
    angles = positions.float().unsqueeze(-1) * frequencies
    return angles.cos().to(dtype).unsqueeze(-3), angles.sin().to(dtype).unsqueeze(-3)


def _rotate(x: Tensor, rotary_angles: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = rotary_angles
    a, b = x[..., : HEAD_DIM // 2], x[..., HEAD_DIM // 2 :]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def split_heads(x: Tensor) -> Tensor:
    """Return (..., heads, n, HEAD_DIM) of (..., n, dim)."""
    return x.unflatten(-1, (x.shape[-1] // HEAD_DIM, HEAD_DIM)).transpose(-2, -3)


def join_heads(x: Tensor) -> Tensor:
    """Return (..., n, dim) of (..., heads, n, HEAD_DIM)."""
    return x.transpose(-2, -3).flatten(-2)


def attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Return (..., heads, n, HEAD_DIM): scaled dot-product attention with a bias."""
    logits = (q @ k.transpose(-1, -2)).float() * HEAD_DIM**-0.5 + bias
    return logits.softmax(-1).to(v.dtype) @ v


class TransformerBlock(nn.Module):
    """Pre-norm block: neighbour mixing, self-attention, optional cross-attention, MLP.

    :param mlp_ratio: width of the MLP over `dim`.
    """

    def __init__(self, dim: int, mlp_ratio: int, has_cross_attention: bool):
        super().__init__()
        self.norm = RMSNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)
        self.neighbour_weight = nn.Parameter(torch.zeros(2, dim))
        self.has_cross_attention = has_cross_attention
        if has_cross_attention:
            self.cross_norm = RMSNorm(dim)
            self.cross_query = nn.Linear(dim, dim, bias=False)
            self.cross_key_value = nn.Linear(dim, 2 * dim, bias=False)
            self.cross_out = nn.Linear(dim, dim, bias=False)
        self.mlp_norm = RMSNorm(dim)
        self.up = nn.Linear(dim, mlp_ratio * dim)
        self.down = nn.Linear(mlp_ratio * dim, dim)

    def forward(
        self,
        x: Tensor,
        bias: Tensor,
        rotary_angles: tuple[Tensor, Tensor] | None,
        continues: Tensor | None,
        context: Tensor | None = None,
        context_bias: Tensor | None = None,
    ) -> Tensor:
        """Return the next hidden states.

        :param x: (..., n, dim).
        :param bias: of attention, (..., 1 or heads, n, n).
        :param rotary_angles: cosines and sines of the positions.
        :param continues: (..., n, 1), 1 if a token continues the sequence of the one before it.
        :param context: (..., m, dim), for cross-attention.
        :param context_bias: (..., 1 or heads, n, m).
        """
        y = self.norm(x)
        if continues is not None:
            previous = F.pad(y, (0, 0, 1, 0))[..., :-1, :] * continues
            following = F.pad(y * continues, (0, 0, 0, 1))[..., 1:, :]
            y = y + previous * self.neighbour_weight[0] + following * self.neighbour_weight[1]
        q, k, v = (split_heads(part) for part in self.qkv(y).chunk(3, -1))
        if rotary_angles is not None:
            q, k = _rotate(q, rotary_angles), _rotate(k, rotary_angles)
        x = x + self.out(join_heads(attention(q, k, v, bias)))
        if self.has_cross_attention:
            q = split_heads(self.cross_query(self.cross_norm(x)))
            k, v = (split_heads(part) for part in self.cross_key_value(context).chunk(2, -1))
            x = x + self.cross_out(join_heads(attention(q, k, v, context_bias)))
        # relu squared (arXiv:2109.08668): as good as GELU, and cheaper on a CPU.
        return x + self.down(F.relu(self.up(self.mlp_norm(x))).square())
