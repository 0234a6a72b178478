"""A sentence and what it asks for, as a line of JSON: {"lang": "en", "say": ..., "skills": [...]}.

docs/evaluation.md is the format's manual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kimi_ros.eval.json_lines import read_json_lines, validate

ANSWER = 'answer'
RELATIONS = ('on', 'in', 'left_of', 'right_of', 'in_front_of', 'behind', 'next_to', 'between')
OUTCOMES = ('no_skill', 'nothing', 'unclear')
_TEXT = {'type': 'string', 'pattern': r'\S'}
_TEXTS = {'type': 'array', 'items': _TEXT}
_VALUE = {'type': ['string', 'number', 'boolean']}
_LINE = {
    'type': 'object',
    'properties': {
        'lang': {'enum': ['en', 'zh']},
        'say': _TEXT,
        'history': _TEXTS,
        'catalogue': _TEXT,
        'skills': _TEXTS,
        'also': {'type': 'array', 'items': _TEXTS},
        'names': _TEXTS,
        'without': _TEXTS,
        'relation': {'enum': list(RELATIONS)},
        'values': {'type': 'object', 'additionalProperties': _VALUE},
        'outcome': {'enum': list(OUTCOMES)},
    },
    'required': ['lang', 'say', 'skills'],
    'additionalProperties': False,
}


@dataclass(frozen=True)
class Case:
    """What a plan must hold, read from a line.

    :ivar skills: of the plan's steps in order, with what a skill needs first (pick before place);
        ('answer',) for a question; () for no step: refused, infeasible or asked back.
    :ivar also: other lists of skills that are as right.
    :ivar names: each is held by the name of a thing or of a landmark, in this order.
    :ivar without: held by no name of the plan: "the pliers, not the hammer".
    :ivar relation: where the target is, or which thing is meant; '' where nothing is said of it.
    :ivar values: of arguments that are no things, by the argument's name.
    :ivar outcome: why there is no step, one of `OUTCOMES`; '' where it does not matter.
    :ivar history: what was said before, the oldest first.
    :ivar catalogue: the shipped one that it is for; '' for the one that --skills gives.
    """

    lang: str
    say: str
    skills: tuple[str, ...]
    also: tuple[tuple[str, ...], ...] = ()
    names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    relation: str = ''
    values: dict = field(default_factory=dict)
    outcome: str = ''
    history: tuple[str, ...] = ()
    catalogue: str = ''

    @classmethod
    def from_dict(cls, data: Any) -> Case:
        """Read what a line holds; ValueError says what is wrong with it."""
        validate(data, _LINE)
        case = cls(**{k: _frozen(v) for k, v in data.items()})
        if case.outcome and case.skills:
            raise ValueError('outcome: only for a case without skills, []')
        if not case.skills and (case.names or case.relation or case.values):
            raise ValueError('skills: []: then there is no name, relation or value to find')
        return case

    def to_dict(self) -> dict:
        """Return what a line of JSON holds, without what is empty."""
        data = {'lang': self.lang, 'say': self.say, 'skills': list(self.skills)}
        rest = ('also', 'names', 'without', 'relation', 'values', 'outcome', 'history', 'catalogue')
        return data | {name: _thawed(value) for name in rest if (value := getattr(self, name))}


def read_cases(path: str | Path, catalogues: Sequence[str] = ()) -> list[Case]:
    """Read a file of cases; raises DataError with all that is wrong.

    :param catalogues: the names that `catalogue` may have; with none, no line may hold it.
    """
    return read_json_lines(Path(path), lambda data: _in_catalogue(Case.from_dict(data), catalogues))


def _in_catalogue(case: Case, catalogues: Sequence[str]) -> Case:
    if case.catalogue and not catalogues:
        raise ValueError('catalogue: leave it out where --skills is given')
    if catalogues and not case.catalogue:
        raise ValueError(f'catalogue: is missing: one of {", ".join(catalogues)}, or give --skills')
    if catalogues and case.catalogue not in catalogues:
        raise ValueError(f'catalogue: {case.catalogue!r} is not one of {", ".join(catalogues)}')
    return case


def _frozen(value: object) -> object:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


def _thawed(value: object) -> object:
    return [_thawed(v) for v in value] if isinstance(value, tuple) else value
