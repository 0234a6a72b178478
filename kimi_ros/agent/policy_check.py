"""Running the examples that a policy file holds: every rule is tested where it is written."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_ros.agent.plan import Risk
from kimi_ros.agent.policy import Policy
from kimi_ros.agent.policy_rules import Rule
from kimi_ros.agent.skills import LANGUAGES
from kimi_ros.agent.wanted import wanted_by

_TARGET = '->'  # between the object and the target of a step


@dataclass(frozen=True)
class Fault:
    """An example that does not come to what it says.

    :ivar rule: the id of the rule that holds it.
    :ivar text: the example, the turns of a conversation parted by ' | '.
    """

    rule: str
    text: str
    message: str


def check_examples(policy: Policy) -> tuple[int, list[Fault]]:
    """Return how many examples there are, and the faults.

    On an example under `acts` its rule must act, whether or not an earlier one does; one under
    `allow` must be left alone by every rule, or, for a rule with arguments, by the rule itself.
    """
    count, faults = 0, []
    for rule in policy.rules:
        for acts, turns in rule.examples:
            count += 1
            if message := _fault(policy, rule, acts, turns):
                faults.append(Fault(rule.id, ' | '.join(turns), message))
        if not any(acts for acts, _ in rule.examples):
            faults.append(Fault(rule.id, '', 'has no example under "acts": add one'))
    return count, faults


def _fault(policy: Policy, rule: Rule, acts: bool, turns: tuple[str, ...]) -> str:
    *history, instruction = turns
    if rule.arguments:
        thing, _, target = (part.strip() for part in instruction.partition(_TARGET))
        names = {'object': [thing], **({'target': [target]} if target else {})}
        if rule.matches_names(names) == acts:
            return ''
        return 'the rule does not act' if acts else 'the rule acts'
    wanted = wanted_by(policy.lexicon, instruction, tuple(history))
    if acts:
        found = rule.searches(instruction) or wanted.calls_for(rule)
        return '' if found else 'the rule does not act'
    other = policy.rule_for_words(instruction, history)
    if other is not None:
        return f'the rule {other.id} acts'
    if rule.action == 'ask_approval' and wanted.calls_for(rule):
        return 'the rule acts'
    return ''


def summary(policy: Policy) -> str:
    """Return a policy in one line."""
    words = sum(len(words.entries) for words in policy.lexicon.lists.values())
    waits = policy.min_approval_risk
    return (
        f'{len(policy.rules)} rules in {len(LANGUAGES)} languages, {words} words; approval from '
        f'{Risk(waits).name.lower()} risk on'
    )
