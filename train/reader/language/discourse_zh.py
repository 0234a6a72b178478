"""Chinese negation, correction, order, conditions, follow-up instructions and small talk."""

from __future__ import annotations

from kimi_train.reader.language import questions_zh as questions
from kimi_train.reader.language.annotated_instruction import AnnotatedInstruction
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.requests_zh import THEN, RequestGenerator
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.skill_families import FETCH_FAMILIES, skill_families

__all__ = ['DiscourseGenerator']

TEMPLATES = sentence_templates('zh')


class DiscourseGenerator(RequestGenerator):
    """Generates Chinese instructions that are more than requests."""

    questions = questions

    def prohibition(self, instruction):
        """A request with an exception: 拿钳子，不要锤子."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
        )
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        noun_classes = family.noun_classes(slot)
        forbidden = self.noun_phrases.simple(noun_classes)
        instruction.forbidden = [forbidden]
        r = self.random()
        if r < 0.14:
            head, inner = self.mark(
                self.choose(('所有东西', '其他东西', '别的', '其他的', '所有的'))
            )
            words, inner = self.mark(inner)
            every = AnnotatedPhrase(inner, words, head, number='all', plural=True)
            text, call = self.fill(family, template.text, template.slots, {slot: (inner, (every,))})
            instruction.text = (
                self.choose(
                    (
                        '除了{no}，{}',
                        '除了{no}以外，{}',
                        '除{no}外，{}',
                        '{}，除了{no}',
                        '除了{no}，都{}',
                    )
                )
                .replace('{no}', forbidden.text)
                .replace('{}', text)
            )
            instruction.calls = [call]
            return True
        if r < 0.42:
            text, call = self.fill(
                family, self.add_short_carrier_phrase(template.text), template.slots
            )
            instruction.text = (
                self.choose(TEMPLATES['contrast'])
                .replace('{no}', forbidden.text)
                .replace('{}', text)
            )
        else:
            text, call = self.fill(
                family, self.add_short_carrier_phrase(template.text), template.slots
            )
            no = self._prohibition(forbidden)
            instruction.text = (
                self.choose(TEMPLATES['prohibition']).replace('{no}', no).replace('{}', text)
            )
        instruction.calls = [call]
        return True

    def _prohibition(self, phrase):
        return self.choose(TEMPLATES['prohibition_phrases']).replace('{}', phrase.text)

    def only_prohibition(self, instruction):
        """A prohibition without a request."""
        forbidden = self.noun_phrases.phrase(('any',))
        instruction.forbidden = [forbidden]
        text = forbidden.text
        if self.random() < 0.15:
            other = self.noun_phrases.simple(('any',))
            instruction.forbidden.append(other)
            text += self.choose(('和', '或者', '还有')) + other.text
        instruction.text = self._prohibition(AnnotatedPhrase(text, 0, 0))
        instruction.outcome = 'nothing'
        return True

    def correction(self, instruction):
        """A request and its correction."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
        )
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        noun_classes = family.noun_classes(slot)
        wrong, good = self.noun_phrases.simple(noun_classes), self.noun_phrases.simple(noun_classes)
        correction = self.choose(TEMPLATES['correction'])
        target = next((s for s in template.slots if family.arguments_by_name[s].get('place')), '')
        r = self.random()
        if target and r < 0.3 and template.text.endswith('{' + target + '}'):
            first = self.noun_phrases.place(nested=False)[1]
            relation, text, phrases = self.noun_phrases.place(nested=False)
            instruction.text, call = self.fill(
                family,
                self.add_short_carrier_phrase(template.text),
                template.slots,
                {target: (first + correction + text, phrases, relation)},
            )
        elif r < 0.7:
            instruction.text, call = self.fill(
                family,
                self.add_short_carrier_phrase(template.text),
                template.slots,
                {slot: (wrong.text + correction + good.text, (good,))},
            )
        else:
            first, _ = self.fill(
                family, self.add_short_carrier_phrase(template.text), template.slots
            )
            again = self.family(self.takes_object)
            other = again and self.sample_template(again, lambda a: a.is_imperative)
            if not other:
                return False
            text, call = self.fill(again, other.text, other.slots)
            instruction.text = (
                first
                + self.choose(
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
        instruction.calls = [call]
        return True

    def temporal_order(self, instruction):
        """Two clauses with an explicit order."""
        pair = []
        for _ in range(2):
            family = self.family(lambda f: any(a.is_imperative for a in f.templates['zh']))
            template = family and self.sample_template(family, lambda a: a.is_imperative)
            if not template or (pair and not template.slots and family is pair[0][1]):
                return False
            pair.append((template, family))
        (template_a, family_a), (template_b, family_b) = pair
        a, call_a = self.fill(family_a, template_a.text, template_a.slots)
        slot_a, slot_b = (
            self.object_slot(family_a, template_a.slots),
            self.object_slot(family_b, template_b.slots),
        )
        text, given = template_b.text, None
        r = self.random()
        if (
            r > 0.4
            and slot_a
            and slot_b
            and self.random() < 0.4
            and self.can_refer_to(call_a.phrases[slot_a][0], family_b, slot_b)
        ):
            text, given = self.pronominalize(template_b, slot_b, call_a.phrases[slot_a][0])
        b, call_b = self.fill(family_b, text, template_b.slots, given)
        if r < 0.4:
            form = self.choose(TEMPLATES['order_last_first'])
        else:
            form = self.choose(TEMPLATES['order_first_first'])
        instruction.text = form.replace('{a}', a).replace('{b}', b)
        instruction.calls = [call_a, call_b]
        return True

    def condition(self, instruction):
        """A request on the condition that something is, or is not, in view."""
        present = self.random() < 0.65
        family = self.family(lambda f: any(a.is_imperative for a in f.templates['zh']))
        template = family and self.sample_template(family, lambda a: a.is_imperative)
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        same = present and slot and self.random() < 0.45
        thing = self.noun_phrases.simple(
            family.noun_classes(slot) if same else ('any',),
            self.choose(('', '', '', '那{}', '一{}')) if present else '',
        )
        given, text = None, template.text
        if same:
            text, given = self.pronominalize(template, slot, thing)
        text, call = self.fill(family, text, template.slots, given)
        if present:
            wording = self.choose(TEMPLATES['if_present'])
        else:
            wording = self.choose(TEMPLATES['if_absent'])
        text = wording.replace('{}', thing.text) + text
        call.condition = (thing, present)
        instruction.calls = [call]
        if self.random() < 0.12 and not wording.startswith('除非'):
            other = self.family(lambda f: any(a.is_imperative for a in f.templates['zh']))
            template = other and self.sample_template(other, lambda a: a.is_imperative)
            if template:
                more, _ = self.fill(other, template.text, template.slots)
                number, more = self.mark(more)
                self.left_out.append(number)
                text += (
                    self.choose(
                        ('，否则', '，不然就', '，要不就', '，没有就' if present else '，有就')
                    )
                    + more
                )
        instruction.text = text
        return True

    def state_then_request(self, instruction):
        """A statement about an object, and a request with a pronoun for it."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
        )
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        phrase = self.noun_phrases.simple(
            family.noun_classes(slot), self.choose(('', '', '那{}', '这{}'))
        )
        state = self.choose(TEMPLATES['problem_statements'])
        text, given = self.pronominalize(template, slot, phrase)
        text, call = self.fill(family, self.add_short_carrier_phrase(text), template.slots, given)
        instruction.text = state.replace('{}', phrase.text) + text
        instruction.calls = [call]
        return True

    def follow_up(self, instruction):
        """An instruction that refers to the previous one."""
        previous = AnnotatedInstruction()
        if not self.single(previous) or not previous.calls[0].phrases:
            return False
        old = previous.calls[0]
        slot = self.object_slot(old.family, list(old.phrases))
        if not slot:
            return False
        subject = old.phrases[slot][0]
        instruction.history = (previous.text,)
        self.left_out.clear()
        if self.random() < 0.6:
            family = self.family(lambda f: f is not old.family and self.takes_object(f))
            template = family and self.sample_template(
                family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
            )
            if not template:
                return False
            if not self.can_refer_to(subject, family, self.object_slot(family, template.slots)):
                return False
            text, given = self.pronominalize(
                template, self.object_slot(family, template.slots), subject
            )
            target = next(
                (s for s in template.slots if family.arguments_by_name[s].get('place')), ''
            )
            place = next(
                (s for s in old.phrases if old.family.arguments_by_name[s].get('place')), ''
            )
            if target and place and self.random() < 0.5:
                given[target] = (
                    self.choose(('那里', '那儿', '那边')),
                    old.phrases[place],
                    old.relation,
                )
            text = self.choose(TEMPLATES['follow_up_more']).replace('{}', text)
            instruction.text, call = self.fill(family, text, template.slots, given)
            instruction.calls = [call]
            return True
        new = self.noun_phrases.phrase(old.family.noun_classes(slot))
        call = old.copy()
        call.phrases = dict(old.phrases)
        call.phrases[slot] = (new,)
        instruction.calls = [call]
        instruction.text = self.choose(TEMPLATES['follow_up_step']).replace('{}', new.text)
        return True

    def no_skill(self, instruction):
        """A request for a skill that the catalogue lacks."""
        r = self.random()
        if r < 0.22:
            front, verb, back = self.choose(questions.UNSUPPORTED_REQUESTS)
            if verb in self.catalogue.verbs:
                return False
            instruction.verb, marked = self.mark(verb)
            instruction.text = self.add_carrier_phrase(front + marked + back)
            instruction.outcome = 'no_skill'
            return True
        all_families = skill_families()
        names = list(all_families)
        if self.random() < 0.6:
            names = self.near_families() or names
        for _ in range(12):
            family = all_families[self.choose(names)]
            if self.catalogue.resolve(family.name) or not family.templates['zh']:
                continue
            template = self.choose(family.templates['zh'])
            if not (template.is_imperative or family.name in FETCH_FAMILIES) or (
                family.from_dictionary and self.random() < 0.7
            ):
                continue
            if not template.verb or not self.is_outside_catalogue(family, template):
                continue
            text, template = self.request(family, template)
            text, call = self.fill(family, text, template.slots)
            instruction.calls = [call]
            if r > 0.72:
                other = self.family(lambda f: any(a.is_imperative for a in f.templates['zh']))
                more = other and self.sample_template(other, lambda a: a.is_imperative)
                if more:
                    wording, second = self.fill(other, more.text, more.slots)
                    first = self.random() < 0.5
                    instruction.calls = [second, call] if first else [call, second]
                    text = (
                        wording + self.choose(THEN) + text
                        if first
                        else text.rstrip('？') + self.choose(THEN) + wording
                    )
            instruction.text = text
            return True
        return False

    def question(self, instruction):
        """A question about the view."""
        return questions.generate_question(self, instruction)

    def small_talk(self, instruction):
        """Small talk."""
        instruction.text = self.choose(questions.SMALL_TALK)
        instruction.outcome = 'nothing'
        return True

    def unintelligible(self, instruction):
        """Unintelligible text."""
        instruction.text = questions.unintelligible_text(self)
        instruction.outcome = 'unclear'
        return True
