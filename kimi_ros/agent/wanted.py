"""What a conversation asks for in the end, judged by its words alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from kimi_ros.agent.intent_language import Lexicon, Matcher, Text
from kimi_ros.agent.policy_rules import Rule

_MOST_TURNS = 6  # earlier instructions that count
_POLITE = frozenset('please and but robot hey you just also thanks'.split()) | set('请你并而且也但')
# Lists of words that mean something to every rule with intents.
_PROHIBITION, _QUESTION = 'prohibition', 'question'


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
