"""English noun phrases of all kinds."""

from __future__ import annotations

from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.lexicon import Noun
from kimi_train.reader.language.phrase_base import STATIC_RELATIONS
from kimi_train.reader.language.place_phrases_en import DETERMINERS, PlacePhraseGenerator
from kimi_train.reader.language.sentence_templates import sentence_templates

__all__ = ['NounPhraseGenerator']

TEMPLATES = sentence_templates('en')
_PLURAL_DET = ('the',) * 10 + ('those', 'these', 'my', 'our', 'some', '', '')
_NUMBERS = {
    '2': ('two', 'two', 'a couple of', '2'),
    '3': ('three', '3'),
    '4': ('four',),
    '5': ('five',),
    '6': ('six',),
}
_SIDES = TEMPLATES['sides']
_PARTS = TEMPLATES['parts']
_CLAUSES = TEMPLATES['modifier_clauses']
_PERSON_CLAUSES = TEMPLATES['person_clauses']
_PURPOSES = TEMPLATES['purposes']
_CONTENTS = TEMPLATES['contents']
_CONTAINERS = TEMPLATES['containers']


class NounPhraseGenerator(PlacePhraseGenerator):
    """Generates the noun phrases of one example."""

    def phrase(self, noun_classes=('any',)) -> AnnotatedPhrase:
        """Return a noun phrase of any kind."""
        r = self.random()
        if noun_classes[0] == 'person' and r < 0.5:
            return self.person(noun_classes)
        if noun_classes[0] == 'any' and self.random() < 0.02:
            return self.anything_held()
        if r < 0.42:
            return self.simple(noun_classes)
        if r > 0.993:
            return self._held_object()
        noun = self.lexicon.noun(self.rng, noun_classes, self.split)
        if r < 0.56:
            count = 1 if self.random() < 0.75 else 2
            adjectives = tuple(dict.fromkeys(self.adjective() for _ in range(count)))
            return self.build(noun, self.choose(DETERMINERS), adjectives)
        if r < 0.62:
            return self._with_ordinal(noun)
        if r < 0.70:
            return self.with_relation(noun)
        if r < 0.76:
            return self._with_clause(noun)
        if r < 0.84 and noun.plural:
            return self._quantified(noun)
        if r < 0.89:
            return self.pronominal()
        if r < 0.91:
            return self._possessive(noun)
        if r < 0.94:
            return self._container_of()
        if r < 0.96:
            return self.part_of(self.choose(('on', 'in')))
        if r < 0.965:
            return self._free_relative()
        if r < 0.975:  # the kitchen lamp
            room = self.lexicon.noun(self.rng, ('place',), self.split)
            return self.build(noun, self.choose(('the', 'the', 'that', 'our')), (room.word,))
        return self.with_relation(noun, apposition=self.random() < 0.5)

    def person(self, noun_classes=('person',)) -> AnnotatedPhrase:
        """Return a name, or a phrase for somebody: "the man in the red shirt"."""
        r = self.random()
        if r < 0.4:
            return self.build(self.lexicon.noun(self.rng, ('name',), self.split), '')
        noun = self.lexicon.noun(self.rng, noun_classes, self.split)
        if self.random() < 0.4 or noun.word.startswith('my ') or noun.word[0].isupper():
            noun = noun._replace(word=self.choose(TEMPLATES['somebody']))
        det = self.choose(('the', 'the', 'the', 'a', 'that'))
        if r < 0.6:
            return self.build(noun, det, (self.adjective(),))
        clause = self.choose(_PERSON_CLAUSES)
        clause = clause.replace('{color}', self.choose(self.lexicon.adjectives['color']))
        clause = clause.replace('{garment}', self.choose(TEMPLATES['garments']))
        return self.build(noun, det, after=(clause,))

    def placed_person(self, source=False) -> AnnotatedPhrase:
        """Return "the guest in the hall" or, as the source of a way, "the guest from the hall"."""
        base = self.person()
        inside = self.random() < 0.6
        landmark = self.simple(
            ('place',) if inside else ('surface',), self.choose(('the', 'the', 'the', 'my', 'our'))
        )
        word = 'in' if inside else self.choose(('at', 'at', 'by', 'near', 'next to'))
        return self._append_modifier(
            base,
            f'{base.text} {"from" if source else word} {landmark.text}',
            relation='in' if inside else 'next_to',
            landmarks=(landmark,),
        )

    def anything_held(self) -> AnnotatedPhrase:
        """Return "the object", "the thing", "the grasped item"."""
        noun = self.choose(TEMPLATES['anything'])
        adjectives = (self.choose(TEMPLATES['held']),) if self.random() < 0.25 else ()
        return self.build(Noun(noun, noun + 's', '', 'name'), 'the', adjectives)

    def _held_object(self):
        mark = self.mark
        if self.random() < 0.5:
            head, text = mark('what')
            words, text = mark(text + self.choose(TEMPLATES['held_object']))
            return AnnotatedPhrase(text, words, head)
        noun = self.lexicon.noun(self.rng, ('thing',), self.split)._replace(
            word=self.choose(('thing', 'object', 'item', 'one'))
        )
        return self.build(
            noun,
            'the',
            after=(
                self.choose(('in your hand', 'you are holding', 'in your gripper', 'you have got')),
            ),
        )

    def _with_ordinal(self, noun):
        adjectives = (self.adjective(),) if self.random() < 0.3 else ()
        r = self.random()
        if r < 0.6:
            return self.build(
                noun, 'the', adjectives, self.choose(self.lexicon.adjectives['order'])
            )
        if r < 0.7 and noun.plural:
            return self._comparative_of_two(noun)
        mark = self.mark
        if r < 0.85:  # the second cup from the left
            order, first = mark(self.choose(('first', 'second', 'third', 'fourth', 'last')))
            head, text = mark(noun.word)
            side, after = mark(self.choose(TEMPLATES['from_side']))
            words, inner = mark(f'{first} {text} {after}')
            return AnnotatedPhrase(
                f'the {inner}', words, head, (side,), order, noun_class=noun.noun_class
            )
        return self.with_side(self.build(noun, 'the', adjectives))

    def with_side(self, base) -> AnnotatedPhrase:
        """Return the phrase with a side of the view: "the cup on the left"."""
        order, side = self.mark(self.choose(_SIDES))
        return self._append_modifier(base, f'{base.text} {side}', order=order)

    def _comparative_of_two(self, noun):
        mark = self.mark
        order, first = mark(self.choose(self.lexicon.adjectives['comparative']))
        if self.random() < 0.5:
            head, text = mark(noun.plural)
            words, inner = mark(
                f'{first} of the {self.choose(("two", "two", "three", "2"))} {text}'
            )
        elif self.random() < 0.5:
            head, text = mark(self.choose(('one', 'of the two', 'of the two', 'of the pair')))
            if text[1:-1] != 'one':
                head, text = mark(text[-4:-1])
                words, inner = mark(f'{first} of the {text}')
            else:
                words, inner = mark(f'{first} {text}')
        else:
            head, text = mark(noun.word)
            words, inner = mark(f'{first} {text}')
        return AnnotatedPhrase(f'the {inner}', words, head, (), order, noun_class=noun.noun_class)

    def with_relation(self, noun, apposition=False, relation=None) -> AnnotatedPhrase:
        """Return "the cup left of the kettle", "the cup, the one that stands by the kettle"."""
        adjectives = (self.adjective(),) if self.random() < 0.25 else ()
        number = 'all' if self.random() < 0.08 and noun.plural else 'one'
        det = (
            self.choose(DETERMINERS[:36])
            if number == 'one'
            else self.choose(('all the', 'all', 'every one of the'))
        )
        base = self.build(noun, det, adjectives, number=number)
        relation = relation or self.choose(STATIC_RELATIONS)
        relation, place, landmarks = self.place(relation, static=True, nested=False)
        r = self.random()
        plural = base.plural
        if apposition:
            between = self.choose((', the one ', ', the one that is ', ', the one ', ' - the one '))
            if plural:
                between = between.replace('one that is', 'ones that are').replace(
                    'the one ', 'the ones '
                )
        elif r < 0.65 and not self.place_follows:
            between = ' '
        elif r < 0.85:
            which = self.choose(('that', 'which'))
            stands = 'are' if plural else self.choose(('is', 'is', 'stands', 'sits', 'lies'))
            between = f' {which} {stands} '
            if not plural and self.random() < 0.25:
                between = " that's "
        else:
            between = f' {self.choose(("standing", "lying", "sitting", "placed", "right"))} '
            if relation == 'nearest_to':
                between = ' '
        return self._append_modifier(
            base, base.text + between + place, relation=relation, landmarks=landmarks
        )

    def from_place(self, noun_classes) -> AnnotatedPhrase:
        """Return "the cup from the shelf": its present place, given as its source."""
        if noun_classes[0] == 'person':
            return self.placed_person(source=True)
        base = self.simple(noun_classes)
        if self.random() < 0.5:
            relation, landmark = 'on', self.simple(('surface',), 'the')
            word = self.choose(('from', 'off', 'off of', 'from on top of', 'from'))
        else:
            relation, landmark = 'in', self.simple(('container',), 'the')
            word = self.choose(('from', 'out of', 'from inside', 'from'))
        return self._append_modifier(
            base, f'{base.text} {word} {landmark.text}', relation=relation, landmarks=(landmark,)
        )

    def _with_clause(self, noun):
        r = self.random()
        adjectives = (self.adjective(),) if self.random() < 0.2 else ()
        if r < 0.45:
            after = (
                f'with the {self.adjective()} {self.choose(_PARTS)}'
                if self.random() < 0.7
                else f'with a {self.choose(self.lexicon.adjectives["color"])} {self.choose(_PARTS)}'
            )
            after = after.replace(' a o', ' an o')
        elif r < 0.75:
            after = self.choose(_PURPOSES)
        else:
            after = self.choose(_CLAUSES)
        if r > 0.97:
            after = f'that is {self.adjective()}'
        return self.build(
            noun, self.choose(DETERMINERS[:30] + ('that', 'my', 'a')), adjectives, after=(after,)
        )

    def _quantified(self, noun):
        adjectives = (self.adjective(),) if self.random() < 0.4 else ()
        r = self.random()
        if noun.plural == noun.word or r < 0.25:
            return self.build(noun, self.choose(_PLURAL_DET), adjectives, number='all')
        if r < 0.55:
            det, number = (
                self.choose(('all the', 'all', 'all of the', 'all those', 'all my')),
                'all',
            )
            if self.random() < 0.25:
                phrase = self.build(
                    noun, self.choose(('every', 'each', 'every single')), adjectives
                )
                phrase.number = 'all'
                return phrase
        elif r < 0.7:
            det, number = self.choose(('both', 'both the', 'both of the')), 'both'
        elif r < 0.85:
            number = self.choose('22222333456')
            det = self.choose(_NUMBERS[number])
            if self.random() < 0.25 and 'couple' not in det:
                det = f'the {det}'
        else:
            det, number = self.choose(('the other', 'the other', 'another', 'my other')), 'other'
            if det == 'another':
                number = 'one'
        return self.build(noun, det, adjectives, number=number)

    def pronominal(self, noun=None) -> AnnotatedPhrase:
        """Return "the red one", "the bigger one", "the other one", "the one on the left"."""
        one = Noun('one', 'ones', '', 'any')  # whatever the noun
        r = self.random()
        if r < 0.45:
            return self.build(one, self.choose(('the', 'the', 'that', 'a')), (self.adjective(),))
        if r < 0.6:
            order = self.choose(
                self.lexicon.adjectives['order'] + self.lexicon.adjectives['comparative']
            )
            return self.build(one, 'the', (), order)
        if r < 0.7:
            return self.build(one, 'the other', (), number='other')
        if r < 0.8:
            return self.build(
                one, 'the', (), after=(f'with the {self.adjective()} {self.choose(_PARTS)}',)
            )
        if r < 0.9:
            return self.with_side(self.build(one, 'the'))
        return self.with_relation(one)

    def _possessive(self, noun):
        owner = self.choose(self.lexicon.adjectives['name'])
        return self.build(noun, '', (f"{owner}'s",))

    def _container_of(self):
        mark = self.mark
        head, text = mark(self.choose(_CONTAINERS))
        attribute, of = mark(f'of {self.choose(_CONTENTS)}')
        words, inner = mark(f'{text} {of}')
        return AnnotatedPhrase(
            f'{self.choose(("the", "the", "a", "that", "my"))} {inner}', words, head, (attribute,)
        )

    def _free_relative(self):
        mark = self.mark
        if self.random() < 0.4:  # whichever box is heavier
            noun = self.lexicon.noun(self.rng, ('any',), self.split)
            head, text = mark(noun.word)
            order, last = mark(self.choose(self.lexicon.adjectives['comparative']))
            words, text = mark(f'{text} is {last}')
            return AnnotatedPhrase(f'whichever {text}', words, head, (), order)
        head, first = mark(self.choose(('whichever', 'whichever one', 'whichever one')))
        order, last = mark(
            self.choose(self.lexicon.adjectives['comparative'] + ['biggest', 'nearest', 'smallest'])
        )
        words, text = mark(f'{first} is {last}')
        return AnnotatedPhrase(text, words, head, (), order)
