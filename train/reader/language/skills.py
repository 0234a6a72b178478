"""The skills that instructions ask for, as the corpus tells them, and how each is asked for."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from pathlib import Path

import yaml

from kimi_train.reader.language import dictionaries as words
from kimi_train.reader.language.asks import DOING, SLOT, VERB_CLOSE, VERB_OPEN, Ask, passive
from kimi_train.reader.language.table import table_requests
from kimi_train.reader.language.verbs_en import PARTICLES

__all__ = [
    'FETCH',
    'VERB_CLOSE',
    'VERB_OPEN',
    'Ask',
    'Family',
    'families',
    'neighbours',
    'passive',
    'relatives',
]

_DATA = Path(__file__).parent.parent / 'data'
FETCH = ('hand_over', 'bring', 'fetch', 'deliver')


class Family:
    """A skill of the corpus.

    :ivar arguments: the entries of its YAML.
    :ivar nouns: classes of the things it is asked for, by argument.
    :ivar asks: ways to ask by language.
    :ivar more: further ways, from the requests of the simulated table.
    :ivar drawn: whether it comes from a dictionary, not from the corpus.
    :ivar otherwise: names of families that do for it where a catalogue lacks it.
    """

    def __init__(self, entry: dict, core: bool):
        self.name = entry['name']
        self.aliases = tuple(str(a) for a in entry.get('aliases') or ())
        self.arguments = entry.get('arguments') or []
        self.by_name = {a['name']: a for a in self.arguments}
        self.core = core
        self.drawn = bool(entry.get('drawn'))
        self.said = entry.get('said') or {}
        self.into = entry.get('into', '')
        otherwise = entry.get('otherwise') or ()
        self.otherwise = (otherwise,) if isinstance(otherwise, str) else tuple(otherwise)
        self._nouns = entry.get('nouns') or ['any']
        self.descriptions = {}
        self.asks: dict[str, list[Ask]] = {}
        self.more: dict[str, list[Ask]] = {'en': [], 'zh': []}
        for lang in ('en', 'zh'):
            told = entry.get(lang) or {}
            self.descriptions[lang] = tuple(told.get('descriptions') or ())
            self.asks[lang] = [
                ask for line in told.get('ask') or () if (ask := self._ask(str(line), lang))
            ]

    def _ask(self, line, lang):
        ask = Ask(line, lang)
        return ask if all(slot in self.by_name for slot in ask.slots) else None

    @property
    def names(self) -> tuple[str, ...]:
        """All its names."""
        return (self.name, *self.aliases)

    @functools.cache  # noqa: B019  families live as long as the process
    def kinds(self, argument: str) -> tuple[str, ...]:
        """Return the classes of nouns that fit an argument."""
        nouns = self._nouns
        if isinstance(nouns, dict):
            nouns = nouns.get(argument) or ['any']
        if isinstance(nouns, str):
            nouns = [nouns]
        return tuple(nouns)


@functools.cache
def families() -> dict[str, Family]:
    """Return the skills of the corpus by name; entries of the same name are put together."""
    entries: dict[str, dict] = {}
    core = set()
    for path in sorted(_DATA.glob('*.yaml'), key=lambda p: (p.name != 'core.yaml', p.name)):
        for entry in yaml.safe_load(path.read_text(encoding='utf-8')) or ():
            known = entries.setdefault(entry['name'], entry)
            if path.name == 'core.yaml':
                core.add(entry['name'])
            elif known is not entry:
                _merge(known, entry)
    everyone = {name: Family(entry, name in core) for name, entry in entries.items()}
    for entry in (*_verbs_en(everyone), *_dictionary_zh(everyone)):
        everyone[entry['name']] = Family(entry, False)
    for (name, lang), lines in table_requests().items():
        everyone[name].more[lang] = [Ask(line, lang) for line in lines]
    return everyone


def _verbs_en(known):
    """Make skills of verbs of WordNet: a name, what it means, and its synonyms as ways to ask."""
    taken = {label for family in known.values() for label in family.names}
    for synonyms, gloss in words.wordnet_verbs():
        name = synonyms[0].replace(' ', '_').replace('-', '_')
        if sum(map(ord, name + gloss)) % 8 or name in taken or len(synonyms) > 5:
            continue
        taken.add(name)
        asks = []
        for verb in synonyms:
            front, space, particle = verb.rpartition(' ')
            asks += [f'{verb} {{object}}'] * 2
            if particle in PARTICLES and front:
                asks.append(f'{front} {{object}} {particle}')
        yield {
            'name': name,
            'aliases': [v.replace(' ', '_') for v in synonyms[1:]],
            'drawn': True,
            'arguments': [{'name': 'object', 'type': 'object'}],
            'en': {'descriptions': [gloss[0].upper() + gloss[1:] + '.'], 'ask': asks},
        }


def _dictionary_zh(known):
    """Make skills of verbs of CC-CEDICT, named in English."""
    taken = {label for family in known.values() for label in family.names}
    used = {ask.verb for family in known.values() for ask in family.asks['zh']}
    contact = {verb for synonyms, _ in words.wordnet_verbs() for verb in synonyms}
    for word, glosses, _ in words.cedict():
        if len(word) != 2 or not glosses[0].startswith('to ') or word in used:
            continue
        meaning = re.sub(r'\(.*?\)', '', glosses[0][3:]).strip()
        name = meaning.replace(' ', '_')
        if meaning not in contact or name in taken or not set(word) & DOING:
            continue
        taken.add(name)
        yield {
            'name': name,
            'drawn': True,
            'arguments': [{'name': 'object', 'type': 'object'}],
            'en': {'descriptions': [f'{meaning[0].upper()}{meaning[1:]} an object.']},
            'zh': {
                'descriptions': [f'{word}一个物体。', f'把物体{word}。', f'{word}指定的东西。'],
                'ask': [
                    f'<{word}>{{object}}',
                    f'<{word}>{{object}}',
                    f'<{word}>一下{{object}}',
                    f'把{{object}}<{word}>一下',
                ],
            },
        }


def _merge(known, entry):
    arguments = {a['name'] for a in known.get('arguments') or ()}
    for lang in ('en', 'zh'):
        told, more = known.setdefault(lang, {}), entry.get(lang) or {}
        told['descriptions'] = list(
            dict.fromkeys((told.get('descriptions') or []) + (more.get('descriptions') or []))
        )
        asks = [a for a in more.get('ask') or () if set(SLOT.findall(str(a))) <= arguments]
        told['ask'] = list(dict.fromkeys((told.get('ask') or []) + asks))
    known['aliases'] = list(
        dict.fromkeys((known.get('aliases') or []) + (entry.get('aliases') or []))
    )


_IDLE = frozenset(
    """a an the of or in to and for with by as on at from into onto it its is are so that some
    something thing object objects robot person one""".split()
)


@functools.cache
def neighbours() -> dict[str, dict[str, float]]:
    """Return for each family of the corpus those told in like words, and how like they are."""
    told = {}
    for name, family in families().items():
        if not family.drawn:
            text = ' '.join((*family.descriptions['en'], *family.names)).lower().replace('_', ' ')
            told[name] = {w[:5] for w in re.findall('[a-z]+', text)} - {w[:5] for w in _IDLE}
    near = {}
    for name, mine in told.items():
        like = {
            other: len(mine & theirs) / (len(mine | theirs) or 1)
            for other, theirs in told.items()
            if other != name
        }
        near[name] = {
            o: like[o] for o in sorted(like, key=lambda o: (-like[o], o))[:10] if like[o] > 0.05
        }
    return near


@functools.cache
def relatives() -> dict[str, frozenset[str]]:
    """Return for each family those that mean the same or are asked for in the same words."""
    everyone = families()
    shared = defaultdict(set)
    for name, family in everyone.items():
        for label in family.names:
            shared['name', label].add(name)
        for lang in ('en', 'zh'):
            for ask in family.asks[lang]:
                shared['ask', ask.shape].add(name)
    same: dict[str, set[str]] = {name: set() for name in everyone}
    for group in shared.values():
        for name in group:
            same[name] |= group
    return {name: frozenset(group - {name}) for name, group in same.items()}
