"""Lowering for ONNX Runtime, with its contrib operators for packed weights and the KV cache.

The decoder has two forms. GroupQueryAttention applies rotary embeddings, updates the cache in place
and computes attention in one operator, but supports only some head sizes. The others use primitive
operators, which update the cache in place as well. Each form serves both the image prefix and later
steps, so that all weights are stored once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from kimi_ros.vlm.config import TextConfig
from kimi_ros.vlm.quantization import QuantizationConfig

from . import attention
from .graph_builder import CONTRIB, BranchOutput, GraphBuilder
from .layers import ONNX_TYPES, Layers
from .quantize import BITS, PackedWeight, quantize_weight

_IMAGE, _LAST, _TOTAL = 'image', 'seqlens_k', 'total_sequence_length'
_EIGHT_BIT_ACTIVATIONS = 4  # MatMulNBits' accuracy_level


def min_onnxruntime(quantization: QuantizationConfig) -> str:
    """The oldest onnxruntime with the operators that this quantization needs."""
    return '1.31.1' if quantization.cache == 'int8' else '1.23.2'


def fits_group_query_attention(text: TextConfig) -> bool:
    """Whether GroupQueryAttention with rotary embeddings supports this head (1.23.2 to 1.32)."""
    return text.head_dim % 16 == 0 and (text.rotary_dim // 2) % 8 == 0


@dataclass(frozen=True)
class CacheScales:
    """Scales of an int8 KV cache, f32 (layers, kv_heads * head_dim) each."""

    keys: np.ndarray
    values: np.ndarray


class OrtLowering:
    """Implements layers.Lowering; `step` updates the KV cache in place."""

    def __init__(self, scales: CacheScales | None = None) -> None:
        """`scales` are those of an int8 cache."""
        self._scales = scales

    def matmul(self, layers: Layers, x: str, name: str) -> str:
        """MatMulNBits if the layer is quantized."""
        if not layers.is_quantized(name):
            return layers.float_matmul(x, name)
        graph, kind = layers.graph, layers.quantization.of(name)
        packed: list[PackedWeight] = []

        def read() -> PackedWeight:
            if not packed:
                packed.append(
                    quantize_weight(layers.read(f'{name}.weight'), kind, layers.quantization.group)
                )
            return packed[0]

        values = graph.weight(f'{name}.weight.{kind}', lambda: read().values)
        scales = layers.float_weight(f'{name}.weight.scales', lambda: read().scales)
        outputs, inputs = layers.shapes[f'{name}.weight']
        bias = layers.float_weight(f'{name}.bias')
        # On GPUs the operator supports a bias in newer versions only.
        within = ('', '', bias) if layers.quantization.activations == 'fp32' else ()
        product = graph.add(
            'MatMulNBits',
            x,
            values,
            scales,
            *within,
            domain=CONTRIB,
            K=inputs,
            N=outputs,
            bits=BITS[kind],
            block_size=layers.quantization.group,
            accuracy_level=_EIGHT_BIT_ACTIVATIONS,
        )
        return product if within else graph.add('Add', product, bias)

    def attend(self, layers: Layers, q: str, k: str, v: str, heads: int) -> str:
        """MultiHeadAttention, which takes the heads concatenated."""
        return layers.graph.add('MultiHeadAttention', q, k, v, domain=CONTRIB, num_heads=heads)

    def begin_decoder(self, layers: Layers, embeds: str) -> None:
        """Inputs: whether this is the image prefix, and the total length after the step."""
        layers.graph.input(_IMAGE, [], TensorProto.BOOL)
        layers.graph.input(_LAST, [1], TensorProto.INT32)
        layers.graph.input(_TOTAL, [], TensorProto.INT32)

    def step(self, layers: Layers, qkv: str, index: int) -> str:
        """Append this step's keys and values to the cache, then compute attention."""
        graph, text, kind = layers.graph, layers.config.text, ONNX_TYPES[layers.quantization.cache]
        shape = (1, text.n_kv_heads, text.max_context, text.head_dim)
        names = [f'{part}_{index}' for part in ('key', 'value')]
        past = [graph.input(f'past_{name}', shape, kind) for name in names]
        results = [BranchOutput(f'attended_{index}', layers.kind, (1, 't', text.dim))]
        results += [BranchOutput(f'present_{name}', kind, shape) for name in names]
        if fits_group_query_attention(text):
            mixed = self._group_query_attention(layers, qkv, past, results, index)
        else:
            mixed = _primitive_attention(layers, qkv, past, results)
        for result in results[1:]:
            graph.output(result.name, result.name, result.shape, result.kind)
        return mixed

    def _group_query_attention(
        self, layers: Layers, qkv: str, past: list[str], results: list[BranchOutput], index: int
    ) -> str:
        graph, text = layers.graph, layers.config.text
        tables, scales = attention.rotary_weights(layers), self._scales_of(graph, index)

        def operator(**attributes: int) -> list[str]:
            inputs = [qkv, '', '', *past, _LAST, _TOTAL, *tables]
            if scales:
                inputs += ['', '', '', *scales]
                attributes |= {'kv_cache_bit_width': 8}
                attributes |= dict.fromkeys(('k_quant_type', 'v_quant_type'), 'PER_CHANNEL')
            return graph.add_multi(
                'GroupQueryAttention',
                3,
                *inputs,
                domain=CONTRIB,
                num_heads=text.n_heads,
                kv_num_heads=text.n_kv_heads,
                do_rotary=1,
                **attributes,
            )

        def image() -> list[str]:
            # Older versions of this operator support causal attention only.
            return operator(causal=0) if scales else self._image_prefix(layers, qkv, past)

        return graph.if_else(_IMAGE, results, image, operator)[0]

    def _image_prefix(self, layers: Layers, qkv: str, past: list[str]) -> list[str]:
        graph, text, length = layers.graph, layers.config.text, layers.config.prefix_length
        positions = graph.weight('prefix.positions', lambda: np.arange(length))
        places = graph.weight('prefix.places', lambda: _scatter_indices(text.n_kv_heads, length))
        q, *fresh = attention.split_and_rotate(layers, qkv, positions)
        every = (
            attention.merge_heads(layers, x)
            for x in (q, *(attention.repeat_kv(layers, x) for x in fresh))
        )
        mixed = self.attend(layers, *every, text.n_heads)
        # Only the new rows are copied if past and present are one buffer.
        written = (
            graph.add('ScatterND', old, places, new) for old, new in zip(past, fresh, strict=True)
        )
        return [mixed, *written]

    def _scales_of(self, graph: GraphBuilder, index: int) -> list[str]:
        if self._scales is None:
            return []
        return [
            graph.constant(scales[index], np.float32, name=f'{part}_scales_{index}')
            for part, scales in (('key', self._scales.keys), ('value', self._scales.values))
        ]


