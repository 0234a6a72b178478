"""Texts rewritten by rules, with what each of their characters stands for in the original."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from kimi_ros.reader.reading import Reading, Span, Step, Thing

Form = tuple[str, str]  # a pattern, and the template of `Rewriting.with_match`
_PIECE = re.compile(r'\{(?P<group>\w+)(?:=(?P<text>[^}]*))?\}|(?P<literal>[^{]+)')


@dataclass(frozen=True)
class Rewriting:
    """A text that says the same as an original in other words.

    :ivar origins: by character, the characters [start, end) of the original that it stands for;
        None for one that was added.
    """

    text: str
    origins: tuple[tuple[int, int] | None, ...]

    @classmethod
    def of(cls, text: str) -> Rewriting:
        """Return a text that stands for itself."""
        return cls(text, tuple((i, i + 1) for i in range(len(text))))

    def with_match(
        self, match: re.Match[str], template: str, words: Mapping[str, str]
    ) -> Rewriting:
        """Return the rewriting with a template instead of a match.

        :param template: '{x}' is what group x matched, '{x=word}' is a word instead of it,
            '{x=}' is `words` of what it matched; the rest is added.
        """
        text = ''
        origins: tuple[tuple[int, int] | None, ...] = ()
        stands_for: tuple[tuple[int, int] | None, ...]
        for piece in _PIECE.finditer(template):
            name = piece['group']
            if name is None:
                new, stands_for = piece['literal'], (None,) * len(piece['literal'])
            elif match[name] is None:
                continue
            elif piece['text'] is None:
                new, stands_for = match[name], self.origins[slice(*match.span(name))]
            else:
                new = piece['text'] or words[match[name].lower()]
                stands_for = (self._origin(*match.span(name)),) * len(new)
            text, origins = text + new, origins + stands_for
        start, end = match.span()
        return Rewriting(
            self.text[:start] + text + self.text[end:],
            self.origins[:start] + origins + self.origins[end:],
        )

    def without_end(self, count: int) -> Rewriting:
        """Return the text without its last characters."""
        return Rewriting(self.text[:-count], self.origins[:-count])

    def original(self, reading: Reading) -> Reading | None:
        """Return a reading of the rewritten text as one of the original.

        None if it names what the original does not.
        """
        try:
            steps = tuple(self._step(step) for step in reading.steps)
            forbidden = tuple(map(self._thing, reading.forbidden))
            question = reading.question and replace(
                reading.question, things=tuple(map(self._thing, reading.question.things))
            )
        except _AddedError:
            return None
        left_out = filter(None, (self._maybe(span) for span in reading.left_out))
        return replace(
            reading,
            steps=steps,
            question=question,
            verb=reading.verb and self._maybe(reading.verb),
            forbidden=forbidden,
            left_out=tuple(left_out),
        )

    def _step(self, step: Step) -> Step:
        values = {
            name: replace(value, words=value.words and self._maybe(value.words))
            for name, value in step.values.items()
        }
        condition = step.condition
        return replace(
            step,
            verb=step.verb and self._maybe(step.verb),
            things={name: tuple(map(self._thing, group)) for name, group in step.things.items()},
            values=values,
            condition=condition and replace(condition, thing=self._thing(condition.thing)),
            plain=(self.text, step),
        )

    def _thing(self, thing: Thing) -> Thing:
        return replace(
            thing,
            words=self._span(thing.words),
            head=self._span(thing.head),
            attributes=tuple(map(self._span, thing.attributes)),
            order=thing.order and self._span(thing.order),
            landmarks=tuple(map(self._thing, thing.landmarks)),
        )

    def _span(self, span: Span) -> Span:
        """Return the span in the original, which must be in one piece there."""
        if span.turn:
            return span
        stand_for = self.origins[span.start : span.end]
        found = [origin for origin in stand_for if origin]
        if len(found) < len(stand_for) or not found:
            raise _AddedError
        start, end = found[0][0], found[-1][1]
        if end - start < len(found) or any(
            after[0] > before[1] for before, after in zip(found, found[1:], strict=False)
        ):
            raise _AddedError
        return Span(start, end)

    def _maybe(self, span: Span) -> Span | None:
        if span.turn:
            return span
        origin = self._origin(span.start, span.end)
        return origin and Span(*origin)

    def _origin(self, start: int, end: int) -> tuple[int, int] | None:
        found = [origin for origin in self.origins[start:end] if origin]
        return (min(f[0] for f in found), max(f[1] for f in found)) if found else None


def rewritten(
    text: Rewriting,
    forms: Sequence[Form],
    instead: Mapping[str, str],
    is_named: Callable[[str], bool] = lambda verb: False,
    base_form: Callable[[str], str | None] = lambda verb: verb,
) -> Rewriting:
    """Return a text with each form that matches once in its other words.

    :param instead: replacements of parts of templates.
    :param is_named: tells of a group `verb` whether it must stay as it is.
    :param base_form: of a group `verb`; where it is unknown, '{verb=}' matches nothing.
    """
    for pattern, template in forms:
        found = _compiled(pattern).search(text.text)
        verb = found and found.groupdict().get('verb')
        if not found or (verb and is_named(verb.split()[0].lower())):
            continue
        base = (verb and base_form(verb)) or ''
        if '{verb=}' in template and not base:
            continue
        for part, other in instead.items():
            template = template.replace(part, other)
        text = text.with_match(found, template, {verb.lower(): base} if verb else {})
    return text


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


class _AddedError(Exception):
    """A name holds words that were not said."""
