"""Chinese instructions of all kinds, and their frequencies."""

from __future__ import annotations

from kimi_train.reader.language.annotated_instruction import AnnotatedInstruction
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.situations import SITUATIONS, SituationGenerator
from kimi_train.reader.language.skill_families import (
    FETCH_FAMILIES,
    VERB_CLOSE,
    VERB_OPEN,
    skill_families,
)
from kimi_train.reader.language.tasks_zh import TaskGenerator

__all__ = ['PATTERNS', 'ChineseGenerator']

TEMPLATES = sentence_templates('zh')
_RECIPIENTS = TEMPLATES['recipients']
_WANTED = TEMPLATES['wanted']
_LANDMARK_PRONOUNS = (
    ('它上面', 'on'),
    ('它旁边', 'next_to'),
    ('它里面', 'in'),
    ('它左边', 'left_of'),
    ('它右边', 'right_of'),
    ('它前面', 'in_front_of'),
    ('它后面', 'behind'),
    ('上面', 'on'),
    ('里面', 'in'),
    ('旁边', 'next_to'),
    ('它的上面', 'on'),
    ('那里面', 'in'),
    ('那上面', 'on'),
    ('它下面', 'under'),
    ('那旁边', 'next_to'),
)
_STATES = TEMPLATES['states']


