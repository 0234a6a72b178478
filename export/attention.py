"""Attention with rotary embeddings, in primitive ONNX operators."""

from __future__ import annotations

import numpy as np

from kimi_ros.vlm.config import TextConfig

from .layers import DTYPES, Layers


def rotary_tables(text: TextConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine, f32 (max_context, rotary_dim / 2), of position * 10000 ** (-2i / dim)."""
    exponents = np.arange(0, text.rotary_dim, 2, dtype=np.float32) / text.rotary_dim
    frequencies = (1.0 / np.float32(10000.0) ** exponents).astype(np.float32)
    angles = np.arange(text.max_context, dtype=np.float32)[:, None] * frequencies
    return np.cos(angles), np.sin(angles)


def rotary_weights(layers: Layers) -> tuple[str, str]:
    """The rotary tables as weights, in the activations' precision."""
    text = layers.config.text
    return (
        layers.float_weight('rotary.cos', lambda: rotary_tables(text)[0]),
        layers.float_weight('rotary.sin', lambda: rotary_tables(text)[1]),
    )


def split_and_rotate(layers: Layers, qkv: str, positions: str) -> list[str]:
    """Split (1, t, all) into heads and apply rotary embeddings to queries and keys.

    :param positions: int64 (t,).
    :return: (1, heads, t, d), then twice (1, kv_heads, t, d).
    """
    graph = layers.graph
    cos, sin = (graph.add('Gather', table, positions) for table in rotary_weights(layers))
    q, k, v = _split(layers, qkv)
    return [_apply_rotary(layers, q, cos, sin), _apply_rotary(layers, k, cos, sin), v]


def repeat_kv(layers: Layers, x: str) -> str:
    """Repeat key or value heads for grouped queries: (1, kv_heads, t, d) to (1, heads, t, d)."""
    text = layers.config.text
    groups = text.n_heads // text.n_kv_heads
    if groups == 1:
        return x
    graph = layers.graph
    apart = graph.add('Unsqueeze', x, graph.constant([2]))
    repeated = graph.add('Expand', apart, graph.constant([1, 1, groups, 1, 1]))
    return layers.reshape(repeated, 1, text.n_heads, -1, text.head_dim)


def merge_heads(layers: Layers, x: str) -> str:
    """(1, heads, t, d) to (1, t, heads * d)."""
    return layers.reshape(layers.graph.add('Transpose', x, perm=[0, 2, 1, 3]), 0, 0, -1)


def attention(
    layers: Layers, q: str, k: str, v: str, head_dim: int, visible: str | None = None
) -> str:
    """Scaled dot-product attention over (n, heads, ., d).

    :param visible: bool attention mask, or None for full attention.
    """
    found = scores(layers, scaled(layers, q, head_dim), k, visible)
    return layers.graph.add('MatMul', layers.graph.add('Softmax', found, axis=-1), v)


def scaled(layers: Layers, q: str, head_dim: int) -> str:
    """Queries / sqrt(d), scaled before the product to avoid overflow in half precision."""
    dtype = DTYPES[layers.quantization.activations]
    return layers.graph.add('Mul', q, layers.graph.constant(head_dim**-0.5, dtype))


def scores(layers: Layers, q: str, k: str, visible: str | None = None) -> str:
    """Attention scores of scaled queries, with the lowest finite number where masked."""
    graph, dtype = layers.graph, DTYPES[layers.quantization.activations]
    found = graph.add('MatMul', q, graph.add('Transpose', k, perm=[0, 1, 3, 2]))
    if not visible:
        return found
    return graph.add('Where', visible, found, graph.constant(np.finfo(dtype).min, dtype))


def _split(layers: Layers, qkv: str) -> list[str]:
    """(1, t, all) to queries (1, heads, t, d), keys and values (1, kv_heads, t, d)."""
    text = layers.config.text
    widths = [heads * text.head_dim for heads in (text.n_heads, text.n_kv_heads, text.n_kv_heads)]
    parts = layers.graph.add_multi('Split', 3, qkv, layers.graph.constant(widths), axis=-1)
    return [
        layers.graph.add('Transpose', layers.reshape(x, 0, 0, -1, text.head_dim), perm=[0, 2, 1, 3])
        for x in parts
    ]


def _apply_rotary(layers: Layers, x: str, cos: str, sin: str) -> str:
    """Rotary embedding of (1, heads, t, d) in the half-split form; cos and sin are (t, r/2)."""
    graph, text = layers.graph, layers.config.text
    half = text.rotary_dim // 2
    widths = graph.constant([half, half, text.head_dim - 2 * half])
    a, b, rest = graph.add_multi('Split', 3, x, widths, axis=-1)
    first = graph.add('Sub', graph.add('Mul', a, cos), graph.add('Mul', b, sin))
    second = graph.add('Add', graph.add('Mul', a, sin), graph.add('Mul', b, cos))
    return graph.add('Concat', first, second, rest, axis=-1)
