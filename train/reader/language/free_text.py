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
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def _errand(rng, lang):
    """Return what somebody has to do, says or writes: "take out the bins", 给花浇水."""
    form = rng.choice(_texts()[lang]['errands'])
    nouns = lexicon(lang)
    for slot, noun_class in (('{n}', 'any'), ('{food}', 'food'), ('{name}', 'name')):
        while slot in form:
            form = form.replace(slot, nouns.noun(rng, (noun_class,)).word, 1)
    return form


def sample_text(rng, lang: str, argument: str) -> str:
    """Sample a text for the string argument of this name."""
    texts = _texts()[lang]
    if argument == 'text' and rng.random() < 0.45:
        return _errand(rng, lang)
    options = texts.get(argument) or texts['text']
    return options[int(rng.random() * len(options))]
