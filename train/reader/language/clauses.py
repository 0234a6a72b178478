"""Clauses that ask for one skill: a way to ask from the corpus, its slots filled with phrases."""

from __future__ import annotations

from kimi_train.reader.language import values
from kimi_train.reader.language.draft import Act
from kimi_train.reader.language.marks import Marks
from kimi_train.reader.language.skills import VERB_CLOSE, VERB_OPEN, Ask, Family, families

__all__ = ['Clauses']

THINGS = ('object', 'point', 'region')


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
        for _ in range(5):
            ask = self.pick(asks)
            if fits is None or fits(ask):
                return ask
        asks = [a for a in asks if fits(a)] if fits else asks
        return self.pick(asks) if asks else None

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
            if mapped is not None and slot not in mapped:
                number, said = self.marks(said)
                self.left_out.append(number)
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
                relation, said, phrases = self.put(family, slot)
                act.relation = relation
                act.things[slot] = phrases
                return said
            phrase = self.nouns.phrase(family.kinds(slot))
            act.things[slot] = (phrase,)
            return phrase.text
        if kind == 'number':
            said, value = values.number(self.rng, self.lang, argument)
        elif kind == 'enum':
            said, value = values.choice(self.rng, self.lang, argument, family.said)
        elif kind == 'string':
            said, value = self.words()
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

    def put(self, family, slot):
        """Return relation, text and landmarks of a place that fits the family."""
        raise NotImplementedError

    def words(self) -> tuple[str, str]:
        """Return a text to be said or written as it stands in the sentence, and the text."""
        raise NotImplementedError