class ChineseGenerator(SituationGenerator, TaskGenerator):
    """Generates Chinese instructions of all kinds."""

    def cleft(self, instruction):
        """A cleft sentence: 我要你拿的是锤子."""
        family = self.family(self.takes_object)
        if family and family.name in FETCH_FAMILIES and self.random() < 0.5:
            form = self.choose(_WANTED).replace('{o}', '{object}')
            if '要' in form:
                form = form.replace('要', VERB_OPEN + '要' + VERB_CLOSE, 1)
            instruction.text, call = self.fill(family, form, ('object',))
            instruction.calls = [call]
            return True
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and a.slots == (self.object_slot(family, a.slots),)
        )
        if not template:
            return False
        slot = '{' + template.slots[0] + '}'
        if template.text.endswith(slot) and '把' not in template.text:
            form = self.choose(TEMPLATES['cleft_verb'])
            text = form.replace('{v}', template.text[: -len(slot)]).replace('{o}', slot)
        elif template.without_object:
            form = self.choose(TEMPLATES['cleft_object'])
            text = form.replace('{v}', template.without_object).replace('{o}', slot)
        else:
            return False
        instruction.text, call = self.fill(family, text, template.slots)
        instruction.calls = [call]
        return True

    def shared_objects(self, instruction):
        """Two objects shared by two verbs: 拿起叉子和刀，都放到托盘上."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
        )
        again = self.family(lambda f: f is not family and self.takes_object(f))
        more = again and self.sample_template(
            again, lambda a: a.without_object and a.slots[0] == self.object_slot(again, a.slots)
        )
        if not template or not more:
            return False
        slot, taken = self.object_slot(family, template.slots), self.object_slot(again, more.slots)
        noun_classes = family.noun_classes(slot)
        phrases = [self.noun_phrases.simple(noun_classes) for _ in range(2)]
        if not all(self.can_refer_to(p, again, taken) for p in phrases):
            return False
        joined = f'{phrases[0].text}{self.choose(("和", "跟", "还有", "、"))}{phrases[1].text}'
        text, call = self.fill(
            family,
            self.add_short_carrier_phrase(template.text),
            template.slots,
            {slot: (joined, (phrases[0],))},
        )
        first = [call, call.copy()]
        first[1].phrases[slot] = (phrases[1],)
        them = self.choose(('把它们都', '都', '把它们', '把这两个', '全都', '把两个都', '把这两样'))
        follow, call = self.fill(
            again,
            '{' + taken + '}' + more.without_object,
            more.slots,
            {taken: (them, (phrases[0],))},
        )
        second = [call, call.copy()]
        second[1].phrases[taken] = (phrases[1],)
        instruction.text = text + self.choose(('，', '，然后', '，再', '，接着')) + follow
        instruction.calls = first + second
        return True

    def landmark_pronoun(self, instruction):
        """A pronoun for a landmark: 找到托盘，把杯子放到它上面."""
        first = self.family(self.takes_object)
        template = first and self.sample_template(
            first, lambda a: a.is_imperative and self.object_slot(first, a.slots)
        )
        placer = self.family(
            lambda f: any(a.get('place') for a in f.arguments) and self.takes_object(f)
        )
        place_template = placer and self.sample_template(
            placer,
            lambda a: (
                a.is_imperative
                and self.object_slot(placer, a.slots)
                and any(placer.arguments_by_name[s].get('place') for s in a.slots)
            ),
        )
        if not template or not place_template:
            return False
        text, call = self.fill(first, self.add_short_carrier_phrase(template.text), template.slots)
        landmark = call.phrases[self.object_slot(first, template.slots)][0]
        if landmark.plural or landmark.noun_class == 'person':
            return False
        target = next(s for s in place_template.slots if placer.arguments_by_name[s].get('place'))
        wording, relation = self.choose(_LANDMARK_PRONOUNS)
        more, other = self.fill(
            placer,
            place_template.text,
            place_template.slots,
            {target: (wording, (landmark,), relation)},
        )
        instruction.text = text + self.choose(('，然后', '，再', '，', '，接着')) + more
        instruction.calls = [call, other]
        return True

    def recipient(self, instruction):
        """A recipient, if no skill of the catalogue takes one."""
        family = skill_families()['hand_over']
        target_family = self.catalogue.resolve('hand_over')
        if not target_family or any(
            'person' in skill_families()[target_family].noun_classes(a['name'])
            for a in skill_families()[target_family].arguments
        ):
            return False
        number, who = self.mark(f'给{self.choose(_RECIPIENTS)}')
        self.left_out.append(number)
        verb = self.choose(('拿', '递', '送', '带'))
        verb = VERB_OPEN + verb + VERB_CLOSE
        text = self.choose(
            (
                f'把{{object}}{verb}{who}',
                f'{who}{verb}{{object}}',
                f'{verb}{{object}}{who}',
                f'把{{object}}{verb}过去{who}',
                f'{{object}}{verb}{who}',
            )
        )
        instruction.text, call = self.fill(family, self.add_short_carrier_phrase(text), ('object',))
        instruction.calls = [call]
        return True

    def unverifiable_condition(self, instruction):
        """A condition that an image cannot answer, reported as left out."""
        family = self.family(lambda f: any(a.is_imperative for a in f.templates['zh']))
        template = family and self.sample_template(family, lambda a: a.is_imperative)
        if not template:
            return False
        text, call = self.fill(family, self.add_short_carrier_phrase(template.text), template.slots)
        thing = self.noun_phrases.simple(('any', 'open', 'switch'), '')
        state = self.choose(_STATES)
        number, wording = self.mark(
            self.choose(
                (
                    f'如果{thing.text}{state}',
                    f'要是{thing.text}{state}',
                    f'{thing.text}{state}的话',
                    f'等{thing.text}{state}以后',
                    f'{thing.text}{state}的时候',
                    f'当{thing.text}{state}时',
                )
            )
        )
        self.left_out.append(number)
        instruction.text = f'{wording}{self.choose(("，", "，", "就"))}{text}'
        instruction.calls = [call]
        return True

    def place_by_content(self, instruction):
        """A place named by what is there now, reported as left out."""
        if not self.catalogue.resolve('place'):
            return False
        thing = self.noun_phrases.simple(('any',), '')
        number, wording = self.mark(
            self.choose(
                (
                    f'{thing.text}那里',
                    f'{thing.text}在的地方',
                    f'{thing.text}那儿',
                    f'原来放{thing.text}的地方',
                )
            )
        )
        self.left_out.append(number)
        instruction.text, call = self.fill(
            skill_families()['place'],
            self.add_short_carrier_phrase(f'把{{object}}{VERB_OPEN}放{VERB_CLOSE}到{wording}'),
            ('object',),
        )
        instruction.calls = [call]
        return True

    def clarification_answer(self, instruction):
        """The answer to a clarification question: 红的那个."""
        previous = AnnotatedInstruction()
        if not self.single(previous) or not previous.calls[0].phrases:
            return False
        old = previous.calls[0]
        slot = self.object_slot(old.family, list(old.phrases))
        if not slot:
            return False
        self.left_out.clear()
        instruction.history = (previous.text,)
        noun = self.noun_phrases.lexicon.noun(
            self.rng, old.family.noun_classes(slot), self.noun_phrases.split
        )
        r = self.random()
        new = (
            self.noun_phrases.pronominal(noun)
            if r < 0.6
            else self.noun_phrases.with_relation(noun)
            if r < 0.8
            else self.noun_phrases.build(noun)
        )
        call = old.copy()
        call.phrases = {**old.phrases, slot: (new,)}
        instruction.calls = [call]
        instruction.text = self.choose(
            (
                '{}',
                '{}',
                '{}',
                '我要{}' if old.family.name in FETCH_FAMILIES else '{}',
                '我是说{}',
                '当然是{}',
                '是{}',
                '{}吧',
                '就{}',
                '{}，谢谢',
            )
        ).replace('{}', new.text)
        return True

    def attribute_correction(self, instruction):
        """A correction inside a noun phrase: 红色的，不，蓝色的杯子."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
        )
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        noun = self.noun_phrases.lexicon.noun(
            self.rng, family.noun_classes(slot), self.noun_phrases.split
        )
        wrong, good = self.noun_phrases.adjective(), self.noun_phrases.adjective()
        if wrong == good:
            return False
        phrase = self.noun_phrases.build(noun, '', (good,))
        correction = self.choose(TEMPLATES['attribute_correction'])
        instruction.text, call = self.fill(
            family,
            self.add_short_carrier_phrase(template.text),
            template.slots,
            {slot: (f'{wrong}的{correction}{phrase.text}', (phrase,))},
        )
        instruction.calls = [call]
        return True

    def fragment(self, instruction):
        """A verbless request: 杯子，放桌上; 杯子谢谢."""
        r = self.random()
        if r < 0.5 and self.catalogue.resolve('place'):
            text = self.choose(
                (
                    '{object}，{target}',
                    '{object}{v}{target}',
                    '{target}{v}{object}',
                    '{object}{target}',
                )
            )
            text = text.replace('{v}', VERB_OPEN + '放' + VERB_CLOSE)
            instruction.text, call = self.fill(
                skill_families()['place'], text, ('object', 'target')
            )
        elif any(self.catalogue.resolve(n) for n in FETCH_FAMILIES):
            instruction.text, call = self.fill(
                skill_families()['hand_over'],
                self.choose(
                    (
                        '{object}，谢谢',
                        '{object}谢谢',
                        '{object}！',
                        '来{object}',
                        '{object}，快',
                        '麻烦，{object}',
                    )
                ),
                ('object',),
            )
        else:
            return False
        instruction.calls = [call]
        return True

    def cancellation(self, instruction):
        """A request that is cancelled."""
        family = self.family(lambda f: any(a.is_imperative for a in f.templates['zh']))
        template = family and self.sample_template(family, lambda a: a.is_imperative)
        if not template:
            return False
        text, _ = self.fill(family, self.add_short_carrier_phrase(template.text), template.slots)
        instruction.text = text + self.choose(TEMPLATES['cancellation'])
        instruction.outcome = 'nothing'
        return True

    def serial_verbs(self, instruction):
        """A serial verb construction: 把杯子拿起来放桌上."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(family, lambda a: a.without_object)
        again = self.family(lambda f: f is not family and self.takes_object(f))
        more = again and self.sample_template(
            again, lambda a: a.without_object and a.slots[0] == self.object_slot(again, a.slots)
        )
        if (
            not template
            or not more
            or template.slots[0] != self.object_slot(family, template.slots)
        ):
            return False
        text, call = self.fill(
            family,
            self.add_short_carrier_phrase(template.text)
            if self.random() < 0.7
            else self.topicalize(template),
            template.slots,
        )
        subject = call.phrases[template.slots[0]][0]
        if not self.can_refer_to(subject, again, more.slots[0]):
            return False
        follow, other = self.fill(
            again,
            '{' + more.slots[0] + '}' + more.without_object,
            more.slots,
            {more.slots[0]: ('', (subject,))},
        )
        instruction.text = text + self.choose(('', '，', '再', '然后', '并')) + follow
        instruction.calls = [call, other]
        return True


# Sampling weights.
PATTERNS = (
    ('single', 32),
    ('sequence', 13),
    ('coordination', 7),
    ('ellipsis', 4),
    ('prohibition', 6),
    ('only_prohibition', 2),
    ('correction', 3),
    ('temporal_order', 5),
    ('condition', 5),
    ('state_then_request', 4),
    ('follow_up', 5),
    ('no_skill', 16),
    ('question', 18),
    ('small_talk', 3),
    ('unintelligible', 3),
    ('cleft', 3),
    ('shared_objects', 2),
    ('landmark_pronoun', 3),
    ('recipient', 1),
    ('unverifiable_condition', 1),
    ('place_by_content', 1),
    ('clarification_answer', 2),
    ('attribute_correction', 1),
    ('fragment', 3),
    ('cancellation', 1),
    ('serial_verbs', 4),
    ('multi_step_task', 6),
    *SITUATIONS,
)
