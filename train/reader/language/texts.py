"""Texts that a skill takes as they are said: what to say, names, times, titles."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

__all__ = ['FREE', 'text']

# Arguments whose text may stand in quotes.
FREE = frozenset(('text', 'message', 'words', 'sentence', 'content', 'note', 'title'))


@functools.cache
def _told() -> dict[str, dict[str, list[str]]]:
    path = Path(__file__).with_name('words') / 'texts.yaml'
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def text(rng, lang: str, argument: str) -> str:
    """Return a text that fits the argument of this name."""
    told = _told()[lang]
    options = told.get(argument) or told['text']
    return options[int(rng.random() * len(options))]
