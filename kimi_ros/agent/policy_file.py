"""Reading rules and words from what a policy file holds; errors name file, line, key and fault."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kimi_ros.agent.errors import PolicyError
from kimi_ros.agent.intent_language import (
    Lexicon,
    Pattern,
    PatternError,
    WordList,
    lists_named,
    parse_pattern,
)
from kimi_ros.agent.noun_matching import normalize_text
from kimi_ros.agent.plan import Risk
from kimi_ros.agent.policy_rules import NounMatcher, Rule
from kimi_ros.agent.skills import LANGUAGES
from kimi_ros.agent.yaml_schema import where

_RENAMED = {'asked': 'patterns', 'from_risk': 'min_risk', 'approve_from': 'min_approval_risk'}
_BREAKS = 'breaks'  # the list of words that no gap goes across


def lexicon_of(words: dict[str, Any], data: dict[str, Any], source: str) -> Lexicon:
    """Return the lists of words of a file that the schema allows.

    :param words: the shipped lists, too, where the file extends them.
    :param data: the file's own contents, whose lines errors name.
    """
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


def rule_of(
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
        tuple(normalize_text(w) for w in entry.get('giving_skill', ())),
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


def with_current_keys(entry: Any) -> Any:
    """Return a mapping with the keys of earlier versions renamed."""
    if not isinstance(entry, dict):
        return entry
    return {_RENAMED.get(key, key): value for key, value in entry.items()}
