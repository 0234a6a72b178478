"""Figures with their 95 % intervals, from what every question counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kimi_ros.eval.outcome import Outcome

WILSON, BOOTSTRAP = 'Wilson', 'bootstrap'
_Z = 1.959964
_RESAMPLES = 2000


@dataclass(frozen=True)
class Metric:
    """A figure: the sum of numerators over the sum of denominators.

    :ivar value: None, as the interval then is, where no scene had anything to count.
    :ivar method: where the interval is from, WILSON or BOOTSTRAP; '' where there is none.
    :ivar questions: how many counted.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    method: str
    questions: int


def compute_metric(name: str, scenes: Sequence[Sequence[Outcome]], is_share: bool) -> Metric:
    """Return one figure over the outcomes of every scene.

    A share has Wilson's score interval (1927), as if questions about one scene were independent.
    Others, such as F1, a ratio or a mean overlap, have the percentile bootstrap over scenes (Efron
    1979, 2000 resamples drawn with a fixed seed). A bootstrap knows no more than its sample: from
    scenes that are all alike its interval is one point.
    """
    pairs = [[o.counts[name] for o in scene if name in o.counts] for scene in scenes]
    flat = [p for scene in pairs for p in scene]
    above, below = sum(p[0] for p in flat), sum(p[1] for p in flat)
    if not below:
        return Metric(name, None, None, None, '', 0)
    if is_share:
        low, high, method = *wilson(above, below), WILSON
    else:
        low, high, method = *_bootstrap([np.sum(s or [(0, 0)], axis=0) for s in pairs]), BOOTSTRAP
    return Metric(name, above / below, low, high, method, len(flat))


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Return the 95 % score interval of a share of `hits` in `n`."""
    mean, square = hits / n, _Z * _Z
    middle = (mean + square / (2 * n)) / (1 + square / n)
    half = _Z / (1 + square / n) * (mean * (1 - mean) / n + square / (4 * n * n)) ** 0.5
    return middle - half, middle + half


def _bootstrap(sums: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the 95 % percentile interval of a ratio of sums over resampled scenes."""
    scenes = np.array(sums)
    rng = np.random.default_rng(0)
    drawn = (scenes[rng.integers(len(scenes), size=len(scenes))].sum(0) for _ in range(_RESAMPLES))
    ratios = [above / below for above, below in drawn if below]
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(low), float(high)
