"""Constrained decoding: which tokens a grammar allows next, and which it forces."""

from __future__ import annotations

import json
from typing import Any

import llguidance
import numpy as np

from .errors import GrammarError, InputError
from .tokenizer import TextTokenizer

# Compact JSON: fewer tokens, and only one way to write each document.
_JSON_OPTIONS: Any = {'whitespace_flexible': False}


class Constraint:
    """The grammar state of one text."""

    def __init__(self, matcher: llguidance.LLMatcher) -> None:
        self._matcher = matcher

    @property
    def done(self) -> bool:
        """True when the grammar allows nothing further."""
        return self._matcher.is_stopped()

    def fast_forward(self) -> list[int]:
        """Consume and return the tokens that the grammar leaves no choice about, if any."""
        if self.done:
            return []
        tokens = self._matcher.compute_ff_tokens()
        if tokens:
            self._checked(self._matcher.consume_tokens(tokens))
        return tokens

    def mask(self, logits: np.ndarray) -> None:
        """Set the logits (vocab,) of all tokens that are not allowed next to -inf."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        self._checked(not self._matcher.is_error())
        allowed = np.unpackbits(bits, bitorder='little')[: len(logits)]
        logits[allowed == 0] = -np.inf

    def consume(self, token: int) -> None:
        """Advance by the sampled token."""
        self._checked(self._matcher.consume_token(token))

    def _checked(self, succeeded: bool) -> None:
        if not succeeded:
            raise GrammarError(f'decoding under the grammar failed: {self._matcher.get_error()}')


class GrammarCompiler:
    """Compiles grammars for one tokenizer.

    llguidance's copy of the tokenizer is built on first use: it takes half a second for 50,000
    tokens.
    """

    def __init__(self, tokenizer: TextTokenizer, vocab_size: int, eos_id: int) -> None:
        self._source = tokenizer.source
        self._vocab_size = vocab_size
        self._eos_id = eos_id
        self._tokenizer: llguidance.LLTokenizer | None = None

    def compile(self, grammar: dict[str, Any] | str) -> Constraint:
        """Compile a JSON schema (dict) or a Lark grammar (str).

        Raises InputError for other types, GrammarError if the grammar does not compile.
        """
        source = _source_of(grammar)
        if self._tokenizer is None:
            self._tokenizer = self._open_tokenizer()
        matcher = llguidance.LLMatcher(self._tokenizer, source, log_level=0)
        if matcher.is_error():
            raise GrammarError(f'the grammar does not compile: {matcher.get_error()}')
        return Constraint(matcher)

    def _open_tokenizer(self) -> llguidance.LLTokenizer:
        try:
            return llguidance.LLTokenizer(
                self._source, n_vocab=self._vocab_size, eos_token=self._eos_id
            )
        except ValueError as error:
            raise GrammarError(
                f"this model's tokenizer does not support grammars: {error}; call without one"
            ) from error


def _source_of(grammar: dict[str, Any] | str) -> str:
    if isinstance(grammar, str):
        return llguidance.LLMatcher.grammar_from_lark(grammar)
    if not isinstance(grammar, dict):
        raise InputError(
            f'grammar must be a dict (JSON schema) or a str (Lark), not {type(grammar).__name__}'
        )
    try:
        return llguidance.LLMatcher.grammar_from_json_schema(
            json.dumps(grammar), defaults=_JSON_OPTIONS
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise GrammarError(f'the JSON schema does not compile: {error}') from error
