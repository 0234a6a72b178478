"""Symmetric int8 and int4 weight quantization with one scale per group of inputs.

Packed as for ONNX Runtime's MatMulNBits: unsigned values with the zero point at half of the range,
group after group along the inputs, the low nibble of a byte first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

BITS = {'int8': 8, 'int4': 4}
# Scaling a group by its largest weight wastes resolution on it; smaller scales clip it and fit the
# others better. Each group uses the ratio with the smallest squared error.
CLIP_RATIOS = (1.0, 0.95, 0.9, 0.85, 0.8)
ROW_CHUNK = 256  # rows at a time, to stay in the CPU cache


@dataclass(frozen=True)
class PackedWeight:
    """A quantized weight (outputs, inputs).

    :ivar values: uint8 (outputs, groups, bytes per group).
    :ivar scales: f32 (outputs, groups).
    :ivar inputs: number of inputs without the padding of the last group.
    """

    values: np.ndarray
    scales: np.ndarray
    inputs: int
    bits: int

    def dequantize(self) -> np.ndarray:
        """The dequantized weight, f32 (outputs, inputs)."""
        values = self.values
        if self.bits == 4:
            values = np.stack([values & 15, values >> 4], axis=-1).reshape(*values.shape[:2], -1)
        centred = values.astype(np.float32) - np.float32(2 ** (self.bits - 1))
        return (centred * self.scales[..., None]).reshape(len(values), -1)[:, : self.inputs]


def quantize_weight(weight: np.ndarray, kind: str, group: int) -> PackedWeight:
    """Quantize f32 (outputs, inputs) to 'int8' or 'int4'.

    The last group is padded with zeros if the inputs are not a multiple of the group size.
    """
    bits = BITS[kind]
    quantize = _quantize_int8 if bits == 8 else _quantize_int4
    rows = [weight[first : first + ROW_CHUNK] for first in range(0, len(weight), ROW_CHUNK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(lambda part: quantize(_to_groups(part, group)), rows))
    values = np.concatenate([part[0] for part in parts])
    scales = np.concatenate([part[1] for part in parts])
    return PackedWeight(values, scales, weight.shape[1], bits)


def _to_groups(weight: np.ndarray, group: int) -> np.ndarray:
    """Reshape to (outputs, groups, group), zero-padded."""
    outputs, inputs = weight.shape
    padding = -inputs % group
    if padding:
        weight = np.pad(weight, ((0, 0), (0, padding)))
    return weight.reshape(outputs, -1, group)


def _quantize_int8(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scales = np.abs(groups).max(axis=-1) / np.float32(127)
    return (_round_to_scale(groups, scales, 127) + 128).astype(np.uint8), scales


def search_scales(
    groups: np.ndarray, candidates: Iterable[np.ndarray], highest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Quantize (outputs, groups, group) with several scales and keep the best for each group.

    :param candidates: scales (outputs, groups).
    :return: integers from -highest - 1 to highest, as f32, and the scales.
    """
    best = chosen = least = None
    for scales in candidates:
        steps = _round_to_scale(groups, scales, highest)
        error = np.square(steps * scales[..., None] - groups).sum(axis=-1)
        if best is None:
            best, chosen, least = steps, scales, error
            continue
        better = error < least
        best[better], chosen[better], least[better] = steps[better], scales[better], error[better]
    return best, chosen


def _quantize_int4(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # The range is -8..7: the sign of the scale maps the largest weight to -8.
    largest = np.take_along_axis(groups, np.abs(groups).argmax(-1, keepdims=True), -1)[..., 0]
    steps, scales = search_scales(
        groups, (largest * np.float32(-part / 8) for part in CLIP_RATIOS), 7
    )
    codes = (steps + 8).astype(np.uint8)
    return codes[..., 0::2] | (codes[..., 1::2] << 4), scales


def _round_to_scale(groups: np.ndarray, scales: np.ndarray, highest: int) -> np.ndarray:
    """Divide by the scales and round, as f32; an all-zero group has scale 0 and stays 0."""
    with np.errstate(divide='ignore', invalid='ignore'):
        steps = np.rint(groups / scales[..., None])
    return np.nan_to_num(steps.clip(-highest - 1, highest), copy=False)
