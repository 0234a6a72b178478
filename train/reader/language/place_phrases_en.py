"""Simple English noun phrases and places."""

from __future__ import annotations

from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.phrase_base import (
    PLACEMENT_RELATIONS,
    STATIC_RELATIONS,
    PhraseBase,
)
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.span_markers import closing_marker, opening_marker

__all__ = ['PlacePhraseGenerator', 'DETERMINERS']

TEMPLATES = sentence_templates('en')
# Prepositions by relation.
RELATION_WORDS = {
    'on': ('on',) * 8 + ('on top of', 'onto', 'upon', 'on', 'atop'),
    'in': ('in',) * 6 + ('into', 'into', 'inside', 'inside of', 'within'),
    'left_of': (
        'left of',
        'to the left of',
        'to the left of',
        'on the left of',
        'on the left side of',
        'to the left side of',
        'on the left-hand side of',
    ),
    'right_of': (
        'right of',
        'to the right of',
        'to the right of',
        'on the right of',
        'on the right side of',
        'to the right side of',
        'on the right-hand side of',
    ),
    'in_front_of': ('in front of',) * 5 + ('before', 'to the front of', 'at the front of'),
    'behind': ('behind',) * 5 + ('in back of', 'at the back of', 'to the rear of'),
    'next_to': ('next to',) * 5
    + (
        'beside',
        'beside',
        'by',
        'near',
        'close to',
        'alongside',
        'right next to',
        'at the side of',
        'adjacent to',
    ),
    'between': ('between',) * 5 + ('in between',),
    'under': ('under',) * 4 + ('underneath', 'beneath', 'below'),
    'above': ('above', 'above', 'over'),
    'nearest_to': ('nearest to', 'closest to', 'nearest'),
}
# Those for where something is, not where it goes.
_STATIC_RELATION_WORDS = {
    k: tuple(w for w in words if w not in ('onto', 'into', 'before', 'over', 'within'))
    for k, words in RELATION_WORDS.items()
} | {'above': ('above', 'over')}
DETERMINERS = (
    ('the',) * 30
    + ('a',) * 6
    + ('that',) * 2
    + ('this', 'my', 'my', 'our', 'your', 'his', 'her', '', '')
)
# Adjectives for people, animals and rooms.
_PERSON_ADJECTIVES = TEMPLATES['person_adjectives']
_ADJECTIVES_BY_CLASS = {
    'person': _PERSON_ADJECTIVES,
    'animal': _PERSON_ADJECTIVES + ('black', 'white', 'brown'),
    'place': ('big', 'small', 'main', 'other', 'new', 'old', 'large', 'second', 'dark'),
}
_LABELLED_NOUNS = TEMPLATES['labelled_nouns']
_PART_OF = {
    'on': (
        'shelf',
        'top shelf',
        'bottom shelf',
        'middle shelf',
        'upper shelf',
        'lower shelf',
        'second shelf',
        'edge',
        'corner',
        'left side',
        'right side',
        'top',
        'lid',
        'back',
    ),
    'in': (
        'drawer',
        'top drawer',
        'bottom drawer',
        'middle drawer',
        'second drawer',
        'corner',
        'back compartment',
        'left compartment',
        'front pocket',
        'middle',
        'compartment',
        'centre',
        'lower rack',
        'upper rack',
        'first slot',
    ),
}
_WHOLES = TEMPLATES['wholes']
_ORDINALS = frozenset(
    """top bottom middle upper lower second first left right back front lower upper
third""".split()
)


