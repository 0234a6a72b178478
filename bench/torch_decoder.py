"""Baseline: the text model in plain PyTorch with random weights.

Preallocated KV cache, scaled_dot_product_attention, inference_mode; the parallel block is that of
export/graphs.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from kimi_ros.vlm.config import ModelConfig, TextConfig

from .worker import Missing

try:
    import torch
    from torch.nn import functional
except ImportError as error:
    raise Missing(f'PyTorch is not installed ({error}): make test-train installs it') from error

_BASE = 10_000.0


@dataclass(frozen=True)
class _Linear:
    weight: torch.Tensor
    bias: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self.weight, self.bias)


@dataclass(frozen=True)
class _PackedLinear:
    """A weight reordered for oneDNN, as torch.compile does when it freezes weights."""

    weight: torch.Tensor
    bias: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        operator = torch.ops.mkldnn._linear_pointwise
        return operator(x, self.weight, self.bias, 'none', [], '')


@dataclass(frozen=True)
class _Block:
    norm: tuple[torch.Tensor, torch.Tensor]
    qkv: _Linear
    proj: _Linear
    fc1: _Linear
    fc2: _Linear
    keys: torch.Tensor
    values: torch.Tensor


class TorchDecoder:
    """Blocks, head and KV cache in one precision, with the interface of the decoders."""

    def __init__(self, threads: int, dtype: str, packed: bool = False) -> None:
        """:param dtype: 'float32' or 'bfloat16'; `packed` reorders the weights for oneDNN."""
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self._text: TextConfig = ModelConfig().text
        self._dtype = getattr(torch, dtype)
        self._packed = packed
        text = self._text
        with torch.inference_mode():
            self._embeddings = self._random(text.vocab_size, text.dim)
            self._blocks = [self._block() for _ in range(text.n_layers)]
            self._norm = self._make_norm()
            self._head = self._linear(text.dim, text.vocab_size)
            half = text.rotary_dim // 2
            angles = torch.outer(
                torch.arange(text.max_context), _BASE ** -(torch.arange(half) / half)
            )
            self._cos, self._sin = (f(angles).to(self._dtype) for f in (torch.cos, torch.sin))

    def fill(self, positions: int) -> None:
        """Nothing to do: the KV cache is preallocated with random numbers."""

    @torch.inference_mode()
    def step(self, position: int, count: int) -> float:
        """Mean seconds per token after so many positions."""
        token = torch.tensor(10)
        started = time.perf_counter()
        for _ in range(count):
            token = self._next(token, position)
        int(token)
        return (time.perf_counter() - started) / count

    def token_bytes(self, position: int) -> int:
        """Bytes read per token."""
        text = self._text
        weights = text.vocab_size * (text.dim + 1) + text.n_layers * (
            text.dim * (4 * text.dim + 2 * text.ff_dim) + 5 * text.dim + text.ff_dim
        )
        return self._dtype.itemsize * (weights + position * 2 * text.n_layers * text.dim)

    def _next(self, token: torch.Tensor, position: int) -> torch.Tensor:
        text = self._text
        shape, length = (1, 1, text.n_heads, text.head_dim), position + 1
        cos, sin = self._cos[position], self._sin[position]
        x = self._embeddings[token].view(1, 1, text.dim)
        for block in self._blocks:
            normed = functional.layer_norm(x, (text.dim,), *block.norm)
            q, k, v = (part.view(shape) for part in block.qkv(normed).split(text.dim, -1))
            # One position of every head: (1, 1, heads, d) is (1, heads, 1, d) without a copy.
            q, k, v = (part.transpose(1, 2) for part in (q, k, v))
            block.keys[:, :, position:length] = _rotate(k, cos, sin)
            block.values[:, :, position:length] = v
            mixed = functional.scaled_dot_product_attention(
                _rotate(q, cos, sin), block.keys[:, :, :length], block.values[:, :, :length]
            )
            mixed = block.proj(mixed.transpose(1, 2).reshape(1, 1, text.dim))
            inner = functional.gelu(block.fc1(normed), approximate='tanh')
            x = x + mixed + block.fc2(inner)
        logits = self._head(functional.layer_norm(x, (text.dim,), *self._norm))
        return logits.view(-1).argmax()

    def _block(self) -> _Block:
        text = self._text
        cache = (1, text.n_heads, text.max_context, text.head_dim)
        return _Block(
            self._make_norm(),
            self._linear(text.dim, 3 * text.dim),
            self._linear(text.dim, text.dim),
            self._linear(text.dim, text.ff_dim),
            self._linear(text.ff_dim, text.dim),
            torch.randn(cache, dtype=self._dtype),
            torch.randn(cache, dtype=self._dtype),
        )

    def _linear(self, inputs: int, outputs: int) -> _Linear | _PackedLinear:
        weight, bias = self._random(outputs, inputs), torch.zeros(outputs, dtype=self._dtype)
        if not self._packed:
            return _Linear(weight, bias)
        return _PackedLinear(torch.ops.mkldnn._reorder_linear_weight(weight, 1), bias)

    def _random(self, rows: int, columns: int) -> torch.Tensor:
        return torch.empty(rows, columns, dtype=self._dtype).normal_(std=columns**-0.5)

    def _make_norm(self) -> tuple[torch.Tensor, torch.Tensor]:
        dim = self._text.dim
        return torch.ones(dim, dtype=self._dtype), torch.zeros(dim, dtype=self._dtype)


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of the leading dimensions, in the half-split form."""
    half = cos.shape[-1]
    first, second, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return torch.cat((first * cos - second * sin, second * cos + first * sin, rest), -1)
