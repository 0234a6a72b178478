"""Choosing the next token from logits: greedy, or by temperature and top-p."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .coordinates import softmax
from .errors import InputError
from .validation import check_finite, check_int

# Below this, sampling equals greedy decoding and the division overflows.
_MIN_TEMPERATURE = 1e-6


@dataclass(frozen=True)
class SamplingParams:
    """Sampling parameters of one call; temperature 0 is greedy decoding.

    Otherwise logits are divided by the temperature and nucleus sampling keeps a token, in order of
    probability, if the tokens before it sum to at most top_p. Raises InputError.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        check_int(self.max_tokens, 'max_tokens')
        temperature = check_finite(self.temperature, 'temperature')
        if temperature != 0 and temperature < _MIN_TEMPERATURE:
            raise InputError(
                f'temperature must be 0 or at least {_MIN_TEMPERATURE:g}, not {temperature!r}'
            )
        if not 0 < check_finite(self.top_p, 'top_p') <= 1:
            raise InputError(f'top_p must be above 0 and at most 1, not {self.top_p!r}')
        if self.seed is not None:
            check_int(self.seed, 'seed', least=0)


class Sampler:
    """Samples the tokens of one call, with its own random generator."""

    def __init__(self, params: SamplingParams) -> None:
        self._params = params
        self._random = np.random.default_rng(params.seed)

    @property
    def greedy(self) -> bool:
        """Whether decoding is greedy."""
        return self._params.temperature == 0

    def __call__(self, logits: np.ndarray) -> int:
        """Sample a token id from logits (vocab,)."""
        if self.greedy:
            return int(np.argmax(logits))
        probabilities = softmax(logits / self._params.temperature)
        order = np.argsort(-probabilities, kind='stable')
        sorted_ = probabilities[order]
        before = np.cumsum(sorted_) - sorted_
        sorted_[before > self._params.top_p] = 0
        return int(order[self._random.choice(len(order), p=sorted_ / sorted_.sum())])
