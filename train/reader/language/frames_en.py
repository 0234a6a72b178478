"""Polite, idle and roundabout ways around an English request."""

from __future__ import annotations

import re

from kimi_train.reader.language.skills import VERB_CLOSE, VERB_OPEN
from kimi_train.reader.language.verbs_en import gerund

__all__ = ['BASE_FRAMES', 'GERUND_FRAMES', 'frame', 'to_gerund']

# '{}' is the imperative.
BASE_FRAMES = tuple('''{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|please {}|please {}|please {}|could you {}?|could you {}?|can you {}?
can you {}?|could you please {}?|can you please {}?|would you {}?|will you {}?|would you please {}?|could you just {}?
I need you to {}|I want you to {}|I'd like you to {}|I would like you to {}|you should {}|you can {}
you need to {}|you have to {}|go ahead and {}|try to {}|make sure to {}|make sure you {}|be so kind as to {}
be a dear and {}|do me a favour and {}|do me a favor and {}|it would be great if you could {}|it'd be nice if you could {}
I was hoping you could {}|I was wondering if you could {}|I wonder if you could {}|if you could {} that would be great
don't forget to {}|remember to {}|your task is to {}|your job is to {}|the next job is to {}|why don't you {}?|let's {}
help me {}|just {}|now {}|next {}|then {}|kindly {}|maybe you could {}|perhaps you could {}|could you possibly {}?
are you able to {}?|is it possible for you to {}?|any chance you could {}?|do you think you could {}?|you might want to {}
time to {}|it's time to {}|we need to {}|we have to {}|what you need to do is {}|all you have to do is {}|can I get you to {}?
could I ask you to {}?|may I ask you to {}?|I must ask you to {}|I'm asking you to {}|would you be able to {}?
would you kindly {}?|you'd better {}|somebody has to {}|first of all {}|ok {}|alright {}|hey, {}
the first thing to do is {}|here's what I want: {}|new task: {}|task: {}|I'd appreciate it if you could {}|we should {}
could ya {}?|gonna need you to {}|can ye {}?|would ya {}?|mate, {}|{}, would you?|{}, will you?|{}, can you?|{}, could you?|you go {}'''
                    .replace('\n', '|').split('|'))
GERUND_FRAMES = ('would you mind {}?', 'how about {}?', 'start by {}', 'I\'d appreciate you {}',
                 'what about {}?', 'do you mind {}?', 'start {}', "let's start with {}",
                 'would you consider {}?', 'try {}', 'you could help me by {}')
_VERB = re.compile(f'{VERB_OPEN}([a-z]+)([^{VERB_CLOSE}]*){VERB_CLOSE}')


def to_gerund(text: str) -> str:
    """Return an imperative in -ing: "picking up {object}"; the text as it is where it has no verb."""
    match = _VERB.match(text)
    if not match:
        return ''
    return f'{VERB_OPEN}{gerund(match[1])}{match[2]}{VERB_CLOSE}{text[match.end():]}'


def frame(rng, text: str) -> str:
    """Return the imperative in one of the frames, often as it is."""
    if rng.random() < 0.06:
        ing = to_gerund(text)
        if ing:
            return GERUND_FRAMES[int(rng.random() * len(GERUND_FRAMES))].replace("{}", ing, 1)
    chosen = BASE_FRAMES[int(rng.random() * len(BASE_FRAMES))] if rng.random() < 0.6 else '{}'
    return chosen.replace('{}', text, 1)


