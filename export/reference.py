"""The reference forward pass in plain numpy, which the exported graphs must match.

It follows moondream's vision.py, text.py, rope.py and region.py (vikhyat/moondream, Apache-2.0) and
shares no code with the graphs. Rotary embeddings use the half-split form; moondream interleaves the
result, which permutes queries and keys alike and does not change the attention.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from kimi_ros.vlm import efficientnet
from kimi_ros.vlm.config import ModelConfig

Reader = Callable[[str], np.ndarray]
CacheRounding = Callable[[int, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass
class Cache:
    """Keys and values so far, f32 (kv_heads, length, head_dim) per layer."""

    keys: list[np.ndarray] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Number of cached positions."""
        return self.keys[0].shape[1] if self.keys else 0


class Reference:
    """The model as functions of arrays; each tensor is read when needed and not kept."""

    def __init__(
        self,
        config: ModelConfig,
        read: Reader,
        unmerged_blocks: frozenset[int] = frozenset(),
        round_cache: CacheRounding | None = None,
    ) -> None:
        """`read` returns a tensor f32 by its canonical name; `unmerged_blocks`: see `lora`.

        `round_cache` rounds a layer's new keys and values (kv_heads, t, head_dim) to the values of
        a quantized KV cache.
        """
        self._config = config
        self._read = read
        self._branches = unmerged_blocks
        self._round_cache = round_cache

    def encode(self, crop: np.ndarray) -> np.ndarray:
        """One normalised crop (3, S, S) to features (patches, enc_dim)."""
        sizes = self._config.vision
        x = self._stem(crop) if sizes.stem else _patches(crop, sizes.grid)
        x = self._linear(x, 'vision.patch_emb') + self._read('vision.pos_emb')[0]
        for i in range(sizes.enc_n_layers):
            block = f'vision.blocks.{i}'
            qkv = self._linear(self._norm(x, f'{block}.ln1'), f'{block}.attn.qkv')
            q, k, v = (_heads(part, sizes.enc_n_heads) for part in np.split(qkv, 3, axis=-1))
            x = x + self._linear(_attend(q, k, v), f'{block}.attn.proj')
            x = x + self._mlp(self._norm(x, f'{block}.ln2'), f'{block}.mlp')
        return self._norm(x, 'vision.post_ln')

    def _stem(self, crop: np.ndarray) -> np.ndarray:
        """One crop to what each patch reads of the convolutional trunk (patches, features)."""
        grid, read = self._config.vision.grid, []
        x = self._convolution(crop, 'vision.stem.first', 2).clip(0, 6)
        for i, block in enumerate(efficientnet.BLOCKS):
            name, entering = f'vision.stem.blocks.{i}', x
            if block.expansion > 1:
                x = self._convolution(x, f'{name}.expand').clip(0, 6)
            x = self._convolution(x, f'{name}.depthwise', block.stride).clip(0, 6)
            x = self._convolution(x, f'{name}.project')
            if block.residual:
                x = x + entering
            if i in {scale.block for scale in efficientnet.SCALES}:
                times = max(1, grid // x.shape[1])
                read.append(_patches(x.repeat(times, 1).repeat(times, 2), grid))
        return np.concatenate(read, axis=-1)

    def _convolution(self, x: np.ndarray, name: str, stride: int = 1) -> np.ndarray:
        """Convolution of (channels, rows, columns), depthwise if the kernel has one input."""
        weight, bias = self._read(f'{name}.weight'), self._read(f'{name}.bias')
        kernel = weight.shape[-1]
        before, after = efficientnet.same_padding(kernel, stride)
        rows, columns = (n // stride for n in x.shape[1:])
        x = np.pad(x, ((0, 0), (before, after), (before, after)))
        out = np.zeros((len(weight), rows, columns), np.float32)
        for i, j in np.ndindex(kernel, kernel):
            seen = x[:, i : i + rows * stride : stride, j : j + columns * stride : stride]
            part = weight[:, :, i, j]
            if part.shape[1] == 1:
                out += part[:, :, None] * seen
            else:
                out += (part @ seen.reshape(len(x), -1)).reshape(out.shape)
        return out + bias[:, None, None]

    def project(self, global_features: np.ndarray, local_features: np.ndarray) -> np.ndarray:
        """Two times (patches, enc_dim) to embeddings (patches, dim)."""
        both = np.concatenate([global_features, local_features], axis=-1)
        return self._mlp(both, 'vision.proj_mlp')

    def decode(self, embeds: np.ndarray, past: Cache, causal: bool) -> tuple[np.ndarray, Cache]:
        """Embeddings (t, dim) after `past` to hidden states (t, dim) and the extended cache.

        :param causal: False for the image prefix, whose attention is bidirectional.
        """
        text = self._config.text
        positions = past.length + np.arange(len(embeds))
        cache = Cache()
        x = embeds
        for i in range(text.n_layers):
            block = f'text.blocks.{i}'
            normed = self._norm(x, f'{block}.ln')
            qkv = self._linear(normed, f'{block}.attn.qkv')
            q, k, v = _split(qkv, text.n_heads, text.n_kv_heads, text.head_dim)
            q, k = (
                _apply_rotary(q, positions, text.rotary_dim),
                _apply_rotary(k, positions, text.rotary_dim),
            )
            if self._round_cache:
                k, v = self._round_cache(i, k, v)
            if past.keys:
                k = np.concatenate([past.keys[i], k], axis=1)
                v = np.concatenate([past.values[i], v], axis=1)
            cache.keys.append(k)
            cache.values.append(v)
            groups = text.n_heads // text.n_kv_heads
            seen = np.arange(k.shape[1]) <= positions[:, None] if causal else None
            mixed = _attend(q, k.repeat(groups, 0), v.repeat(groups, 0), seen)
            attended = self._linear(mixed, f'{block}.attn.proj')
            if i in self._branches:
                a, b = (self._read(f'{block}.attn.proj.{part}') for part in 'AB')
                attended = attended + normed @ a.T @ b.T
            x = x + attended + self._mlp(normed, f'{block}.mlp')
        return x, cache

    def embed_tokens(self, ids: list[int]) -> np.ndarray:
        """Token ids to embeddings (n, dim)."""
        return self._read('text.wte')[ids]

    def embed_coordinate(self, value: float) -> np.ndarray:
        """A coordinate, 0-1, to its embedding (1, dim)."""
        return self._fourier(np.array([[value]], np.float32), 'coord')

    def embed_size(self, width: float, height: float) -> np.ndarray:
        """A width and height, 0-1, to their embedding (1, dim)."""
        return self._fourier(np.array([[width, height]], np.float32), 'size')

    def logits(self, hidden: np.ndarray) -> np.ndarray:
        """Hidden states (t, dim) to logits (t, vocab)."""
        return self._linear(self._norm(hidden, 'text.post_ln'), 'text.lm_head')

    def coordinate_logits(self, hidden: np.ndarray) -> np.ndarray:
        """Hidden states (t, dim) to logits (t, bins)."""
        return self._mlp(hidden, 'region.coord_decoder')

    def size_logits(self, hidden: np.ndarray) -> np.ndarray:
        """Hidden states (t, dim) to logits (t, 2, bins): width, then height."""
        return self._mlp(hidden, 'region.size_decoder').reshape(len(hidden), 2, -1)

    def _fourier(self, values: np.ndarray, part: str) -> np.ndarray:
        phases = np.float32(2 * np.pi) * values @ self._read(f'region.{part}_features')
        features = np.concatenate([np.cos(phases), np.sin(phases)], axis=-1)
        return self._linear(features, f'region.{part}_encoder')

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self._read(f'{name}.weight').T + self._read(f'{name}.bias')

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = np.mean(centred**2, axis=-1, keepdims=True)
        normed = centred / np.sqrt(variance + np.float32(1e-5))
        return normed * self._read(f'{name}.weight') + self._read(f'{name}.bias')

    def _mlp(self, x: np.ndarray, name: str) -> np.ndarray:
        return self._linear(_gelu(self._linear(x, f'{name}.fc1')), f'{name}.fc2')


def _patches(x: np.ndarray, grid: int) -> np.ndarray:
    """(channels, rows, columns) in grid * grid patches, (patches, channels * size * size)."""
    size = x.shape[1] // grid
    x = x.reshape(len(x), grid, size, grid, size)
    return x.transpose(1, 3, 0, 2, 4).reshape(grid**2, -1)


def _gelu(x: np.ndarray) -> np.ndarray:
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (1 + np.tanh(inner))


def _heads(x: np.ndarray, heads: int) -> np.ndarray:
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)


def _split(qkv: np.ndarray, heads: int, kv_heads: int, width: int) -> list[np.ndarray]:
    bounds = [heads * width, (heads + kv_heads) * width]
    parts = np.split(qkv, bounds, axis=-1)
    return [_heads(x, n) for x, n in zip(parts, (heads, kv_heads, kv_heads), strict=True)]


def _attend(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, seen: np.ndarray | None = None
) -> np.ndarray:
    """(heads, t, d) over (heads, n, d) to (t, heads * d); `seen` (t, n) is the attention mask."""
    scores = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(q.shape[-1]))
    if seen is not None:
        scores = np.where(seen, scores, np.float32(-np.inf))
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return (weights @ v).transpose(1, 0, 2).reshape(q.shape[1], -1)


def _apply_rotary(x: np.ndarray, positions: np.ndarray, width: int) -> np.ndarray:
    """Rotary embedding of the first `width` dimensions of (heads, t, d), base 10,000."""
    frequencies = 1.0 / 10000.0 ** (np.arange(0, width, 2, dtype=np.float32) / width)
    angles = positions[:, None].astype(np.float32) * frequencies.astype(np.float32)
    cos, sin = np.cos(angles), np.sin(angles)
    a, b, rest = np.split(x, [width // 2, width], axis=-1)
    return np.concatenate([a * cos - b * sin, a * sin + b * cos, rest], axis=-1)
