"""The policy: rules from YAML over instructions and plans, outside every model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimi_ros.agent.draft import DraftStep
from kimi_ros.agent.errors import PolicyError
from kimi_ros.agent.noun_matching import (
    acts_on_one_of,
    mentioned,
    names_one_of,
    normalize_text,
)
from kimi_ros.agent.plan import Risk, hash_of
from kimi_ros.agent.schema import MAX_STEPS
from kimi_ros.agent.skills import LANGUAGES, Skill, SkillCatalogue
from kimi_ros.agent.yaml_schema import TEXT, load_yaml, validate, where

ACTIONS = ('refuse', 'defer', 'ask_approval')
ANY = 'any'
ROLES = ('object', 'target')
_RENAMED = {'asked': 'patterns', 'from_risk': 'min_risk', 'approve_from': 'min_approval_risk'}
_RISK = {'enum': [r.name.lower() for r in Risk]}
_WORDS = {'type': 'array', 'items': TEXT, 'description': 'a list of words'}
_NOUNS = {
    'type': 'object',
    'properties': {
        'words': {**_WORDS, 'minItems': 1, 'description': 'a list of at least one word'},
        'except': _WORDS,
    },
    'required': ['words'],
    'additionalProperties': False,
}
_RULE = {
    'type': 'object',
    'properties': {
        'id': {
            'type': 'string',
            'pattern': '^[a-z][a-z0-9_.]*$',
            'description': 'lower-case letters, digits, _ and .',
        },
        'action': {'enum': list(ACTIONS)},
        'say': {
            'type': 'object',
            'properties': dict.fromkeys(LANGUAGES, TEXT),
            'required': list(LANGUAGES),
            'additionalProperties': False,
        },
        'patterns': _WORDS,
        'arguments': {
            'type': 'object',
            'properties': dict.fromkeys((ANY, *ROLES), _NOUNS),
            'additionalProperties': False,
        },
        'min_risk': _RISK,
        'risk': _RISK,
    },
    'required': ['id', 'action', 'say'],
    'additionalProperties': False,
}
FILE_SCHEMA = {
    'type': 'object',
    'properties': {
        'max_steps': {
            'type': 'integer',
            'minimum': 1,
            'maximum': MAX_STEPS,
            'description': f'a whole number from 1 to {MAX_STEPS}',
        },
        'min_score': {
            'type': 'number',
            'minimum': 0,
            'maximum': 1,
            'description': 'a number from 0 to 1',
        },
        'min_approval_risk': _RISK,
        'approval_seconds': {
            'type': 'number',
            'minimum': 1,
            'maximum': 86400,
            'description': 'a number from 1 to 86400',
        },
        'max_move': {
            'type': 'number',
            'minimum': 0.001,
            'maximum': 10,
            'description': 'a number from 0.001 to 10',
        },
        'rules': {'type': 'array', 'items': _RULE},
    },
    'required': ['max_steps', 'min_score', 'min_approval_risk', 'approval_seconds', 'rules'],
    'additionalProperties': False,
}


@dataclass(frozen=True)
class NounMatcher:
    """The nouns, in all languages, one of which an argument must name; and the exceptions."""

    words: tuple[str, ...]
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule.

    :ivar action: 'refuse', 'defer' (say that a person must judge, and describe the view) or
        'ask_approval'.
    :ivar say: by language.
    :ivar patterns: regular expressions, one of which the instruction must contain; or none.
    :ivar arguments: nouns by one of `ROLES`, or under `ANY` for any argument; all must match in
        one step. A skill's argument of another name counts for every role: a name that the rules
        do not know cannot switch one off.
    :ivar min_risk: only steps of skills with at least this risk.
    :ivar risk: what 'ask_approval' raises the step's risk to.
    """

    id: str
    action: str
    say: dict[str, str]
    patterns: tuple[re.Pattern[str], ...] = ()
    arguments: tuple[tuple[str, NounMatcher], ...] = ()
    min_risk: Risk = Risk.NONE
    risk: Risk = Risk.NONE

    def matches(self, step: DraftStep, skill: Skill, instruction: str) -> bool:
        """Tell whether a step is about what the rule is about.

        A rule about any argument is also held against the instruction's own words, because a model
        may have put something harmless in the place of what was asked for.
        """
        if not self.arguments or skill.risk < self.min_risk:
            return False
        names = {name: ref.nouns for name, ref in step.references(skill).items()}
        if all(
            any(names_one_of(n, nouns.words, nouns.exempt) for n in _names_in_role(role, names))
            for role, nouns in self.arguments
        ):
            return True
        return bool(skill.arguments) and all(
            role == ANY and acts_on_one_of(instruction, nouns.words, nouns.exempt)
            for role, nouns in self.arguments
        )


