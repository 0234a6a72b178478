"""Clauses that request one skill: a template of its family with filled slots."""

from __future__ import annotations

import functools
import re
from collections import defaultdict

from kimi_train.reader.language import value_wordings
from kimi_train.reader.language.adverbials import vague_places
from kimi_train.reader.language.annotated_instruction import SkillCall
from kimi_train.reader.language.family_relations import overlapping_families, similar_families
from kimi_train.reader.language.skill_families import (
    VERB_CLOSE,
    VERB_OPEN,
    RequestTemplate,
    SkillFamily,
    skill_families,
)
from kimi_train.reader.language.span_markers import SpanMarkers

__all__ = ['GROUNDED_TYPES', 'ClauseGenerator', 'sample_relation']

GROUNDED_TYPES = ('object', 'point', 'region')
# Skills whose object may be given with its source: "the cup from the shelf".
_FAMILIES_WITH_SOURCE = ('pick', 'hand_over', 'fetch', 'bring', 'deliver', 'follow', 'guide')
# A thing, a verb of placing and where it goes.
_PLACEMENT = {
    'en': re.compile(r'^(?:put|place|set|lay|stick|pop|leave) \{\} (?:back )?(?:in|on|into|onto) '),
    'zh': re.compile(r'\{\}(?:放|搁|摆)'),
}


