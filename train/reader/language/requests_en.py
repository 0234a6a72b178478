"""English requests: one skill, several in a row, several things under one verb."""

from __future__ import annotations

from kimi_train.reader.language import texts
from kimi_train.reader.language.clauses import THINGS, Clauses, relation_for
from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.frames_en import frame
from kimi_train.reader.language.phrase import Phrase
from kimi_train.reader.language.skills import (
    VERB_CLOSE,
    VERB_OPEN,
    passive,
)

__all__ = ['Requests', 'THEN', 'frame_lightly']

FORMS = forms('en')
THEN = FORMS['then']


class Requests(Clauses):
    """Makes one English request."""

    lang = 'en'

    def words(self, slot):
        """Return a text to be said or written, sometimes in quotes."""
        text = texts.text(self.rng, 'en', slot)
        if slot not in texts.FREE:
            return text, text
        r = self.random()
        quoted = f'"{text}"' if r < 0.25 else f"'{text}'" if r < 0.4 else text
        return quoted, text

    def put(self, family, slot):
        """Return relation, text and landmarks of a place."""
        if family.into:
            return self.nouns.place('in' if self.random() < 0.75 else None)
        kinds = family.kinds(slot)
        if kinds != family.kinds('object') and kinds != ('any',) and self.random() < 0.75:
            return self.nouns.place(relation_for(self, kinds), kinds=kinds)
        return self.nouns.place(to=family.name == 'place' and self.random() < 0.12)

    def clause(self, family=None, given=None, imperative=True, framed=0.0, pronoun=False):
        """Return a clause and its act; (None, None) where nothing fits."""
        family = family or self.family(
            lambda f: not imperative or any(a.imperative for a in f.asks['en'])
        )
        ask = family and self.ask(family, (lambda a: a.imperative) if imperative else None)
        if not ask:
            return None, None
        text = ask.pronoun if pronoun else ask.text
        if framed and ask.imperative and self.random() < framed:
            text = frame(self.rng, text)
        elif ask.question and self.random() < 0.8:
            text += '?'
        return self.fill(family, text, ask.slots, given)

    def single(self, draft):
        """One request for one skill, in any of its ways."""
        family = self.family()
        ask = self.ask(family)
        if not ask:
            return False
        r = self.random()
        turned = passive(ask) if r < 0.10 else None
        if turned:
            slot, done = turned
            text = self.pick(FORMS['passive']).replace('{}', slot) + done
            if text.startswith(('could', 'can')):
                text += '?'
        elif ask.imperative:
            text = frame(self.rng, ask.text)
            if 0.10 < r < 0.13 and ask.slots and ask.text.count('{' + ask.slots[0] + '}') == 1:
                text = f'{{{ask.slots[0]}}}, ' + ask.pronoun.replace(
                    '{' + ask.slots[0] + '}', 'it', 1
                )
                if family.by_name[ask.slots[0]]['type'] not in THINGS or family.by_name[
                    ask.slots[0]
                ].get('place'):
                    text = ask.text
                else:
                    given = self._singular(family, ask.slots[0])
                    draft.text, act = self.fill(family, text, ask.slots, given)
                    draft.acts = [act]
                    return True
        else:
            text = ask.text + ('?' if ask.question and self.random() < 0.8 else '')
        given = None
        if family.name == 'place' and r > 0.92:
            return self._moved(draft, family)
        draft.text, act = self.fill(family, text, ask.slots, given)
        draft.acts = [act]
        return True

    def _moved(self, draft, family):
        """From one place to another: "move the cup from the shelf to the table"."""
        verb = self.pick(
            ('move', 'take', 'transfer', 'bring', 'shift', 'carry', 'relocate', 'get', 'move')
        )
        phrase = self.nouns.from_place(family.kinds('object'))
        relation, said, landmarks = self.nouns.place(self.pick(('on', 'in')), to=True, deep=False)
        draft.text, act = self.fill(
            family,
            frame(self.rng, f'{VERB_OPEN}{verb}{VERB_CLOSE} {{object}} {{target}}'),
            ('object', 'target'),
            {'object': (phrase.text, (phrase,)), 'target': (said, landmarks, relation)},
        )
        draft.acts = [act]
        return True

    def _singular(self, family, slot):
        for _ in range(8):
            phrase = self.nouns.phrase(family.kinds(slot))
            if not phrase.plural:
                break
        return {slot: (phrase.text, (phrase,))}

    @staticmethod
    def _object(family, slots):
        """Return the slot of the first thing that is no place, or ''."""
        for slot in slots:
            if family.by_name[slot]['type'] == 'object' and not family.by_name[slot].get('place'):
                return slot
        return ''

    def _handles(self, family):
        return any(a.imperative and self._object(family, a.slots) for a in family.asks['en'])

    def chain(self, draft, steps=0):
        """Several steps, later ones often with a pronoun: "pick up the cup and put it there"."""
        steps = steps or (2 if self.random() < 0.75 else 3)
        first = self.family(self._handles)
        if not first:
            return False
        ask = self.ask(first, lambda a: a.imperative and self._object(first, a.slots))
        if not ask:
            return False
        slot = self._object(first, ask.slots)
        text = ask.text
        r = self.random()
        if r < 0.4:
            text = self.pick(FORMS['chain_first']).replace('{}', text, 1)
        text, act = self.fill(first, text, ask.slots)
        draft.acts.append(act)
        subject = act.things[slot][0]
        for _ in range(steps - 1):
            joint = self.pick(THEN)
            more = self._follow(draft, subject, act)
            if not more:
                return len(draft.acts) > 1
            text += joint + more
        draft.text = text
        return True

    def _follow(self, draft, subject, before):
        """Return another clause, with a pronoun for the subject most of the time."""
        family = self.family(
            self._handles
            if self.random() < 0.85
            else lambda f: any(a.imperative for a in f.asks['en'])
        )
        if not family:
            return ''
        ask = self.ask(family, lambda a: a.imperative)
        if not ask or (ask.slots == () and family is before.family):
            return ''
        slot = self._object(family, ask.slots)
        given = None
        text = ask.text
        if (
            slot
            and self.random() < 0.72
            and family is not before.family
            and self.fits(subject, family, slot)
        ):
            text = ask.pronoun
            given = {slot: (self.it(subject), (subject,))}
        elif family is before.family and slot is None:
            return ''
        place = before.relation and [
            s for s in before.things if before.family.by_name[s].get('place')
        ]
        target = next((s for s in ask.slots if family.by_name[s].get('place')), '')
        if target and place and self.random() < 0.5:
            given = dict(given or {})
            given[target] = (
                self.pick(('there', 'there too', 'there as well')),
                before.things[place[0]],
                before.relation,
            )
        text, act = self.fill(family, text, ask.slots, given)
        draft.acts.append(act)
        return text

    def it(self, phrase):
        """Return the pronoun for a phrase."""
        if phrase.plural:
            return 'them'
        if phrase.kind == 'person':
            return self.pick(('them', 'him', 'her'))
        return self.pick(('it',) * 8 + ('that', 'it'))

    def coordination(self, draft):
        """One verb with two or three things: a step for each."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        kinds = family.kinds(slot)
        r = self.random()
        if r < 0.25:
            phrases, text = self._shared_head(kinds)
        else:
            count = 2 if r < 0.8 else 3
            phrases = [
                self.nouns.simple(kinds) if self.random() < 0.7 else self.nouns.phrase(kinds)
                for _ in range(count)
            ]
            texts = [p.text for p in phrases]
            last = self.pick(FORMS['and'])
            text = (
                ', '.join(texts[:-1])
                + (',' if count == 3 and last[0] == ' ' and self.random() < 0.4 else '')
                + last
                + texts[-1]
            )
        clause, act = self.fill(
            family, frame(self.rng, ask.text), ask.slots, {slot: (text, (phrases[0],))}
        )
        if self.random() < 0.06 and not clause.endswith('?') and len(phrases) == 2:
            clause = clause.replace(text, 'both ' + text)
        draft.text = clause
        draft.acts = [act]
        for phrase in phrases[1:]:
            more = act.same()
            more.things[slot] = (phrase,)
            draft.acts.append(more)
        return True

    def _shared_head(self, kinds):
        """Return "the red and the blue cup": the first phrase lends its head from the second."""
        noun = self.nouns.lexicon.noun(self.rng, kinds, self.nouns.part)
        first, second = self.nouns.adjective(), self.nouns.adjective()
        if first == second:
            second = 'blue' if first != 'blue' else 'red'
        last = self.nouns._build(noun, self.pick(('the', 'the', '')), (second,))
        attribute, text = self.marks(first)
        words, text = self.marks(text)
        det = self.pick(('the ', 'the ', 'the ', 'my '))
        one = Phrase(det + text, words, last.head, (attribute,), kind=noun.kind)
        return [one, last], f'{one.text} and {last.text}'

    def ellipsis(self, draft):
        """A second clause without verb: "put the fork in the drawer and the knife on the tray"."""
        family = self.family(self._handles)
        ask = family and self.ask(
            family,
            lambda a: a.imperative and self._object(family, a.slots) and a.text.endswith('}'),
        )
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        tail = ask.text[ask.text.index('{' + slot) :]
        text, act = self.fill(family, frame_lightly(self, ask.text), ask.slots)
        draft.acts = [act]
        for _ in range(1 if self.random() < 0.8 else 2):
            more, other = self.fill(family, tail, [s for s in ask.slots if f'{{{s}}}' in tail])
            other.verb = act.verb
            other.things = {**act.things, **other.things}
            other.values = {**act.values, **other.values}
            text += (
                self.pick((' and ', ', ', ' and then ', ', then ', ', and ', ' and also ', '; '))
                + more
            )
            draft.acts.append(other)
        draft.text = text
        return True


def frame_lightly(say, text):
    """Return the imperative with little around it."""
    return text if say.random() < 0.6 else say.pick(FORMS['light_frames']).replace('{}', text, 1)
