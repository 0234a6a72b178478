"""The policy: rules from YAML over instructions and plans, outside every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kimi_ros.agent.draft import DraftStep
from kimi_ros.agent.errors import PolicyError
from kimi_ros.agent.intent_language import Lexicon
from kimi_ros.agent.noun_matching import mentioned
from kimi_ros.agent.plan import Risk, hash_of
from kimi_ros.agent.policy_file import lexicon_of, rule_of, with_current_keys
from kimi_ros.agent.policy_rules import Near, Rule
from kimi_ros.agent.policy_schema import FILE_SCHEMA
from kimi_ros.agent.skills import Skill, SkillCatalogue
from kimi_ros.agent.wanted import wanted_by
from kimi_ros.agent.yaml_schema import load_yaml_with_lines, validate, where
from kimi_ros.resources import share


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
        data = with_current_keys(data)
        if isinstance(data, dict) and isinstance(data.get('rules'), list):
            data['rules'] = [with_current_keys(r) for r in data['rules']]
        shipped: dict[str, Any] = {}
        if isinstance(data, dict) and data.get('extends') == 'default':
            shipped, _ = load_yaml_with_lines(share('config/policy.yaml'), PolicyError)
            data = {**{k: v for k, v in shipped.items() if k not in ('rules', 'words')}, **data}
            data.setdefault('rules', [])
        validate(data, FILE_SCHEMA, source, PolicyError)
        words = {**shipped.get('words', {}), **data.get('words', {})}
        lexicon = lexicon_of(words, data, source)
        rules = [
            rule_of(entry, lexicon, data, ('rules', i), source)
            for i, entry in enumerate(data['rules'])
        ]
        rules += [
            rule_of(entry, lexicon, shipped, ('rules', i), 'the shipped policy')
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

    def rule_for_words(self, instruction: str, history: Sequence[str] = ()) -> Rule | None:
        """Return the first rule that the words of a conversation alone call for.

        A question may speak of anything.

        :param history: earlier instructions, oldest first: harm may be split over several.
        """
        wanted = wanted_by(self.lexicon, instruction, tuple(history))
        for rule in self.rules:
            if rule.searches(instruction):
                return rule
            if rule.action == 'refuse' and not wanted.is_question and wanted.calls_for(rule):
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
