"""Skill families: the skills of the corpus, with their descriptions and request templates."""

from __future__ import annotations

import functools
import re

from kimi_train.reader.language import dictionaries as words
from kimi_train.reader.language.corpus import load_corpus
from kimi_train.reader.language.request_templates import (
    ACTION_CHARACTERS,
    VERB_CLOSE,
    VERB_OPEN,
    RequestTemplate,
    to_passive,
)
from kimi_train.reader.language.tabletop_requests import tabletop_requests
from kimi_train.reader.language.verbs_en import PARTICLES

__all__ = [
    'FETCH_FAMILIES',
    'VERB_CLOSE',
    'VERB_OPEN',
    'RequestTemplate',
    'SkillFamily',
    'skill_families',
    'to_passive',
]

FETCH_FAMILIES = ('hand_over', 'bring', 'fetch', 'deliver')


class SkillFamily:
    """A skill of the corpus, which catalogues have under various names.

    :ivar arguments: as in its YAML entry.
    :ivar core: whether it is one of the basic skills.
    :ivar from_dictionary: whether it was derived from a dictionary.
    :ivar value_wordings: wordings of enum and bool values, by value and language.
    :ivar prefers_inside: whether its place is mostly inside a container.
    :ivar fallbacks: families that fulfil its requests if a catalogue lacks it.
    :ivar descriptions: by language.
    :ivar templates: request templates by language.
    :ivar tabletop_templates: those from the simulated table.
    """

    def __init__(self, entry: dict, core: bool):
        self.name = entry['name']
        self.aliases = tuple(str(a) for a in entry.get('aliases') or ())
        self.arguments = entry.get('arguments') or []
        self.arguments_by_name = {a['name']: a for a in self.arguments}
        self.core = core
        self.from_dictionary = bool(entry.get('drawn'))
        self.value_wordings = entry.get('said') or {}
        self.prefers_inside = entry.get('into', '')
        fallbacks = entry.get('otherwise') or ()
        self.fallbacks = (fallbacks,) if isinstance(fallbacks, str) else tuple(fallbacks)
        self._nouns = entry.get('nouns') or ['any']
        self.descriptions = {}
        self.templates: dict[str, list[RequestTemplate]] = {}
        self.tabletop_templates: dict[str, list[RequestTemplate]] = {'en': [], 'zh': []}
        for lang in ('en', 'zh'):
            section = entry.get(lang) or {}
            self.descriptions[lang] = tuple(section.get('descriptions') or ())
            self.templates[lang] = [
                template
                for line in section.get('ask') or ()
                if (template := self._parse_template(str(line), lang))
            ]

    def _parse_template(self, line, lang):
        template = RequestTemplate(line, lang)
        return template if all(slot in self.arguments_by_name for slot in template.slots) else None

    @property
    def names(self) -> tuple[str, ...]:
        """Name and aliases."""
        return (self.name, *self.aliases)

    @functools.cache  # noqa: B019  families live as long as the process
    def noun_classes(self, argument: str) -> tuple[str, ...]:
        """Return the noun classes that suit an argument."""
        nouns = self._nouns
        if isinstance(nouns, dict):
            nouns = nouns.get(argument) or ['any']
        if isinstance(nouns, str):
            nouns = [nouns]
        return tuple(nouns)


@functools.cache
def skill_families() -> dict[str, SkillFamily]:
    """Return the families by name; entries of the same name are merged."""
    all_families = {
        name: SkillFamily(entry, is_core) for name, (entry, is_core) in load_corpus().items()
    }
    for entry in (*_wordnet_families(all_families), *_cedict_families(all_families)):
        all_families[entry['name']] = SkillFamily(entry, False)
    for (name, lang), lines in tabletop_requests().items():
        all_families[name].tabletop_templates[lang] = [
            RequestTemplate(line, lang) for line in lines
        ]
    return all_families


def _wordnet_families(known):
    """Yield families from verbs of WordNet: gloss as description, synonyms as templates."""
    taken = {label for family in known.values() for label in family.names}
    for synonyms, gloss in words.wordnet_verbs():
        name = synonyms[0].replace(' ', '_').replace('-', '_')
        if sum(map(ord, name + gloss)) % 8 or name in taken or len(synonyms) > 5:
            continue
        taken.add(name)
        templates = []
        for verb in synonyms:
            front, space, particle = verb.rpartition(' ')
            templates += [f'{verb} {{object}}'] * 2
            if particle in PARTICLES and front:
                templates.append(f'{front} {{object}} {particle}')
        yield {
            'name': name,
            'aliases': [v.replace(' ', '_') for v in synonyms[1:]],
            'drawn': True,
            'arguments': [{'name': 'object', 'type': 'object'}],
            'en': {'descriptions': [gloss[0].upper() + gloss[1:] + '.'], 'ask': templates},
        }


def _cedict_families(known):
    """Yield families from verbs of CC-CEDICT, named in English."""
    taken = {label for family in known.values() for label in family.names}
    used = {template.verb for family in known.values() for template in family.templates['zh']}
    contact = {verb for synonyms, _ in words.wordnet_verbs() for verb in synonyms}
    for word, glosses, _ in words.cedict():
        if len(word) != 2 or not glosses[0].startswith('to ') or word in used:
            continue
        meaning = re.sub(r'\(.*?\)', '', glosses[0][3:]).strip()
        name = meaning.replace(' ', '_')
        if meaning not in contact or name in taken or not set(word) & ACTION_CHARACTERS:
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
