"""Less usual shapes of requests, and common tasks of several steps."""

from __future__ import annotations

from typing import NamedTuple

from kimi_train.reader.language.discourse import DiscourseGenerator
from kimi_train.reader.language.skill_families import FETCH_FAMILIES, skill_families

__all__ = ['PATTERNS', 'PatternGenerator']

# Methods that generate an instruction, with their sampling weights.
PATTERNS = (
    ('single', 31),
    ('sequence', 13),
    ('coordination', 7),
    ('ellipsis', 4),
    ('prohibition', 6),
    ('only_prohibition', 2),
    ('correction', 3),
    ('temporal_order', 5),
    ('condition', 5),
    ('state_then_request', 3),
    ('follow_up', 5),
    ('no_skill', 16),
    ('question', 20),
    ('small_talk', 5),
    ('unintelligible', 3),
    ('cleft', 3),
    ('chain', 3),
    ('shared_objects', 2),
    ('landmark_pronoun', 3),
    ('recipient', 1),
    ('unverifiable_condition', 1),
    ('place_by_content', 1),
    ('clarification_answer', 2),
    ('attribute_correction', 1),
    ('fragment', 3),
    ('cancellation', 1),
    ('multi_step_task', 6),
)


class _TaskStep(NamedTuple):
    """A step of a task.

    :ivar family: the basic skill that it requests.
    :ivar wording: list of the request's wordings.
    :ivar thing: its object: '' for a new one, 'container', or 'same' as of the step before.
    :ivar inside: list of the wordings of a place inside the container; '' for any place.
    :ivar probability: of the step.
    """

    family: str
    wording: str
    thing: str = ''
    inside: str = ''
    probability: float = 1.0


_TASKS = (
    (
        _TaskStep('open', 'task_open', 'container'),
        _TaskStep('place', 'task_put_in', inside='task_inside'),
        _TaskStep('close', 'task_close_it', 'container', probability=0.7),
    ),
    (
        _TaskStep('open', 'task_open', 'container'),
        _TaskStep('pick', 'task_take_out'),
        _TaskStep('close', 'task_close_it', 'container', probability=0.4),
    ),
    (
        _TaskStep('place', 'task_put_into', inside='task_into'),
        _TaskStep('close', 'task_close_it', 'container'),
    ),
    (_TaskStep('locate', 'task_find'), _TaskStep('hand_over', 'task_give', 'same')),
    (_TaskStep('pick', 'task_pick'), _TaskStep('place', 'task_put', 'same')),
    (_TaskStep('navigate', 'task_go'), _TaskStep('hand_over', 'task_bring')),
    (_TaskStep('pick', 'task_pick'), _TaskStep('navigate', 'task_carry')),
    (
        _TaskStep('navigate', 'task_go'),
        _TaskStep('pick', 'task_pick'),
        _TaskStep('place', 'task_put', 'same'),
    ),
)


