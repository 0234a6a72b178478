"""Small talk, remarks, reasons and questions of the corpus."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

__all__ = ['questions', 'reasons', 'remarks', 'small_talk', 'spoken_questions', 'spoken_reasons']

_WORDS = Path(__file__).with_name('words')
_SENTENCES = Path(__file__).parent.parent / 'data' / 'words' / 'sentences.yaml'


@functools.cache
def _sentences() -> dict:
    return yaml.safe_load(_SENTENCES.read_text(encoding='utf-8'))


def small_talk(lang: str) -> tuple[str, ...]:
    """Return small talk, which requests nothing."""
    return tuple(_sentences()['small_talk'][lang])


def reasons(lang: str) -> tuple[str, ...]:
    """Return reasons for a request."""
    return tuple(_sentences()['reasons'][lang])


@functools.cache
def _spoken(name: str) -> dict:
    return yaml.safe_load((_WORDS / f'{name}.yaml').read_text(encoding='utf-8'))


@functools.cache
def remarks(lang: str) -> tuple[str, ...]:
    """Return what people say about things and people without asking for anything."""
    return tuple(_spoken('remarks')[lang])


def spoken_reasons(lang: str) -> tuple[str, ...]:
    """Return reasons that are about somebody or something else than the request."""
    return tuple(_spoken('spoken_reasons')[lang])


def spoken_questions(lang: str) -> dict[str, tuple[str, ...]]:
    """Return question templates by kind, with the slots of the sentence templates."""
    return {kind: tuple(lines) for kind, lines in _spoken('spoken_questions')[lang].items()}


def questions(lang: str, kind: str) -> tuple[str, ...]:
    """Return question templates of a kind; '{}' and '{2}' are their objects."""
    found = []
    for line in _sentences()['questions'][kind][lang]:
        if '{relation}' in line or ('{other}' in line and '{object}' not in line):
            continue
        line = line.replace('{object}', '{}').replace('{other}', '{2}')
        if lang == 'en' and line.startswith(('is there {}', 'are there {}', 'do we have {}')):
            line = line.replace('{}', '{a}')
        if lang == 'en' and kind == 'count':
            line = line.replace('{}', '{s}')
        if lang == 'zh' and kind == 'count':
            line = line.replace('个', '{m}')
        found.append(line)
    return tuple(found)
