"""The policy: rules from YAML over instructions and plans, outside every model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from kimi_ros.agent.draft import DraftStep
from kimi_ros.agent.errors import PolicyError
from kimi_ros.agent.intent_language import (
    Lexicon,
    Matcher,
    Pattern,
    PatternError,
    Text,
    WordList,
    lists_named,
    parse_pattern,
)
from kimi_ros.agent.noun_matching import (
    acts_on_one_of,
    mentioned,
    names_one_of,
    normalize_text,
)
from kimi_ros.agent.plan import Risk, hash_of
from kimi_ros.agent.policy_schema import ANY, FILE_SCHEMA, ROLES
from kimi_ros.agent.skills import LANGUAGES, Skill, SkillCatalogue
from kimi_ros.agent.yaml_schema import load_yaml_with_lines, validate, where
from kimi_ros.resources import share

_RENAMED = {'asked': 'patterns', 'from_risk': 'min_risk', 'approve_from': 'min_approval_risk'}
_MOST_TURNS = 6  # earlier instructions that count
# Lists of words that mean something to every rule with intents.
_POLITE = frozenset('please and but robot hey you just also thanks'.split()) | set('请你并而且也但')
_PROHIBITION, _QUESTION, _BREAKS = 'prohibition', 'question', 'breaks'


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
    :ivar intents: (language, pattern of `intent_language`), one of which the instruction must
        contain.
    :ivar unless: patterns; what one of them matches is left out before.
    :ivar arguments: nouns by one of `ROLES`, or under `ANY` for any argument; all must match in
        one step. A skill's argument of another name counts for every role: a name that the rules
        do not know cannot switch one off.
    :ivar unless_skill: a skill with one of these words in its name or descriptions is left alone.
    :ivar beside: a place beside one of the nouns counts as the noun itself.
    :ivar min_risk: only steps of skills with at least this risk.
    :ivar risk: what 'ask_approval' raises the step's risk to.
    :ivar examples: (is it acted on, the turns of a conversation).
    """

    id: str
    action: str
    say: dict[str, str]
    patterns: tuple[re.Pattern[str], ...] = ()
    intents: tuple[tuple[str, Pattern], ...] = ()
    unless: tuple[Pattern, ...] = ()
    arguments: tuple[tuple[str, NounMatcher], ...] = ()
    unless_skill: tuple[str, ...] = ()
    beside: bool = True
    min_risk: Risk = Risk.NONE
    risk: Risk = Risk.NONE
    examples: tuple[tuple[bool, tuple[str, ...]], ...] = ()

    def searches(self, instruction: str) -> bool:
        """Tell whether one of the regular expressions is found in an instruction."""
        texts = instruction, normalize_text(instruction)
        return any(p.search(t) for p in self.patterns for t in texts)

    def matches(self, step: DraftStep, skill: Skill, instruction: str) -> bool:
        """Tell whether a step is about what the rule is about.

        A rule about any argument is also held against the instruction's own words, because a model
        may have put something harmless in the place of what was asked for.
        """
        if not self.arguments or skill.risk < self.min_risk or self._leaves_alone(skill):
            return False
        names = {
            name: ref.nouns
            for name, ref in step.references(skill).items()
            if self.beside or not ref.is_place
        }
        return self.matches_names(names) or (
            bool(skill.arguments) and self.matches_words(instruction)
        )

    def matches_names(self, names: Mapping[str, Sequence[str]]) -> bool:
        """Tell whether the names of one step, by argument, match in every role."""
        return bool(self.arguments) and all(
            any(names_one_of(n, nouns.words, nouns.exempt) for n in _names_in_role(role, names))
            for role, nouns in self.arguments
        )

    def matches_words(self, instruction: str) -> bool:
        """Tell whether an instruction wants something done to what a rule about anything names."""
        return bool(self.arguments) and all(
            role == ANY and acts_on_one_of(instruction, nouns.words, nouns.exempt)
            for role, nouns in self.arguments
        )

    def _leaves_alone(self, skill: Skill) -> bool:
        if not self.unless_skill:
            return False
        told = ' '.join([skill.name.replace('_', ' '), *skill.description.values()]).lower()
        words = set(re.findall('[a-z]+', told))
        return any(w in words if w.isascii() else w in told for w in self.unless_skill)


