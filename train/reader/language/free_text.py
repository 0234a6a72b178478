"""String arguments: what to say, names, times, titles."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

from kimi_train.reader.language.lexicon import lexicon

__all__ = ['QUOTABLE', 'sample_text']

# Arguments whose text may be in quotes.
QUOTABLE = frozenset(('text', 'message', 'words', 'sentence', 'content', 'note', 'title'))


@functools.cache
def _texts() -> dict[str, dict[str, list[str]]]:
    path = Path(__file__).with_name('words') / 'texts.yaml'
    texts = yaml.safe_load(path.read_text(encoding='utf-8'))
    return {lang: {'names': ['{name}'], **by_kind} for lang, by_kind in texts.items()}


def _composed(rng, lang: str, kind: str) -> str:
    """Return a text made of parts: "take out the bins", 给花浇水; a title of no list.

    :param kind: of forms: 'errands', 'names' or 'titles'.
    """
    nouns = lexicon(lang)
    form = rng.choice(_texts()[lang][kind])
    parts = {
        '{n}': lambda: nouns.noun(rng, ('any',)).word,
        '{food}': lambda: nouns.noun(rng, ('food',)).word,
        '{name}': lambda: nouns.noun(rng, ('name',)).word,
        '{adj}': lambda: rng.choice(nouns.adjectives[rng.choice(('color', 'state'))]),
        '{number}': lambda: str(rng.randint(1, 30)),
    }
    for slot, sample in parts.items():
        while slot in form:
            form = form.replace(slot, sample(), 1)
    return form


# How often a text is composed, and of which forms, by the name of the argument.
_COMPOSED = {
    'text': (0.45, 'errands'),
    'name': (0.6, 'names'),
    'title': (0.45, 'titles'),
    'topic': (0.3, 'titles'),
    'subject': (0.3, 'titles'),
    'label': (0.3, 'titles'),
}


def sample_text(rng, lang: str, argument: str) -> str:
    """Sample a text for the string argument of this name."""
    share, kind = _COMPOSED.get(argument, (0.0, ''))
    if rng.random() < share:
        return _composed(rng, lang, kind)
    texts = _texts()[lang]
    return rng.choice(texts.get(argument) or texts['text'])
