"""English noun phrases, and places said with a preposition."""

from __future__ import annotations

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.marks import Marks
from kimi_train.reader.language.phrase import Phrase

__all__ = ['Nouns', 'RELATION_WORDS']

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
}
_STATIC['above'] = ('above', 'over')
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
_LYING = PLACED + ('nearest_to',) * 4
_THE = (
    ('the',) * 30
    + ('a',) * 6
    + ('that',) * 2
    + ('this', 'my', 'my', 'our', 'your', 'his', 'her', '', '')
)
_PLURAL_DET = ('the',) * 10 + ('those', 'these', 'my', 'our', 'some', '', '')
_NUMBERS = {
    '2': ('two', 'two', 'a couple of', '2'),
    '3': ('three', '3'),
    '4': ('four',),
    '5': ('five',),
    '6': ('six',),
}
_SIDES = FORMS['sides']
_PARTS = FORMS['parts']
_CLAUSES = FORMS['clauses']
# Adjectives for what is no thing.
_ALIVE = FORMS['alive']
_FITTING = {
    'person': _ALIVE,
    'animal': _ALIVE + ('black', 'white', 'brown'),
    'place': ('big', 'small', 'main', 'other', 'new', 'old', 'large', 'second', 'dark'),
}
_DOING = FORMS['doing']
_USES = FORMS['uses']
_OF = FORMS['of']
_VESSELS = FORMS['vessels']
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