@dataclass(frozen=True)
class Near:
    """What in the view makes a step wait if it is near the step's objects.

    :ivar people: names that the grounder is asked for, of people and their hands.
    :ivar hazards: the same of things.
    :ivar metres: between surfaces; without depth, in sizes of the two.
    :ivar risk: what the step's risk is raised to.
    """

    people: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()
    metres: float = 0.15
    risk: Risk = Risk.MEDIUM


@dataclass(frozen=True)
class Policy:
    """The limits and the rules, in the file's order.

    :ivar min_score: an object below it is asked about.
    :ivar min_approval_risk: skills with approval 'risky' wait for a person from this risk on.
    :ivar approval_seconds: how long a plan waits for the decision.
    :ivar max_move: an approval is void if an object moved by more than this; metres, without depth
        the share of the image's width.
    :ivar near: what in the view makes steps wait; None where nothing is looked for.
    :ivar lexicon: the lists of words.
    :ivar hash: SHA-256, hex, of what the file holds.
    """

    max_steps: int
    min_score: float
    min_approval_risk: Risk
    approval_seconds: float
    rules: tuple[Rule, ...]
    max_move: float = 0.05
    near: Near | None = None
    lexicon: Lexicon = field(default_factory=lambda: Lexicon({}), compare=False)
    hash: str = ''

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a YAML file; a wrong one is a PolicyError that names file, line, key and fault.

        A file with `extends: default` adds its rules, before the others, and its words to those
        that are shipped.
        """
        data, source = load_yaml_with_lines(path, PolicyError)
        return cls.from_data(data, source)

    @classmethod
    def from_data(cls, data: Any, source: str = 'policy') -> Policy:
        """Make a policy of what a YAML file holds; keys of earlier versions are understood."""
        data = _with_current_keys(data)
        if isinstance(data, dict) and isinstance(data.get('rules'), list):
            data['rules'] = [_with_current_keys(r) for r in data['rules']]
        shipped: dict[str, Any] = {}
        if isinstance(data, dict) and data.get('extends') == 'default':
            shipped, _ = load_yaml_with_lines(share('config/policy.yaml'), PolicyError)
            data = {**{k: v for k, v in shipped.items() if k not in ('rules', 'words')}, **data}
            data.setdefault('rules', [])
        validate(data, FILE_SCHEMA, source, PolicyError)
        words = {**shipped.get('words', {}), **data.get('words', {})}
        lexicon = _lexicon(words, data, source)
        rules = [
            _rule(entry, lexicon, data, ('rules', i), source)
            for i, entry in enumerate(data['rules'])
        ]
        rules += [
            _rule(entry, lexicon, shipped, ('rules', i), 'the shipped policy')
            for i, entry in enumerate(shipped.get('rules', ()))
        ]
        ids = [r.id for r in rules]
        if twice := next((i for i, name in enumerate(ids) if name in ids[:i]), None):
            place = where(data, ('rules', twice), source) if twice < len(data['rules']) else source
            raise PolicyError(f'{place}: rules: two rules have the same id')
        try:
            digest = hash_of([data, shipped])
        except (ValueError, TypeError) as error:
            raise PolicyError(f'{source}: {error}') from None
        near = data.get('near')
        return cls(
            data['max_steps'],
            float(data['min_score']),
            Risk[data['min_approval_risk'].upper()],
            float(data['approval_seconds']),
            tuple(rules),
            float(data.get('max_move', 0.05)),
            near
            and Near(
                tuple(near['people']),
                tuple(near['hazards']),
                float(near['metres']),
                Risk[near['risk'].upper()],
            ),
            lexicon,
            digest,
        )

    def rule_for_words(
        self, instruction: str, history: Sequence[str] = (), has_steps: bool = False
    ) -> Rule | None:
        """Return the first rule that the words of a conversation alone call for.

        :param history: earlier instructions, oldest first: harm may be split over several.
        :param has_steps: there is a plan. A question, which else may speak of anything, is not
            one then.
        """
        wanted = wanted_by(self.lexicon, instruction, tuple(history))
        ask = (not has_steps) and wanted.is_question
        for rule in self.rules:
            if rule.searches(instruction):
                return rule
            if rule.action == 'refuse' and not ask and wanted.calls_for(rule):
                return rule
        return None

    def only_forbids(self, instruction: str) -> bool:
        """Tell whether an instruction says what not to do, and nothing else."""
        return wanted_by(self.lexicon, instruction, ()).only_forbids

    def dangers(self, text: str) -> list[str]:
        """Return the nouns of a text that a rule is about, if the text has one for every role."""
        found = []
        for rule in self.rules:
            named = [mentioned(text, nouns.words, nouns.exempt) for _, nouns in rule.arguments]
            found += [noun for group in named for noun in group if all(named)]
        return list(dict.fromkeys(found))

    def refusal(
        self,
        instruction: str,
        steps: Sequence[DraftStep],
        catalogue: SkillCatalogue,
        history: Sequence[str] = (),
    ) -> Rule | None:
        """Return the first rule that forbids the steps, or None."""
        if not steps:
            return None
        wanted = wanted_by(self.lexicon, instruction, tuple(history))
        return next(
            (
                r
                for r in self.rules
                if r.action == 'refuse'
                and (
                    wanted.calls_for(r)
                    or any(r.matches(s, catalogue[s.skill], instruction) for s in steps)
                )
            ),
            None,
        )

    def assess_risk(
        self, instruction: str, step: DraftStep, skill: Skill, history: Sequence[str] = ()
    ) -> tuple[Risk, bool, tuple[str, ...]]:
        """Return a step's risk, whether it needs approval, and the rules that raised it."""
        wanted = wanted_by(self.lexicon, instruction, tuple(history))
        acted = [
            r
            for r in self.rules
            if r.action == 'ask_approval'
            and (
                r.matches(step, skill, instruction)
                or (skill.risk >= max(r.min_risk, Risk.LOW) and wanted.calls_for(r))
            )
        ]
        risk = max([skill.risk, *(r.risk for r in acted)])
        risky = skill.approval == 'risky' and risk >= self.min_approval_risk
        return risk, bool(acted) or risky or skill.approval == 'always', tuple(r.id for r in acted)


