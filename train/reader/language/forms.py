"""The lists of what stands around a request: conjunctions, frames, questions and the like."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

__all__ = ['forms']


@functools.cache
def forms(lang: str) -> dict[str, tuple[str, ...]]:
    """Return the lists of `words/forms_*.yaml` by name."""
    path = Path(__file__).with_name('words') / f'forms_{lang}.yaml'
    told = yaml.safe_load(path.read_text(encoding='utf-8'))
    return {name: tuple(str(line) for line in lines) for name, lines in told.items()}
