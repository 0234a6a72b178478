"""Weights in 8 and 4 bits: whole numbers about zero, one scale for a group of inputs.

The packing is that of onnxruntime's MatMulNBits: unsigned numbers with the zero at half of the
range, group after group along the inputs, the lower half of a byte first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

BITS = {'int8': 8, 'int4': 4}
# The scale that maps a group's largest weight to the end of the range wastes steps on it; smaller
# ones clip it and are closer to the others. The best of these is taken for each group.
SHRINK = (1.0, 0.95, 0.9, 0.85, 0.8)
ROWS = 256  # at a time, to stay in the processor's cache


@dataclass(frozen=True)
class Packed:
    """A quantised weight (outputs, inputs).

    :ivar values: uint8 (outputs, groups, bytes of a group).
    :ivar scales: f32 (outputs, groups).
    :ivar inputs: without the padding of the last group.
    """

    values: np.ndarray
    scales: np.ndarray
    inputs: int
    bits: int

    def unpack(self) -> np.ndarray:
        """The weight that these numbers stand for, f32 (outputs, inputs)."""
        values = self.values
        if self.bits == 4:
            values = np.stack([values & 15, values >> 4], axis=-1).reshape(*values.shape[:2], -1)
        centred = values.astype(np.float32) - np.float32(2 ** (self.bits - 1))
        return (centred * self.scales[..., None]).reshape(len(values), -1)[:, : self.inputs]


def pack(weight: np.ndarray, kind: str, group: int) -> Packed:
    """Quantise f32 (outputs, inputs) to 'int8' or 'int4'.

    The last group is filled with zeros where the inputs are no multiple of the group.
    """
    bits = BITS[kind]
    quantise = _eight_bits if bits == 8 else _four_bits
    rows = [weight[first : first + ROWS] for first in range(0, len(weight), ROWS)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(lambda part: quantise(_grouped(part, group)), rows))
    values = np.concatenate([part[0] for part in parts])
    scales = np.concatenate([part[1] for part in parts])
    return Packed(values, scales, weight.shape[1], bits)


def _grouped(weight: np.ndarray, group: int) -> np.ndarray:
    """(outputs, groups, group), with zeros at the end of the last one."""
    outputs, inputs = weight.shape
    padding = -inputs % group
    if padding:
        weight = np.pad(weight, ((0, 0), (0, padding)))
    return weight.reshape(outputs, -1, group)


def _eight_bits(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scales = np.abs(groups).max(axis=-1) / np.float32(127)
    return (_steps(groups, scales, 127) + 128).astype(np.uint8), scales


def best_steps(
    groups: np.ndarray, candidates: Iterable[np.ndarray], highest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Round (outputs, groups, group) with each of several scales and take the best for each group.

    :param candidates: scales (outputs, groups).
    :return: whole numbers from -highest - 1 to highest, as f32, and the scales.
    """
    best = chosen = least = None
    for scales in candidates:
        steps = _steps(groups, scales, highest)
        error = np.square(steps * scales[..., None] - groups).sum(axis=-1)
        if best is None:
            best, chosen, least = steps, scales, error
            continue
        better = error < least
        best[better], chosen[better], least[better] = steps[better], scales[better], error[better]
    return best, chosen


def _four_bits(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # The range -8..7 reaches further down: the largest weight, whatever its sign, is put there.
    largest = np.take_along_axis(groups, np.abs(groups).argmax(-1, keepdims=True), -1)[..., 0]
    steps, scales = best_steps(groups, (largest * np.float32(-part / 8) for part in SHRINK), 7)
    codes = (steps + 8).astype(np.uint8)
    return codes[..., 0::2] | (codes[..., 1::2] << 4), scales


def _steps(groups: np.ndarray, scales: np.ndarray, highest: int) -> np.ndarray:
    """Whole numbers of scales, f32; a group of zeros has the scale 0 and stays 0."""
    with np.errstate(divide='ignore', invalid='ignore'):
        steps = np.rint(groups / scales[..., None])
    return np.nan_to_num(steps.clip(-highest - 1, highest), copy=False)