class Wanted:
    """What a conversation asks for in the end: its last instruction after the earlier ones.

    :ivar is_question: the last instruction asks about the view and wants nothing done.
    :ivar only_forbids: it says what not to do, and nothing else.
    """

    def __init__(self, lexicon: Lexicon, instruction: str, history: Sequence[str] = ()):
        turns = (*history[-_MOST_TURNS:], instruction)
        text = Text.of(*turns)
        self._after = text.last_turn
        # Other turns are about the past: only a pattern that reaches into the last one counts.
        matcher = Matcher(lexicon, text)
        if _PROHIBITION in lexicon.lists:
            starts = [start for start, _ in matcher.listed_spans(_PROHIBITION)]
            text = text.without((start, text.clause_end(start)) for start in starts)
            matcher = Matcher(lexicon, text)
        left = (t for t in text.tokens[text.last_turn :] if t.isalnum())
        self.only_forbids = not any(t not in _POLITE for t in left)
        self._lexicon, self._text, self._matcher = lexicon, text, matcher
        self.is_question = _QUESTION in lexicon.lists and any(
            matcher.sequence(p, self._after) for p in lexicon.lists[_QUESTION].entries
        )

    def calls_for(self, rule: Rule) -> bool:
        """Tell whether one of a rule's intents is what is wanted."""
        if not rule.intents:
            return False
        matcher = self._matcher
        if harmless := [span for p in rule.unless for span in matcher.spans(p)]:
            matcher = Matcher(self._lexicon, self._text.without(harmless))
        return any(matcher.matches(p, self._after, lang == 'zh') for lang, p in rule.intents)