class ClauseGenerator:
    """Generates clauses; what both languages share.

    :param rng: random.Random.
    :param catalogue: the `SkillCatalogue`.
    :param noun_phrases: the language's `NounPhraseGenerator`.
    :param mark: numbers the spans of the example.
    :ivar left_out: numbers of the spans that no skill takes.
    """

    lang = ''

    def __init__(self, rng, catalogue, noun_phrases, mark: SpanMarkers):
        self.rng = rng
        self.random = rng.random
        self.catalogue = catalogue
        self.noun_phrases = noun_phrases
        self.mark = mark
        self.left_out: list[int] = []

    def choose(self, options):
        """Return a random option."""
        return options[int(self.random() * len(options))]

    def family(self, predicate=None) -> SkillFamily | None:
        """Sample a family of the catalogue that satisfies `predicate`; None if there is none."""
        all_families = skill_families()
        names = self.catalogue.requestable
        for _ in range(6):
            family = all_families[self.choose(names)]
            if family.templates[self.lang] and (predicate is None or predicate(family)):
                return family
        for name in names:
            if all_families[name].templates[self.lang] and (
                predicate is None or predicate(all_families[name])
            ):
                return all_families[name]
        return None

    def sample_template(self, family: SkillFamily, predicate=None) -> RequestTemplate | None:
        """Sample a template of the family that satisfies `predicate`; None if there is none."""
        templates = self.catalogue.templates(family, self.lang)
        if not templates:
            return None
        more = self.catalogue.tabletop_templates(family, self.lang)
        share = 0.55 if self.catalogue.is_tabletop else 0.25
        for _ in range(5):
            template = self.choose(more if more and self.random() < share else templates)
            if predicate is None or predicate(template):
                return template
        templates = [a for a in templates if predicate(a)] if predicate else templates
        return self.choose(templates) if templates else None

    def is_outside_catalogue(self, family: SkillFamily, template: RequestTemplate) -> bool:
        """Tell whether the template clearly requests no skill of the catalogue."""
        skills = self.catalogue.skills
        if overlapping_families().get(family.name, frozenset()) & set(skills):
            return False
        like = similar_families().get(family.name, {})
        if any(like.get(name, 0) > 0.22 and not _opposite(name, family.name) for name in skills):
            return False
        if template.verb not in self.catalogue.verbs:
            return True
        return template.is_idiom and not self._is_placement(template)

    def _is_placement(self, template: RequestTemplate) -> bool:
        """Tell whether a skill with a place fulfils the request: "put {object} in the freezer"."""
        return bool(_PLACEMENT[self.lang].search(template.delexicalized)) and self.catalogue.has(
            'place'
        )

    def families(self) -> list[SkillFamily]:
        """Return the families that instructions may ask for."""
        return [skill_families()[name] for name in dict.fromkeys(self.catalogue.requestable)]

    def near_families(self) -> list[str]:
        """Return families outside the catalogue that resemble one of its skills.

        Their descriptions are alike, or they take a value that the skill takes, too: "rotate it to
        the left" is no request for push(object, direction).
        """
        if self.random() < 0.5:
            return [n for own in self.catalogue.skills for n in similar_families().get(own, ())]
        values = {
            value
            for skill in self.catalogue.skills.values()
            for argument in skill.family.arguments
            for value in argument.get('values') or ()
        }
        return [name for value in sorted(map(str, values)) for name in _families_by_value()[value]]

    @staticmethod
    def object_slot(family, slots) -> str:
        """Return the first object slot that is neither place nor recipient, if any, or ''."""
        objects = [
            slot
            for slot in slots
            if family.arguments_by_name[slot]['type'] == 'object'
            and not family.arguments_by_name[slot].get('place')
        ]
        things = [slot for slot in objects if 'person' not in family.noun_classes(slot)]
        return (things or objects or [''])[0]

    @staticmethod
    def can_refer_to(phrase, family, slot) -> bool:
        """Tell whether a pronoun in the slot can refer to the phrase (a cup cannot be met)."""
        noun_classes = family.noun_classes(slot)
        alive = [k in ('person', 'animal') for k in noun_classes]
        if phrase.noun_class in ('person', 'animal'):
            return any(alive)
        if phrase.noun_class == 'place' or 'place' in noun_classes:
            return 'place' in noun_classes and phrase.noun_class == 'place'
        return not all(alive)

    def fill(self, family: SkillFamily, text: str, slots, given=None) -> tuple[str, SkillCall]:
        """Return the clause with its slots filled, and its skill call.

        :param text: of a `RequestTemplate`, perhaps in a carrier phrase.
        :param given: by slot, its text and the phrases that it refers to (and the relation of a
            place); other slots are sampled.
        """
        call = SkillCall(family)
        target_family = self.catalogue.resolve(family.name)
        argument_map = (
            self.catalogue.argument_map(family.name, target_family) if target_family else None
        )
        for slot in slots:
            wording = self._fill_slot(family, call, slot, given)
            if argument_map is not None and slot not in argument_map and wording:
                number, wording = self.mark(wording)
                self.left_out.append(number)
            if self.lang == 'en' and slot in call.phrases and call.phrases[slot][0].plural:
                text = _agree(text, '{' + slot + '}')
            text = text.replace('{' + slot + '}', wording, 1)
        if VERB_OPEN in text:
            call.verb, opening, closing = self.mark.new_pair()
            text = text.replace(VERB_OPEN, opening).replace(VERB_CLOSE, closing)
        return text, call

    def _fill_slot(self, family, call, slot, given):
        argument = family.arguments_by_name[slot]
        argument_type = argument['type']
        if given and slot in given:
            wording, phrases = given[slot][:2]
            call.phrases[slot] = phrases
            if len(given[slot]) > 2:
                call.relation = given[slot][2]
            return wording
        if argument_type in GROUNDED_TYPES:
            if argument.get('place'):
                if family.name == 'place' and self.random() < 0.05:
                    return self._vague_place()
                relation, wording, phrases = self.sample_place(family, slot)
                call.relation = relation
                call.phrases[slot] = phrases
                return wording
            noun_classes = family.noun_classes(slot)
            self.noun_phrases.place_follows = any(a.get('place') for a in family.arguments)
            if family.name in _FAMILIES_WITH_SOURCE and self.random() < 0.18:
                phrase = self.noun_phrases.from_place(noun_classes)
            else:
                phrase = self.noun_phrases.phrase(noun_classes)
            self.noun_phrases.place_follows = False
            call.phrases[slot] = (phrase,)
            return phrase.text
        if argument_type == 'number':
            wording, value = value_wordings.sample_number(self.rng, self.lang, argument)
        elif argument_type == 'enum':
            wording, value = value_wordings.sample_enum(
                self.rng, self.lang, argument, family.value_wordings
            )
        elif argument_type == 'string':
            wording, value = self.sample_text(slot)
        else:
            value = self.random() < 0.5
            wordings = (
                family.value_wordings.get(value, family.value_wordings.get(str(value).lower()))
                or {}
            )
            options = wordings.get(self.lang) or (('on', 'off')[not value],)
            wording = self.choose(options) if not isinstance(options, str) else options
        if argument_type == 'string' and wording != value:  # in quotes, which are no part of it
            number, inner = self.mark(value)
            wording = wording.replace(value, inner)
        else:
            number, wording = self.mark(wording)
        call.values[slot] = (number, value)
        return wording

    def _vague_place(self):
        idle, telling = vague_places(self.lang)
        if self.random() < 0.6:
            return self.choose(idle)
        number, wording = self.mark(self.choose(telling))
        self.left_out.append(number)
        return wording

    def sample_place(self, family, slot):
        """Sample a place that fits the family: relation, text and landmarks."""
        raise NotImplementedError

    def sample_text(self, slot) -> tuple[str, str]:
        """Sample a string argument: its text in the sentence, perhaps in quotes, and its value."""
        raise NotImplementedError


