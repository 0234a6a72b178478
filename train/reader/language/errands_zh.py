"""Chinese errands: what is asked for most in several steps."""

from __future__ import annotations

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.skills import VERB_CLOSE, VERB_OPEN, families
from kimi_train.reader.language.turns_zh import Turns

__all__ = ['Errands']

FORMS = forms('zh')


class Errands(Turns):
    """Makes one Chinese errand."""

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
                ('take', ('open', 'pick')),
                ('shut', ('place', 'close')),
            )
            if all(has(n) == n for n in needed)
        ]
        if not ways:
            return False
        way = self.pick(ways)
        text, acts = [], []

        def step(name, form, **given):
            form = form.replace('<', VERB_OPEN).replace('>', VERB_CLOSE)
            slots = [s for s in families()[name].by_name if f'{{{s}}}' in form]
            said, act = self.fill(families()[name], form, slots, given)
            for slot, (_, phrases, *relation) in given.items():
                act.things[slot] = phrases
                act.relation = relation[0] if relation else act.relation
            text.append(said)
            acts.append(act)
            return act

        if way in ('store', 'take', 'shut'):
            chest = self.nouns.simple(('open',), self.pick(('', '', '那{}')))
        if way == 'store':
            step(
                'open',
                self.pick(('<打开>{object}', '把{object}<打开>', '<拉开>{object}')),
                object=(chest.text, (chest,)),
            )
            step(
                'place',
                self.pick(
                    ('把{object}<放>{target}', '把{object}<放>到{target}', '<放>{object}{target}')
                ),
                target=(self.pick(('进去', '里面', '里边', '里')), (chest,), 'in'),
            )
            if self.random() < 0.7:
                step(
                    'close',
                    self.pick(('<关上>', '把它<关上>', '<关上>它', '再<关上>', '<关好>')),
                    object=('', (chest,)),
                )
        elif way == 'take':
            step(
                'open',
                self.pick(('<打开>{object}', '把{object}<打开>')),
                object=(chest.text, (chest,)),
            )
            step(
                'pick',
                self.pick(
                    (
                        '<拿>出{object}',
                        '把{object}<拿>出来',
                        '<取>出{object}',
                        '把里面的{object}<拿>出来',
                    )
                ),
            )
        elif way == 'shut':
            step(
                'place',
                '把{object}<放>进{target}',
                target=(chest.text + self.pick(('', '里')), (chest,), 'in'),
            )
            step(
                'close',
                self.pick(('把{object}<关上>', '<关上>{object}', '<关好>{object}')),
                object=('它', (chest,)),
            )
        elif way == 'get':
            item = step(
                'locate',
                self.pick(
                    (
                        '<找>到{object}',
                        '<找>一下{object}',
                        '去<找>{object}',
                        '<找>{object}',
                        '把{object}<找>出来',
                    )
                ),
            ).things['object'][0]
            step(
                'hand_over',
                self.pick(
                    ('<拿>给我', '把它<递>给我', '<拿>过来', '<带>过来', '<给>我', '把它<拿>过来')
                ),
                object=('', (item,)),
            )
        elif way == 'lay':
            item = step('pick', self.pick(FORMS['errand_put'])).things['object'][0]
            step('place', self.pick(FORMS['errand_pick']), object=('', (item,)))
        elif way == 'trip':
            step('navigate', self.pick(('<去>{target}', '<到>{target}去', '<走>到{target}')))
            step(
                'hand_over',
                self.pick(
                    (
                        '把{object}<拿>过来',
                        '<拿>{object}给我',
                        '给我<拿>{object}',
                        '把{object}<取>来',
                    )
                ),
            )
        else:
            step('navigate', self.pick(('<去>{target}', '<走>到{target}')))
            item = step('pick', self.pick(('<拿>起{object}', '把{object}<拿>起来'))).things[
                'object'
            ][0]
            step('place', self.pick(('<放>到{target}', '把它<放>到{target}')), object=('', (item,)))
        last = self.pick(
            ('，然后', '，再', '，', '，接着', '，最后' if len(text) > 2 else '，', '然后', '再')
        )
        draft.text = self.lightly(
            self.pick(('，', '，再', '，然后')).join(text[:-1]) + last + text[-1]
        )
        draft.acts = acts
        return True