def _primitive_attention(
    layers: Layers, qkv: str, past: list[str], results: list[BranchOutput]
) -> str:
    graph = layers.graph
    positions, total = _positions(layers, qkv)
    q, *fresh = attention.split_and_rotate(layers, qkv, positions)
    rows = graph.add('Unsqueeze', positions, graph.constant([0, 1, 3]))
    seen = []
    for old, new, result in zip(past, fresh, results[1:], strict=True):
        places = graph.add('Expand', rows, graph.add('Shape', new))
        # As in the image prefix, only the new rows are copied.
        graph.add_multi('ScatterElements', [result.name], old, places, new, axis=2)
        whole = graph.add('Slice', result.name, graph.constant([0]), total, graph.constant([2]))
        seen.append(attention.repeat_kv(layers, whole))
    others = graph.add('Range', graph.constant(0), graph.add('Squeeze', total), graph.constant(1))
    column = graph.add('Unsqueeze', positions, graph.constant([1]))
    visible = graph.add('Or', graph.add('LessOrEqual', others, column), _IMAGE)
    return attention.merge_heads(
        layers, attention.attention(layers, q, *seen, layers.config.text.head_dim, visible)
    )


def _scatter_indices(kv_heads: int, length: int) -> np.ndarray:
    """Indices (1, kv_heads, length, 3) of the first rows of a cache: batch, head, position."""
    return np.stack(np.meshgrid([0], range(kv_heads), range(length), indexing='ij'), axis=-1)


def _positions(layers: Layers, qkv: str) -> tuple[str, str]:
    """Positions of this step, int64 (t,), and the length after it, int64 (1,)."""
    graph = layers.graph
    total = graph.add('Cast', layers.reshape(_TOTAL, 1), to=TensorProto.INT64)
    count = graph.add('Shape', qkv, start=1, end=2)
    first = graph.add('Sub', total, count)
    bounds = (graph.add('Squeeze', bound) for bound in (first, total))
    return graph.add('Range', *bounds, graph.constant(1)), total
