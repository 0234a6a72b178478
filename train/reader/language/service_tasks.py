"""What people ask of a service robot: errands, talk, people at places, means, corrected values."""

from __future__ import annotations

from typing import NamedTuple

from kimi_train.reader.language import value_wordings
from kimi_train.reader.language.span_markers import opening_marker

__all__ = ['SERVICE_TASKS', 'ServiceTaskGenerator']

# Sampling weights.
SERVICE_TASKS = (
    ('errand', 26),
    ('unsupported_talk', 8),
    ('want_one', 3),
    ('by_handle', 4),
    ('approach_and_place', 2),
    ('fronted_source', 2),
    ('walk_with_person', 6),
    ('value_correction', 3),
    ('with_tool', 3),
)
_OPENED = {'open', 'door', 'switch'}
_TOOL_DETERMINERS = {
    'en': ('the', 'the', 'a', 'your', 'that', 'my'),
    'zh': ('', '', '那{}', '一{}'),
}
# Those of which "the cup with the spoon" is rather the object.
_WITHOUT_TOOL = ('locate', 'pick', 'hand_over', 'search', 'detect')
_NAVIGATING = ('navigate', 'move_base', 'drive_to')


class _Step(NamedTuple):
    """A step of an errand: family, list of wordings, and the argument that the errand is about."""

    family: str
    wording: str
    slot: str = 'object'


_FIND = _Step('locate', 'task_find')
_TAKE = _Step('pick', 'errand_take')
_GREET = _Step('greet', 'errand_greet', 'target')
_ENDS_WITH_THING = (
    _Step('bring_to_person', 'errand_deliver'),
    _Step('bring_to_person', 'errand_deliver'),
    _Step('hand_over', 'task_give'),
    _Step('place', 'errand_put'),
)
_ENDS_WITH_PERSON = (
    _Step('follow', 'errand_follow', 'target'),
    _Step('guide', 'errand_guide', 'person'),
    _GREET,
)


