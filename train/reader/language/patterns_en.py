"""English instructions of every kind, some in less usual shapes."""

from __future__ import annotations

from kimi_train.reader.language.draft import Draft
from kimi_train.reader.language.errands_en import Errands
from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.requests_en import frame_lightly
from kimi_train.reader.language.skills import FETCH, VERB_CLOSE, VERB_OPEN, families, passive

__all__ = ['PATTERNS', 'English']

FORMS = forms('en')
_RECIPIENTS = FORMS['recipients']
_CLEFTS = FORMS['clefts']
_WANTED = FORMS['wanted']
_RETAKES = FORMS['retakes']
_RELATION_OF = {
    'on': 'on',
    'next': 'next_to',
    'beside': 'next_to',
    'in': 'in',
    'into': 'in',
    'behind': 'behind',
    'under': 'under',
    'inside': 'in',
    'near': 'next_to',
    'by': 'next_to',
    'onto': 'on',
}
_STATES = FORMS['states']


class English(Errands):
    """Makes one English instruction of any kind."""

    def cleft(self, draft):
        """The thing pulled out of its clause: "it's the hammer I want you to pick up"."""
        family = self.family(self._handles)
        if family and family.name in FETCH and self.random() < 0.5:
            form = self.pick(_WANTED).replace('{o}', '{object}')
            verb = 'need' if ' need' in form else 'want' if ' want' in form else ''
            if verb:
                form = form.replace(verb, VERB_OPEN + verb + VERB_CLOSE, 1)
            draft.text, act = self.fill(family, form, ('object',))
            draft.acts = [act]
            return True
        ask = family and self.ask(
            family, lambda a: a.imperative and a.slots == (self._object(family, a.slots),)
        )
        if not ask:
            return False
        slot = '{' + ask.slots[0] + '}'
        form = self.pick(_CLEFTS)
        if form.endswith(' it') or ' it ' in form.split('{v}')[1]:
            verb = ask.pronoun.replace(slot, 'it', 1)
            form = form.replace('{v} it', '{v}')
        elif ask.pronoun != ask.text or ask.text.endswith(' ' + slot):
            verb = ask.pronoun.replace(' ' + slot, '', 1)
        else:
            return False
        given = self._singular(family, ask.slots[0])
        draft.text, act = self.fill(
            family, form.replace('{v}', verb).replace('{o}', slot), ask.slots, given
        )
        draft.acts = [act]
        return True

    def both_then(self, draft):
        """Two things taken up again: "pick up the fork and the knife and put them on the tray"."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        again = self.family(lambda f: f is not family and self._handles(f))
        more = again and self.ask(again, lambda a: a.imperative and self._object(again, a.slots))
        if not ask or not more or more.slots.count(self._object(again, more.slots)) != 1:
            return False
        slot, taken = self._object(family, ask.slots), self._object(again, more.slots)
        kinds = family.kinds(slot)
        phrases = [self.nouns.simple(kinds) for _ in range(2)]
        if not all(self.fits(p, again, taken) for p in phrases):
            return False
        text, act = self.fill(
            family,
            frame_lightly(self, ask.text),
            ask.slots,
            {slot: (f'{phrases[0].text} and {phrases[1].text}', (phrases[0],))},
        )
        first = [act, act.same()]
        first[1].things[slot] = (phrases[1],)
        them = self.pick(('them', 'them', 'both of them', 'both', 'them both', 'the two of them'))
        follow, act = self.fill(again, more.pronoun, more.slots, {taken: (them, (phrases[0],))})
        second = [act, act.same()]
        second[1].things[taken] = (phrases[1],)
        draft.text = (
            text + self.pick((' and ', ' and then ', ', then ', '. Then ', ' and ')) + follow
        )
        draft.acts = first + second
        return True

    def retake(self, draft):
        """A thing that is the place of the next: "find the tray and put the cup on it"."""
        first = self.family(self._handles)
        ask = first and self.ask(first, lambda a: a.imperative and self._object(first, a.slots))
        placer = self.family(
            lambda f: any(a.get('place') for a in f.arguments) and self._handles(f)
        )
        put = placer and self.ask(
            placer,
            lambda a: (
                a.imperative
                and self._object(placer, a.slots)
                and any(placer.by_name[s].get('place') for s in a.slots)
            ),
        )
        if not ask or not put:
            return False
        text, act = self.fill(first, frame_lightly(self, ask.text), ask.slots)
        landmark = act.things[self._object(first, ask.slots)][0]
        if landmark.plural or landmark.kind == 'person':
            return False
        target = next(s for s in put.slots if placer.by_name[s].get('place'))
        said = self.pick(_RETAKES)
        relation = _RELATION_OF.get(said.split(' ')[0], '')
        if said.startswith(('in front', 'to the left', 'to the right')):
            relation = {'f': 'in_front_of', 'l': 'left_of', 'r': 'right_of'}[
                said.split(' ')[-3 if 'to the' in said else 1][0]
            ]
        more, other = self.fill(
            placer, put.text, put.slots, {target: (said, (landmark,), relation)}
        )
        draft.text = (
            text
            + self.pick((' and ', ' and then ', ', then ', '. Then ', ' and ', ', and '))
            + more
        )
        draft.acts = [act, other]
        return True

    def recipient(self, draft):
        """A person who gets the thing where no skill of the catalogue takes a person."""
        family = families()['hand_over']
        onto = self.world.resolve('hand_over')
        if not onto or any(
            'person' in families()[onto].kinds(a['name']) for a in families()[onto].arguments
        ):
            return False
        verb = self.pick(('give', 'hand', 'bring', 'pass', 'take', 'deliver'))
        if verb not in ('give', 'hand', 'bring', 'pass') and verb in self.world.verbs:
            return False
        number, who = self.marks(f'to {self.pick(_RECIPIENTS)}')
        self.left_out.append(number)
        text, act = self.fill(
            family,
            frame_lightly(self, f'{VERB_OPEN}{verb}{VERB_CLOSE} {{object}} {who}'),
            ('object',),
        )
        draft.text, draft.acts = text, [act]
        return True

    def if_state(self, draft):
        """A condition that no view can settle: told back."""
        text, act = self.clause(framed=0.2)
        if not text or text.endswith('?'):
            return False
        thing = self.nouns.simple(('any', 'open', 'switch'), 'the')
        if thing.plural:
            return False
        number, said = self.marks(
            f'{self.pick(("if", "if", "when", "once", "as soon as", "unless", "while"))} '
            f'{thing.text} {self.pick(_STATES)}'
        )
        self.left_out.append(number)
        draft.text = (
            f'{said}{self.pick((", ", " "))}{text}' if self.random() < 0.6 else f'{text} {said}'
        )
        draft.acts = [act]
        return True

    def where_is(self, draft):
        """A place told by what lies there now: no place that can be planned."""
        family = families()['place']
        if not self.world.resolve('place'):
            return False
        thing = self.nouns.simple(('any',), 'the')
        number, said = self.marks(f'where {thing.text} {"are" if thing.plural else "is"}')
        self.left_out.append(number)
        verb = self.pick(('put', 'place', 'set', 'leave', 'put'))
        draft.text, act = self.fill(
            family,
            frame_lightly(self, f'{VERB_OPEN}{verb}{VERB_CLOSE} {{object}} {said}'),
            ('object',),
        )
        draft.acts = [act]
        return True

    def answer(self, draft):
        """What one says when asked which: "the red one", after the request that left it open."""
        before = Draft()
        if not self.single(before) or not before.acts[0].things:
            return False
        old = before.acts[0]
        slot = self._object(old.family, list(old.things))
        if not slot:
            return False
        self.left_out.clear()
        draft.history = (before.text,)
        r = self.random()
        new = (
            self.nouns.one()
            if r < 0.6
            else self.nouns.related(
                self.nouns.lexicon.noun(self.rng, old.family.kinds(slot), self.nouns.part)
            )
            if r < 0.8
            else self.nouns.simple(old.family.kinds(slot), 'the')
        )
        act = old.same()
        act.things = {**old.things, slot: (new,)}
        draft.acts = [act]
        draft.text = self.pick(
            (
                '{}',
                '{}',
                '{}',
                '{} please',
                'I mean {}',
                '{} of course',
                'I meant {}',
                'take {}' if old.family.name == 'pick' else '{}',
                '{}, I think',
                'the answer is {}',
                '{} I guess',
                'well, {}',
            )
        ).replace('{}', new.text)
        return True

    def swapped_word(self, draft):
        """A word taken back inside a phrase: "the red, no, the blue cup"."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        noun = self.nouns.lexicon.noun(self.rng, family.kinds(slot), self.nouns.part)
        wrong, good = self.nouns.adjective(), self.nouns.adjective()
        if wrong == good:
            return False
        phrase = self.nouns._build(noun, self.pick(('the', 'the', '')), (good,))
        swap = self.pick(FORMS['swapped_word'])
        draft.text, act = self.fill(
            family,
            frame_lightly(self, ask.text),
            ask.slots,
            {slot: (f'the {wrong}{swap}{phrase.text}', (phrase,))},
        )
        draft.acts = [act]
        return True

    def fragment(self, draft):
        """A request that is little more than its nouns: "mug on the shelf", "cup please"."""
        fetch = any(self.world.resolve(n) for n in FETCH)
        r = self.random()
        if r < 0.5 and self.world.resolve('place'):
            family = families()['place']
            draft.text, act = self.fill(
                family, self.pick(FORMS['fragment_place']), ('object', 'target')
            )
        elif fetch:
            family = families()['hand_over']
            draft.text, act = self.fill(family, self.pick(FORMS['fragment_fetch']), ('object',))
        else:
            return False
        draft.acts = [act]
        return True

    def cancelled(self, draft):
        """A request taken back as a whole: nothing to do."""
        text, act = self.clause(framed=0.3)
        if not text:
            return False
        draft.text = text.rstrip('?') + self.pick(FORMS['cancelled'])
        draft.outcome = 'nothing'
        return True

    def passive_chain(self, draft):
        """Two states to be reached: "the cup should be washed and put on the shelf"."""
        family = self.family(self._handles)
        ask = family and self.ask(family, passive)
        again = self.family(lambda f: f is not family and self._handles(f))
        more = again and self.ask(again, passive)
        if not ask or not more or len(set(ask.slots)) != len(ask.slots):
            return False
        slot, done = passive(ask)
        slot2, done2 = passive(more)
        phrase = self.nouns.simple(family.kinds(slot[1:-1]))
        if (
            phrase.plural
            or not self.fits(phrase, again, slot2[1:-1])
            or family.by_name[slot[1:-1]]['type'] != 'object'
            or (again.by_name[slot2[1:-1]]['type'] != 'object')
        ):
            return False
        form = self.pick(FORMS['passive_chain'])
        one, act = self.fill(
            family,
            form.replace('{o}', slot) + done,
            ask.slots,
            {slot[1:-1]: (phrase.text, (phrase,))},
        )
        two, other = self.fill(again, done2, [s for s in more.slots if s != slot2[1:-1]])
        other.things[slot2[1:-1]] = (phrase,)
        draft.text = one + self.pick((' and ', ' and then ', ', then ', ' and ')) + two
        draft.acts = [act, other]
        return True


# How often each kind is drawn.
PATTERNS = (
    ('single', 30),
    ('chain', 13),
    ('coordination', 7),
    ('ellipsis', 4),
    ('prohibition', 6),
    ('only_refusal', 2),
    ('correction', 3),
    ('order', 5),
    ('condition', 5),
    ('state', 3),
    ('follow_up', 5),
    ('no_skill', 11),
    ('question', 18),
    ('talk', 3),
    ('unclear', 3),
    ('cleft', 3),
    ('both_then', 2),
    ('retake', 3),
    ('recipient', 1),
    ('if_state', 1),
    ('where_is', 1),
    ('answer', 2),
    ('swapped_word', 1),
    ('fragment', 3),
    ('cancelled', 1),
    ('passive_chain', 2),
    ('errand', 6),
)
