"""The rules: read from YAML, applied to words and grounded plans, out of every model's reach."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from kimi_ros.agent.errors import PolicyError
from kimi_ros.agent.plan import Risk
from kimi_ros.agent.planner import DraftStep
from kimi_ros.agent.skills import LANGUAGES, Skill, SkillCatalogue
from kimi_ros.agent.words import aims_at_any, names_any, plain_text

ACTIONS = ('refuse', 'defer', 'ask_approval')
ANY = 'any'
ROLES = ('object', 'target')
_RISKS = tuple(r.name.lower() for r in Risk)


@dataclass(frozen=True)
class Nouns:
    """What an argument must name for a rule to apply, in all languages, and what does not count."""

    words: tuple[str, ...]
    exempt: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule.

    :ivar action: 'refuse', 'defer' (say that a person must judge, and describe the view) or
        'ask_approval'.
    :ivar say: by language.
    :ivar asked: patterns, any of which the instruction must hold; or none.
    :ivar arguments: nouns by one of `ROLES`, or under `ANY` for any argument; all must match in
        one step. A skill's argument of another name counts for every role: a name that the rules
        do not know cannot switch one off.
    :ivar from_risk: only steps of skills with at least this risk.
    :ivar risk: what 'ask_approval' raises the step's risk to.
    """

    id: str
    action: str
    say: dict[str, str]
    asked: tuple[re.Pattern, ...] = ()
    arguments: tuple[tuple[str, Nouns], ...] = ()
    from_risk: Risk = Risk.NONE
    risk: Risk = Risk.NONE

    def matches(self, step: DraftStep, skill: Skill, instruction: str) -> bool:
        """Tell whether a step is about what the rule is about.

        A rule about any argument is also held against the instruction's own words, because a model
        may have put something harmless in the place of what was asked for.
        """
        if not self.arguments or skill.risk < self.from_risk:
            return False
        names = {a.name: step.arguments[a.name] for a in skill.arguments if a.grounded}
        if all(
            any(names_any(n, nouns.words, nouns.exempt) for n in _meant(role, names))
            for role, nouns in self.arguments
        ):
            return True
        return bool(skill.arguments) and all(
            role == ANY and aims_at_any(instruction, nouns.words, nouns.exempt)
            for role, nouns in self.arguments
        )


@dataclass(frozen=True)
class Policy:
    """The limits and the rules, in the file's order.

    :ivar min_score: an object below it is asked about.
    :ivar approve_from: skills with approval 'risky' wait for a person from this risk on.
    :ivar approval_seconds: how long a plan waits for the decision.
    """

    max_steps: int
    min_score: float
    approve_from: Risk
    approval_seconds: float
    rules: tuple[Rule, ...]

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a YAML file; a wrong one is a PolicyError that names file, entry and fault."""
        try:
            data = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
        except OSError as error:
            raise PolicyError(f'{path}: cannot be read: {error.strerror}') from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise PolicyError(f'{path}: not YAML: {error}') from error
        return cls.from_data(data, str(path))

    @classmethod
    def from_data(cls, data, source: str = 'policy') -> Policy:
        """Make a policy of what a YAML file holds."""
        keys = ('max_steps', 'min_score', 'approve_from', 'approval_seconds', 'rules')
        _keys(data, source, keys)
        if not isinstance(data['rules'], list):
            raise PolicyError(f'{source}: rules: must be a list')
        rules = tuple(_rule(r, f'{source}: rules[{i}]') for i, r in enumerate(data['rules']))
        ids = [r.id for r in rules]
        if len(set(ids)) < len(ids):
            raise PolicyError(f'{source}: rules: two rules have the same id')
        steps = data['max_steps']
        if not isinstance(steps, int) or isinstance(steps, bool) or not 1 <= steps <= 10:
            raise PolicyError(f'{source}: max_steps: {steps!r} is not a whole number from 1 to 10')
        return cls(
            steps,
            _number(data['min_score'], 0, 1, f'{source}: min_score'),
            _risk(data['approve_from'], f'{source}: approve_from'),
            _number(data['approval_seconds'], 1, 86400, f'{source}: approval_seconds'),
            rules,
        )

    def rule_for_words(self, instruction: str) -> Rule | None:
        """Return the first rule that the instruction's words alone call for."""
        texts = instruction, plain_text(instruction)
        return next(
            (r for r in self.rules if any(p.search(t) for p in r.asked for t in texts)), None
        )

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

    def judge(
        self, instruction: str, step: DraftStep, skill: Skill
    ) -> tuple[Risk, bool, tuple[str, ...]]:
        """Return a step's risk, whether it needs approval, and the rules that raised it."""
        acted = [
            r
            for r in self.rules
            if r.action == 'ask_approval' and r.matches(step, skill, instruction)
        ]
        risk = max([skill.risk, *(r.risk for r in acted)])
        risky = skill.approval == 'risky' and risk >= self.approve_from
        return risk, bool(acted) or risky or skill.approval == 'always', tuple(r.id for r in acted)