@functools.cache
def _families_by_value() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, family in skill_families().items():
        for argument in family.arguments:
            for value in argument.get('values') or ():
                found[str(value)].append(name)
    return found


_AGREEMENT = (
    ('is', 'are'),
    ('has', 'have'),
    ('needs', 'need'),
    ('gets', 'get'),
    ('requires', 'require'),
    ('goes', 'go'),
    ('belongs', 'belong'),
    ('was', 'were'),
    ("isn't", "aren't"),
    ("hasn't", "haven't"),
    ('wants', 'want'),
    ('looks', 'look'),
    ('does', 'do'),
    ('ends', 'end'),
    ('lives', 'live'),
    ('stays', 'stay'),
    ('comes', 'come'),
)


def _agree(text, slot):
    """Return the text with the verb after the slot in the plural."""
    at = text.find(slot + ' ')
    if at < 0:
        return text
    front, rest = text[: at + len(slot) + 1], text[at + len(slot) + 1 :]
    for one, more in _AGREEMENT:
        bare = rest.lstrip(VERB_OPEN)
        if bare.startswith((one + ' ', one + VERB_CLOSE)) or bare == one:
            return front + rest.replace(one, more, 1)
    if front.startswith('is ' + slot):
        return 'are' + front[2:] + rest
    return text


_OPPOSITES = (
    ('on', 'off'),
    ('open', 'close'),
    ('lock', 'unlock'),
    ('up', 'down'),
    ('in', 'out'),
    ('raise', 'lower'),
    ('plug', 'unplug'),
    ('load', 'unload'),
    ('louder', 'quieter'),
    ('start', 'stop'),
    ('push', 'pull'),
    ('lift', 'lower'),
    ('heat', 'cool'),
)


def _opposite(one, two):
    one, two = set(one.split('_')), set(two.split('_'))
    return any((a in one and b in two) or (b in one and a in two) for a, b in _OPPOSITES)


def sample_relation(generator, noun_classes) -> str | None:
    """Sample the relation to a landmark of these classes: in a container, on furniture."""
    r = generator.random()
    if r > 0.85:
        return None
    holds = [k for k in noun_classes if k in ('container', 'box', 'vehicle', 'drink', 'pocket')]
    carries = [
        k
        for k in noun_classes
        if k in ('furniture', 'surface', 'person', 'clothes', 'paper', 'plate')
    ]
    if holds and (not carries or r < 0.45):
        return 'in'
    return 'on' if carries else None
