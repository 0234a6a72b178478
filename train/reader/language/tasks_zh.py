"""Chinese instructions for common tasks of several steps."""

from __future__ import annotations

from kimi_train.reader.language.discourse_zh import DiscourseGenerator
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.skill_families import VERB_CLOSE, VERB_OPEN, skill_families

__all__ = ['TaskGenerator']

TEMPLATES = sentence_templates('zh')


class TaskGenerator(DiscourseGenerator):
    """Generates common Chinese tasks of several steps."""

    def multi_step_task(self, instruction):
        """Fetching, storing, putting away, opening and closing."""
        has = self.catalogue.resolve
        scenarios = [
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
        if not scenarios:
            return False
        scenario = self.choose(scenarios)
        text, calls = [], []

        def step(name, form, **given):
            form = form.replace('<', VERB_OPEN).replace('>', VERB_CLOSE)
            slots = [s for s in skill_families()[name].arguments_by_name if f'{{{s}}}' in form]
            wording, call = self.fill(skill_families()[name], form, slots, given)
            for slot, (_, phrases, *relation) in given.items():
                call.phrases[slot] = phrases
                call.relation = relation[0] if relation else call.relation
            text.append(wording)
            calls.append(call)
            return call

        if scenario in ('store', 'take', 'shut'):
            container = self.noun_phrases.simple(('open',), self.choose(('', '', '那{}')))
        if scenario == 'store':
            step(
                'open',
                self.choose(('<打开>{object}', '把{object}<打开>', '<拉开>{object}')),
                object=(container.text, (container,)),
            )
            step(
                'place',
                self.choose(
                    ('把{object}<放>{target}', '把{object}<放>到{target}', '<放>{object}{target}')
                ),
                target=(self.choose(('进去', '里面', '里边', '里')), (container,), 'in'),
            )
            if self.random() < 0.7:
                step(
                    'close',
                    self.choose(('<关上>', '把它<关上>', '<关上>它', '再<关上>', '<关好>')),
                    object=('', (container,)),
                )
        elif scenario == 'take':
            step(
                'open',
                self.choose(('<打开>{object}', '把{object}<打开>')),
                object=(container.text, (container,)),
            )
            step(
                'pick',
                self.choose(
                    (
                        '<拿>出{object}',
                        '把{object}<拿>出来',
                        '<取>出{object}',
                        '把里面的{object}<拿>出来',
                    )
                ),
            )
        elif scenario == 'shut':
            step(
                'place',
                '把{object}<放>进{target}',
                target=(container.text + self.choose(('', '里')), (container,), 'in'),
            )
            step(
                'close',
                self.choose(('把{object}<关上>', '<关上>{object}', '<关好>{object}')),
                object=('它', (container,)),
            )
        elif scenario == 'get':
            item = step(
                'locate',
                self.choose(
                    (
                        '<找>到{object}',
                        '<找>一下{object}',
                        '去<找>{object}',
                        '<找>{object}',
                        '把{object}<找>出来',
                    )
                ),
            ).phrases['object'][0]
            step(
                'hand_over',
                self.choose(
                    ('<拿>给我', '把它<递>给我', '<拿>过来', '<带>过来', '<给>我', '把它<拿>过来')
                ),
                object=('', (item,)),
            )
        elif scenario == 'lay':
            item = step('pick', self.choose(TEMPLATES['task_pick'])).phrases['object'][0]
            step('place', self.choose(TEMPLATES['task_put']), object=('', (item,)))
        elif scenario == 'trip':
            step('navigate', self.choose(('<去>{target}', '<到>{target}去', '<走>到{target}')))
            step(
                'hand_over',
                self.choose(
                    (
                        '把{object}<拿>过来',
                        '<拿>{object}给我',
                        '给我<拿>{object}',
                        '把{object}<取>来',
                    )
                ),
            )
        else:
            step('navigate', self.choose(('<去>{target}', '<走>到{target}')))
            item = step('pick', self.choose(('<拿>起{object}', '把{object}<拿>起来'))).phrases[
                'object'
            ][0]
            step(
                'place', self.choose(('<放>到{target}', '把它<放>到{target}')), object=('', (item,))
            )
        last = self.choose(
            ('，然后', '，再', '，', '，接着', '，最后' if len(text) > 2 else '，', '然后', '再')
        )
        instruction.text = self.add_short_carrier_phrase(
            self.choose(('，', '，再', '，然后')).join(text[:-1]) + last + text[-1]
        )
        instruction.calls = calls
        return True
