"""Weights in few bits as TensorRT takes them: DequantizeLinear between a constant and a MatMul.

TensorRT knows whole numbers about zero with positive scales only; four bits with a scale for a
group of inputs, eight bits with one for all inputs of an output (IDequantizeLayer in NvInfer.h,
10.3 and 11.1). So the numbers differ from those for onnxruntime, which may also be negative.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from .layers import Layers
from .quantise import ROWS, SHRINK, best_steps

_OPSET = 21  # the first with numbers of four bits and scales of groups
# The smallest that half precision keeps at full accuracy; no scale may become zero.
_LEAST_SCALE = np.float32(2.0**-14)


@dataclass(frozen=True)
class Symmetric:
    """A weight (outputs, inputs) in whole numbers.

    :ivar values: int8 (outputs, inputs), within -8 to 7 where `bits` is 4.
    :ivar scales: f32 (outputs, groups), numbers that half precision holds as well.
    """

    values: np.ndarray
    scales: np.ndarray
    bits: int

    def unpack(self) -> np.ndarray:
        """The weight that these numbers stand for, f32."""
        outputs, groups = self.scales.shape
        apart = self.values.reshape(outputs, groups, -1) * self.scales[..., None]
        return apart.reshape(self.values.shape)


def quantise(weight: np.ndarray, kind: str, group: int) -> Symmetric:
    """Quantise f32 (outputs, inputs) to as many bits as `bits_of` says."""
    outputs, _ = weight.shape
    if bits_of(weight.shape, kind, group) == 8:
        values, scales = _steps(weight[:, None], 127, (1.0,))
        return Symmetric(values[:, 0], scales, 8)
    grouped = weight.reshape(outputs, -1, group)
    parts = [grouped[first : first + ROWS] for first in range(0, outputs, ROWS)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda part: _steps(part, 7, SHRINK), parts))
    values, scales = (np.concatenate(each) for each in zip(*done, strict=True))
    return Symmetric(values.reshape(weight.shape), scales, 4)


def matmul(layers: Layers, x: str, name: str) -> str:
    """X @ weight.T + bias of a linear layer that the layout keeps in few bits."""
    graph, kind = layers.graph, layers.layout.of(name)
    found: list[Symmetric] = []

    def read() -> Symmetric:
        if not found:
            found.append(quantise(layers.read(f'{name}.weight'), kind, layers.layout.group))
        return found[0]

    weight = f'{name}.weight.tensorrt'
    # MatMul wants (inputs, outputs), and so does DequantizeLinear, whose result it takes.
    if bits_of(layers.shapes[f'{name}.weight'], kind, layers.layout.group) == 8:
        values = graph.weight(f'{weight}.8', lambda: read().values.T)
        scales = layers.floats(f'{weight}.8.scales', lambda: read().scales[:, 0])
        dequantised = graph.add('DequantizeLinear', values, scales, axis=1)
    else:
        graph.require_opset(_OPSET)
        values = graph.weight(f'{weight}.4', lambda: read().values.T, TensorProto.INT4)
        scales = layers.floats(f'{weight}.4.scales', lambda: read().scales.T)
        # Without it TensorRT takes the numbers for ones of eight bits.
        zeros = graph.weight(
            f'{weight}.4.zeros', lambda: np.zeros(read().scales.T.shape, np.int8), TensorProto.INT4
        )
        group = layers.layout.group
        dequantised = graph.add('DequantizeLinear', values, scales, zeros, axis=0, block_size=group)
    product = graph.add('MatMul', x, dequantised)
    return graph.add('Add', product, layers.floats(f'{name}.bias'))


def bits_of(shape: tuple[int, int], kind: str, group: int) -> int:
    """Bits that a weight (outputs, inputs) gets that is to be 'int8' or 'int4'.

    Four are not to be had where the inputs are no multiple of the group, or the outputs odd.
    """
    outputs, inputs = shape
    return 8 if kind == 'int8' or inputs % group or outputs % 2 else 4


def _steps(
    groups: np.ndarray, highest: int, shrink: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers int8 and scales f32 of (outputs, groups, group), the best of the steps."""
    largest = np.abs(groups).max(axis=-1)

    def scales(part: float) -> np.ndarray:
        exact = np.maximum(largest * np.float32(part / highest), _LEAST_SCALE)
        return exact.astype(np.float16).astype(np.float32)

    steps, chosen = best_steps(groups, map(scales, shrink), highest)
    return steps.astype(np.int8), chosen
