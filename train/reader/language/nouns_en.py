"""English noun phrases of every kind."""

from __future__ import annotations

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.lexicon import Noun
from kimi_train.reader.language.phrase import Phrase
from kimi_train.reader.language.places_en import LYING, THE, Places

__all__ = ['Nouns']

FORMS = forms('en')
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
_DOING = FORMS['doing']
_USES = FORMS['uses']
_OF = FORMS['of']
_VESSELS = FORMS['vessels']


class Nouns(Places):
    """Makes noun phrases of one example."""

    def phrase(self, kinds=('any',)) -> Phrase:
        """Return a noun phrase of any make."""
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
            return self._build(noun, self.pick(THE), adjectives)
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
            self.pick(THE[:36])
            if number == 'one'
            else self.pick(('all the', 'all', 'every one of the'))
        )
        base = self._build(noun, det, adjectives, number=number)
        relation = relation or self.pick(LYING)
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
            which = self.pick(('that', 'which'))
            stands = 'are' if plural else self.pick(('is', 'is', 'stands', 'sits', 'lies'))
            between = f' {which} {stands} '
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
            noun, self.pick(THE[:30] + ('that', 'my', 'a')), adjectives, after=(after,)
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

    def _whichever(self):
        marks = self.marks
        head, first = marks(self.pick(('whichever', 'whichever one', 'whichever one')))
        order, last = marks(
            self.pick(self.lexicon.adjectives['comparative'] + ['biggest', 'nearest', 'smallest'])
        )
        words, text = marks(f'{first} is {last}')
        return Phrase(text, words, head, (), order)
