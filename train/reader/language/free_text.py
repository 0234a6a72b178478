"""String arguments: what to say, names, times, titles."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

__all__ = ['QUOTABLE', 'sample_text']

# Arguments whose text may be in quotes.
QUOTABLE = frozenset(('text', 'message', 'words', 'sentence', 'content', 'note', 'title'))


@functools.cache
def _texts() -> dict[str, dict[str, list[str]]]:
    path = Path(__file__).with_name('words') / 'texts.yaml'
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def sample_text(rng, lang: str, argument: str) -> str:
    """Sample a text for the string argument of this name."""
    texts = _texts()[lang]
    options = texts.get(argument) or texts['text']
    return options[int(rng.random() * len(options))]
