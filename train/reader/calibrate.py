"""What share of readings is right when the network is so and so sure, and when to ask back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kimi_ros.reader import Reader
from kimi_train.reader.score import difference, examples
from kimi_train.reader.source import LANGUAGES

CAUGHT = (
    0.4  # share of the wrong readings that the threshold holds back: more would cost right ones
)
KNOTS = 12


def calibrate(reader: Reader, count: int = 300) -> tuple[list[list[float]], float]:
    """Return pairs of the network's own figure and the share that is right, and a threshold.

    On nouns and skills that training never held, `count` of each in both languages. The threshold,
    a share, holds back `CAUGHT` of the wrong readings.
    """
    sure, right = [], []
    for language in LANGUAGES:
        for held_out in ('nouns', 'skills'):
            for example in examples(language, count, held_out, seed=7):
                read = reader.read(example.text, example.catalogue, example.lang, example.history)
                sure.append(read.confidence)
                right.append(not difference(read, example.reading))
    return curve(sure, right)


def curve(sure: Sequence[float], right: Sequence[bool]) -> tuple[list[list[float]], float]:
    """Return the curve through figures and whether they were right, and the threshold on it."""
    order = np.argsort(sure, kind='stable')
    x, y = np.array(sure, float)[order], np.array(right, float)[order]
    shares = _rising(y)
    at = np.unique(np.linspace(0, len(x) - 1, KNOTS).round().astype(int))
    knots = [[0.0, float(shares[0])]]
    for i in at:
        if x[i] > knots[-1][0]:
            knots.append([float(x[i]), float(shares[i])])
    if knots[-1][0] < 1:
        knots.append([1.0, float(shares[-1])])
    wrong = np.sort(np.interp(x[y == 0], *np.array(knots).T))
    threshold = float(wrong[int(CAUGHT * len(wrong))]) if len(wrong) else 0.0
    return [[round(a, 5), round(b, 4)] for a, b in knots], round(threshold, 4)


def _rising(y: np.ndarray) -> np.ndarray:
    """Return the rising sequence nearest to y: neighbours that fall are averaged."""
    blocks: list[list[float]] = []  # mean, length
    for value in y:
        blocks.append([float(value), 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, n), (b, m) = blocks[-2], blocks.pop()
            blocks[-1] = [(a * n + b * m) / (n + m), n + m]
    return np.concatenate([np.full(int(n), mean) for mean, n in blocks])
