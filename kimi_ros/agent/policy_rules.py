"""The rules of a policy: what each is about, and when it acts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kimi_ros.agent.draft import DraftStep
from kimi_ros.agent.intent_language import Pattern
from kimi_ros.agent.noun_matching import acts_on_one_of, names_one_of, normalize_text
from kimi_ros.agent.plan import Risk
from kimi_ros.agent.policy_schema import ANY, ROLES
from kimi_ros.agent.skills import Skill


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
    :ivar giving_skill: of a skill with one of these words there, what it gives counts, and not to
        whom: its argument `object`, or else the first one.
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
    giving_skill: tuple[str, ...] = ()
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
        if not self.arguments or skill.risk < self.min_risk:
            return False
        names = {
            name: ref.nouns
            for name, ref in step.references(skill).items()
            if self.beside or not ref.is_place
        }
        if _is_told_by(skill, self.giving_skill):
            given = [name for name in names if name == 'object'] or list(names)[:1]
            return self.matches_names({name: names[name] for name in given})
        if _is_told_by(skill, self.unless_skill):
            return False
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


def _is_told_by(skill: Skill, words: Sequence[str]) -> bool:
    """Tell whether one of the words is in a skill's name or descriptions."""
    english = set(re.findall('[a-z]+', skill.text))
    return any(w in english if w.isascii() else w in skill.text for w in words)


def _names_in_role(role: str, names: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a step's names in a role, out of its names by argument."""
    return [n for a, group in names.items() if role in (ANY, a) or a not in ROLES for n in group]
