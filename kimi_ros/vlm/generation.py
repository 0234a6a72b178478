"""The generation loop: one token after the other, free or constrained by a grammar."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator

import numpy as np

from .cancellation import raise_if_cancelled
from .engine import Engine
from .grammar import Constraint
from .sampling import Sampler
from .tokenizer import TextStream, TextTokenizer


class TokenGenerator:
    """Generates one text; `ids` and `finish` hold the result so far."""

    def __init__(
        self,
        engine: Engine,
        sampler: Sampler,
        max_tokens: int,
        *,
        stop_id: int,
        cancel: threading.Event | None = None,
        constraint: Constraint | None = None,
    ) -> None:
        """The answer id is suppressed after the first token, as in the reference."""
        self.ids: list[int] = []
        self.finish = 'length'
        self._engine = engine
        self._sampler = sampler
        self._max_tokens = max_tokens
        self._stop_id = stop_id
        self._suppressed_id = engine.config.tokenizer.answer_id
        self._cancel = cancel
        self._constraint = constraint

    def generate(self, embeds: np.ndarray) -> Iterator[list[int]]:
        """Prefill the prompt (t, dim), then yield token ids as they are generated.

        Fast-forward tokens, which the grammar leaves no choice about, are fed in one step together
        with the token before them.
        """
        fast_forward = self._append(self._fast_forward(), self._remaining_context() - len(embeds))
        if fast_forward:
            yield fast_forward
            embeds = np.concatenate([embeds, self._engine.embed_tokens(fast_forward)])
        hidden, first = self._step(embeds), True
        while not self._finished():
            token = self._sample(hidden, first)
            first = False
            if token == self._stop_id:
                self.finish = 'stop'
                return
            if self._constraint is not None:
                self._constraint.consume(token)
            # The last token is never fed back, so it needs no position in the cache.
            new_ids = self._append([token, *self._fast_forward()], self._remaining_context() + 1)
            yield new_ids
            if self._finished() or len(new_ids) > self._remaining_context():
                return
            hidden = self._step(self._engine.embed_tokens(new_ids))

    def pieces(self, embeds: np.ndarray, tokenizer: TextTokenizer) -> Generator[str, None, str]:
        """Generate as `generate` does, yield the text in whole words, and return all of it."""
        stream, text = TextStream(tokenizer), ''
        for ids in self.generate(embeds):
            piece = stream.push(ids)
            text += piece
            if piece:
                yield piece
        rest = stream.flush()
        if rest:
            yield rest
        return text + rest

    def _sample(self, hidden: np.ndarray, first: bool) -> int:
        if self._sampler.greedy and self._constraint is None and not first:
            return self._engine.token(hidden)
        logits = self._engine.logits(hidden)
        if not first and self._suppressed_id is not None:
            logits[self._suppressed_id] = -np.inf
        if self._constraint is not None:
            self._constraint.mask(logits)
        return self._sampler(logits)

    def _fast_forward(self) -> list[int]:
        return [] if self._constraint is None else self._constraint.fast_forward()

    def _append(self, ids: list[int], limit: int) -> list[int]:
        accepted = ids[: max(0, min(self._max_tokens - len(self.ids), limit))]
        self.ids += accepted
        if len(accepted) < len(ids):
            # The grammar has consumed tokens that were cut off: the text ends here.
            self._constraint, self._max_tokens = None, len(self.ids)
        return accepted

    def _finished(self) -> bool:
        if self._constraint is not None and self._constraint.done:
            self.finish = 'stop'
            return True
        return len(self.ids) >= self._max_tokens

    def _remaining_context(self) -> int:
        return self._engine.config.text.max_context - self._engine.length

    def _step(self, embeds: np.ndarray) -> np.ndarray:
        raise_if_cancelled(self._cancel)
        return self._engine.step(embeds)
