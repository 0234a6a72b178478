"""Polite, idle and roundabout ways around an English request."""

from __future__ import annotations

import re

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.skills import VERB_CLOSE, VERB_OPEN
from kimi_train.reader.language.verbs_en import gerund

__all__ = ['BASE_FRAMES', 'GERUND_FRAMES', 'frame', 'to_gerund']

FORMS = forms('en')

# '{}' is the imperative.
BASE_FRAMES = FORMS['base_frames']
GERUND_FRAMES = FORMS['gerund_frames']
_VERB = re.compile(f'{VERB_OPEN}([a-z]+)([^{VERB_CLOSE}]*){VERB_CLOSE}')


def to_gerund(text: str) -> str:
    """Return an imperative in -ing: "picking up {object}"; '' where it has no verb."""
    match = _VERB.match(text)
    if not match:
        return ''
    return f'{VERB_OPEN}{gerund(match[1])}{match[2]}{VERB_CLOSE}{text[match.end() :]}'


def frame(rng, text: str) -> str:
    """Return the imperative in one of the frames, often as it is."""
    if rng.random() < 0.06:
        ing = to_gerund(text)
        if ing:
            return GERUND_FRAMES[int(rng.random() * len(GERUND_FRAMES))].replace('{}', ing, 1)
    chosen = BASE_FRAMES[int(rng.random() * len(BASE_FRAMES))] if rng.random() < 0.6 else '{}'
    return chosen.replace('{}', text, 1)