def _meant(role: str, names: dict[str, str]) -> list[str]:
    """Return what a step names in a role, out of its names by argument."""
    return [n for a, n in names.items() if role in (ANY, a) or a not in ROLES]


def _rule(entry, where: str) -> Rule:
    _keys(entry, where, ('id', 'action', 'say'), ('asked', 'arguments', 'from_risk', 'risk'))
    rule_id = entry['id']
    if not isinstance(rule_id, str) or not re.fullmatch(r'[a-z][a-z0-9_.]*', rule_id):
        raise PolicyError(f'{where}: id {rule_id!r} must be lower-case letters, digits, _ and .')
    where = f'{where} "{rule_id}"'
    if entry['action'] not in ACTIONS:
        raise PolicyError(f'{where}: action {entry["action"]!r} is not one of {", ".join(ACTIONS)}')
    _keys(entry['say'], f'{where}: say', LANGUAGES)
    for language, text in entry['say'].items():
        if not isinstance(text, str) or not text.strip():
            raise PolicyError(f'{where}: say.{language}: {text!r} must be words in quotes')
    if ('asked' in entry) == ('arguments' in entry):
        raise PolicyError(f'{where}: needs either "asked" (of words) or "arguments" (of steps)')
    if (entry['action'] == 'ask_approval') != ('risk' in entry):
        raise PolicyError(f'{where}: "risk" goes with action ask_approval, and only with it')
    if entry['action'] != 'refuse' and (entry['action'] == 'defer') != ('asked' in entry):
        raise PolicyError(f'{where}: defer goes with "asked", ask_approval with "arguments"')
    arguments = _mapping(entry.get('arguments', {}), f'{where}: arguments')
    for role in arguments:
        if role not in (ANY, *ROLES):
            known = ', '.join((ANY, *ROLES))
            raise PolicyError(f'{where}: arguments: {role!r} is not one of {known}')
    return Rule(
        rule_id,
        entry['action'],
        entry['say'],
        tuple(_pattern(p, f'{where}: asked') for p in _words(entry.get('asked', []), where)),
        tuple((role, _nouns(n, f'{where}: arguments.{role}')) for role, n in arguments.items()),
        _risk(entry.get('from_risk', 'none'), f'{where}: from_risk'),
        _risk(entry.get('risk', 'none'), f'{where}: risk'),
    )


def _nouns(entry, where: str) -> Nouns:
    _keys(entry, where, ('words',), ('except',))
    words = _words(entry['words'], f'{where}: words')
    if not words:
        raise PolicyError(f'{where}: words: needs at least one')
    return Nouns(words, _words(entry.get('except', []), f'{where}: except'))


def _pattern(text: str, where: str) -> re.Pattern:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise PolicyError(f'{where}: {text!r} is not a regular expression: {error}') from None


def _words(value, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(w, str) and w.strip() for w in value):
        raise PolicyError(f'{where}: must be a list of words (put yes, no, on, off in quotes)')
    return tuple(value)


def _keys(entry, where: str, required, optional=()) -> None:
    for key in required:
        if key not in _mapping(entry, where):
            raise PolicyError(f'{where}: "{key}" is missing')
    for key in entry:
        if key not in (*required, *optional):
            allowed = ', '.join((*required, *optional))
            raise PolicyError(f'{where}: unknown key {key!r}; there are {allowed}')


def _mapping(entry, where: str) -> dict:
    if not isinstance(entry, dict):
        raise PolicyError(f'{where}: must be a mapping, not {entry!r}')
    return entry


def _number(value, low: float, high: float, where: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not low <= value <= high:
        raise PolicyError(f'{where}: {value!r} is not a number from {low} to {high}')
    return float(value)


def _risk(value, where: str) -> Risk:
    if value not in _RISKS:
        raise PolicyError(f'{where}: {value!r} is not one of {", ".join(_RISKS)}')
    return Risk[value.upper()]
