"""Whether a plan says what the case says: skills, names, relations, values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kimi_ros.eval.reading.cases import Case

# Shares of the cases that state such a thing; `exact` is of all, `asked_back` of those not exact.
METRICS = ('exact', 'skills', 'names', 'relations', 'values', 'outcomes', 'asked_back')
_QUOTES = re.compile(r'[\s"\'“”‘’「」《》.,。，!！?？]+')
_ARTICLE = re.compile(r'^(?:the|a|an)\s+', re.IGNORECASE)


@dataclass(frozen=True)
class Prediction:
    """What a plan says about the instruction, whoever planned it.

    :ivar skills: of its steps in order; ('answer',) for an answer.
    :ivar names: of its things in the order of the steps, each followed by its landmarks.
    :ivar relations: of targets to their steps, and inside the names of things.
    :ivar values: of each step, those of arguments that are no things.
    :ivar outcome: why there is no step: 'no_skill', 'nothing', 'unclear' or another reason.
    :ivar asked: it asks back.
    """

    skills: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    relations: frozenset[str] = frozenset()
    values: Sequence[Mapping] = field(default=())
    outcome: str = ''
    asked: bool = False


def score(case: Case, predicted: Prediction) -> dict[str, bool]:
    """Return for each figure that the case counts for whether it is right."""
    right = {'skills': predicted.skills in (case.skills, *case.also)}
    # Where having no step is as right, there is nothing else to find.
    if right['skills'] and not predicted.skills:
        case = replace(case, names=(), relation='', values={})
    if case.names or case.without:
        right['names'] = _in_order(case.names, predicted.names) and not any(
            holds(name, word) for name in predicted.names for word in case.without
        )
    if case.relation:
        right['relations'] = case.relation in predicted.relations
    if case.values:
        right['values'] = all(
            any(key in step and _same(step[key], value) for step in predicted.values)
            for key, value in case.values.items()
        )
    right['exact'] = all(right.values())
    if case.outcome:
        right['outcomes'] = predicted.outcome == case.outcome
    if not right['exact']:
        right['asked_back'] = predicted.asked
    return right


def holds(name: str, words: str) -> bool:
    """Tell whether a name holds words: whole ones in English, characters in Chinese."""
    name, words = name.casefold(), words.casefold()
    if words.isascii():
        return re.search(rf'(?<![a-z0-9]){re.escape(words)}(?![a-z0-9])', name) is not None
    return words in name


def _in_order(wanted: Sequence[str], names: Sequence[str]) -> bool:
    at = 0
    for words in wanted:
        # One name may hold two: "cup left of the kettle".
        found = next((i for i in range(at, len(names)) if holds(names[i], words)), None)
        if found is None:
            return False
        at = found
    return True


def _same(came: object, wanted: object) -> bool:
    if isinstance(wanted, str):
        return isinstance(came, str) and _plain(came) == _plain(wanted)
    if isinstance(wanted, bool) or isinstance(came, bool):
        return came is wanted
    return isinstance(came, (int, float)) and abs(came - wanted) <= 1e-6 * max(1.0, abs(wanted))


def _plain(text: str) -> str:
    return _ARTICLE.sub('', _QUOTES.sub(' ', text).strip()).casefold()