class PatternGenerator(DiscourseGenerator):
    """Generates less usual shapes of requests."""

    def follow_several(self, template, slot, phrase):
        """Return the request with a pronoun for several things, and its `given` slots."""
        raise NotImplementedError

    def shared_objects(self, instruction):
        """Two objects shared by two verbs: "take the fork and the knife and wash them"."""
        family, template, slot = self.object_request()
        again, more, taken = self.object_request(
            lambda f: f is not family,
            lambda f, t: self.follow_several(t, self.object_slot(f, t.slots), None),
        )
        if not template or not more:
            return False
        phrases = [self.noun_phrases.simple(family.noun_classes(slot)) for _ in range(2)]
        if not all(self.can_refer_to(phrase, again, taken) for phrase in phrases):
            return False
        joined = self.join([phrase.text for phrase in phrases])
        text, first = self.fill(
            family,
            self.add_short_carrier_phrase(template.text),
            template.slots,
            {slot: (joined, (phrases[0],))},
        )
        follow, given = self.follow_several(more, taken, phrases[0])
        follow, second = self.fill(again, follow, more.slots, given)
        instruction.text = text + self.wording('short_then') + follow
        instruction.calls = [first]
        self.repeat(instruction, first, slot, phrases[1:])
        instruction.calls.append(second)
        self.repeat(instruction, second, taken, phrases[1:])
        return True

    def landmark_pronoun(self, instruction):
        """A pronoun for a landmark: "find the tray and put the cup on it"."""
        first, template, slot = self.object_request()
        placer, placing, _ = self.placement_request()
        if not template or not placing:
            return False
        text, call = self.fill(first, self.add_short_carrier_phrase(template.text), template.slots)
        landmark = call.phrases[slot][0]
        if landmark.plural or landmark.noun_class == 'person':
            return False
        relation, _, wording = self.wording('landmark_pronouns').partition(': ')
        given = {self.place_slot(placer, placing.slots): (wording, (landmark,), relation)}
        more, other = self.fill(placer, placing.text, placing.slots, given)
        instruction.text = text + self.wording('short_then') + more
        instruction.calls = [call, other]
        return True

    def recipient(self, instruction):
        """A recipient, if no skill of the catalogue takes one."""
        target_family = self.catalogue.resolve('hand_over')
        if not target_family or any(
            'person' in skill_families()[target_family].noun_classes(a['name'])
            for a in skill_families()[target_family].arguments
        ):
            return False
        form = self.wording('recipient_requests')
        verb = form[form.index('<') + 1 : form.index('>')]
        handing = {t.verb for t in skill_families()['hand_over'].templates[self.lang]}
        if verb in self.catalogue.verbs and verb not in handing:
            return False
        number, who = self.mark(self.wording('to_recipient').format(self.wording('recipients')))
        self.left_out.append(number)
        form = self.add_short_carrier_phrase(form.replace('{to}', who))
        instruction.text, call = self.basic_request('hand_over', form)
        instruction.calls = [call]
        return True

    def unverifiable_condition(self, instruction):
        """A condition that an image cannot answer, reported as left out."""
        family, template = self.imperative()
        if not template:
            return False
        text, call = self.fill(family, self.add_short_carrier_phrase(template.text), template.slots)
        thing = self.noun_phrases.definite(('any', 'open', 'switch'))
        if thing.plural:
            return False
        number, wording = self.mark(
            self.wording('state_when')
            .replace('{}', thing.text)
            .replace('{state}', self.wording('states'))
        )
        self.left_out.append(number)
        order = self.wording('state_orders')
        instruction.text = order.replace('{if}', wording).replace('{do}', text)
        instruction.calls = [call]
        return True

    def place_by_content(self, instruction):
        """A place named by what is there now, reported as left out."""
        if not self.catalogue.resolve('place'):
            return False
        thing = self.noun_phrases.definite(('any',))
        number, where = self.mark(self.agree(self.wording('where_it_is'), thing))
        self.left_out.append(number)
        form = self.wording('put_where').replace('{where}', where)
        instruction.text, call = self.basic_request('place', self.add_short_carrier_phrase(form))
        instruction.calls = [call]
        return True

    def fragment(self, instruction):
        """A verbless request: "mug on the shelf", "cup please"."""
        if self.random() < 0.5 and self.catalogue.resolve('place'):
            name, form = 'place', self.wording('fragment_place')
        elif any(self.catalogue.resolve(n) for n in FETCH_FAMILIES):
            name, form = 'hand_over', self.wording('fragment_fetch')
        else:
            return False
        instruction.text, call = self.basic_request(name, form)
        instruction.calls = [call]
        return True

    def multi_step_task(self, instruction):
        """Fetching, storing, putting away, opening and closing."""
        tasks = [
            task
            for task in _TASKS
            if all(self.catalogue.resolve(step.family) == step.family for step in task)
        ]
        if not tasks:
            return False
        container, text, calls, item = None, [], [], None
        for step in self.choose(tasks):
            if self.random() >= step.probability:
                continue
            given = {}
            if container is None and (step.inside or step.thing == 'container'):
                container = self.noun_phrases.definite(('open',))
                if container.plural:
                    return False
            if step.thing == 'container':
                given['object'] = container.text, (container,)
            elif step.thing == 'same':
                given['object'] = self.pronoun(item), (item,)
            if step.inside:
                inside = self.wording(step.inside).replace('{}', container.text)
                given['target'] = inside, (container,), 'in'
            wording, call = self.basic_request(step.family, self.wording(step.wording), given)
            item = call.phrases.get('object', (item,))[0]
            text.append(wording)
            calls.append(call)
        last = self.wording('task_last') + text.pop()
        instruction.text = self.add_short_carrier_phrase(
            self.wording('task_joints').join(text) + last
        )
        instruction.calls = calls
        return True
