"""Writing tokens one after the other: greedy or sampled, free or under a grammar."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .arguments import check_integer, check_number
from .engine import Engine
from .errors import Cancelled, InputError
from .grammar import Constraint
from .region import softmax

# Below this the most probable token is all that is left, and the division overflows.
_LOWEST_TEMPERATURE = 1e-6


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; temperature 0 takes the most probable one.

    Otherwise the logits are divided by the temperature, and of the tokens in order of probability
    those are kept before which the sum is at most top_p. Raises InputError.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        check_integer(self.max_tokens, 'max_tokens')
        temperature = check_number(self.temperature, 'temperature')
        if temperature != 0 and temperature < _LOWEST_TEMPERATURE:
            raise InputError(
                f'temperature must be 0 or at least {_LOWEST_TEMPERATURE:g}, not {temperature!r}'
            )
        if not 0 < check_number(self.top_p, 'top_p') <= 1:
            raise InputError(f'top_p must lie above 0 and at most be 1, not {self.top_p!r}')
        if self.seed is not None:
            check_integer(self.seed, 'seed', least=0)


class Chooser:
    """Chooses tokens for one call, with its own random numbers."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)

    @property
    def greedy(self) -> bool:
        """Whether the most probable token is taken."""
        return self._sampling.temperature == 0

    def __call__(self, logits: np.ndarray) -> int:
        """Choose from logits (vocab,)."""
        if self.greedy:
            return int(np.argmax(logits))
        probabilities = softmax(logits / self._sampling.temperature)
        order = np.argsort(-probabilities, kind='stable')
        sorted_ = probabilities[order]
        before = np.cumsum(sorted_) - sorted_
        sorted_[before > self._sampling.top_p] = 0
        return int(order[self._random.choice(len(order), p=sorted_ / sorted_.sum())])


def raise_if_cancelled(cancel: threading.Event | None) -> None:
    """Raise Cancelled when the event is set."""
    if cancel is not None and cancel.is_set():
        raise Cancelled('the call was cancelled')


class Writer:
    """One text being written; `ids` and `finish` tell how far it came."""

    def __init__(
        self,
        engine: Engine,
        choose: Chooser,
        max_tokens: int,
        *,
        stop_id: int,
        cancel: threading.Event | None = None,
        constraint: Constraint | None = None,
    ) -> None:
        """As in the reference, the answer's special id may only be the first token."""
        self.ids: list[int] = []
        self.finish = 'length'
        self._engine = engine
        self._choose = choose
        self._max_tokens = max_tokens
        self._stop_id = stop_id
        self._barred = engine.config.tokenizer.answer_id
        self._cancel = cancel
        self._constraint = constraint

    def write(self, embeds: np.ndarray) -> Iterator[list[int]]:
        """Feed the prompt (t, dim), then yield the ids as they come.

        Forced tokens are fed together with what stands before them, in one step.
        """
        forced = self._accept(self._forced(), self._room() - len(embeds))
        if forced:
            yield forced
            embeds = np.concatenate([embeds, self._engine.embed_tokens(forced)])
        hidden, first = self._step(embeds), True
        while not self._ended():
            token = self._next(hidden, first)
            first = False
            if token == self._stop_id:
                self.finish = 'stop'
                return
            if self._constraint is not None:
                self._constraint.take(token)
            # The last token needs no room: nothing is asked after it.
            fresh = self._accept([token, *self._forced()], self._room() + 1)
            yield fresh
            if self._ended() or len(fresh) > self._room():
                return
            hidden = self._step(self._engine.embed_tokens(fresh))

    def _next(self, hidden: np.ndarray, first: bool) -> int:
        if self._choose.greedy and self._constraint is None and not first:
            return self._engine.token(hidden)
        logits = self._engine.logits(hidden)
        if not first:
            logits[self._barred] = -np.inf
        if self._constraint is not None:
            self._constraint.mask(logits)
        return self._choose(logits)

    def _forced(self) -> list[int]:
        return [] if self._constraint is None else self._constraint.forced()

    def _accept(self, ids: list[int], room: int) -> list[int]:
        accepted = ids[: max(0, min(self._max_tokens - len(self.ids), room))]
        self.ids += accepted
        if len(accepted) < len(ids):
            # The grammar is ahead of the text; what was cut off ends it.
            self._constraint, self._max_tokens = None, len(self.ids)
        return accepted

    def _ended(self) -> bool:
        if self._constraint is not None and self._constraint.done:
            self.finish = 'stop'
            return True
        return len(self.ids) >= self._max_tokens

    def _room(self) -> int:
        return self._engine.config.text.max_context - self._engine.length

    def _step(self, embeds: np.ndarray) -> np.ndarray:
        raise_if_cancelled(self._cancel)
        return self._engine.step(embeds)
