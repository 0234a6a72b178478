"""Sentence templates of a language: carrier phrases, conjunctions, questions and so on."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

__all__ = ['sentence_templates']


@functools.cache
def sentence_templates(lang: str) -> dict[str, tuple[str, ...]]:
    """Return the lists in `words/sentence_templates_LANG.yaml` by name, with more of the same name.

    Those are in `words/everyday_templates_LANG.yaml`.
    """
    found: dict[str, tuple[str, ...]] = {}
    for kind in ('sentence', 'everyday'):
        path = Path(__file__).with_name('words') / f'{kind}_templates_{lang}.yaml'
        for name, lines in yaml.safe_load(path.read_text(encoding='utf-8')).items():
            found[name] = found.get(name, ()) + tuple(str(line) for line in lines)
    return found
