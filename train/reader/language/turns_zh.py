"""Chinese requests with a turn: what not to do, what was said by mistake, in which order, when."""

from __future__ import annotations

from kimi_train.reader.language import questions_zh as questions
from kimi_train.reader.language.draft import Draft
from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.phrase import Phrase
from kimi_train.reader.language.requests_zh import THEN, Requests
from kimi_train.reader.language.skills import FETCH, families, neighbours

__all__ = ['Turns']

FORMS = forms('zh')


class Turns(Requests):
    """Makes one Chinese instruction that is more than a request."""

    def prohibition(self, draft):
        """A request and what it leaves out: 拿钳子，不要锤子."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        kinds = family.kinds(slot)
        bad = self.nouns.simple(kinds)
        draft.forbidden = [bad]
        r = self.random()
        if r < 0.14:
            head, inner = self.marks(
                self.pick(('所有东西', '其他东西', '别的', '其他的', '所有的'))
            )
            words, inner = self.marks(inner)
            every = Phrase(inner, words, head, number='all', plural=True)
            text, act = self.fill(family, ask.text, ask.slots, {slot: (inner, (every,))})
            draft.text = (
                self.pick(
                    (
                        '除了{no}，{}',
                        '除了{no}以外，{}',
                        '除{no}外，{}',
                        '{}，除了{no}',
                        '除了{no}，都{}',
                    )
                )
                .replace('{no}', bad.text)
                .replace('{}', text)
            )
            draft.acts = [act]
            return True
        if r < 0.42:
            text, act = self.fill(family, self.lightly(ask.text), ask.slots)
            draft.text = self.pick(FORMS['contrast']).replace('{no}', bad.text).replace('{}', text)
        else:
            text, act = self.fill(family, self.lightly(ask.text), ask.slots)
            no = self._refusal(bad)
            draft.text = self.pick(FORMS['prohibition']).replace('{no}', no).replace('{}', text)
        draft.acts = [act]
        return True

    def _refusal(self, phrase):
        return self.pick(FORMS['refusal']).replace('{}', phrase.text)

    def only_refusal(self, draft):
        """Nothing but what must not be done: nothing to do."""
        bad = self.nouns.phrase(('any',))
        draft.forbidden = [bad]
        text = bad.text
        if self.random() < 0.15:
            other = self.nouns.simple(('any',))
            draft.forbidden.append(other)
            text += self.pick(('和', '或者', '还有')) + other.text
        draft.text = self._refusal(Phrase(text, 0, 0))
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
        target = next((s for s in ask.slots if family.by_name[s].get('place')), '')
        r = self.random()
        if target and r < 0.3 and ask.text.endswith('{' + target + '}'):
            first = self.nouns.place(deep=False)[1]
            relation, text, phrases = self.nouns.place(deep=False)
            draft.text, act = self.fill(
                family,
                self.lightly(ask.text),
                ask.slots,
                {target: (first + swap + text, phrases, relation)},
            )
        elif r < 0.7:
            draft.text, act = self.fill(
                family,
                self.lightly(ask.text),
                ask.slots,
                {slot: (wrong.text + swap + good.text, (good,))},
            )
        else:
            first, _ = self.fill(family, self.lightly(ask.text), ask.slots)
            again = self.family(self._handles)
            other = again and self.ask(again, lambda a: a.imperative)
            if not other:
                return False
            text, act = self.fill(again, other.text, other.slots)
            draft.text = (
                first
                + self.pick(
                    (
                        '，不对，',
                        '，算了，',
                        '，等等，还是',
                        '。不，',
                        '，还是算了，',
                        '，不，',
                        '，说错了，',
                        '，改一下，',
                        '，哦不，',
                    )
                )
                + text
            )
        draft.acts = [act]
        return True

    def order(self, draft):
        """Two clauses whose order in time is told by a word."""
        pair = []
        for _ in range(2):
            family = self.family(lambda f: any(a.imperative for a in f.asks['zh']))
            ask = family and self.ask(family, lambda a: a.imperative)
            if not ask or (pair and not ask.slots and family is pair[0][1]):
                return False
            pair.append((ask, family))
        (ask_a, family_a), (ask_b, family_b) = pair
        a, act_a = self.fill(family_a, ask_a.text, ask_a.slots)
        slot_a, slot_b = self._object(family_a, ask_a.slots), self._object(family_b, ask_b.slots)
        text, given = ask_b.text, None
        r = self.random()
        if (
            r > 0.4
            and slot_a
            and slot_b
            and self.random() < 0.4
            and self.fits(act_a.things[slot_a][0], family_b, slot_b)
        ):
            text, given = self.pronoun(ask_b, slot_b, act_a.things[slot_a][0])
        b, act_b = self.fill(family_b, text, ask_b.slots, given)
        if r < 0.4:
            form = self.pick(FORMS['order_last_first'])
        else:
            form = self.pick(FORMS['order_first_first'])
        draft.text = form.replace('{a}', a).replace('{b}', b)
        draft.acts = [act_a, act_b]
        return True

    def condition(self, draft):
        """A step that depends on what is in view."""
        present = self.random() < 0.65
        family = self.family(lambda f: any(a.imperative for a in f.asks['zh']))
        ask = family and self.ask(family, lambda a: a.imperative)
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        same = present and slot and self.random() < 0.45
        thing = self.nouns.simple(
            family.kinds(slot) if same else ('any',),
            self.pick(('', '', '', '那{}', '一{}')) if present else '',
        )
        given, text = None, ask.text
        if same:
            text, given = self.pronoun(ask, slot, thing)
        text, act = self.fill(family, text, ask.slots, given)
        if present:
            said = self.pick(FORMS['if_present'])
        else:
            said = self.pick(FORMS['if_absent'])
        text = said.replace('{}', thing.text) + text
        act.condition = (thing, present)
        draft.acts = [act]
        if self.random() < 0.12 and not said.startswith('除非'):
            other = self.family(lambda f: any(a.imperative for a in f.asks['zh']))
            ask = other and self.ask(other, lambda a: a.imperative)
            if ask:
                more, _ = self.fill(other, ask.text, ask.slots)
                number, more = self.marks(more)
                self.left_out.append(number)
                text += (
                    self.pick(
                        ('，否则', '，不然就', '，要不就', '，没有就' if present else '，有就')
                    )
                    + more
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
        phrase = self.nouns.simple(family.kinds(slot), self.pick(('', '', '那{}', '这{}')))
        state = self.pick(FORMS['state'])
        text, given = self.pronoun(ask, slot, phrase)
        text, act = self.fill(family, self.lightly(text), ask.slots, given)
        draft.text = state.replace('{}', phrase.text) + text
        draft.acts = [act]
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
        if self.random() < 0.6:
            family = self.family(lambda f: f is not old.family and self._handles(f))
            ask = family and self.ask(
                family, lambda a: a.imperative and self._object(family, a.slots)
            )
            if not ask:
                return False
            if not self.fits(subject, family, self._object(family, ask.slots)):
                return False
            text, given = self.pronoun(ask, self._object(family, ask.slots), subject)
            target = next((s for s in ask.slots if family.by_name[s].get('place')), '')
            place = next((s for s in old.things if old.family.by_name[s].get('place')), '')
            if target and place and self.random() < 0.5:
                given[target] = (
                    self.pick(('那里', '那儿', '那边')),
                    old.things[place],
                    old.relation,
                )
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
            front, verb, back = self.pick(questions.IMPOSSIBLE)
            if verb in self.world.verbs:
                return False
            draft.verb, marked = self.marks(verb)
            draft.text = self.frame(front + marked + back)
            draft.outcome = 'no_skill'
            return True
        everyone = families()
        names = list(everyone)
        if self.random() < 0.4:
            near = [n for own in self.world.skills for n in neighbours().get(own, ())]
            names = near or names
        for _ in range(12):
            family = everyone[self.pick(names)]
            if self.world.resolve(family.name) or not family.asks['zh']:
                continue
            ask = self.pick(family.asks['zh'])
            if not (ask.imperative or family.name in FETCH) or (
                family.drawn and self.random() < 0.7
            ):
                continue
            if not ask.verb or not self.foreign(family, ask):
                continue
            text, ask = self.request(family, ask)
            text, act = self.fill(family, text, ask.slots)
            draft.acts = [act]
            if r > 0.8:
                other = self.family(lambda f: any(a.imperative for a in f.asks['zh']))
                more = other and self.ask(other, lambda a: a.imperative)
                if more:
                    said, second = self.fill(other, more.text, more.slots)
                    first = self.random() < 0.5
                    draft.acts = [second, act] if first else [act, second]
                    text = (
                        said + self.pick(THEN) + text
                        if first
                        else text.rstrip('？') + self.pick(THEN) + said
                    )
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
