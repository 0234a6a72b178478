"""Relations between skill families: equivalent, overlapping, similar; and the held-out split."""

from __future__ import annotations

import functools
import re
from collections import defaultdict

from kimi_train.reader.language.lexicon import is_held_out
from kimi_train.reader.language.skill_families import skill_families

__all__ = [
    'equivalent_families',
    'is_held_out_family',
    'overlapping_families',
    'similar_families',
]

_STOP_WORDS = frozenset(
    """a an the of or in to and for with by as on at from into onto it its is are so that some
    something thing object objects robot person one left right side direction""".split()
)


@functools.cache
def similar_families() -> dict[str, dict[str, float]]:
    """Return for each family those with similar descriptions, and their Jaccard similarity."""
    section = {}
    for name, family in skill_families().items():
        if not family.from_dictionary:
            text = ' '.join((*family.descriptions['en'], *family.names)).lower().replace('_', ' ')
            section[name] = {w[:5] for w in re.findall('[a-z]+', text)} - {
                w[:5] for w in _STOP_WORDS
            }
    near = {}
    for name, mine in section.items():
        like = {
            other: len(mine & theirs) / (len(mine | theirs) or 1)
            for other, theirs in section.items()
            if other != name
        }
        near[name] = {
            o: like[o] for o in sorted(like, key=lambda o: (-like[o], o))[:10] if like[o] > 0.05
        }
    return near


@functools.cache
def overlapping_families() -> dict[str, frozenset[str]]:
    """Return for each family those that share a name or a template with it."""
    all_families = skill_families()
    shared = defaultdict(set)
    for name, family in all_families.items():
        for label in family.names:
            shared['name', label].add(name)
        for lang in ('en', 'zh'):
            for template in family.templates[lang]:
                shared['ask', template.delexicalized].add(name)
    same: dict[str, set[str]] = {name: set() for name in all_families}
    for group in shared.values():
        for name in group:
            same[name] |= group
    return {name: frozenset(group - {name}) for name, group in same.items()}


@functools.cache
def equivalent_families() -> dict[str, frozenset[str]]:
    """Return for each family those of the same meaning, which share names."""
    all_families = skill_families()
    called: dict[str, list[str]] = {}
    for name, family in all_families.items():
        for label in family.names:
            called.setdefault(label, []).append(name)
    same = {}
    for name, family in all_families.items():
        labels = set(family.names)
        others = {n for label in labels for n in called[label]} - {name}
        same[name] = frozenset(
            n
            for n in others
            if n in labels
            or name in all_families[n].names
            or len(labels & set(all_families[n].names)) > 1
        )
    return same


@functools.cache
def is_held_out_family(name: str) -> bool:
    """Tell whether a family belongs to the held-out split."""
    family = skill_families()[name]
    if (
        family.core
        or family.from_dictionary
        or any(skill_families()[n].core for n in equivalent_families()[name])
    ):
        return False
    return is_held_out(name)
