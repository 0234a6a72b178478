"""Calibrates the confidence of a reader and chooses its rejection threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kimi_ros.reader import Reader
from kimi_train.reader.dataset import LANGUAGES
from kimi_train.reader.evaluation import examples, first_error

# Share of the wrong readings that the threshold rejects; more would also reject right ones. Some
# are wrong by a word that changes no plan: of the wrong plans, about half are asked about.
REJECTED_ERRORS = 0.33
KNOTS = 12


def calibrate(reader: Reader, count: int = 300) -> tuple[list[list[float]], float]:
    """Return points (probability, accuracy) of the calibration curve, and the threshold.

    Uses `count` examples with held-out nouns and as many with held-out skills, in each language.
    The threshold on the calibrated confidence rejects `REJECTED_ERRORS` of the wrong readings with
    held-out skills: what people say under a catalogue of their own is as hard as those.
    """
    confidences, correct, decisive = [], [], []
    for language in LANGUAGES:
        for held_out in ('nouns', 'skills'):
            for example in examples(language, count, held_out, seed=7):
                reading = reader.read(
                    example.text, example.catalogue, example.lang, example.history
                )
                confidences.append(reading.confidence)
                correct.append(not first_error(reading, example.reading))
                decisive.append(held_out == 'skills')
    return fit_calibration(confidences, correct, decisive)


def fit_calibration(
    confidences: Sequence[float], correct: Sequence[bool], decisive: Sequence[bool] | None = None
) -> tuple[list[list[float]], float]:
    """Return the calibration curve and the threshold, given confidences and correctness.

    :param decisive: which of the readings decide on the threshold; None for all.
    """
    order = np.argsort(confidences, kind='stable')
    x, y = np.array(confidences, float)[order], np.array(correct, float)[order]
    shares = _isotonic(y)
    at = np.unique(np.linspace(0, len(x) - 1, KNOTS).round().astype(int))
    knots = [[0.0, float(shares[0])]]
    for i in at:
        if x[i] > knots[-1][0]:
            knots.append([float(x[i]), float(shares[i])])
    if knots[-1][0] < 1:
        knots.append([1.0, float(shares[-1])])
    wrong = y == 0
    if decisive is not None:
        wrong &= np.array(decisive, bool)[order]
    errors = np.sort(np.interp(x[wrong], *np.array(knots).T))
    threshold = float(errors[int(REJECTED_ERRORS * len(errors))]) if len(errors) else 0.0
    return [[round(a, 5), round(b, 4)] for a, b in knots], round(threshold, 4)


def _isotonic(y: np.ndarray) -> np.ndarray:
    """Return the isotonic regression of y (pool adjacent violators)."""
    blocks: list[list[float]] = []  # mean, length
    for value in y:
        blocks.append([float(value), 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, n), (b, m) = blocks[-2], blocks.pop()
            blocks[-1] = [(a * n + b * m) / (n + m), n + m]
    return np.concatenate([np.full(int(n), mean) for mean, n in blocks])
