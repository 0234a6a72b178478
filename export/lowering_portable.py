"""Lowering to primitive ONNX operators only, for TensorRT.

A step takes the whole KV cache as input and outputs the keys (rotated) and values of its own
positions; the runtime appends them to its cache. Only the length of the step is dynamic.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from . import attention, tensorrt_weights
from .layers import ONNX_TYPES, Layers


class PortableLowering:
    """Implements layers.Lowering; one instance per graph."""

    _positions: str  # int64 (t,)
    _before: str  # bool (1, max_context): valid positions of the cache
    _among: str  # bool (t, t): attention mask within the step

    def matmul(self, layers: Layers, x: str, name: str) -> str:
        """MatMul and Add, after DequantizeLinear if the layer is quantized."""
        if layers.is_quantized(name):
            return tensorrt_weights.matmul(layers, x, name)
        return layers.float_matmul(x, name)

    def attend(self, layers: Layers, q: str, k: str, v: str, num_heads: int) -> str:
        """Attention in primitive operators."""
        apart = (
            layers.graph.add('Transpose', layers.reshape(x, 0, 0, num_heads, -1), perm=[0, 2, 1, 3])
            for x in (q, k, v)
        )
        return attention.merge_heads(
            layers, attention.attention(layers, *apart, layers.config.vision.enc_dim // num_heads)
        )

    def begin_decoder(self, layers: Layers, embeds: str) -> None:
        """Inputs: the number of cached positions, and whether this is the image prefix."""
        graph = layers.graph
        start = graph.input('start', [1], TensorProto.INT32)
        image = graph.input('image', [1], TensorProto.BOOL)
        count = graph.add('Squeeze', graph.add('Shape', embeds, start=1, end=2))
        step = graph.add('Range', graph.constant(0), count, graph.constant(1))
        start = graph.add('Cast', start, to=TensorProto.INT64)
        self._positions = graph.add('Add', step, start)
        column = graph.add('Unsqueeze', step, graph.constant([1]))
        self._among = graph.add('Or', graph.add('LessOrEqual', step, column), image)
        room = layers.config.text.max_context
        places = graph.weight('cache.positions', lambda: np.arange(room)[None])
        self._before = graph.add('Less', places, start)

    def step(self, layers: Layers, qkv: str, index: int) -> str:
        """Attention over the first `start` positions of the cache and over this step."""
        graph, text, kind = layers.graph, layers.config.text, ONNX_TYPES[layers.quantization.cache]
        shape = (1, text.n_kv_heads, text.max_context, text.head_dim)
        names = [f'{part}_{index}' for part in ('key', 'value')]
        past = [graph.input(f'past_{name}', shape, kind) for name in names]
        q, *fresh = attention.split_and_rotate(layers, qkv, self._positions)
        for name, new in zip(names, fresh, strict=True):
            graph.output(new, f'new_{name}', (1, text.n_kv_heads, 't', text.head_dim), kind)
        (old_keys, old_values), (new_keys, new_values) = (
            [attention.repeat_kv(layers, x) for x in pair] for pair in (past, fresh)
        )
        # Scores are concatenated, not keys and values: that would copy the whole cache for every
        # token.
        q = attention.scaled(layers, q, text.head_dim)
        old = attention.scores(layers, q, old_keys, self._before)
        new = attention.scores(layers, q, new_keys, self._among)
        weights = graph.add('Softmax', graph.add('Concat', old, new, axis=-1), axis=-1)
        room, end = graph.constant([text.max_context]), graph.constant([np.iinfo(np.int64).max])
        zero, last = graph.constant([0]), graph.constant([3])
        of_old = graph.add('MatMul', graph.add('Slice', weights, zero, room, last), old_values)
        of_new = graph.add('MatMul', graph.add('Slice', weights, room, end, last), new_values)
        return attention.merge_heads(layers, graph.add('Add', of_old, of_new))
