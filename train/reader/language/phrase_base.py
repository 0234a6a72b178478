"""What the noun phrases of both languages share: sampling, compounds, landmarks of places."""

from __future__ import annotations

from typing import ClassVar

from kimi_train.reader.language.lexicon import Lexicon, Noun, is_held_out, plural_of
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.span_markers import SpanMarkers

__all__ = ['PLACEMENT_RELATIONS', 'STATIC_RELATIONS', 'PhraseBase']

# Relations of a place where something goes, and of one where something is.
PLACEMENT_RELATIONS = (
    ('on',) * 30
    + ('in',) * 26
    + ('next_to',) * 12
    + ('left_of',) * 7
    + ('right_of',) * 7
    + ('in_front_of',) * 6
    + ('behind',) * 6
    + ('between',) * 5
    + ('under',) * 4
    + ('above',) * 1
)
STATIC_RELATIONS = PLACEMENT_RELATIONS + ('nearest_to',) * 4
_NEVER_COMPOUND = frozenset(('person', 'animal', 'place', 'name'))


class PhraseBase:
    """Generates the noun phrases of one example.

    :param rng: random.Random.
    :param lexicon: nouns and adjectives.
    :param mark: numbers the spans of the example.
    :param split: of the nouns: 'train', 'core', 'held_out' or 'all'.
    :ivar place_follows: whether a destination follows the phrase; the object's own place is then a
        relative clause, so that the two are not confused.
    :cvar lang: the language.
    :cvar adjective_shares: kinds of adjectives of the lexicon, with their cumulative shares.
    :cvar compound_share: of the nouns that become a compound.
    :cvar definite_determiner: of a thing that is known.
    """

    lang = ''
    adjective_shares: ClassVar[tuple[tuple[float, str], ...]] = ()
    compound_share = 0.0
    definite_determiner = ''

    def __init__(self, rng, lexicon: Lexicon, mark: SpanMarkers, split: str):
        self.rng = rng
        self.random = rng.random
        self.lexicon = lexicon
        self.mark = mark
        self.split = split
        self.place_follows = False

    def choose(self, options):
        """Return a random option."""
        return options[int(self.random() * len(options))]

    def with_nouns(self, text: str, slot: str, noun_classes) -> str:
        """Return the text with a noun for the slot, a new one wherever it occurs."""
        while slot in text:
            text = text.replace(slot, self.lexicon.noun(self.rng, noun_classes, self.split).word, 1)
        return text

    def colour_pair(self) -> str:
        """Return two colours as one adjective: "yellow and white"."""
        raise NotImplementedError

    def adjective(self) -> str:
        """Sample an adjective."""
        r = self.random()
        if r < 0.02:
            return self.colour_pair()
        kind = next(kind for share, kind in self.adjective_shares if r < share)
        return self.choose(self.lexicon.adjectives[kind])

    def compound(self, noun: Noun) -> Noun:
        """Return the noun, now and then as part of a compound: "apple tray", 苹果筐."""
        if self.random() > self.compound_share or noun.noun_class in _NEVER_COMPOUND:
            return noun
        last = self.choose(sentence_templates(self.lang)['compound_heads'])
        en = self.lang == 'en'
        word = f'{noun.word} {last}' if en else noun.word + last
        held_out = is_held_out(last if en else word)
        if self.split != 'all' and held_out != (self.split == 'held_out'):
            return noun
        return noun._replace(word=word, plural=plural_of(word) if en else '')

    def simple(self, noun_classes=('landmark',), det=None):
        """Return a noun phrase with at most one adjective."""
        raise NotImplementedError

    def phrase(self, noun_classes=('any',)):
        """Return a noun phrase of any kind."""
        raise NotImplementedError

    def part_of(self, relation: str):
        """Return a part with its whole: "the top shelf of the cabinet"."""
        raise NotImplementedError

    def definite(self, noun_classes=('landmark',)):
        """Return a noun phrase about a thing that is known."""
        return self.simple(noun_classes, self.definite_determiner)

    def landmark(self, relation, static, nested, noun_classes, det=None):
        """Sample the landmark of a place.

        :param static: whether it is where something is, not where it goes.
        :param nested: whether the landmark may have relations of its own.
        :param noun_classes: of the landmark; None for those that suit the relation.
        """
        r = self.random()
        if noun_classes:
            pass
        elif relation in ('on', 'under') and r < 0.7:
            noun_classes = ('surface',)
        elif relation == 'in' and r < 0.8:
            noun_classes = ('place',) if static and r < 0.12 else ('container',)
        elif relation in ('next_to', 'behind', 'in_front_of') and r < 0.3:
            noun_classes = ('surface', 'container', 'switch', 'open')
        elif relation == 'nearest_to' and r < 0.5:
            noun_classes = ('open', 'surface')
        noun_classes = noun_classes or ('landmark',)
        r = self.random()
        if nested and r < 0.09 and relation in ('on', 'in'):
            return self.part_of(relation)
        if nested and r < 0.14:
            return self.phrase(noun_classes)
        return self.simple(noun_classes, det)