class Nouns:
    """Makes noun phrases of one example.

    :param rng: random.Random.
    :param lexicon: the English words.
    :param part: which nouns: 'train', 'core', 'held' or 'all'.
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
        det = self.pick(_THE) if det is None else det
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

    def phrase(self, kinds=('any',), source=0.0) -> Phrase:
        """Return a noun phrase of any make.

        :param source: how often it ends in where it comes from: "the cup from the shelf".
        """
        r = self.random()
        if kinds[0] == 'person' and r < 0.5:
            return self._somebody(kinds)
        if r < 0.42:
            return self.simple(kinds)
        if r > 0.993:
            return self._held()
        noun = self.lexicon.noun(self.rng, kinds, self.part)
        if r < 0.56:
            count = 1 if self.random() < 0.75 else 2
            adjectives = tuple(dict.fromkeys(self.adjective() for _ in range(count)))
            return self._build(noun, self.pick(_THE), adjectives)
        if r < 0.62:
            return self._ordered(noun)
        if r < 0.70:
            return self.related(noun)
        if r < 0.76:
            return self._with_clause(noun)
        if r < 0.84 and noun.plural:
            return self._several(noun)
        if r < 0.89:
            return self.one()
        if r < 0.91:
            return self._owned(noun)
        if r < 0.94:
            return self._vessel()
        if r < 0.96:
            return self.part_of(self.pick(('on', 'in')))
        if r < 0.965:
            return self._whichever()
        return self.related(noun, apposition=self.random() < 0.5)

    def _somebody(self, kinds):
        if self.random() < 0.5:
            return self._build(self.lexicon.noun(self.rng, ('name',), self.part), '')
        noun = self.lexicon.noun(self.rng, kinds, self.part)
        if self.random() < 0.4:
            noun = noun._replace(
                word=self.pick(('person', 'person', 'man', 'woman', 'guest', 'child'))
            )
        return self._build(noun, self.pick(('the', 'the', 'a')), after=(self.pick(_DOING),))

    def _held(self):
        marks = self.marks
        if self.random() < 0.5:
            head, text = marks('what')
            words, text = marks(text + self.pick(FORMS['held']))
            return Phrase(text, words, head)
        noun = self.lexicon.noun(self.rng, ('thing',), self.part)._replace(
            word=self.pick(('thing', 'object', 'item', 'one'))
        )
        return self._build(
            noun,
            'the',
            after=(
                self.pick(('in your hand', 'you are holding', 'in your gripper', 'you have got')),
            ),
        )

    def _ordered(self, noun):
        adjectives = (self.adjective(),) if self.random() < 0.3 else ()
        r = self.random()
        if r < 0.6:
            return self._build(noun, 'the', adjectives, self.pick(self.lexicon.adjectives['order']))
        if r < 0.7 and noun.plural:
            return self._of_two(noun)
        marks = self.marks
        if r < 0.85:  # the second cup from the left
            order, first = marks(self.pick(('first', 'second', 'third', 'fourth', 'last')))
            head, text = marks(noun.word)
            side, after = marks(self.pick(FORMS['from_side']))
            words, inner = marks(f'{first} {text} {after}')
            return Phrase(f'the {inner}', words, head, (side,), order, kind=noun.kind)
        return self.sided(self._build(noun, 'the', adjectives))

    def sided(self, base) -> Phrase:
        """Return the phrase with its side of the view: "the cup on the left"."""
        order, side = self.marks(self.pick(_SIDES))
        return self._rewrap(base, f'{base.text} {side}', order=order)

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

    def _of_two(self, noun):
        marks = self.marks
        order, first = marks(self.pick(self.lexicon.adjectives['comparative']))
        if self.random() < 0.5:
            head, text = marks(noun.plural)
            words, inner = marks(f'{first} of the {self.pick(("two", "two", "three", "2"))} {text}')
        elif self.random() < 0.5:
            head, text = marks(self.pick(('one', 'of the two', 'of the two', 'of the pair')))
            if text[1:-1] != 'one':
                head, text = marks(text[-4:-1])
                words, inner = marks(f'{first} of the {text}')
            else:
                words, inner = marks(f'{first} {text}')
        else:
            head, text = marks(noun.word)
            words, inner = marks(f'{first} {text}')
        return Phrase(f'the {inner}', words, head, (), order, kind=noun.kind)

    def related(self, noun, apposition=False, relation=None) -> Phrase:
        """Return "the cup left of the kettle", "the cup, the one that stands by the kettle"."""
        adjectives = (self.adjective(),) if self.random() < 0.25 else ()
        number = 'all' if self.random() < 0.08 and noun.plural else 'one'
        det = (
            self.pick(_THE[:36])
            if number == 'one'
            else self.pick(('all the', 'all', 'every one of the'))
        )
        base = self._build(noun, det, adjectives, number=number)
        relation = relation or self.pick(_LYING)
        relation, place, landmarks = self.place(relation, static=True, deep=False)
        r = self.random()
        plural = base.plural
        if apposition:
            between = self.pick((', the one ', ', the one that is ', ', the one ', ' - the one '))
            if plural:
                between = between.replace('one that is', 'ones that are').replace(
                    'the one ', 'the ones '
                )
        elif r < 0.65 and not self.guarded:
            between = ' '
        elif r < 0.85:
            between = f' {self.pick(("that", "which"))} {"are" if plural else self.pick(("is", "is", "stands", "sits", "lies"))} '
            if not plural and self.random() < 0.25:
                between = " that's "
        else:
            between = f' {self.pick(("standing", "lying", "sitting", "placed", "right"))} '
            if relation == 'nearest_to':
                between = ' '
        return self._rewrap(
            base, base.text + between + place, relation=relation, landmarks=landmarks
        )

    def from_place(self, kinds) -> Phrase:
        """Return "the cup from the shelf": where it is now, said as where it comes from."""
        base = self.simple(kinds)
        if self.random() < 0.5:
            relation, landmark = 'on', self.simple(('surface',), 'the')
            word = self.pick(('from', 'off', 'off of', 'from on top of', 'from'))
        else:
            relation, landmark = 'in', self.simple(('container',), 'the')
            word = self.pick(('from', 'out of', 'from inside', 'from'))
        return self._rewrap(
            base, f'{base.text} {word} {landmark.text}', relation=relation, landmarks=(landmark,)
        )

    def _with_clause(self, noun):
        r = self.random()
        adjectives = (self.adjective(),) if self.random() < 0.2 else ()
        if r < 0.45:
            after = (
                f'with the {self.adjective()} {self.pick(_PARTS)}'
                if self.random() < 0.7
                else f'with a {self.pick(self.lexicon.adjectives["color"])} {self.pick(_PARTS)}'
            )
            after = after.replace(' a o', ' an o')
        elif r < 0.75:
            after = self.pick(_USES)
        else:
            after = self.pick(_CLAUSES)
        if r > 0.97:
            after = f'that is {self.adjective()}'
        return self._build(
            noun, self.pick(_THE[:30] + ('that', 'my', 'a')), adjectives, after=(after,)
        )

    def _several(self, noun):
        adjectives = (self.adjective(),) if self.random() < 0.4 else ()
        r = self.random()
        if noun.plural == noun.word or r < 0.25:
            return self._build(noun, self.pick(_PLURAL_DET), adjectives, number='all')
        if r < 0.55:
            det, number = self.pick(('all the', 'all', 'all of the', 'all those', 'all my')), 'all'
            if self.random() < 0.25:
                phrase = self._build(noun, self.pick(('every', 'each', 'every single')), adjectives)
                phrase.number = 'all'
                return phrase
        elif r < 0.7:
            det, number = self.pick(('both', 'both the', 'both of the')), 'both'
        elif r < 0.85:
            number = self.pick('22222333456')
            det = self.pick(_NUMBERS[number])
            if self.random() < 0.25 and 'couple' not in det:
                det = f'the {det}'
        else:
            det, number = self.pick(('the other', 'the other', 'another', 'my other')), 'other'
            if det == 'another':
                number = 'one'
        return self._build(noun, det, adjectives, number=number)

    def one(self) -> Phrase:
        """Return "the red one", "the bigger one", "the other one", "the one on the left"."""
        from kimi_train.reader.language.lexicon import Noun

        one = Noun('one', 'ones', '', 'any')
        r = self.random()
        if r < 0.45:
            return self._build(one, self.pick(('the', 'the', 'that', 'a')), (self.adjective(),))
        if r < 0.6:
            order = self.pick(
                self.lexicon.adjectives['order'] + self.lexicon.adjectives['comparative']
            )
            return self._build(one, 'the', (), order)
        if r < 0.7:
            return self._build(one, 'the other', (), number='other')
        if r < 0.8:
            return self._build(
                one, 'the', (), after=(f'with the {self.adjective()} {self.pick(_PARTS)}',)
            )
        if r < 0.9:
            return self.sided(self._build(one, 'the'))
        return self.related(one)

    def _owned(self, noun):
        owner = self.pick(self.lexicon.adjectives['name'])
        return self._build(noun, '', (f"{owner}'s",))

    def _vessel(self):
        marks = self.marks
        head, text = marks(self.pick(_VESSELS))
        attribute, of = marks(f'of {self.pick(_OF)}')
        words, inner = marks(f'{text} {of}')
        return Phrase(
            f'{self.pick(("the", "the", "a", "that", "my"))} {inner}', words, head, (attribute,)
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

    def _whichever(self):
        marks = self.marks
        head, first = marks(self.pick(('whichever', 'whichever one', 'whichever one')))
        order, last = marks(
            self.pick(self.lexicon.adjectives['comparative'] + ['biggest', 'nearest', 'smallest'])
        )
        words, text = marks(f'{first} is {last}')
        return Phrase(text, words, head, (), order)

    def place(self, relation=None, static=False, deep=True, to=False, kinds=None):
        """Return relation, text and landmarks of a place: "to the left of the bowl".

        :param static: where a thing is, not where it goes.
        :param deep: whether the landmark may have relations of its own.
        :param kinds: classes of the landmark; None for what suits the relation.
        :param to: whether "to the shelf" may be said for on and in.
        """
        relation = relation or self.pick(_LYING if static else PLACED)
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
