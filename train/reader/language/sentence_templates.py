"""Sentence templates of a language: carrier phrases, conjunctions, questions and so on."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

__all__ = ['sentence_templates']


@functools.cache
def sentence_templates(lang: str) -> dict[str, tuple[str, ...]]:
    """Return the lists in `words/sentence_templates_LANG.yaml` by name."""
    path = Path(__file__).with_name('words') / f'sentence_templates_{lang}.yaml'
    templates = yaml.safe_load(path.read_text(encoding='utf-8'))
    return {name: tuple(str(line) for line in lines) for name, lines in templates.items()}
