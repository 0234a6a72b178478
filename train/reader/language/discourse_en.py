"""English negation, correction, order, conditions, follow-up instructions and small talk."""

from __future__ import annotations

from kimi_train.reader.language import questions_en as questions
from kimi_train.reader.language.annotated_instruction import AnnotatedInstruction
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.carrier_phrases_en import add_carrier_phrase, to_gerund
from kimi_train.reader.language.requests_en import THEN, RequestGenerator, add_short_carrier_phrase
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.skill_families import FETCH_FAMILIES, skill_families
from kimi_train.reader.language.span_markers import opening_marker

__all__ = ['DiscourseGenerator']

TEMPLATES = sentence_templates('en')


class DiscourseGenerator(RequestGenerator):
    """Generates English instructions that are more than requests."""

    questions = questions

    def prohibition(self, instruction):
        """A request with an exception: "the pliers, not the hammer"."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
        )
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        noun_classes = family.noun_classes(slot)
        forbidden = self.noun_phrases.simple(noun_classes)
        r = self.random()
        if r < 0.12:
            word = self.choose(('everything', 'everything', 'anything', 'all of them', 'all'))
            head, inner = self.mark(word)
            words, inner = self.mark(inner)
            every = AnnotatedPhrase(inner, words, head, number='all', plural=True)
            but = self.choose(('but', 'except', 'except for', 'apart from', 'other than'))
            text = f'{inner} {but} {forbidden.text}'
            instruction.text, call = self.fill(
                family,
                add_short_carrier_phrase(self, template.text),
                template.slots,
                {slot: (text, (every,))},
            )
            instruction.calls = [call]
            instruction.forbidden = [forbidden]
            return True
        instruction.forbidden = [forbidden]
        if r < 0.42:
            good = self.noun_phrases.simple(noun_classes)
            text = self.choose(TEMPLATES['contrast'])
            text = text.replace('{no}', forbidden.text).replace('{}', good.text)
            instruction.text, call = self.fill(
                family,
                add_short_carrier_phrase(self, template.text),
                template.slots,
                {slot: (text, (good,))},
            )
            instruction.calls = [call]
            return True
        text, call = self.fill(
            family, add_short_carrier_phrase(self, template.text), template.slots
        )
        no = self._prohibition(forbidden)
        if self.random() < 0.7:
            instruction.text = (
                text.rstrip('?')
                + self.choose((', but ', ' but ', ', and ', ' and ', '. ', ', ', '; '))
                + no
            )
        elif self.random() < 0.5:
            instruction.text = (
                f'{no}, {self.choose(("just ", "", "only ", "but ", "instead "))}{text}'
            )
        else:
            instruction.text = (
                text.rstrip('?')
                + ' '
                + self.choose(TEMPLATES['without']).replace('{}', forbidden.text)
            )
        instruction.calls = [call]
        return True

    def _prohibition(self, phrase):
        return self.choose(TEMPLATES['prohibition_phrases']).replace('{}', phrase.text)

    def only_prohibition(self, instruction):
        """A prohibition without a request."""
        forbidden = self.noun_phrases.phrase(('any',))
        instruction.forbidden = [forbidden]
        text = self._prohibition(forbidden)
        if self.random() < 0.2:
            other = self.noun_phrases.simple(('any',))
            instruction.forbidden.append(other)
            text += f' {self.choose(("or", "and"))} {other.text}'
        instruction.text = text
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
        r = self.random()
        target = next((s for s in template.slots if family.arguments_by_name[s].get('place')), '')
        if target and r < 0.3 and template.text.endswith('{' + target + '}'):
            first = self.noun_phrases.place(nested=False)[1]
            relation, text, phrases = self.noun_phrases.place(nested=False)
            instruction.text, call = self.fill(
                family,
                add_short_carrier_phrase(self, template.text),
                template.slots,
                {target: (first + correction + text, phrases, relation)},
            )
        elif template.text.endswith('{' + slot + '}') or r < 0.7:
            instruction.text, call = self.fill(
                family,
                add_short_carrier_phrase(self, template.text),
                template.slots,
                {slot: (wrong.text + correction + good.text, (good,))},
            )
        else:  # a whole clause taken back
            first, _ = self.fill(
                family, add_short_carrier_phrase(self, template.text), template.slots
            )
            again = self.family(self.takes_object)
            other = self.sample_template(again, lambda a: a.is_imperative)
            if not other:
                return False
            text, call = self.fill(again, other.text, other.slots)
            instruction.text = first + self.choose(TEMPLATES['correction_clause']) + text
        instruction.calls = [call]
        return True

    def temporal_order(self, instruction):
        """Two clauses with an explicit order."""
        one, two = self._pair()
        if not one:
            return False
        (template_a, family_a), (template_b, family_b) = one, two
        subject = None
        text_a, call_a = self.fill(family_a, template_a.text, template_a.slots)
        slot_a, slot_b = (
            self.object_slot(family_a, template_a.slots),
            self.object_slot(family_b, template_b.slots),
        )
        given, b = None, template_b.text
        if (
            slot_a
            and slot_b
            and self.random() < 0.3
            and self.can_refer_to(call_a.phrases[slot_a][0], family_b, slot_b)
        ):
            subject = call_a.phrases[slot_a][0]
            given = {slot_b: (self.pronoun(subject), (subject,))}
            b = template_b.pronoun_text
        r = self.random()
        if r < 0.3:  # the first is named last
            text_a2 = template_a.text
            text_b, call_b = self.fill(family_b, template_b.text, template_b.slots)
            ing = to_gerund(text_a2)
            if r < 0.15 and ing:
                text_a, call_a = self.fill(family_a, ing, template_a.slots)
                text = (
                    f'{text_b} {self.choose(("after", "only after", "once you are done"))} {text_a}'
                )
                text = text.replace('once you are done ', 'once you are done with ')
                if self.random() < 0.4:
                    text = f'after {text_a}, {text_b}'
            else:
                text = self.choose(TEMPLATES['order_last_first'])
                text = text.replace('{a}', text_a).replace('{b}', text_b)
        else:
            text_b, call_b = self.fill(family_b, b, template_b.slots, given)
            text = self.choose(TEMPLATES['order_first_first'])
            text = text.replace('{a}', text_a).replace('{b}', text_b)
        instruction.text = text
        instruction.calls = [call_a, call_b]
        return True

    def _pair(self):
        pair = []
        for _ in range(2):
            family = self.family(lambda f: any(a.is_imperative for a in f.templates['en']))
            template = family and self.sample_template(family, lambda a: a.is_imperative)
            if not template or (pair and not template.slots and family is pair[0][1]):
                return None, None
            pair.append((template, family))
        return pair

    def condition(self, instruction):
        """A request on the condition that something is, or is not, in view."""
        present = self.random() < 0.65
        family = self.family(lambda f: any(a.is_imperative for a in f.templates['en']))
        template = family and self.sample_template(family, lambda a: a.is_imperative)
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        same = present and slot and self.random() < 0.45
        thing = self.noun_phrases.simple(
            family.noun_classes(slot) if same else ('any',),
            self.choose(('a', 'a', 'the', 'any', 'a')),
        )
        given, text = None, template.text
        if same:
            given = {slot: (self.pronoun(thing), (thing,))}
            text = template.pronoun_text
        text, call = self.fill(family, text, template.slots, given)
        are = 'are' if thing.plural else 'is'
        if present:
            wording = self.choose(TEMPLATES['if_present'])
            back = (', ', ' ', ', then ')
        else:
            wording = self.choose(TEMPLATES['if_absent'])
            back = (', ', ' ', ', then ')
        isnt = "aren't" if thing.plural else "isn't"
        words = thing.text
        if ' no {}' in wording:
            words = words[words.index(opening_marker(thing.words)) :]
        wording = wording.replace('{is}', are).replace('{isnt}', isnt).replace('{}', words)
        if wording.endswith(' on the table'):
            pass
        # A pronoun may come before what it means only behind the condition.
        if self.random() < 0.7 or same:
            text = wording + self.choose(back) + text
        else:
            text = f'{text} {wording}'
        call.condition = (thing, present)
        instruction.calls = [call]
        if self.random() < 0.12:
            text2, call2 = self.clause()
            if text2:
                number, text2 = self.mark(text2.rstrip('?'))
                self.left_out.append(number)
                text += (
                    self.choose(
                        (', otherwise ', ' otherwise ', ', or else ', ', if not ', ', else ')
                    )
                    + text2
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
        phrase = self.noun_phrases.simple(family.noun_classes(slot), 'the')
        are = 'are' if phrase.plural else 'is'
        state = self.choose(TEMPLATES['problem_statements'])
        instruction.text, call = self.fill(
            family,
            add_short_carrier_phrase(self, template.pronoun_text),
            template.slots,
            {slot: (self.pronoun(phrase), (phrase,))},
        )
        instruction.text = (
            (
                state.replace('{is}', are).replace('{}', phrase.text)
                + self.choose((', ', '. ', ', so ', ' - ', ', please '))
                + instruction.text
            )
            .replace('?, ', '? ')
            .replace('?. ', '? ')
        )
        instruction.calls = [call]
        if state in ('I need {}', 'take a look at {}'):
            return False
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
        r = self.random()
        if r < 0.6:
            family = self.family(lambda f: f is not old.family and self.takes_object(f))
            template = family and self.sample_template(
                family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
            )
            if not template:
                return False
            text = template.pronoun_text
            if not self.can_refer_to(subject, family, self.object_slot(family, template.slots)):
                return False
            given = {self.object_slot(family, template.slots): (self.pronoun(subject), (subject,))}
            target = next(
                (s for s in template.slots if family.arguments_by_name[s].get('place')), ''
            )
            place = next(
                (s for s in old.phrases if old.family.arguments_by_name[s].get('place')), ''
            )
            if target and place and self.random() < 0.5:
                given[target] = ('there', old.phrases[place], old.relation)
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
            which = int(self.random() * len(questions.UNSUPPORTED_VERBS))
            verb = questions.UNSUPPORTED_VERBS[which]
            if verb in self.catalogue.verbs:
                return False
            instruction.verb, marked = self.mark(verb)
            instruction.text = add_carrier_phrase(
                self.rng, marked + self.choose(questions.UNSUPPORTED_REQUESTS[which])
            )
            instruction.outcome = 'no_skill'
            return True
        all_families = skill_families()
        names = list(all_families)
        if self.random() < 0.6:
            names = self.near_families() or names
        for _ in range(12):
            family = all_families[self.choose(names)]
            if self.catalogue.resolve(family.name) or not family.templates['en']:
                continue
            template = self.choose(family.templates['en'])
            if not (template.is_imperative or family.name in FETCH_FAMILIES) or (
                family.from_dictionary and self.random() < 0.7
            ):
                continue
            if not template.verb or not self.is_outside_catalogue(family, template):
                continue
            text = (
                add_carrier_phrase(self.rng, template.text)
                if template.is_imperative
                else template.text
            )
            text, call = self.fill(family, text, template.slots)
            instruction.calls = [call]
            if r > 0.72:
                other, more = self.clause()
                if other:
                    goes_first = self.random() < 0.5
                    instruction.calls = [more, call] if goes_first else [call, more]
                    connector = self.choose(THEN)
                    text = (
                        other + connector + text
                        if goes_first
                        else text.rstrip('?') + connector + other
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
