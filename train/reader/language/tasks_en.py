"""English instructions for common tasks of several steps."""

from __future__ import annotations

from kimi_train.reader.language.discourse_en import DiscourseGenerator
from kimi_train.reader.language.requests_en import add_short_carrier_phrase
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.skill_families import VERB_CLOSE, VERB_OPEN, skill_families

__all__ = ['TaskGenerator']

TEMPLATES = sentence_templates('en')


class TaskGenerator(DiscourseGenerator):
    """Generates common English tasks of several steps."""

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
                ('carry', ('pick', 'navigate')),
                ('take', ('open', 'pick')),
                ('shut', ('place', 'close')),
            )
            if all(has(n) == n for n in needed)
        ]
        if not scenarios:
            return False
        scenario = self.choose(scenarios)
        text, calls, named = [], [], {}

        def step(name, form, **given):
            form = form.replace('<', VERB_OPEN).replace('>', VERB_CLOSE)
            slots = [s for s in skill_families()[name].arguments_by_name if f'{{{s}}}' in form]
            wording, call = self.fill(skill_families()[name], form, slots, given)
            for slot, (_, phrases, *relation) in given.items():
                call.phrases[slot] = phrases
                call.relation = relation[0] if relation else call.relation
            text.append(wording)
            calls.append(call)
            for slot, phrases in call.phrases.items():
                named.setdefault(slot, phrases[0])
            return call

        again = lambda p: self.pronoun(p)  # noqa: E731
        if scenario in ('store', 'take', 'shut'):
            container = self.noun_phrases.simple(('open',), self.choose(('the', 'the', 'my')))
            if container.plural:
                return False
        if scenario == 'store':
            step(
                'open',
                self.choose(('<open> {object}', '<open> {object}', '<open> up {object}')),
                object=(container.text, (container,)),
            )
            step(
                'place',
                self.choose(('<put> {object} {target}', '<place> {object} {target}')),
                target=(
                    self.choose(('in it', 'inside', 'into it', 'inside it', 'in', 'in there')),
                    (container,),
                    'in',
                ),
            )
            if self.random() < 0.7:
                step(
                    'close',
                    self.choose(('<close> {object}', '<shut> {object}', '<close> {object} again')),
                    object=('it', (container,)),
                )
        elif scenario == 'take':
            step('open', '<open> {object}', object=(container.text, (container,)))
            item = self.noun_phrases.simple(('any',))
            step('pick', self.choose(TEMPLATES['task_take_out']), object=(item.text, (item,)))
            if has('close') == 'close' and self.random() < 0.5:
                step(
                    'close',
                    self.choose(('<close> {object} again', '<shut> {object}', '<close> {object}')),
                    object=('it', (container,)),
                )
        elif scenario == 'shut':
            step(
                'place',
                '<put> {object} {target}',
                target=(self.choose(('in ', 'into ')) + container.text, (container,), 'in'),
            )
            step(
                'close',
                self.choose(('<close> {object}', '<shut> {object}')),
                object=('it', (container,)),
            )
        elif scenario == 'get':
            call = step('locate', self.choose(TEMPLATES['task_find']))
            item = call.phrases['object'][0]
            step('hand_over', self.choose(TEMPLATES['task_give']), object=(again(item), (item,)))
        elif scenario == 'lay':
            call = step('pick', self.choose(TEMPLATES['task_pick']))
            item = call.phrases['object'][0]
            step('place', self.choose(TEMPLATES['task_put']), object=(again(item), (item,)))
        elif scenario == 'trip':
            step('navigate', self.choose(TEMPLATES['task_go']))
            step('hand_over', self.choose(TEMPLATES['task_bring']))
        elif scenario == 'carry':
            call = step(
                'pick', self.choose(('<take> {object}', '<pick> up {object}', '<grab> {object}'))
            )
            step('navigate', self.choose(TEMPLATES['task_carry']))
        else:
            step(
                'navigate',
                self.choose(('<go> to {target}', '<drive> to {target}', '<move> to {target}')),
            )
            call = step(
                'pick', self.choose(('<pick> up {object}', '<grab> {object}', '<take> {object}'))
            )
            item = call.phrases['object'][0]
            step(
                'place',
                self.choose(('<put> {object} {target}', '<place> {object} {target}')),
                object=(again(item), (item,)),
            )
        last = self.choose((' and ', ' and then ', ', then ', ' and ', ', and ', '. then '))
        instruction.text = add_short_carrier_phrase(
            self, self.choose((', ', ', ', ' and ', ', then ')).join(text[:-1]) + last + text[-1]
        )
        instruction.calls = calls
        return True
