"""Clauses that ask for one skill: a way to ask from the corpus, its slots filled with phrases."""

from __future__ import annotations

from kimi_train.reader.language import values
from kimi_train.reader.language.draft import Act
from kimi_train.reader.language.extras import placeless
from kimi_train.reader.language.marks import Marks
from kimi_train.reader.language.skills import (
    VERB_CLOSE,
    VERB_OPEN,
    Ask,
    Family,
    families,
    neighbours,
    relatives,
)

__all__ = ['THINGS', 'Clauses', 'relation_for']

THINGS = ('object', 'point', 'region')
# Skills whose thing may be said with where it comes from.
_SOURCED = ('pick', 'hand_over', 'fetch', 'bring', 'deliver')


class Clauses:
    """What both languages share in making a sentence of one example.

    :param rng: random.Random.
    :param world: the catalogue.
    :param nouns: makes the noun phrases.
    """

    lang = ''

    def __init__(self, rng, world, nouns, marks: Marks):
        self.rng = rng
        self.random = rng.random
        self.world = world
        self.nouns = nouns
        self.marks = marks
        self.left_out: list[int] = []

    def pick(self, options):
        """Draw one of the options."""
        return options[int(self.random() * len(options))]

    def family(self, fits=None) -> Family | None:
        """Draw a family that the catalogue does and that `fits`; None where there is none."""
        everyone = families()
        names = self.world.wanted
        for _ in range(6):
            family = everyone[self.pick(names)]
            if family.asks[self.lang] and (fits is None or fits(family)):
                return family
        for name in names:
            if everyone[name].asks[self.lang] and (fits is None or fits(everyone[name])):
                return everyone[name]
        return None

    def ask(self, family: Family, fits=None) -> Ask | None:
        """Draw a way to ask for the family that `fits`; None where there is none."""
        asks = self.world.asks(family, self.lang)
        if not asks:
            return None
        more = self.world.more(family, self.lang)
        share = 0.55 if self.world.table else 0.25
        for _ in range(5):
            ask = self.pick(more if more and self.random() < share else asks)
            if fits is None or fits(ask):
                return ask
        asks = [a for a in asks if fits(a)] if fits else asks
        return self.pick(asks) if asks else None

    def foreign(self, family: Family, ask: Ask) -> bool:
        """Tell whether surely no skill of the catalogue is meant by this way to ask."""
        skills = self.world.skills
        if relatives().get(family.name, frozenset()) & set(skills):
            return False
        like = neighbours().get(family.name, {})
        if any(like.get(name, 0) > 0.22 and not _opposite(name, family.name) for name in skills):
            return False
        return ask.verb not in self.world.verbs or ask.idiom

    @staticmethod
    def fits(phrase, family, slot) -> bool:
        """Tell whether a pronoun in the slot may stand for the phrase: no meeting with a cup."""
        kinds = family.kinds(slot)
        alive = [k in ('person', 'animal') for k in kinds]
        if phrase.kind in ('person', 'animal'):
            return any(alive)
        if phrase.kind == 'place' or 'place' in kinds:
            return 'place' in kinds and phrase.kind == 'place'
        return not all(alive)

    def fill(self, family: Family, text: str, slots, given=None) -> tuple[str, Act]:
        """Return the clause with its slots filled, and what it asks for.

        :param text: as `Ask.text`.
        :param given: by slot, the text that goes there and the phrases it stands for; what is
            missing is made up.
        """
        act = Act(family)
        onto = self.world.resolve(family.name)
        mapped = self.world.mapped(family.name, onto) if onto else None
        for slot in slots:
            said = self._slot(family, act, slot, given)
            if mapped is not None and slot not in mapped and said:
                number, said = self.marks(said)
                self.left_out.append(number)
            if self.lang == 'en' and slot in act.things and act.things[slot][0].plural:
                text = _agreeing(text, '{' + slot + '}')
            text = text.replace('{' + slot + '}', said, 1)
        if VERB_OPEN in text:
            act.verb, opening, closing = self.marks.open_close()
            text = text.replace(VERB_OPEN, opening).replace(VERB_CLOSE, closing)
        return text, act

    def _slot(self, family, act, slot, given):
        argument = family.by_name[slot]
        kind = argument['type']
        if given and slot in given:
            said, phrases = given[slot][:2]
            act.things[slot] = phrases
            if len(given[slot]) > 2:
                act.relation = given[slot][2]
            return said
        if kind in THINGS:
            if argument.get('place'):
                if family.name == 'place' and self.random() < 0.05:
                    return self._placeless()
                relation, said, phrases = self.put(family, slot)
                act.relation = relation
                act.things[slot] = phrases
                return said
            kinds = family.kinds(slot)
            self.nouns.guarded = any(a.get('place') for a in family.arguments)
            if family.name in _SOURCED and self.random() < 0.07:
                phrase = self.nouns.from_place(kinds)
            else:
                phrase = self.nouns.phrase(kinds)
            self.nouns.guarded = False
            act.things[slot] = (phrase,)
            return phrase.text
        if kind == 'number':
            said, value = values.number(self.rng, self.lang, argument)
        elif kind == 'enum':
            said, value = values.choice(self.rng, self.lang, argument, family.said)
        elif kind == 'string':
            said, value = self.words(slot)
        else:
            value = self.random() < 0.5
            told = family.said.get(value, family.said.get(str(value).lower())) or {}
            options = told.get(self.lang) or (('on', 'off')[not value],)
            said = self.pick(options) if not isinstance(options, str) else options
        if kind == 'string' and said != value:  # in quotes, which are no part of it
            number, inner = self.marks(value)
            said = said.replace(value, inner)
        else:
            number, said = self.marks(said)
        act.values[slot] = (number, value)
        return said

    def _placeless(self):
        idle, telling = placeless(self.lang)
        if self.random() < 0.6:
            return self.pick(idle)
        number, said = self.marks(self.pick(telling))
        self.left_out.append(number)
        return said

    def put(self, family, slot):
        """Return relation, text and landmarks of a place that fits the family."""
        raise NotImplementedError

    def words(self, slot) -> tuple[str, str]:
        """Return a text for the argument as it stands in the sentence, and the text."""
        raise NotImplementedError


_AGREEMENT = (
    ('is', 'are'),
    ('has', 'have'),
    ('needs', 'need'),
    ('goes', 'go'),
    ('belongs', 'belong'),
    ('was', 'were'),
    ("isn't", "aren't"),
    ("hasn't", "haven't"),
    ('wants', 'want'),
    ('looks', 'look'),
    ('does', 'do'),
)


def _agreeing(text, slot):
    """Return the text with the verb behind the slot in the plural."""
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


def relation_for(say, kinds) -> str | None:
    """Draw how a thing is put to something of these classes: in a container, on furniture."""
    r = say.random()
    if r > 0.85:
        return None
    holds = [k for k in kinds if k in ('container', 'box', 'vehicle', 'drink', 'pocket')]
    carries = [
        k for k in kinds if k in ('furniture', 'surface', 'person', 'clothes', 'paper', 'plate')
    ]
    if holds and (not carries or r < 0.45):
        return 'in'
    return 'on' if carries else None
