"""Attention of the encoder, of the image prefix, and of the decoder over its cache.

The decoder has two forms. onnxruntime's GroupQueryAttention rotates, writes the cache in place and
attends in one operator, but only takes heads that its vector kernels like; what it refuses is built
from plain operators, which write the cache in place as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kimi_ros.vlm.config import TextConfig

from .builder import CONTRIB
from .layers import Layers


@dataclass(frozen=True)
class Cache:
    """What a step of the decoder needs beside its embeddings: names of graph inputs."""

    last: str  # int32 (1,), total length - 1
    total: str  # int32 scalar, length after the step


def rotary_tables(text: TextConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine, f32 (max_context, rotary_dim / 2), of position * 10000 ** (-2i / dim)."""
    exponents = np.arange(0, text.rotary_dim, 2, dtype=np.float32) / text.rotary_dim
    frequencies = (1.0 / np.float32(10000.0) ** exponents).astype(np.float32)
    angles = np.arange(text.max_context, dtype=np.float32)[:, None] * frequencies
    return np.cos(angles), np.sin(angles)


def fits_group_query_attention(text: TextConfig) -> bool:
    """Whether GroupQueryAttention with rotation takes this head (1.23.2 to 1.32 agree)."""
    return text.head_dim % 16 == 0 and (text.rotary_dim // 2) % 8 == 0


def all_to_all(layers: Layers, q: str, k: str, v: str, heads: int) -> str:
    """Every position sees every position: three times (n, t, dim) to (n, t, dim)."""
    return layers.graph.add('MultiHeadAttention', q, k, v, domain=CONTRIB, num_heads=heads)


def prefix_heads(layers: Layers, qkv: str, text: TextConfig, length: int) -> list[str]:
    """Queries, keys (both rotated) and values of the image prefix, positions 0 to length - 1.

    :param qkv: (1, length, (heads + 2 kv_heads) * head_dim).
    :return: (1, heads, length, head_dim), then twice (1, kv_heads, length, head_dim).
    """
    graph = layers.graph
    rows = [graph.constant([bound]) for bound in (0, length, 0)]
    cos, sin = (graph.add('Slice', table, *rows) for table in _tables(layers, text))
    q, k, v = _split(layers, qkv, text)
    return [_rotate(layers, q, cos, sin, text), _rotate(layers, k, cos, sin, text), v]


def prefix(layers: Layers, heads: list[str], text: TextConfig) -> str:
    """Attend over the image prefix, whose positions all see each other: (1, length, dim)."""
    q, k, v = heads[0], *(_repeat(layers, x, text) for x in heads[1:])
    return all_to_all(layers, *(_merge(layers, x) for x in (q, k, v)), text.n_heads)


def step(layers: Layers, qkv: str, text: TextConfig, cache: Cache, index: int) -> str:
    """Attend causally over the cache, after writing this step's keys and values to its end.

    :param qkv: (1, t, (heads + 2 kv_heads) * head_dim).
    :return: (1, t, dim). The graph gains past_* inputs and present_* outputs of layer `index`.
    """
    shape = (1, text.n_kv_heads, text.max_context, text.head_dim)
    past = [layers.graph.input(f'past_{part}_{index}', shape) for part in ('key', 'value')]
    present = [f'present_{part}_{index}' for part in ('key', 'value')]
    lowering = _grouped if fits_group_query_attention(text) else _plain
    mixed = lowering(layers, qkv, text, cache, past, present)
    for name in present:
        layers.graph.output(name, name, shape)
    return mixed


def _grouped(
    layers: Layers, qkv: str, text: TextConfig, cache: Cache, past: list[str], present: list[str]
) -> str:
    graph = layers.graph
    mixed = f'attended_{present[0]}'
    graph.add_many(
        'GroupQueryAttention', [mixed, *present],
        qkv, '', '', *past, cache.last, cache.total, *_tables(layers, text),
        domain=CONTRIB, num_heads=text.n_heads, kv_num_heads=text.n_kv_heads, do_rotary=1,
    )
    return mixed


def _plain(
    layers: Layers, qkv: str, text: TextConfig, cache: Cache, past: list[str], present: list[str]
) -> str:
    graph = layers.graph
    positions, total = _positions(layers, qkv, cache)
    cos, sin = (graph.add('Gather', table, positions) for table in _tables(layers, text))
    q, k, v = _split(layers, qkv, text)
    q, k = _rotate(layers, q, cos, sin, text), _rotate(layers, k, cos, sin, text)
    rows = graph.add('Unsqueeze', positions, graph.constant([0, 1, 3]))
    seen = []
    for old, new, name in ((past[0], k, present[0]), (past[1], v, present[1])):
        places = graph.add('Expand', rows, graph.add('Shape', new))
        # onnxruntime copies nothing but `new` when past and present are one buffer.
        graph.add_many('ScatterElements', [name], old, places, new, axis=2)
        whole = graph.add('Slice', name, graph.constant([0]), total, graph.constant([2]))
        seen.append(_repeat(layers, whole, text))
    scale = graph.constant(text.head_dim**-0.5, np.float32)
    keys = graph.add('Transpose', seen[0], perm=[0, 1, 3, 2])
    scores = graph.add('MatMul', graph.add('Mul', q, scale), keys)
    zero, one = graph.constant(0), graph.constant(1)
    others = graph.add('Range', zero, graph.add('Squeeze', total), one)
    column = graph.add('Unsqueeze', positions, graph.constant([1]))
    visible = graph.add('LessOrEqual', others, column)
    scores = graph.add('Where', visible, scores, graph.constant(-np.inf, np.float32))
    return _merge(layers, graph.add('MatMul', graph.add('Softmax', scores, axis=-1), seen[1]))


def _positions(layers: Layers, qkv: str, cache: Cache) -> tuple[str, str]:
    """Positions of this step, int64 (t,), and the length after it, int64 (1,)."""
    graph = layers.graph
    total = graph.add('Cast', layers.reshape(cache.total, 1), to=7)
    count = graph.add('Shape', qkv, start=1, end=2)
    first = graph.add('Sub', total, count)
    bounds = (graph.add('Squeeze', bound) for bound in (first, total))
    return graph.add('Range', *bounds, graph.constant(1)), total


def _tables(layers: Layers, text: TextConfig) -> tuple[str, str]:
    return (
        layers.graph.weight('rotary.cos', lambda: rotary_tables(text)[0]),
        layers.graph.weight('rotary.sin', lambda: rotary_tables(text)[1]),
    )


def _split(layers: Layers, qkv: str, text: TextConfig) -> list[str]:
    """(1, t, all) to queries (1, heads, t, d), keys and values (1, kv_heads, t, d)."""
    widths = [heads * text.head_dim for heads in (text.n_heads, text.n_kv_heads, text.n_kv_heads)]
    parts = layers.graph.add_many('Split', 3, qkv, layers.graph.constant(widths), axis=-1)
    return [
        layers.graph.add('Transpose', layers.reshape(x, 0, 0, -1, text.head_dim), perm=[0, 2, 1, 3])
        for x in parts
    ]


def _rotate(layers: Layers, x: str, cos: str, sin: str, text: TextConfig) -> str:
    """Rotate the first dimensions of (1, heads, t, d), as two halves; cos and sin are (t, r/2)."""
    graph, half = layers.graph, text.rotary_dim // 2
    widths = graph.constant([half, half, text.head_dim - 2 * half])
    a, b, rest = graph.add_many('Split', 3, x, widths, axis=-1)
    first = graph.add('Sub', graph.add('Mul', a, cos), graph.add('Mul', b, sin))
    second = graph.add('Add', graph.add('Mul', a, sin), graph.add('Mul', b, cos))
    return graph.add('Concat', first, second, rest, axis=-1)


def _repeat(layers: Layers, x: str, text: TextConfig) -> str:
    """Give every query head its key or value head: (1, kv_heads, t, d) to (1, heads, t, d)."""
    groups = text.n_heads // text.n_kv_heads
    if groups == 1:
        return x
    graph = layers.graph
    apart = graph.add('Unsqueeze', x, graph.constant([2]))
    repeated = graph.add('Expand', apart, graph.constant([1, 1, groups, 1, 1]))
    return layers.reshape(repeated, 1, text.n_heads, -1, text.head_dim)


def _merge(layers: Layers, x: str) -> str:
    """(1, heads, t, d) to (1, t, heads * d)."""
    return layers.reshape(layers.graph.add('Transpose', x, perm=[0, 2, 1, 3]), 0, 0, -1)
