"""English requests with a turn: what not to do, what was said by mistake, in which order, when."""

from __future__ import annotations

from kimi_train.reader.language import questions_en as questions
from kimi_train.reader.language.draft import Draft
from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.frames_en import frame, to_gerund
from kimi_train.reader.language.phrase import Phrase
from kimi_train.reader.language.requests_en import THEN, Requests, frame_lightly
from kimi_train.reader.language.skills import (
    FETCH,
    families,
    neighbours,
)

__all__ = ['Turns']

FORMS = forms('en')


class Turns(Requests):
    """Makes one English instruction that is more than a request."""

    def prohibition(self, draft):
        """A request and what it leaves out: "the pliers, not the hammer"."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        kinds = family.kinds(slot)
        bad = self.nouns.simple(kinds)
        r = self.random()
        if r < 0.12:
            word = self.pick(('everything', 'everything', 'anything', 'all of them', 'all'))
            head, inner = self.marks(word)
            words, inner = self.marks(inner)
            every = Phrase(inner, words, head, number='all', plural=True)
            but = self.pick(('but', 'except', 'except for', 'apart from', 'other than'))
            text = f'{inner} {but} {bad.text}'
            draft.text, act = self.fill(
                family, frame_lightly(self, ask.text), ask.slots, {slot: (text, (every,))}
            )
            draft.acts = [act]
            draft.forbidden = [bad]
            return True
        draft.forbidden = [bad]
        if r < 0.42:
            good = self.nouns.simple(kinds)
            text = self.pick(FORMS['contrast'])
            text = text.replace('{no}', bad.text).replace('{}', good.text)
            draft.text, act = self.fill(
                family, frame_lightly(self, ask.text), ask.slots, {slot: (text, (good,))}
            )
            draft.acts = [act]
            return True
        text, act = self.fill(family, frame_lightly(self, ask.text), ask.slots)
        no = self._refusal(bad)
        if self.random() < 0.7:
            draft.text = (
                text.rstrip('?')
                + self.pick((', but ', ' but ', ', and ', ' and ', '. ', ', ', '; '))
                + no
            )
        elif self.random() < 0.5:
            draft.text = f'{no}, {self.pick(("just ", "", "only ", "but ", "instead "))}{text}'
        else:
            draft.text = (
                text.rstrip('?') + ' ' + self.pick(FORMS['without']).replace('{}', bad.text)
            )
        draft.acts = [act]
        return True

    def _refusal(self, phrase):
        return self.pick(FORMS['refusal']).replace('{}', phrase.text)

    def only_refusal(self, draft):
        """Nothing but what must not be done: nothing to do."""
        bad = self.nouns.phrase(('any',))
        draft.forbidden = [bad]
        text = self._refusal(bad)
        if self.random() < 0.2:
            other = self.nouns.simple(('any',))
            draft.forbidden.append(other)
            text += f' {self.pick(("or", "and"))} {other.text}'
        draft.text = text
        draft.outcome = 'nothing'
        return True

    def correction(self, draft):
        """Something said by mistake, and then what was meant."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        kinds = family.kinds(slot)
        wrong, good = self.nouns.simple(kinds), self.nouns.simple(kinds)
        swap = self.pick(FORMS['correction'])
        r = self.random()
        target = next((s for s in ask.slots if family.by_name[s].get('place')), '')
        if target and r < 0.3 and ask.text.endswith('{' + target + '}'):
            first = self.nouns.place(deep=False)[1]
            relation, text, phrases = self.nouns.place(deep=False)
            draft.text, act = self.fill(
                family,
                frame_lightly(self, ask.text),
                ask.slots,
                {target: (first + swap + text, phrases, relation)},
            )
        elif ask.text.endswith('{' + slot + '}') or r < 0.7:
            draft.text, act = self.fill(
                family,
                frame_lightly(self, ask.text),
                ask.slots,
                {slot: (wrong.text + swap + good.text, (good,))},
            )
        else:  # a whole clause taken back
            first, _ = self.fill(family, frame_lightly(self, ask.text), ask.slots)
            again = self.family(self._handles)
            other = self.ask(again, lambda a: a.imperative)
            if not other:
                return False
            text, act = self.fill(again, other.text, other.slots)
            draft.text = first + self.pick(FORMS['correction_clause']) + text
        draft.acts = [act]
        return True

    def order(self, draft):
        """Two clauses whose order in time is told by a word."""
        one, two = self._pair()
        if not one:
            return False
        (ask_a, family_a), (ask_b, family_b) = one, two
        subject = None
        text_a, act_a = self.fill(family_a, ask_a.text, ask_a.slots)
        slot_a, slot_b = self._object(family_a, ask_a.slots), self._object(family_b, ask_b.slots)
        given, b = None, ask_b.text
        if (
            slot_a
            and slot_b
            and self.random() < 0.3
            and self.fits(act_a.things[slot_a][0], family_b, slot_b)
        ):
            subject = act_a.things[slot_a][0]
            given = {slot_b: (self.it(subject), (subject,))}
            b = ask_b.pronoun
        r = self.random()
        if r < 0.3:  # the first is named last
            text_a2 = ask_a.text
            text_b, act_b = self.fill(family_b, ask_b.text, ask_b.slots)
            ing = to_gerund(text_a2)
            if r < 0.15 and ing:
                text_a, act_a = self.fill(family_a, ing, ask_a.slots)
                text = (
                    f'{text_b} {self.pick(("after", "only after", "once you are done"))} {text_a}'
                )
                text = text.replace('once you are done ', 'once you are done with ')
                if self.random() < 0.4:
                    text = f'after {text_a}, {text_b}'
            else:
                text = self.pick(FORMS['order_last_first'])
                text = text.replace('{a}', text_a).replace('{b}', text_b)
        else:
            text_b, act_b = self.fill(family_b, b, ask_b.slots, given)
            text = self.pick(FORMS['order_first_first'])
            text = text.replace('{a}', text_a).replace('{b}', text_b)
        draft.text = text
        draft.acts = [act_a, act_b]
        return True

    def _pair(self):
        pair = []
        for _ in range(2):
            family = self.family(lambda f: any(a.imperative for a in f.asks['en']))
            ask = family and self.ask(family, lambda a: a.imperative)
            if not ask or (pair and not ask.slots and family is pair[0][1]):
                return None, None
            pair.append((ask, family))
        return pair

    def condition(self, draft):
        """A step that depends on what is in view."""
        present = self.random() < 0.65
        family = self.family(lambda f: any(a.imperative for a in f.asks['en']))
        ask = family and self.ask(family, lambda a: a.imperative)
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        same = present and slot and self.random() < 0.45
        thing = self.nouns.simple(
            family.kinds(slot) if same else ('any',), self.pick(('a', 'a', 'the', 'any', 'a'))
        )
        given, text = None, ask.text
        if same:
            given = {slot: (self.it(thing), (thing,))}
            text = ask.pronoun
        text, act = self.fill(family, text, ask.slots, given)
        are = 'are' if thing.plural else 'is'
        if present:
            said = self.pick(FORMS['if_present'])
            back = (', ', ' ', ', then ')
        else:
            said = self.pick(FORMS['if_absent'])
            back = (', ', ' ', ', then ')
        isnt = "aren't" if thing.plural else "isn't"
        words = thing.text
        if ' no {}' in said:
            words = words[words.index(chr(0xE000 + thing.words)) :]
        said = said.replace('{is}', are).replace('{isnt}', isnt).replace('{}', words)
        if said.endswith(' on the table'):
            pass
        # A pronoun may come before what it means only behind the condition.
        if self.random() < 0.7 or same:
            text = said + self.pick(back) + text
        else:
            text = f'{text} {said}'
        act.condition = (thing, present)
        draft.acts = [act]
        if self.random() < 0.12:
            text2, act2 = self.clause()
            if text2:
                number, text2 = self.marks(text2.rstrip('?'))
                self.left_out.append(number)
                text += (
                    self.pick((', otherwise ', ' otherwise ', ', or else ', ', if not ', ', else '))
                    + text2
                )
        draft.text = text
        return True

    def state(self, draft):
        """What is the matter with a thing, and then what to do about it."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        phrase = self.nouns.simple(family.kinds(slot), 'the')
        are = 'are' if phrase.plural else 'is'
        state = self.pick(FORMS['state'])
        draft.text, act = self.fill(
            family,
            frame_lightly(self, ask.pronoun),
            ask.slots,
            {slot: (self.it(phrase), (phrase,))},
        )
        draft.text = (
            (
                state.replace('{is}', are).replace('{}', phrase.text)
                + self.pick((', ', '. ', ', so ', ' - ', ', please '))
                + draft.text
            )
            .replace('?, ', '? ')
            .replace('?. ', '? ')
        )
        draft.acts = [act]
        if state in ('I need {}', 'take a look at {}'):
            return False
        return True

    def follow_up(self, draft):
        """An instruction that leans on the one before."""
        before = Draft()
        if not self.single(before) or not before.acts[0].things:
            return False
        old = before.acts[0]
        slot = self._object(old.family, list(old.things))
        if not slot:
            return False
        subject = old.things[slot][0]
        draft.history = (before.text,)
        self.left_out.clear()
        r = self.random()
        if r < 0.6:
            family = self.family(lambda f: f is not old.family and self._handles(f))
            ask = family and self.ask(
                family, lambda a: a.imperative and self._object(family, a.slots)
            )
            if not ask:
                return False
            text = ask.pronoun
            if not self.fits(subject, family, self._object(family, ask.slots)):
                return False
            given = {self._object(family, ask.slots): (self.it(subject), (subject,))}
            target = next((s for s in ask.slots if family.by_name[s].get('place')), '')
            place = next((s for s in old.things if old.family.by_name[s].get('place')), '')
            if target and place and self.random() < 0.5:
                given[target] = ('there', old.things[place], old.relation)
            text = self.pick(FORMS['follow_up_more']).replace('{}', text)
            draft.text, act = self.fill(family, text, ask.slots, given)
            draft.acts = [act]
            return True
        new = self.nouns.phrase(old.family.kinds(slot))
        act = old.same()
        act.things = dict(old.things)
        act.things[slot] = (new,)
        draft.acts = [act]
        draft.text = self.pick(FORMS['follow_up_step']).replace('{}', new.text)
        return True

    def no_skill(self, draft):
        """A request for what the catalogue lacks."""
        r = self.random()
        if r < 0.3:
            which = int(self.random() * len(questions.IMPOSSIBLE_VERBS))
            verb = questions.IMPOSSIBLE_VERBS[which]
            if verb in self.world.verbs:
                return False
            draft.verb, marked = self.marks(verb)
            draft.text = frame(self.rng, marked + self.pick(questions.IMPOSSIBLE[which]))
            draft.outcome = 'no_skill'
            return True
        everyone = families()
        names = list(everyone)
        if self.random() < 0.4:
            near = [n for own in self.world.skills for n in neighbours().get(own, ())]
            names = near or names
        for _ in range(12):
            family = everyone[self.pick(names)]
            if self.world.resolve(family.name) or not family.asks['en']:
                continue
            ask = self.pick(family.asks['en'])
            if not (ask.imperative or family.name in FETCH) or (
                family.drawn and self.random() < 0.7
            ):
                continue
            if not ask.verb or not self.foreign(family, ask):
                continue
            text = frame(self.rng, ask.text) if ask.imperative else ask.text
            text, act = self.fill(family, text, ask.slots)
            draft.acts = [act]
            if r > 0.8:
                other, more = self.clause()
                if other:
                    before = self.random() < 0.5
                    draft.acts = [more, act] if before else [act, more]
                    joint = self.pick(THEN)
                    text = other + joint + text if before else text.rstrip('?') + joint + other
            draft.text = text
            return True
        return False

    def question(self, draft):
        """A question about the view."""
        return questions.ask(self, draft)

    def talk(self, draft):
        """Small talk: nothing to do."""
        draft.text = self.pick(questions.TALK)
        draft.outcome = 'nothing'
        return True

    def unclear(self, draft):
        """Words without sense."""
        draft.text = questions.nonsense(self)
        draft.outcome = 'unclear'
        return True
