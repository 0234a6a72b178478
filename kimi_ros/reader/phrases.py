"""Noun phrases: from tokens to things with head, attributes, order, relation and landmarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kimi_ros.reader.decode import Place
from kimi_ros.reader.features import Said
from kimi_ros.reader.heads import NUMBERS, ROLES
from kimi_ros.reader.network import Heard, Network
from kimi_ros.reader.numbers import number_in
from kimi_ros.reader.reading import RELATIONS, Span, Thing
from kimi_ros.reader.tokens import language_of

_DEEPEST = 3  # landmarks of landmarks
_BEFORE = 4  # tokens before a phrase that may say how many


class PhraseReader:
    """Reads the noun phrases of one instruction."""

    def __init__(self, network: Network, said: Said, heard: Heard, texts: Sequence[str]):
        """:param texts: the instruction, then what was said before it, the newest first."""
        self._network, self._said, self._heard, self._texts = network, said, heard, texts
        self._roles = heard.role.argmax(-1)

    def span(self, place: Place) -> Span:
        """Return the characters of tokens."""
        first, last = (self._said.tokens[i] for i in place)
        return Span(first.start, last.end, self._said.turns[place[0]])

    def text(self, place: Place) -> str:
        """Return what was said there."""
        span = self.span(place)
        return self._texts[span.turn][span.start : span.end]

    def thing(
        self, place: Place, number: str | None = None, above: tuple[Place, ...] = ()
    ) -> Thing:
        """Return the thing that a phrase names.

        :param number: one of `NUMBERS`, where the step tells; None asks the phrase.
        :param above: the phrases that this one is a landmark of.
        """
        seen = self._network.run(
            'phrase', x=self._heard.x, starts=np.array(place[:1]), ends=np.array(place[1:])
        )
        number = number or NUMBERS[int(seen['number'][0].argmax())]
        relation = int(seen['relation'][0].argmax())
        marks = []
        if relation and len(above) < _DEEPEST:
            for name in ('landmark', 'other'):
                mark = self._landmark(seen[name][0], seen[f'{name}_end'][0], place)
                if mark and mark not in (place, *above, *marks):
                    marks.append(mark)
        own = [i for i in range(place[0], place[1] + 1) if not any(a <= i <= b for a, b in marks)]
        runs = self._runs(own)
        return Thing(
            self.span(place),
            self._head(runs, own, place),
            tuple(self.span(run) for role, run in runs if role == 'attribute'),
            next((self.span(run) for role, run in runs if role == 'order'), None),
            self._count(place) if number == 'digits' else number,
            RELATIONS[relation - 1] if marks else '',
            tuple(self.thing(mark, above=(*above, place)) for mark in marks),
        )

    def _landmark(self, starts: np.ndarray, ends: np.ndarray, place: Place) -> Place | None:
        """Return the likeliest span in the phrase's turn, None where none is likelier.

        It may stand apart from the phrase: "what is there in the box".
        """
        same = np.array(self._said.turns) == self._said.turns[place[0]]
        start = int(np.where(same, starts[:-1], -np.inf).argmax())
        if starts[-1] > starts[start]:
            return None
        at = np.arange(len(same))
        return start, int(np.where(same & (at >= start), ends, -np.inf).argmax())

    def _runs(self, own: Sequence[int]) -> list[tuple[str, Place]]:
        """Return the roles of a phrase's own tokens, as runs of tokens with one role."""
        runs: list[tuple[str, Place]] = []
        for i in own:
            name = ROLES[self._roles[i]]
            role, goes_on = name.removesuffix('+'), name.endswith('+')
            if runs and goes_on and runs[-1][0] == role and runs[-1][1][1] == i - 1:
                runs[-1] = role, (runs[-1][1][0], i)
            elif role != 'none':
                runs.append((role, (i, i)))
        return runs

    def _head(self, runs, own: Sequence[int], place: Place) -> Span:
        """Return the head: as tagged, else the last word, which English and Chinese end with."""
        heads = [run for role, run in runs if role == 'head']
        if heads:
            chinese = language_of(self.text(heads[0])) == 'zh'
            return self.span(heads[-1] if chinese else heads[0])
        taken = {i for _, (a, b) in runs for i in range(a, b + 1)}
        free = [i for i in own if i not in taken] or [place[1]]
        return self.span((free[-1], free[-1]))

    def _count(self, place: Place) -> str:
        """Return how many, as digits: said in the phrase or before it; 'all' where it is not."""
        turn = self._said.turns[place[0]]
        first = place[0]
        while first > max(0, place[0] - _BEFORE) and self._said.turns[first - 1] == turn:
            first -= 1
        for start, end in (place, (first, place[0] - 1)):
            if start <= end and (count := number_in(self.text((start, end)))) and count > 1:
                return str(int(count))
        return 'all'
