"""English carrier phrases: "could you ...?", "I need you to ..."."""

from __future__ import annotations

import re

from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.skill_families import VERB_CLOSE, VERB_OPEN
from kimi_train.reader.language.verbs_en import gerund

__all__ = ['CARRIER_PHRASES', 'GERUND_CARRIER_PHRASES', 'add_carrier_phrase', 'to_gerund']

TEMPLATES = sentence_templates('en')

# '{}' is the imperative.
CARRIER_PHRASES = TEMPLATES['carrier_phrases']
GERUND_CARRIER_PHRASES = TEMPLATES['gerund_carrier_phrases']
_VERB = re.compile(f'{VERB_OPEN}([a-z]+)([^{VERB_CLOSE}]*){VERB_CLOSE}')


def to_gerund(text: str) -> str:
    """Return an imperative as a gerund, "picking up {object}"; '' if its verb is unknown."""
    match = _VERB.match(text)
    if not match:
        return ''
    return f'{VERB_OPEN}{gerund(match[1])}{match[2]}{VERB_CLOSE}{text[match.end() :]}'


def add_carrier_phrase(rng, text: str) -> str:
    """Return the imperative in a carrier phrase, often in none."""
    if rng.random() < 0.06:
        ing = to_gerund(text)
        if ing:
            return GERUND_CARRIER_PHRASES[int(rng.random() * len(GERUND_CARRIER_PHRASES))].replace(
                '{}', ing, 1
            )
    chosen = (
        CARRIER_PHRASES[int(rng.random() * len(CARRIER_PHRASES))] if rng.random() < 0.6 else '{}'
    )
    return chosen.replace('{}', text, 1)
