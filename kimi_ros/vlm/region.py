"""Coordinates and sizes as embeddings and as bins, and how sure the model is of a bin.

Formulas: moondream's region.py (vikhyat/moondream, Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# A decoded place is as sure as the probability that its bin's surroundings hold: 1/64 of the range
# to either side, that is 1.6 % of the picture for a coordinate and a tenth for a size.
_SURROUNDINGS = 64


def coordinate_of_bin(index: int, bins: int) -> float:
    """Bin to coordinate: index / bins, in 0-1 of the picture's width or height."""
    return index / bins


def size_of_bin(index: int, bins: int) -> float:
    """Bin to width or height: 2 ** (index / (bins - 1) * 10 - 10), from 1/1024 to 1."""
    return 2.0 ** (index / (bins - 1) * 10.0 - 10.0)


def fourier_features(values: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Cosines, then sines, of 2 pi values @ frequencies: (n, k) and (k, F/2) give (n, F), f32."""
    phases = np.float32(2 * np.pi) * values.astype(np.float32) @ frequencies
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=-1)


class RegionEncoder:
    """Turns coordinates and sizes into embeddings of the text model.

    Decoded coordinates take only as many values as there are bins, so their embeddings are
    computed once; continuous ones (a user's references) are computed when they come.
    """

    def __init__(
        self,
        coord_features: np.ndarray,
        coord_weight: np.ndarray,
        coord_bias: np.ndarray,
        size_features: np.ndarray,
        size_weight: np.ndarray,
        size_bias: np.ndarray,
        bins: int,
    ) -> None:
        """Features are (1, F/2) and (2, F/2); weights (dim, F); biases (dim,); all f32."""
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
    return fourier_features(values, frequencies) @ weight.T + bias


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis, computed in f64 so that long tails add up."""
    exponents = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def best_bin(logits: np.ndarray) -> tuple[int, float]:
    """The most probable bin of (bins,) and how sure it is.

    Sureness is the probability mass of the bins that lie within 1/64 of the range of the best one.
    """
    best = int(np.argmax(logits))
    reach = max(1, len(logits) // _SURROUNDINGS)
    probabilities = softmax(logits)
    return best, float(probabilities[max(0, best - reach) : best + reach + 1].sum())


def score_of(presence: float, sureness: Sequence[float]) -> float:
    """Score of a point or box, 0-1: presence times the geometric mean of its bins' sureness.

    presence is the probability, at the step that decided to go on, that the list had not ended:
    1 - P(end). For a point the sureness of x and y is taken, for a box also that of width and
    height.
    """
    return min(1.0, presence * float(np.prod(sureness)) ** (1.0 / len(sureness)))
