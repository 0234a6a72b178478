"""Coordinate encoder and decoder: Fourier embeddings, bins, and the confidence of a bin.

Formulas: moondream's region.py (vikhyat/moondream, Apache-2.0).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

# The confidence of a decoded bin is the probability mass within 1/64 of the range to either side:
# 1.6 % of the image for a coordinate, a tenth of the value for a size.
_CONFIDENCE_WINDOW = 64


def bin_to_coordinate(index: int, bins: int) -> float:
    """Bin to coordinate: index / bins, 0-1 of the image's width or height."""
    return index / bins


def bin_to_size(index: int, bins: int, log: bool = True) -> float:
    """Bin to width or height: 2 ** (index / (bins - 1) * 10 - 10), from 1/1024 to 1.

    With `log` False it is index / bins, as in the release of 2025-01-09.
    """
    if not log:
        return index / bins
    return math.pow(2.0, index / (bins - 1) * 10.0 - 10.0)


def fourier_features(values: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Fourier features cos, sin of 2 pi values @ frequencies: (n, k), (k, F/2) -> f32 (n, F)."""
    phases = np.float32(2 * np.pi) * values.astype(np.float32) @ frequencies
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=-1)


class CoordinateEncoder:
    """Encodes coordinates and sizes as embeddings of the text model.

    Decoded coordinates take only as many values as there are bins, so their embeddings are
    precomputed; other values (spatial references of a user) are encoded on demand.
    """

    def __init__(
        self,
        coord_features: np.ndarray,
        coord_weight: np.ndarray,
        coord_bias: np.ndarray,
        size_features: np.ndarray,
        size_weight: np.ndarray,
        size_bias: np.ndarray,
        *,
        bins: int,
    ) -> None:
        """Frequencies are (1, F/2) and (2, F/2); weights (dim, F); biases (dim,); all f32."""
        self._coordinate = (coord_features, coord_weight, coord_bias)
        self._size = (size_features, size_weight, size_bias)
        self._bins = bins
        self._table = _project(np.arange(bins, dtype=np.float32)[:, None] / bins, self._coordinate)

    def coordinates(self, values: Sequence[float]) -> np.ndarray:
        """Coordinates (n,), 0-1, to embeddings f32 (n, dim)."""
        scaled = np.asarray(values, np.float64) * self._bins
        indices = scaled.astype(np.int64)
        if np.array_equal(indices, scaled) and np.all((indices >= 0) & (indices < self._bins)):
            return self._table[indices]
        return _project(np.asarray(values, np.float32)[:, None], self._coordinate)

    def sizes(self, values: Sequence[tuple[float, float]]) -> np.ndarray:
        """(width, height) pairs (n, 2), 0-1, to embeddings f32 (n, dim)."""
        return _project(np.asarray(values, np.float32).reshape(-1, 2), self._size)


def _project(values: np.ndarray, encoder: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    frequencies, weight, bias = encoder
    embeddings: np.ndarray = fourier_features(values, frequencies) @ weight.T + bias
    return embeddings


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, in f64: the sum over a long tail stays exact."""
    exponents = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    probabilities: np.ndarray = exponents / exponents.sum(axis=-1, keepdims=True)
    return probabilities


def argmax_bin(logits: np.ndarray) -> tuple[int, float]:
    """The most probable bin of logits (bins,) and its confidence.

    The confidence is the probability mass of the bins within 1/64 of the range of that bin.
    """
    best = int(np.argmax(logits))
    reach = max(1, len(logits) // _CONFIDENCE_WINDOW)
    probabilities = softmax(logits)
    return best, float(probabilities[max(0, best - reach) : best + reach + 1].sum())


def detection_score(presence: float, confidence: Sequence[float]) -> float:
    """Score of a point or box, 0-1: presence times the geometric mean of its bin confidences.

    `presence` is 1 - P(end of list) at the step that decided that there is another object.
    `confidence` holds that of x and y, for a box also of width and height.
    """
    return min(1.0, presence * math.pow(math.prod(confidence), 1.0 / len(confidence)))
