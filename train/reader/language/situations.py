"""Instructions of both languages whose wording is data: errands, instruments, hints, anecdotes."""

from __future__ import annotations

from kimi_train.reader.language import sentence_corpus
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.skill_families import VERB_CLOSE, VERB_OPEN, skill_families
from kimi_train.reader.language.span_markers import remove_markers

__all__ = ['SITUATIONS', 'SituationGenerator']

# Sampling weights.
SITUATIONS = (
    ('instrument', 3),
    ('take_and_put', 5),
    ('placed_question', 7),
    ('anecdote', 10),
    ('located_topic', 4),
    ('meant_for', 2),
    ('leave_alone', 4),
    ('state_condition', 3),
    ('dangling_pronoun', 2),
)
_OPERATED = {'device', 'switch', 'open', 'door', 'light', 'appliance', 'machine', 'vehicle'}
_DELIVERING = ('bring', 'deliver', 'serve', 'fetch', 'give', 'hand', 'distribute', 'lend', 'take')


_SINGULAR_VERBS = (('is', 'are'), ('stays', 'stay'), ('gets', 'get'), ('has', 'have'))


class SituationGenerator:
    """Mixed into a `PatternGenerator`, whose requests it embeds."""

    def instrument(self, instruction):
        """A request with the means to fulfil it: "press the button to start the fan"."""
        family, template, _ = self.object_request(
            lambda f: any(_OPERATED & set(f.noun_classes(a['name'])) for a in f.arguments)
        )
        if not template:
            return False
        frame = self.wording('instruments').replace('{adjective}', self.noun_phrases.adjective())
        instruction.text, call = self.fill(
            family, frame.replace('{}', template.text), template.slots
        )
        instruction.calls = [call]
        return True

    def take_and_put(self, instruction):
        """An object with its source, and where it goes: "take X from Y and put it in Z"."""
        placer, template, slot = self.placement_request()
        if not template:
            return False
        noun_classes = placer.noun_classes(slot)
        form = self.wording('take_from').replace('<', VERB_OPEN).replace('>', VERB_CLOSE)
        if '{source}' in form:
            phrase = self.noun_phrases.simple(noun_classes)
            phrase.relation, source, phrase.landmarks = self.noun_phrases.place(
                self.choose(('on', 'in')), static=True, nested=False
            )
            form = form.replace('{source}', source)
        else:
            phrase = self.noun_phrases.from_place(noun_classes)
        follow, given = self.pronominalize(template, slot, phrase)
        follow, put = self.fill(placer, follow, template.slots, given)
        if self.catalogue.resolve('pick', exact=True):
            taking, take = self.fill(
                skill_families()['pick'], form, ('object',), {'object': (phrase.text, (phrase,))}
            )
            instruction.calls = [take, put]
        else:
            taking = form.replace(VERB_OPEN, '').replace(VERB_CLOSE, '')
            taking = taking.replace('{object}', phrase.text)
            instruction.calls = [put]
        instruction.text = self.add_short_carrier_phrase(
            taking + self.wording('take_and_put_joints') + follow
        )
        return True

    def placed_question(self, instruction):
        """A question about things at a place: "tell me how many plates are on the dresser"."""
        kind, _, form = self.wording('placed_questions').partition(': ')
        if self.may_request_skill(kind, form):
            return False
        phrases = self.noun_phrases
        noun = phrases.lexicon.noun(self.rng, ('any',), phrases.split)
        adjectives = (phrases.adjective(),) if self.random() < 0.3 else ()
        det = 'the' if self.lang == 'en' else ''
        if '{people}' in form:
            slot = '{people}'
            head, text = self.mark(self.wording('people'))
            words, text = self.mark(text)
            phrase = AnnotatedPhrase(text, words, head, number='all', plural=True)
        elif '{person}' in form:
            slot, phrase = '{person}', phrases.person()
            form = form.replace('{quality}', self.wording('person_qualities'))
        elif '{largest}' in form:
            slot = '{largest}'
            phrase = phrases.build(noun, det, (), self.wording('superlatives'))
        elif '{several}' in form:
            slot = '{several}'
            if self.lang == 'en' and not noun.plural:
                return False
            phrase = phrases.build(noun, '', adjectives, number='all')
        elif '{a}' in form:
            slot, phrase = '{a}', phrases.build(noun, 'a', adjectives)
        else:
            slot = '{}'
            phrase = phrases.build(noun, det, adjectives)
            if phrase.plural:
                return False
        relation, place, landmarks = (
            phrases.place('in', static=True, nested=False, noun_classes=('place',))
            if '{room}' in form
            else phrases.place(static=True, nested=False)
        )
        phrase.relation, phrase.landmarks = relation, landmarks
        text = (
            form.replace(slot, phrase.text)
            .replace('{place}', place)
            .replace('{room}', place)
            .replace('{measure}', noun.measure)
        )
        instruction.text, instruction.outcome = self.finish_question(text), 'answer'
        instruction.question = (kind, (phrase,))
        return True

    def anecdote(self, instruction):
        """Small talk about things and people, with verbs, that asks for nothing."""
        text = (
            self.wording('anecdotes')
            if self.random() < 0.3
            else self.choose(sentence_corpus.remarks(self.lang))
        )
        for slot, noun_classes in (
            ('{n}', ('any',)),
            ('{food}', ('food',)),
            ('{device}', ('switch',)),
            ('{room}', ('place',)),
            ('{name}', ('name',)),
        ):
            text = self.noun_phrases.with_nouns(text, slot, noun_classes)
        instruction.text, instruction.outcome = remove_markers(text), 'nothing'
        return True

    def located_topic(self, instruction):
        """A thing and where it should be, then a request about it: the pronoun means the thing."""
        family, template, slot = self.object_request()
        if not template:
            return False
        noun_classes = family.noun_classes(slot)
        phrase = (
            self.noun_phrases.phrase(noun_classes)
            if self.random() < 0.3
            else self.noun_phrases.definite(noun_classes)
        )
        if phrase.plural:
            return False
        statement = self.state_place(self.wording('located_statements'), phrase)
        text, given = self.pronominalize(template, slot, phrase)
        text, call = self.fill(family, self.add_short_carrier_phrase(text), template.slots, given)
        instruction.text = statement.replace('{}', phrase.text) + text
        instruction.calls = [call]
        return True

    def state_condition(self, instruction):
        """A request on the state of its object: "if the gate is open, shut it"."""
        family, template, slot = self.object_request()
        if not template:
            return False
        phrase = self.noun_phrases.definite(family.noun_classes(slot))
        if phrase.plural:
            return False
        text, given = self.pronominalize(template, slot, phrase)
        text, call = self.fill(family, text, template.slots, given)
        instruction.text = self.wording('state_conditions').replace('{}', phrase.text) + text
        call.condition = (phrase, True)
        instruction.calls = [call]
        return True

    def dangling_pronoun(self, instruction):
        """A request about something that was never named: "put it on the shelf"."""
        family, template, slot = self.object_request()
        if not template:
            return False
        phrase = self.noun_phrases.simple(family.noun_classes(slot))
        text, given = self.pronominalize(template, slot, phrase)
        if not given[slot][0]:
            return False
        instruction.text, _ = self.fill(
            family, self.add_short_carrier_phrase(text), template.slots, given
        )
        instruction.outcome = 'unclear'
        return True

    def meant_for(self, instruction):
        """A statement that asks for a delivery: "the stew is for table two"."""
        family, what, to = self.delivery()
        if not family:
            return False
        form = self.wording('meant_for')
        instruction.text, call = self.fill_delivery(family, what, to, form)
        instruction.calls = [call]
        return True

    def delivery(self):
        """Sample the only family that delivers to people, its object and recipient slots.

        Three times None if there is none, or more than one.
        """

        def recipient(family):
            objects = [a['name'] for a in family.arguments if a['type'] == 'object']
            if len(objects) != 2 or not family.name.startswith(_DELIVERING):
                return ''
            people = [s for s in objects if 'person' in family.noun_classes(s)]
            return people[0] if len(people) == 1 else ''

        family = self.family(recipient)
        if not family or sum(map(bool, map(recipient, self.families()))) > 1:
            return None, None, None
        to = recipient(family)
        what = next(
            a['name'] for a in family.arguments if a['type'] == 'object' and a['name'] != to
        )
        return family, what, to

    def fill_delivery(self, family, what, to, form):
        """Return a form with {thing} and {person} filled, and the call of the delivery."""
        form = form.replace('{thing}', f'{{{what}}}').replace('{person}', f'{{{to}}}')
        slots = sorted((what, to), key=lambda slot: form.index('{' + slot + '}'))
        return self.fill(family, form, slots)

    def leave_alone(self, instruction):
        """A prohibition without a negated verb: "hands off the kettle"."""
        phrase = self.noun_phrases.phrase(('any',))
        form = self.wording('leave_alone' if self.random() < 0.45 else 'bans')
        form = self.noun_phrases.with_nouns(form, '{name}', ('name',))
        if self.lang == 'en' and phrase.plural:
            for one, more in _SINGULAR_VERBS:
                form = form.replace('{} ' + one + ' ', '{} ' + more + ' ')
        instruction.text = form.replace('{}', phrase.text)
        instruction.forbidden, instruction.outcome = [phrase], 'nothing'
        return True
