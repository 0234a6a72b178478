"""Quantized weights for TensorRT: DequantizeLinear between a constant and a MatMul.

TensorRT supports symmetric quantization with positive scales only: int4 with one scale per group of
inputs, int8 with one per output channel (IDequantizeLayer in NvInfer.h, 10.3 and 11.1). The values
therefore differ from those for ONNX Runtime, whose scales may be negative.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from .layers import Layers
from .quantize import CLIP_RATIOS, ROW_CHUNK, search_scales

_OPSET = 21  # the first with int4 and blocked quantization
# The smallest normal number of half precision; no scale may become zero.
_MIN_SCALE = np.float32(2.0**-14)


@dataclass(frozen=True)
class SymmetricWeight:
    """A symmetrically quantized weight (outputs, inputs).

    :ivar values: int8 (outputs, inputs), within -8 to 7 if `bits` is 4.
    :ivar scales: f32 (outputs, groups), exactly representable in half precision.
    """

    values: np.ndarray
    scales: np.ndarray
    bits: int

    def dequantize(self) -> np.ndarray:
        """The dequantized weight, f32."""
        outputs, groups = self.scales.shape
        apart = self.values.reshape(outputs, groups, -1) * self.scales[..., None]
        return apart.reshape(self.values.shape)


def quantize(weight: np.ndarray, kind: str, group: int) -> SymmetricWeight:
    """Quantize f32 (outputs, inputs) to the number of bits that `bits_of` returns."""
    outputs, _ = weight.shape
    if bits_of(weight.shape, kind, group) == 8:
        values, scales = _quantize_groups(weight[:, None], 127, (1.0,))
        return SymmetricWeight(values[:, 0], scales, 8)
    grouped = weight.reshape(outputs, -1, group)
    parts = [grouped[first : first + ROW_CHUNK] for first in range(0, outputs, ROW_CHUNK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda part: _quantize_groups(part, 7, CLIP_RATIOS), parts))
    values, scales = (np.concatenate(each) for each in zip(*done, strict=True))
    return SymmetricWeight(values.reshape(weight.shape), scales, 4)


def matmul(layers: Layers, x: str, name: str) -> str:
    """Quantized linear layer: x @ weight.T + bias."""
    graph, kind = layers.graph, layers.quantization.of(name)
    found: list[SymmetricWeight] = []

    def read() -> SymmetricWeight:
        if not found:
            found.append(quantize(layers.read(f'{name}.weight'), kind, layers.quantization.group))
        return found[0]

    weight = f'{name}.weight.tensorrt'
    # MatMul expects (inputs, outputs), so DequantizeLinear has that order as well.
    if bits_of(layers.shapes[f'{name}.weight'], kind, layers.quantization.group) == 8:
        values = graph.weight(f'{weight}.8', lambda: read().values.T)
        scales = layers.float_weight(f'{weight}.8.scales', lambda: read().scales[:, 0])
        dequantised = graph.add('DequantizeLinear', values, scales, axis=1)
    else:
        graph.require_opset(_OPSET)
        values = graph.weight(f'{weight}.4', lambda: read().values.T, TensorProto.INT4)
        scales = layers.float_weight(f'{weight}.4.scales', lambda: read().scales.T)
        # Without an int4 zero point TensorRT reads the values as int8.
        zeros = graph.weight(
            f'{weight}.4.zeros', lambda: np.zeros(read().scales.T.shape, np.int8), TensorProto.INT4
        )
        group = layers.quantization.group
        dequantised = graph.add('DequantizeLinear', values, scales, zeros, axis=0, block_size=group)
    product = graph.add('MatMul', x, dequantised)
    return graph.add('Add', product, layers.float_weight(f'{name}.bias'))


def bits_of(shape: tuple[int, int], kind: str, group: int) -> int:
    """Bits of a weight (outputs, inputs) for the kind 'int8' or 'int4'.

    int4 falls back to 8 bits if the inputs are not a multiple of the group, or the outputs are odd.
    """
    outputs, inputs = shape
    return 8 if kind == 'int8' or inputs % group or outputs % 2 else 4


def _quantize_groups(
    groups: np.ndarray, highest: int, shrink: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Values int8 and scales f32 of (outputs, groups, group), with the best clip ratio."""
    largest = np.abs(groups).max(axis=-1)

    def scales(part: float) -> np.ndarray:
        exact = np.maximum(largest * np.float32(part / highest), _MIN_SCALE)
        return exact.astype(np.float16).astype(np.float32)

    steps, chosen = search_scales(groups, map(scales, shrink), highest)
    return steps.astype(np.int8), chosen