class ServiceTaskGenerator:
    """Mixed into a `PatternGenerator`, whose requests it embeds."""

    def errand(self, instruction):
        """Going somewhere, finding something or somebody, and what is then done with them."""
        about_person = self.random() < 0.4
        steps = self._errand_steps(about_person)
        talks = about_person and self.random() < 0.3
        if len(steps) < 2 - talks:
            return False
        phrases = self.noun_phrases
        if about_person:
            phrase = self._somebody()
        elif steps[0] is _TAKE and self.random() < 0.6:
            phrase = phrases.from_place(('any',))
        elif self.random() < 0.3:
            phrase = phrases.with_relation(phrases.lexicon.noun(self.rng, ('any',), phrases.split))
        else:
            phrase = phrases.simple(('any',))
        parts = []
        if self.catalogue.has('navigate') and self.random() < 0.4:
            text, call = self.basic_request('navigate', self.wording('task_go'))
            parts.append(text)
            instruction.calls.append(call)
        for i, step in enumerate(steps):
            given = {step.slot: (self.pronoun(phrase) if i else phrase.text, (phrase,))}
            if step.family == 'bring_to_person' and self.random() < 0.6:
                person = phrases.placed_person()
                given['target'] = person.text, (person,)
            text, call = self.basic_request(step.family, self.wording(step.wording), given)
            parts.append(text)
            instruction.calls.append(call)
        if talks:
            text = self._talk(instruction)
            if not text:
                return False
            parts.append(text)
        text = parts[0] + ''.join(self.wording('errand_joints') + part for part in parts[1:])
        instruction.text = self.add_short_carrier_phrase(text)
        return True

    def _errand_steps(self, about_person):
        has = self.catalogue.has
        steps = [_FIND] if has('locate') and self.random() < 0.6 else []
        if about_person and not steps and has('greet'):
            steps.append(_GREET)
        if not about_person and has('pick') and (not steps or self.random() < 0.75):
            steps.append(_TAKE)
        ends = _ENDS_WITH_PERSON if about_person else _ENDS_WITH_THING
        ends = [s for s in ends if s not in steps and has(s.family)]
        return [*steps, self.choose(ends)] if ends else steps

    def unsupported_talk(self, instruction):
        """Talk that no skill does, alone or beside a request: "answer the guest's question"."""
        talk = self._talk(instruction)
        if not talk:
            return False
        r = self.random()
        instruction.text = self.add_carrier_phrase(talk)
        if r < 0.45:
            family, template = self.imperative()
            if not template:
                return False
            text, _ = self.fill(family, template.text, template.slots)
            parts = (text, talk) if r < 0.3 else (talk, text)
            instruction.text = self.add_short_carrier_phrase(self.wording('then').join(parts))
        return True

    def _talk(self, instruction):
        """Return a clause that no skill fulfils, or '': the instruction becomes unsupported."""
        fulfilling, _, form = self.wording('unsupported_talk').partition(': ')
        front, _, rest = form.partition('<')
        verb, _, rest = rest.partition('>')
        if verb in self.catalogue.verbs or self.catalogue.has(*fulfilling.split(',')):
            return ''
        instruction.verb, marked = self.mark(verb)
        instruction.outcome = 'no_skill'
        text = front + marked + rest
        for slot in ('{person}', '{other}'):
            if slot in text:
                text = text.replace(slot, self._somebody().text)
        return text.replace('{quality}', self.wording('person_qualities'))

    def _somebody(self):
        """Return a phrase for a person, half of them with their place."""
        phrases = self.noun_phrases
        return phrases.placed_person() if self.random() < 0.5 else phrases.person()

    def want_one(self, instruction):
        """A request for any thing of a kind: "give me a sponge from the cabinet"."""
        if not self.catalogue.has('hand_over'):
            return False
        det = self.choose(('a', 'a', 'some')) if self.lang == 'en' else self.choose(('', '一{}'))
        phrase = (
            self.noun_phrases.from_place(('any',))
            if self.random() < 0.5
            else self.noun_phrases.simple(('any',), det)
        )
        form = self.wording('wanted_one')
        instruction.text, call = self.basic_request(
            'hand_over', form, {'object': (phrase.text, (phrase,))}
        )
        instruction.calls = [call]
        return True

    def by_handle(self, instruction):
        """A request by way of a part: "grasp the handle of the drawer and open it"."""
        family, template, slot = self.object_request(
            lambda f: any(_OPENED & set(f.noun_classes(a['name'])) for a in f.arguments)
        )
        if not template:
            return False
        phrase = self.noun_phrases.definite(family.noun_classes(slot))
        if phrase.plural:
            return False
        text, given = self.pronominalize(template, slot, phrase)
        bare = phrase.text[phrase.text.index(opening_marker(phrase.words)) :]
        form = self.wording('by_handle').replace('{thing}', phrase.text).replace('{bare}', bare)
        text, call = self.fill(family, text, template.slots, given)
        if self.random() < 0.25 and not self.catalogue.has('release', 'let_go', 'drop'):
            text += self.wording('letting_go')
        instruction.text = self.add_short_carrier_phrase(form.replace('{do}', text))
        instruction.calls = [call]
        return True

    def approach_and_place(self, instruction):
        """The way as part of a placement, where no skill drives: "go to X and put it down"."""
        if not self.catalogue.has('place') or self.catalogue.has(*_NAVIGATING):
            return False
        phrases = self.noun_phrases
        phrase = phrases.anything_held() if self.random() < 0.5 else phrases.definite(('any',))
        inside = self.random() < 0.5
        landmark = phrases.definite(('container',) if inside else ('surface',))
        form = self.wording('approach_and_place').replace('{to}', landmark.text)
        given = {
            'object': (phrase.text, (phrase,)),
            'target': ('', (landmark,), 'in' if inside else 'on'),
        }
        instruction.text, call = self.basic_request(
            'place', self.add_short_carrier_phrase(form), given
        )
        instruction.calls = [call]
        return True

    def fronted_source(self, instruction):
        """A thing whose place comes first: "in the cabinet, grasp the red block"."""
        family, template, slot = self.object_request(
            lambda f: not any(a.get('place') for a in f.arguments),
            lambda f, t: len(t.slots) == 1,
        )
        if not template or {'person', 'place'} & set(family.noun_classes(slot)):
            return False
        phrase = self.noun_phrases.definite(family.noun_classes(slot))
        relation, place, landmarks = self.noun_phrases.place(
            self.choose(('in', 'in', 'on')), static=True, nested=False
        )
        phrase.relation, phrase.landmarks = relation, landmarks
        given = {slot: (phrase.text, (phrase,))}
        text, call = self.fill(family, template.text, template.slots, given)
        form = self.wording('fronted_sources')
        instruction.text = form.replace('{place}', place).replace('{do}', text)
        instruction.calls = [call]
        return True

    def walk_with_person(self, instruction):
        """Somebody who is taken or followed from one place to another."""
        guides = self.catalogue.has('guide') and self.random() < 0.65
        if not guides and not self.catalogue.has('follow'):
            return False
        phrases = self.noun_phrases
        person = phrases.placed_person(source=self.random() < 0.7)
        form = self.wording('errand_guide' if guides else 'follow_to')
        if '{place}' in form:  # where it leads is the person's business
            number, place = self.mark(phrases.definite(('place',)).text)
            self.left_out.append(number)
            form = form.replace('{place}', place)
        name, slot = ('guide', 'person') if guides else ('follow', 'target')
        given = {slot: (person.text, (person,))}
        instruction.text, call = self.basic_request(name, self.add_carrier_phrase(form), given)
        instruction.calls = [call]
        return True

    def value_correction(self, instruction):
        """A value that is taken back: "turn it to the left, no, to the right"."""
        family = self.family(lambda f: any(a['type'] in ('enum', 'number') for a in f.arguments))
        template = family and self.sample_template(family)
        arguments = [family.arguments_by_name[slot] for slot in template.slots] if template else []
        argument = next((a for a in arguments if a['type'] in ('enum', 'number')), None)
        if not argument:
            return False
        if argument['type'] == 'number':
            wrong, value = value_wordings.sample_number(self.rng, self.lang, argument)
        else:
            wrong, value = value_wordings.sample_enum(
                self.rng, self.lang, argument, family.value_wordings
            )
        text, call = self.fill(family, self.request(family, template), template.slots)
        number, right = call.values[argument['name']]
        if right == value or self.left_out:
            return False
        opening = opening_marker(number)
        instruction.text = text.replace(opening, wrong + self.wording('correction') + opening, 1)
        instruction.calls = [call]
        return True

    def with_tool(self, instruction):
        """A request with a tool that no argument takes: "wipe the table with the red cloth"."""
        family, template, _ = self.object_request(
            lambda f: (
                len(f.arguments) == 1
                and f.name not in _WITHOUT_TOOL
                and 'person' not in f.noun_classes('object')
            ),
            lambda f, t: not t.is_idiom,
        )
        if not template:
            return False
        tool = self.noun_phrases.simple(('tool',), self.choose(_TOOL_DETERMINERS[self.lang]))
        form = self.wording('with_tool').replace('{tool}', tool.text)
        number, means = self.mark(self.wording('with_what').replace('{}', tool.text))
        if '{with}' in form:
            self.left_out.append(number)
        instruction.text, call = self.fill(
            family, form.replace('{with}', means).replace('{do}', template.text), template.slots
        )
        instruction.calls = [call]
        return True