@dataclass(frozen=True)
class Policy:
    """The limits and the rules, in the file's order.

    :ivar min_score: an object below it is asked about.
    :ivar min_approval_risk: skills with approval 'risky' wait for a person from this risk on.
    :ivar approval_seconds: how long a plan waits for the decision.
    :ivar max_move: an approval is void if an object moved by more than this; metres, without depth
        the share of the image's width.
    :ivar hash: SHA-256, hex, of what the file holds.
    """

    max_steps: int
    min_score: float
    min_approval_risk: Risk
    approval_seconds: float
    rules: tuple[Rule, ...]
    max_move: float = 0.05
    hash: str = ''

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a YAML file; a wrong one is a PolicyError that names file, entry and fault."""
        return cls.from_data(load_yaml(path, PolicyError), str(path))

    @classmethod
    def from_data(cls, data: Any, source: str = 'policy') -> Policy:
        """Make a policy of what a YAML file holds; keys of earlier versions are understood."""
        data = _with_current_keys(data)
        if isinstance(data, dict) and isinstance(data.get('rules'), list):
            data['rules'] = [_with_current_keys(r) for r in data['rules']]
        validate(data, FILE_SCHEMA, source, PolicyError)
        rules = tuple(
            _rule(entry, where(data, ('rules', i), source)) for i, entry in enumerate(data['rules'])
        )
        ids = [r.id for r in rules]
        if len(set(ids)) < len(ids):
            raise PolicyError(f'{source}: rules: two rules have the same id')
        return cls(
            data['max_steps'],
            float(data['min_score']),
            Risk[data['min_approval_risk'].upper()],
            float(data['approval_seconds']),
            rules,
            float(data.get('max_move', 0.05)),
            hash_of(data),
        )

    def rule_for_words(self, instruction: str) -> Rule | None:
        """Return the first rule that the instruction's words alone call for."""
        texts = instruction, normalize_text(instruction)
        return next(
            (r for r in self.rules if any(p.search(t) for p in r.patterns for t in texts)), None
        )

    def dangers(self, text: str) -> list[str]:
        """Return the nouns of a text that a rule is about, if the text has one for every role."""
        found = []
        for rule in self.rules:
            named = [mentioned(text, nouns.words, nouns.exempt) for _, nouns in rule.arguments]
            found += [noun for group in named for noun in group if all(named)]
        return list(dict.fromkeys(found))

    def refusal(
        self, instruction: str, steps: Sequence[DraftStep], catalogue: SkillCatalogue
    ) -> Rule | None:
        """Return the first rule that forbids the steps, or None."""
        return next(
            (
                r
                for r in self.rules
                if r.action == 'refuse'
                and any(r.matches(s, catalogue[s.skill], instruction) for s in steps)
            ),
            None,
        )

    def assess_risk(
        self, instruction: str, step: DraftStep, skill: Skill
    ) -> tuple[Risk, bool, tuple[str, ...]]:
        """Return a step's risk, whether it needs approval, and the rules that raised it."""
        acted = [
            r
            for r in self.rules
            if r.action == 'ask_approval' and r.matches(step, skill, instruction)
        ]
        risk = max([skill.risk, *(r.risk for r in acted)])
        risky = skill.approval == 'risky' and risk >= self.min_approval_risk
        return risk, bool(acted) or risky or skill.approval == 'always', tuple(r.id for r in acted)


def _names_in_role(role: str, names: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a step's names in a role, out of its names by argument."""
    return [n for a, group in names.items() if role in (ANY, a) or a not in ROLES for n in group]


def _rule(entry: dict[str, Any], place: str) -> Rule:
    """Return the rule of an entry that the schema allows, after what a schema cannot say."""
    action = entry['action']
    if ('patterns' in entry) == ('arguments' in entry):
        raise PolicyError(f'{place}: needs either "patterns" (of words) or "arguments" (of steps)')
    if (action == 'ask_approval') != ('risk' in entry):
        raise PolicyError(f'{place}: "risk" goes with action ask_approval, and only with it')
    if action != 'refuse' and (action == 'defer') != ('patterns' in entry):
        raise PolicyError(f'{place}: defer goes with "patterns", ask_approval with "arguments"')
    return Rule(
        entry['id'],
        action,
        entry['say'],
        tuple(_pattern(p, f'{place}: patterns') for p in entry.get('patterns', ())),
        tuple(
            (role, NounMatcher(tuple(nouns['words']), tuple(nouns.get('except', ()))))
            for role, nouns in entry.get('arguments', {}).items()
        ),
        Risk[entry.get('min_risk', 'none').upper()],
        Risk[entry.get('risk', 'none').upper()],
    )


def _pattern(text: str, place: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise PolicyError(f'{place}: {text!r} is not a regular expression: {error}') from None


def _with_current_keys(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {_RENAMED.get(key, key): value for key, value in entry.items()}
