"""Plain English noun phrases, and places said with a preposition."""

from __future__ import annotations

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.marks import Marks
from kimi_train.reader.language.phrase import Phrase

__all__ = ['PLACED', 'Places', 'LYING', 'THE']

FORMS = forms('en')
# How a relation is said, in front of its landmark.
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
# What one says of a thing that is already there.
_STATIC = {
    k: tuple(w for w in words if w not in ('onto', 'into', 'before', 'over', 'within'))
    for k, words in RELATION_WORDS.items()
} | {'above': ('above', 'over')}
PLACED = (
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
LYING = PLACED + ('nearest_to',) * 4
THE = (
    ('the',) * 30
    + ('a',) * 6
    + ('that',) * 2
    + ('this', 'my', 'my', 'our', 'your', 'his', 'her', '', '')
)
# Adjectives for what is no thing.
_ALIVE = FORMS['alive']
_FITTING = {
    'person': _ALIVE,
    'animal': _ALIVE + ('black', 'white', 'brown'),
    'place': ('big', 'small', 'main', 'other', 'new', 'old', 'large', 'second', 'dark'),
}
_TAGGED = FORMS['tagged']
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
_WHOLES = FORMS['wholes']
_ORDERED = frozenset(
    """top bottom middle upper lower second first left right back front lower upper
third""".split()
)


class Places:
    """Makes plain phrases and places of one example.

    :param rng: random.Random.
    :param lexicon: the words.
    :param part: which nouns: "train", "core", "held" or "all".
    :ivar guarded: a place follows the phrase: where the thing is now is said with a clause of its
        own, so that the two are not taken for one another.
    """

    def __init__(self, rng, lexicon, marks: Marks, part: str):
        self.rng = rng
        self.random = rng.random
        self.lexicon = lexicon
        self.marks = marks
        self.part = part
        self.guarded = False

    def pick(self, options):
        """Draw one of the options."""
        return options[int(self.random() * len(options))]

    def adjective(self) -> str:
        """Draw an adjective."""
        r = self.random()
        words = self.lexicon.adjectives
        if r < 0.45:
            return self.pick(words['color'])
        if r < 0.6:
            return self.pick(words['size'])
        if r < 0.7:
            return self.pick(words['material'])
        if r < 0.87:
            return self.pick(words['state'])
        if r < 0.93:
            return self.pick(words['brand'])
        return self.pick(words['other'])

    def simple(self, kinds=('landmark',), det=None) -> Phrase:
        """Return a phrase with an adjective at most."""
        r = self.random()
        if r < 0.06 and det is None:
            return self._tagged()
        noun = self.lexicon.noun(self.rng, kinds, self.part)
        adjectives = (self.adjective(),) if r > 0.78 else ()
        order = self.pick(self.lexicon.adjectives['order']) if 0.72 < r < 0.76 else ''
        det = self.pick(THE) if det is None else det
        if order and det in ('a', '', 'this', 'that'):
            det = 'the'
        return self._build(noun, det, adjectives, order)

    def _build(self, noun, det, adjectives=(), order='', number='one', after=()):
        """Put a phrase together; `after` holds attributes behind the head."""
        marks = self.marks
        if adjectives and noun.kind in _FITTING:
            adjectives = (self.pick(_FITTING[noun.kind]),)
        plural = number not in ('one', 'other') or noun.plural == noun.word
        word = noun.word if number in ('one', 'other') else noun.plural or noun.word
        order_id, attributes, parts = 0, [], []
        if order:
            order_id, text = marks(order)
            parts.append(text)
        for adjective in adjectives:
            number_of, text = marks(adjective)
            attributes.append(number_of)
            parts.append(text)
        head, text = marks(word)
        parts.append(text)
        for attribute in after:
            number_of, text = marks(attribute)
            attributes.append(number_of)
            parts.append(text)
        words, inner = marks(' '.join(parts))
        if det == 'a':
            if noun.plural == noun.word or not noun.plural:
                det = 'some' if self.random() < 0.6 else 'the'
            else:
                det = _article(order or (adjectives[0] if adjectives else word))
        elif det in ('this', 'that') and plural:
            det = 'these' if det == 'this' else 'those'
        text = f'{det} {inner}' if det else inner
        return Phrase(
            text, words, head, tuple(attributes), order_id, number, '', (), plural, noun.kind
        )

    def _tagged(self):
        tag = self.pick(('{}', '{}', 'number {}', 'no. {}')).format(self.random_tag())
        marks = self.marks
        head, text = marks(f'{self.pick(_TAGGED)} {tag}')
        words, text = marks(text)
        if self.random() < 0.3:
            text = f'the {text}'
        return Phrase(text, words, head, kind='container')

    def random_tag(self) -> str:
        """Return what a bin or a shelf is called by: A3, 12, seven."""
        r = self.random()
        if r < 0.3:
            return str(1 + int(self.random() * 30))
        if r < 0.6:
            return f'{self.pick("ABCDEFGHKXYZ")}{1 + int(self.random() * 12)}'
        if r < 0.8:
            return self.pick(
                ('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine')
            )
        return self.pick('ABCDEFGHKXYZ')

    def _rewrap(self, base, text, order=None, relation='', landmarks=()):
        """Return the phrase with more behind it: the mark of its words moves outwards."""
        det, _, inner = base.text.partition(chr(0xE000 + base.words))
        rest = text[len(base.text) :]
        words, inner = self.marks(inner.replace(chr(0xEC00 + base.words), '') + rest)
        return Phrase(
            det + inner,
            words,
            base.head,
            base.attributes,
            base.order if order is None else order,
            base.number,
            relation or base.relation,
            landmarks or base.landmarks,
            base.plural,
            base.kind,
        )

    def part_of(self, relation) -> Phrase:
        """Return "the top shelf of the cabinet"."""
        marks = self.marks
        name = self.pick(_PART_OF[relation if relation in _PART_OF else 'on'])
        first, space, last = name.rpartition(' ')
        order, attributes, front = 0, (), ''
        if first:
            number, front = marks(first)
            front += ' '
            order, attributes = (number, ()) if first in _ORDERED else (0, (number,))
        head, text = marks(last)
        kinds = ('surface', 'container')
        whole = (
            self.simple(kinds, 'the')
            if self.random() < 0.4
            else self._build(
                self.lexicon.noun(self.rng, kinds, self.part)._replace(word=self.pick(_WHOLES)),
                'the',
            )
        )
        words, inner = marks(f'{front}{text} of {whole.text}')
        return Phrase(f'the {inner}', words, head, attributes, order, 'one', 'part_of', (whole,))

    def phrase(self, kinds=('any',)) -> Phrase:
        """Return a noun phrase of any make."""
        raise NotImplementedError

    def place(self, relation=None, static=False, deep=True, to=False, kinds=None):
        """Return relation, text and landmarks of a place: "to the left of the bowl".

        :param static: where a thing is, not where it goes.
        :param deep: whether the landmark may have relations of its own.
        :param kinds: classes of the landmark; None for what suits the relation.
        :param to: whether "to the shelf" may be said for on and in.
        """
        relation = relation or self.pick(LYING if static else PLACED)
        word = self.pick((_STATIC if static else RELATION_WORDS)[relation])
        r = self.random()
        if relation == 'between':
            return (relation, *self._between(word, r))
        if kinds:
            pass
        elif relation == 'on' and r < 0.75:
            kinds = ('surface',)
        elif relation == 'in' and r < 0.8:
            kinds = ('place',) if static and r < 0.12 else ('container',)
        elif relation == 'under' and r < 0.5:
            kinds = ('surface',)
        elif relation in ('next_to', 'behind', 'in_front_of') and r < 0.3:
            kinds = ('surface', 'container', 'switch', 'open')
        elif relation == 'nearest_to' and r < 0.5:
            kinds = ('open', 'surface')
        kinds = kinds or ('landmark',)
        r = self.random()
        if deep and r < 0.10 and relation in ('on', 'in'):
            landmark = self.part_of(relation)
        elif deep and r < 0.16:
            landmark = self.phrase(kinds)
        else:
            landmark = self.simple(kinds)
        if to and relation in ('on', 'in') and self.random() < 0.5:
            word = 'to'
        elif self.random() < 0.02 and relation in ('left_of', 'right_of', 'next_to', 'behind'):
            word = f'just {word}' if self.random() < 0.5 else f'right {word}'
        return relation, f'{word} {landmark.text}', (landmark,)

    def _between(self, word, r):
        if r < 0.75:
            first, second = self.simple(), self.simple()
            return f'{word} {first.text} and {second.text}', (first, second)
        noun = self.lexicon.noun(self.rng, ('landmark',), self.part)
        if not noun.plural:
            noun = noun._replace(word='cup', plural='cups')
        both = self._build(
            noun,
            self.pick(('the two', 'the two', 'both')),
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
