"""Parses noun phrases: head, attributes, order, relation and landmarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from kimi_ros.reader.decoder import TokenSpan
from kimi_ros.reader.features import TokenizedInstruction
from kimi_ros.reader.labels import NUMBERS, ROLES
from kimi_ros.reader.meant_numbers import widen_quantity
from kimi_ros.reader.numbers import parse_number
from kimi_ros.reader.onnx_model import EncodedInstruction, OnnxModel
from kimi_ros.reader.reading import RELATIONS, Span, Thing
from kimi_ros.reader.tokenizer import detect_language

_NOUN_PHRASE = {i for i, role in enumerate(ROLES) if role.startswith(('head', 'attribute'))}
_HEAD = ROLES.index('head')
_MAX_DEPTH = 3  # of nested landmarks
_COUNT_WINDOW = 4  # tokens before a phrase in which its number may be


def token_runs(indices: Iterable[int]) -> list[TokenSpan]:
    """Return the runs of indices that follow one another."""
    runs: list[TokenSpan] = []
    for i in indices:
        if runs and runs[-1][1] == i - 1:
            runs[-1] = runs[-1][0], i
        else:
            runs.append((i, i))
    return runs


class NounPhraseParser:
    """Parses the noun phrases of one instruction."""

    def __init__(
        self,
        network: OnnxModel,
        tokenized: TokenizedInstruction,
        encoded: EncodedInstruction,
        texts: Sequence[str],
    ):
        """:param texts: the instruction and the turns before it, the newest first."""
        self._network, self._tokenized, self._encoded, self._texts = (
            network,
            tokenized,
            encoded,
            texts,
        )
        self._roles = encoded.role.argmax(-1)

    def span(self, span: TokenSpan) -> Span:
        """Return the character span of a token span."""
        first, last = (self._tokenized.tokens[i] for i in span)
        return Span(first.start, last.end, self._tokenized.turns[span[0]])

    def text(self, span: TokenSpan) -> str:
        """Return the text of a token span."""
        return self.said(self.span(span))

    def said(self, words: Span) -> str:
        """Return the text of a character span."""
        return words.text_in(self._texts)

    def quantity(self, span: TokenSpan, unit: str) -> Span:
        """Return the characters of a number's token span, with all of its quantity."""
        words, pairs = (
            self.span(span),
            zip(self._tokenized.tokens, self._tokenized.turns, strict=True),
        )
        tokens = [token for token, turn in pairs if turn == words.turn]
        return widen_quantity(self._texts[words.turn], words, tokens, unit)

    def unparsed(self) -> list[TokenSpan]:
        """Return the runs of the instruction's tokens that are a head, with its attributes."""
        tagged = (i for i, turn in enumerate(self._tokenized.turns) if not turn)
        runs = token_runs(i for i in tagged if self._roles[i] in _NOUN_PHRASE)
        return [(a, b) for a, b in runs if _HEAD in self._roles[a : b + 1]]

    def between(self, marks: Sequence[str], end: int) -> TokenSpan | None:
        """Return the instruction's tokens from after a mark, in the same clause, to a character."""
        pairs = zip(self._tokenized.tokens, self._tokenized.turns, strict=True)
        before = [i for i, (token, turn) in enumerate(pairs) if not turn and token.end <= end]
        for at in reversed(before):
            token = self._tokenized.tokens[at]
            if token.kind == 'mark':
                return None
            if token.text in marks:
                return (at + 1, before[-1]) if at < before[-1] else None
        return None

    def parse(
        self, span: TokenSpan, number: str | None = None, ancestors: tuple[TokenSpan, ...] = ()
    ) -> Thing:
        """Return the noun phrase of a token span.

        :param number: one of `NUMBERS` if the decoder predicted it; None predicts it here.
        :param ancestors: phrases that have this one as a landmark.
        """
        outputs = self._network.run(
            'phrase',
            hidden_states=self._encoded.hidden_states,
            starts=np.array(span[:1]),
            ends=np.array(span[1:]),
        )
        number = number or NUMBERS[int(outputs['number'][0].argmax())]
        relation = int(outputs['relation'][0].argmax())
        landmarks: list[TokenSpan] = []
        if relation and len(ancestors) < _MAX_DEPTH:
            for name in ('landmark', 'other'):
                landmark = self._landmark(outputs[name][0], outputs[f'{name}_end'][0], span)
                if landmark and landmark not in (span, *ancestors, *landmarks):
                    landmarks.append(landmark)
        own_tokens = [
            i for i in range(span[0], span[1] + 1) if not any(a <= i <= b for a, b in landmarks)
        ]
        runs = self._runs(own_tokens)
        return Thing(
            self.span(span),
            self._head(runs, own_tokens, span),
            tuple(self.span(run) for role, run in runs if role == 'attribute'),
            next((self.span(run) for role, run in runs if role == 'order'), None),
            self._digits(span) if number == 'digits' else number,
            RELATIONS[relation - 1] if landmarks else '',
            tuple(self.parse(landmark, ancestors=(*ancestors, span)) for landmark in landmarks),
        )

    def _landmark(self, starts: np.ndarray, ends: np.ndarray, span: TokenSpan) -> TokenSpan | None:
        """Return the best span in the phrase's turn, or None.

        It need not be adjacent to the phrase: "what is there in the box".
        """
        same = np.array(self._tokenized.turns) == self._tokenized.turns[span[0]]
        start = int(np.where(same, starts[:-1], -np.inf).argmax())
        if starts[-1] > starts[start]:
            return None
        at = np.arange(len(same))
        return start, int(np.where(same & (at >= start), ends, -np.inf).argmax())

    def _runs(self, own_tokens: Sequence[int]) -> list[tuple[str, TokenSpan]]:
        """Return the chunks of a phrase's own tokens, each with its role."""
        runs: list[tuple[str, TokenSpan]] = []
        for i in own_tokens:
            name = ROLES[self._roles[i]]
            role, continues = name.removesuffix('+'), name.endswith('+')
            if runs and continues and runs[-1][0] == role and runs[-1][1][1] == i - 1:
                runs[-1] = role, (runs[-1][1][0], i)
            elif role != 'none':
                runs.append((role, (i, i)))
        return runs

    def _head(
        self, runs: Sequence[tuple[str, TokenSpan]], own_tokens: Sequence[int], span: TokenSpan
    ) -> Span:
        """Return the head as tagged, else the last word."""
        heads = [run for role, run in runs if role == 'head']
        if heads:
            chinese = detect_language(self.text(heads[0])) == 'zh'
            return self.span(heads[-1] if chinese else heads[0])
        taken = {i for _, (a, b) in runs for i in range(a, b + 1)}
        uncovered = [i for i in own_tokens if i not in taken] or [span[1]]
        return self.span((uncovered[-1], uncovered[-1]))

    def _digits(self, span: TokenSpan) -> str:
        """Return the number in or before the phrase, as digits; 'all' if there is none."""
        turn = self._tokenized.turns[span[0]]
        first = span[0]
        while first > max(0, span[0] - _COUNT_WINDOW) and self._tokenized.turns[first - 1] == turn:
            first -= 1
        for start, end in (span, (first, span[0] - 1)):
            if start <= end and (count := parse_number(self.text((start, end)))) and count > 1:
                return str(int(count))
        return 'all'