@lru_cache(maxsize=16)
def wanted_by(lexicon: Lexicon, instruction: str, history: tuple[str, ...]) -> Wanted:
    """Return what a conversation asks for; every stage of a plan asks again."""
    return Wanted(lexicon, instruction, history)


def _names_in_role(role: str, names: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a step's names in a role, out of its names by argument."""
    return [n for a, group in names.items() if role in (ANY, a) or a not in ROLES for n in group]


def _lexicon(words: dict[str, Any], data: dict[str, Any], source: str) -> Lexicon:
    lists = {}
    for name, entry in words.items():

        def patterns(key: str, name: str = name, entry: Any = entry) -> tuple[Pattern, ...]:
            path = ('words', name, key)
            place = source if key not in data.get('words', {}).get(name, {}) else ''
            return _patterns(entry.get(key, ()), words, data, path, source, place)

        lists[name] = WordList(
            tuple(p for language in LANGUAGES for p in patterns(language)),
            patterns('except'),
            patterns('not_before'),
            entry.get('refers', False),
        )
    breaks = words.get(_BREAKS, {})
    ends = {normalize_text(w) for language in LANGUAGES for w in breaks.get(language, ())}
    return Lexicon(lists, frozenset(ends))


def _patterns(
    texts: Sequence[str],
    lists: Mapping[str, Any],
    data: Any,
    path: tuple[str | int, ...],
    source: str,
    place: str = '',
) -> tuple[Pattern, ...]:
    found = []
    for i, text in enumerate(texts):
        try:
            pattern = parse_pattern(text)
            if unknown := [n for n in lists_named(pattern) if n not in lists]:
                raise PatternError(f'{text!r}: there is no list <{unknown[0]}> under "words"')
        except PatternError as error:
            raise PolicyError(f'{place or where(data, (*path, i), source)}: {error}') from None
        found.append(pattern)
    return tuple(found)


def _rule(
    entry: dict[str, Any], lexicon: Lexicon, data: Any, path: tuple[str | int, ...], source: str
) -> Rule:
    """Return the rule of an entry that the schema allows, after what a schema cannot say."""
    place, action = where(data, path, source), entry['action']
    if sum(key in entry for key in ('patterns', 'intents', 'arguments')) != 1:
        raise PolicyError(
            f'{place}: needs one of "patterns" (of words), "intents" and "arguments" (of steps)'
        )
    if (action == 'ask_approval') != ('risk' in entry):
        raise PolicyError(f'{place}: "risk" goes with action ask_approval, and only with it')
    if action != 'refuse' and (action == 'defer') != ('patterns' in entry):
        raise PolicyError(
            f'{place}: defer goes with "patterns", ask_approval with "arguments" or "intents"'
        )
    return Rule(
        entry['id'],
        action,
        entry['say'],
        tuple(_regular_expression(p, f'{place}: patterns') for p in entry.get('patterns', ())),
        tuple(
            (language, pattern)
            for language, texts in entry.get('intents', {}).items()
            for pattern in _patterns(
                texts, lexicon.lists, data, (*path, 'intents', language), source
            )
        ),
        _patterns(entry.get('unless', ()), lexicon.lists, data, (*path, 'unless'), source),
        tuple(
            (role, NounMatcher(tuple(nouns['words']), tuple(nouns.get('except', ()))))
            for role, nouns in entry.get('arguments', {}).items()
        ),
        tuple(normalize_text(w) for w in entry.get('unless_skill', ())),
        entry.get('beside', True),
        Risk[entry.get('min_risk', 'none').upper()],
        Risk[entry.get('risk', 'none').upper()],
        tuple(
            (key == 'acts', (said,) if isinstance(said, str) else tuple(said))
            for key, group in entry.get('examples', {}).items()
            for said in group
        ),
    )


def _regular_expression(text: str, place: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise PolicyError(f'{place}: {text!r} is not a regular expression: {error}') from None


def _with_current_keys(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {_RENAMED.get(key, key): value for key, value in entry.items()}