class PlacePhraseGenerator(PhraseBase):
    """Generates simple English noun phrases, and places."""

    lang = 'en'
    adjective_shares = (
        (0.45, 'color'),
        (0.6, 'size'),
        (0.7, 'material'),
        (0.87, 'state'),
        (0.93, 'brand'),
        (1.0, 'other'),
    )
    compound_share = 0.07
    definite_determiner = 'the'

    def colour_pair(self):
        """Return two colours as one adjective: "yellow and white"."""
        colours = self.lexicon.adjectives['color'][:20]
        return f'{self.choose(colours)} and {self.choose(colours)}'

    def simple(self, noun_classes=('landmark',), det=None) -> AnnotatedPhrase:
        """Return a noun phrase with at most one adjective."""
        r = self.random()
        if r < 0.06 and det is None:
            return self._labelled()
        noun = self.lexicon.noun(self.rng, noun_classes, self.split)
        adjectives = (self.adjective(),) if r > 0.78 else ()
        order = self.choose(self.lexicon.adjectives['order']) if 0.72 < r < 0.76 else ''
        det = self.choose(DETERMINERS) if det is None else det
        if order and det in ('a', '', 'this', 'that'):
            det = 'the'
        return self.build(noun, det, adjectives, order)

    def build(self, noun, det, adjectives=(), order='', number='one', after=()):
        """Return the phrase of these parts; `after` holds attributes that follow the head."""
        mark = self.mark
        noun = self.compound(noun)
        if adjectives and noun.noun_class in _ADJECTIVES_BY_CLASS:
            adjectives = (self.choose(_ADJECTIVES_BY_CLASS[noun.noun_class]),)
        plural = number not in ('one', 'other') or noun.plural == noun.word
        word = noun.word if number in ('one', 'other') else noun.plural or noun.word
        order_id, attributes, parts = 0, [], []
        if order:
            order_id, text = mark(order)
            parts.append(text)
        for adjective in adjectives:
            number_of, text = mark(adjective)
            attributes.append(number_of)
            parts.append(text)
        head, text = mark(word)
        parts.append(text)
        for attribute in after:
            number_of, text = mark(attribute)
            attributes.append(number_of)
            parts.append(text)
        words, inner = mark(' '.join(parts))
        if det == 'a':
            if noun.plural == noun.word or not noun.plural:
                det = 'some' if self.random() < 0.6 else 'the'
            else:
                det = _article(order or (adjectives[0] if adjectives else word))
        elif det in ('this', 'that') and plural:
            det = 'these' if det == 'this' else 'those'
        text = f'{det} {inner}' if det else inner
        return AnnotatedPhrase(
            text, words, head, tuple(attributes), order_id, number, '', (), plural, noun.noun_class
        )

    def _labelled(self):
        label = self.choose(('{}', '{}', 'number {}', 'no. {}')).format(self.random_label())
        mark = self.mark
        head, text = mark(f'{self.choose(_LABELLED_NOUNS)} {label}')
        words, text = mark(text)
        if self.random() < 0.3:
            text = f'the {text}'
        return AnnotatedPhrase(text, words, head, noun_class='container')

    def random_label(self) -> str:
        """Return the label of a bin or a shelf: A3, 12, seven."""
        r = self.random()
        if r < 0.3:
            return str(1 + int(self.random() * 30))
        if r < 0.6:
            return f'{self.choose("ABCDEFGHKXYZ")}{1 + int(self.random() * 12)}'
        if r < 0.8:
            return self.choose(
                ('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine')
            )
        return self.choose('ABCDEFGHKXYZ')

    def _append_modifier(self, base, text, order=None, relation='', landmarks=()):
        """Return the phrase extended to `text`, which begins with it."""
        det, _, inner = base.text.partition(opening_marker(base.words))
        rest = text[len(base.text) :]
        words, inner = self.mark(inner.replace(closing_marker(base.words), '') + rest)
        return AnnotatedPhrase(
            det + inner,
            words,
            base.head,
            base.attributes,
            base.order if order is None else order,
            base.number,
            relation or base.relation,
            landmarks or base.landmarks,
            base.plural,
            base.noun_class,
        )

    def part_of(self, relation) -> AnnotatedPhrase:
        """Return "the top shelf of the cabinet"."""
        mark = self.mark
        name = self.choose(_PART_OF[relation if relation in _PART_OF else 'on'])
        first, space, last = name.rpartition(' ')
        order, attributes, front = 0, (), ''
        if first:
            number, front = mark(first)
            front += ' '
            order, attributes = (number, ()) if first in _ORDINALS else (0, (number,))
        head, text = mark(last)
        noun_classes = ('surface', 'container')
        whole = (
            self.simple(noun_classes, 'the')
            if self.random() < 0.4
            else self.build(
                self.lexicon.noun(self.rng, noun_classes, self.split)._replace(
                    word=self.choose(_WHOLES)
                ),
                'the',
            )
        )
        words, inner = mark(f'{front}{text} of {whole.text}')
        return AnnotatedPhrase(
            f'the {inner}', words, head, attributes, order, 'one', 'part_of', (whole,)
        )

    def place(self, relation=None, static=False, nested=True, allow_to=False, noun_classes=None):
        """Sample a place: relation, text ("to the left of the bowl") and landmarks.

        :param static: whether it is where something is, not where it goes.
        :param nested: whether the landmark may have relations of its own.
        :param noun_classes: of the landmark; None for those that suit the relation.
        :param allow_to: whether "to the shelf" may stand for on and in.
        """
        relation = relation or self.choose(STATIC_RELATIONS if static else PLACEMENT_RELATIONS)
        word = self.choose((_STATIC_RELATION_WORDS if static else RELATION_WORDS)[relation])
        if relation == 'between':
            return (relation, *self._between(word))
        landmark = self.landmark(relation, static, nested, noun_classes)
        if allow_to and relation in ('on', 'in') and self.random() < 0.5:
            word = 'to'
        elif self.random() < 0.02 and relation in ('left_of', 'right_of', 'next_to', 'behind'):
            word = f'just {word}' if self.random() < 0.5 else f'right {word}'
        return relation, f'{word} {landmark.text}', (landmark,)

    def _between(self, word):
        if self.random() < 0.75:
            first, second = self.simple(), self.simple()
            return f'{word} {first.text} and {second.text}', (first, second)
        noun = self.lexicon.noun(self.rng, ('landmark',), self.split)
        if not noun.plural:
            noun = noun._replace(word='cup', plural='cups')
        both = self.build(
            noun,
            self.choose(('the two', 'the two', 'both')),
            (self.adjective(),) if self.random() < 0.3 else (),
            number='2',
        )
        return f'{word} {both.text}', (both,)


def _article(word: str) -> str:
    if word[0] in 'aeio' and not word.startswith(('one', 'eu')):
        return 'an'
    return (
        'an'
        if word[0] == 'u' and word[:2] in ('um', 'un', 'ug', 'up') and word[:3] != 'uni'
        else 'a'
    )
