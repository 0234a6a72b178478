"""English errands: what is asked for most in several steps."""

from __future__ import annotations

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.requests_en import frame_lightly
from kimi_train.reader.language.skills import VERB_CLOSE, VERB_OPEN, families
from kimi_train.reader.language.turns_en import Turns

__all__ = ['Errands']

FORMS = forms('en')


class Errands(Turns):
    """Makes one English errand."""

    def errand(self, draft):
        """What is asked for most in several steps: to fetch, to put away, to open and close."""
        has = self.world.resolve
        ways = [
            w
            for w, needed in (
                ('store', ('open', 'place', 'close')),
                ('get', ('locate', 'hand_over')),
                ('lay', ('pick', 'place')),
                ('trip', ('navigate', 'hand_over')),
                ('round', ('navigate', 'pick', 'place')),
                ('carry', ('pick', 'navigate')),
                ('take', ('open', 'pick')),
                ('shut', ('place', 'close')),
            )
            if all(has(n) == n for n in needed)
        ]
        if not ways:
            return False
        way = self.pick(ways)
        text, acts, named = [], [], {}

        def step(name, form, **given):
            form = form.replace('<', VERB_OPEN).replace('>', VERB_CLOSE)
            slots = [s for s in families()[name].by_name if f'{{{s}}}' in form]
            said, act = self.fill(families()[name], form, slots, given)
            for slot, (_, phrases, *relation) in given.items():
                act.things[slot] = phrases
                act.relation = relation[0] if relation else act.relation
            text.append(said)
            acts.append(act)
            for slot, phrases in act.things.items():
                named.setdefault(slot, phrases[0])
            return act

        again = lambda p: self.it(p)  # noqa: E731
        if way in ('store', 'take', 'shut'):
            chest = self.nouns.simple(('open',), self.pick(('the', 'the', 'my')))
            if chest.plural:
                return False
        if way == 'store':
            step(
                'open',
                self.pick(('<open> {object}', '<open> {object}', '<open> up {object}')),
                object=(chest.text, (chest,)),
            )
            step(
                'place',
                self.pick(('<put> {object} {target}', '<place> {object} {target}')),
                target=(
                    self.pick(('in it', 'inside', 'into it', 'inside it', 'in', 'in there')),
                    (chest,),
                    'in',
                ),
            )
            if self.random() < 0.7:
                step(
                    'close',
                    self.pick(('<close> {object}', '<shut> {object}', '<close> {object} again')),
                    object=('it', (chest,)),
                )
        elif way == 'take':
            step('open', '<open> {object}', object=(chest.text, (chest,)))
            item = self.nouns.simple(('any',))
            step('pick', self.pick(FORMS['errand_take_out']), object=(item.text, (item,)))
            if has('close') == 'close' and self.random() < 0.5:
                step(
                    'close',
                    self.pick(('<close> {object} again', '<shut> {object}', '<close> {object}')),
                    object=('it', (chest,)),
                )
        elif way == 'shut':
            step(
                'place',
                '<put> {object} {target}',
                target=(self.pick(('in ', 'into ')) + chest.text, (chest,), 'in'),
            )
            step(
                'close', self.pick(('<close> {object}', '<shut> {object}')), object=('it', (chest,))
            )
        elif way == 'get':
            act = step('locate', self.pick(FORMS['errand_find']))
            item = act.things['object'][0]
            step('hand_over', self.pick(FORMS['errand_give']), object=(again(item), (item,)))
        elif way == 'lay':
            act = step('pick', self.pick(FORMS['errand_pick']))
            item = act.things['object'][0]
            step('place', self.pick(FORMS['errand_put']), object=(again(item), (item,)))
        elif way == 'trip':
            step('navigate', self.pick(FORMS['errand_go']))
            step('hand_over', self.pick(FORMS['errand_bring']))
        elif way == 'carry':
            act = step(
                'pick', self.pick(('<take> {object}', '<pick> up {object}', '<grab> {object}'))
            )
            step('navigate', self.pick(FORMS['errand_carry']))
        else:
            step(
                'navigate',
                self.pick(('<go> to {target}', '<drive> to {target}', '<move> to {target}')),
            )
            act = step(
                'pick', self.pick(('<pick> up {object}', '<grab> {object}', '<take> {object}'))
            )
            item = act.things['object'][0]
            step(
                'place',
                self.pick(('<put> {object} {target}', '<place> {object} {target}')),
                object=(again(item), (item,)),
            )
        last = self.pick((' and ', ' and then ', ', then ', ' and ', ', and ', '. then '))
        draft.text = frame_lightly(
            self, self.pick((', ', ', ', ' and ', ', then ')).join(text[:-1]) + last + text[-1]
        )
        draft.acts = acts
        return True
