"""The corpus of skills: its files, checked entry by entry, and entries of one name merged."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

__all__ = ['CORE', 'CorpusError', 'load_corpus']

DATA = Path(__file__).parent.parent / 'data'
CORE = 'core.yaml'
_TYPES = frozenset(('object', 'point', 'region', 'enum', 'number', 'string', 'bool'))
_KEYS = frozenset('name aliases arguments nouns otherwise said into en zh'.split())
_SLOT = re.compile(r'\{(\w+)\}')


class CorpusError(ValueError):
    """An entry of the corpus is invalid; the message names file, skill and fault."""


def load_corpus(folder: Path = DATA) -> dict[str, tuple[dict, bool]]:
    """Return the entries by skill name, and whether each is one of the basic skills.

    Entries of one name are one skill: of the later ones, descriptions, aliases and the requests
    whose slots the first one has are added to it.

    :raise CorpusError: for an invalid entry.
    """
    found: dict[str, tuple[dict, bool]] = {}
    for path in sorted(folder.glob('*.yaml'), key=lambda p: (p.name != CORE, p.name)):
        try:
            entries = yaml.safe_load(path.read_text(encoding='utf-8')) or ()
        except yaml.YAMLError as error:
            raise CorpusError(f'{path.name} is no YAML: {error}') from error
        for position, entry in enumerate(entries, 1):
            label = entry.get('name') if isinstance(entry, dict) else None
            if fault := _fault(entry):
                raise CorpusError(f'{path.name}: skill {label or f"number {position}"}: {fault}')
            if entry['name'] not in found:
                found[entry['name']] = entry, path.name == CORE
            elif not _merge(found[entry['name']][0], entry):
                raise CorpusError(
                    f'{path.name}: skill {label} is there already with other arguments: '
                    'rename it, or use the same ones'
                )
    return found


def _fault(entry) -> str:
    """Return what is wrong with an entry, or ''."""
    if not isinstance(entry, dict) or not isinstance(entry.get('name'), str):
        return 'no name'
    if unknown := set(entry) - _KEYS:
        return f'unknown keys {sorted(unknown)}'
    arguments = {}
    for argument in entry.get('arguments') or ():
        if not isinstance(argument, dict) or argument.get('type') not in _TYPES:
            return f'argument {argument!r} has no type out of {sorted(_TYPES)}'
        name = argument.get('name')
        if not isinstance(name, str) or name in arguments:
            return f'argument name {name!r} is no text, or is there twice'
        arguments[name] = argument
        if argument['type'] == 'enum':
            values, said = argument.get('values'), argument.get('said') or entry.get('said') or {}
            if not values or not all(isinstance(value, str) for value in values):
                return f'enum {name} needs texts as values (quote yes, no, on, off and numbers)'
            for lang in ('en', 'zh'):
                missing = [v for v in values if not (said.get(v) or {}).get(lang)]
                if missing and argument.get('said'):
                    return f'enum {name}: no {lang} words for {missing}'
    for holder in (entry, *arguments.values()):
        if fault := _fault_of_words(holder.get('said') or {}):
            return fault
    nouns = entry.get('nouns')
    if isinstance(nouns, dict) and (unknown := set(nouns) - set(arguments)):
        return f'nouns of {unknown}, which are no arguments (quote on, off, yes and no)'
    for lang in ('en', 'zh'):
        section = entry.get(lang)
        if section is None:
            continue
        for key in ('descriptions', 'ask'):
            lines = section.get(key) or ()
            if isinstance(lines, str) or not all(isinstance(line, (str, int)) for line in lines):
                return f'{lang}: {key} must be a list of texts (quote those with ": " or "{{")'
        for line in section.get('ask') or ():
            slots = _SLOT.findall(str(line))
            if len(slots) != len(set(slots)) or str(line).count('{') != len(slots):
                return f'{lang}: a slot is broken or there twice in {line!r}'
            if not set(slots) <= set(arguments):
                return f'{lang}: {line!r} has a slot that is no argument'
    return ''


def _fault_of_words(said: dict) -> str:
    """Return which word of a value is no text, or ''."""
    for by_language in said.values():
        for lang, words in by_language.items() if isinstance(by_language, dict) else ():
            for word in words if isinstance(words, list) else [words]:
                if not isinstance(word, str):
                    return f'said: {lang} word {word!r} is no text (quote on, off, yes and no)'
    return ''


def _merge(known: dict, entry: dict) -> bool:
    """Add an entry to the one of its name; tell whether a request of it fits."""
    fits = False
    arguments = {a['name'] for a in known.get('arguments') or ()}
    for lang in ('en', 'zh'):
        section, more = known.setdefault(lang, {}), entry.get(lang) or {}
        section['descriptions'] = list(
            dict.fromkeys((section.get('descriptions') or []) + (more.get('descriptions') or []))
        )
        lines = [a for a in more.get('ask') or () if set(_SLOT.findall(str(a))) <= arguments]
        section['ask'] = list(dict.fromkeys((section.get('ask') or []) + lines))
        fits = fits or bool(lines)
    known['aliases'] = list(
        dict.fromkeys((known.get('aliases') or []) + (entry.get('aliases') or []))
    )
    return fits
