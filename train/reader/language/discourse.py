"""Instructions that are more than requests: negation, correction, order, conditions, follow-ups."""

from __future__ import annotations

from kimi_train.reader.language.annotated_instruction import AnnotatedInstruction
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.questions import QuestionGenerator
from kimi_train.reader.language.skill_families import FETCH_FAMILIES, skill_families
from kimi_train.reader.language.span_markers import remove_markers

__all__ = ['DiscourseGenerator']

_UNLESS = ('unless', '除非')


class DiscourseGenerator(QuestionGenerator):
    """Generates what people say beside plain requests."""

    def prohibition(self, instruction):
        """A request with an exception: "the pliers, not the hammer"."""
        family, template, slot = self.object_request()
        if not template:
            return False
        noun_classes = family.noun_classes(slot)
        forbidden = self.noun_phrases.simple(noun_classes)
        instruction.forbidden = [forbidden]
        r = self.random()
        if r < 0.13:
            head, inner = self.mark(self.wording('all_things'))
            words, inner = self.mark(inner)
            every = AnnotatedPhrase(inner, words, head, number='all', plural=True)
            frame, phrase = self.wording('all_but').replace('{all}', inner), every
        elif r < 0.42:
            phrase = self.noun_phrases.simple(noun_classes)
            frame = self.wording('contrast').replace('{good}', phrase.text)
        else:
            text, call = self.fill(
                family, self.add_short_carrier_phrase(template.text), template.slots
            )
            instruction.text = (
                self.wording('prohibition')
                .replace('{no}', self.wording('prohibition_phrases'))
                .replace('{}', forbidden.text)
                .replace('{thing}', forbidden.text)
                .replace('{do}', text.rstrip('?？'))
            )
            instruction.calls = [call]
            return True
        frame = frame.replace('{thing}', forbidden.text)
        # The exception stands beside the object, or beside the whole request.
        given = {slot: (phrase.text if '{do}' in frame else frame, (phrase,))}
        text, call = self.fill(
            family, self.add_short_carrier_phrase(template.text), template.slots, given
        )
        instruction.text = frame.replace('{do}', text) if '{do}' in frame else text
        instruction.calls = [call]
        return True

    def only_prohibition(self, instruction):
        """A prohibition without a request."""
        forbidden = self.noun_phrases.phrase(('any',))
        instruction.forbidden = [forbidden]
        text = forbidden.text
        if self.random() < 0.18:
            other = self.noun_phrases.simple(('any',))
            instruction.forbidden.append(other)
            text += self.wording('or') + other.text
        instruction.text = self.wording('prohibition_phrases').replace('{}', text)
        instruction.outcome = 'nothing'
        return True

    def correction(self, instruction):
        """A request and its correction."""
        family, template, slot = self.object_request()
        if not template:
            return False
        noun_classes = family.noun_classes(slot)
        wrong, good = self.noun_phrases.simple(noun_classes), self.noun_phrases.simple(noun_classes)
        correction = self.wording('correction')
        target = self.place_slot(family, template.slots)
        carried = self.add_short_carrier_phrase(template.text)
        r = self.random()
        if target and r < 0.3 and template.text.endswith('{' + target + '}'):
            _, first, others = self.noun_phrases.place(nested=False)
            relation, text, phrases = self.noun_phrases.place(nested=False)
            if self.random() < 0.35 and len(others) == len(phrases) == 1:  # under, no, on the desk
                first = first.replace(others[0].text, phrases[0].text)
                first = remove_markers(first)
            given = {target: (first + correction + text, phrases, relation)}
            instruction.text, call = self.fill(family, carried, template.slots, given)
        elif r < 0.75:
            given = {slot: (wrong.text + correction + good.text, (good,))}
            instruction.text, call = self.fill(family, carried, template.slots, given)
        else:  # a whole clause taken back
            again, other = self.imperative(self.takes_object)
            if not other:
                return False
            first, _ = self.fill(family, carried, template.slots)
            text, call = self.fill(again, other.text, other.slots)
            instruction.text = first + self.wording('correction_clause') + text
        instruction.calls = [call]
        return True

    def temporal_order(self, instruction):
        """Two clauses with an explicit order: "before you do B, do A"."""
        family_a, template_a = self.imperative()
        family_b, template_b = self.imperative()
        if not template_a or not template_b or (not template_b.slots and family_a is family_b):
            return False
        last_first = self.random() < 0.35
        frame = self.wording('order_last_first' if last_first else 'order_first_first')
        text = template_a.text
        if '{doing}' in frame:
            text = self.gerund(text)
            if not text:
                return False
        # What is said first, "b" in "{b}, but first {a}", may be a pronoun in what follows.
        said = [(family_a, template_a, text), (family_b, template_b, template_b.text)]
        turned = '{doing}' not in frame and frame.index('{b}') < frame.index('{a}')
        if turned:
            said.reverse()
        parts = self._two_clauses(*said)
        if turned:
            parts.reverse()
        (a, call_a), (b, call_b) = parts
        instruction.text = frame.replace('{a}', a).replace('{doing}', a).replace('{b}', b)
        instruction.calls = [call_a, call_b]
        return True

    def _two_clauses(self, first, second):
        """Return text and call of two clauses, the second now and then with a pronoun.

        :param first: family, template and its wording; `second` alike.
        """
        family, template, text = first
        done = self.fill(family, text, template.slots)
        slot = self.object_slot(family, template.slots)
        family, template, text = second
        taken, given = self.object_slot(family, template.slots), None
        if (
            slot
            and taken
            and text == template.text
            and self.random() < 0.37
            and self.can_refer_to(done[1].phrases[slot][0], family, taken)
        ):
            text, given = self.pronominalize(template, taken, done[1].phrases[slot][0])
        return [done, self.fill(family, text, template.slots, given)]

    def condition(self, instruction):
        """A request on the condition that something is, or is not, in view."""
        present = self.random() < 0.65
        family, template = self.imperative()
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        same = present and slot and self.random() < 0.45
        thing = self.noun_phrases.simple(
            family.noun_classes(slot) if same else ('any',),
            self.wording('condition_determiners') if present or self.lang == 'en' else '',
        )
        text, given = self.pronominalize(template, slot, thing) if same else (template.text, None)
        text, call = self.fill(family, text, template.slots, given)
        wording = self.wording('if_present' if present else 'if_absent')
        if '{place}' in wording:
            thing.relation, place, thing.landmarks = self._place()
            wording = wording.replace('{place}', place)
        order = self.wording('condition_orders')
        if same and order.startswith('{do}'):  # no pronoun before what it means
            return False
        text = order.replace('{if}', self.agree(wording, thing)).replace('{do}', text)
        call.condition = (thing, present)
        instruction.calls = [call]
        if self.random() < 0.12 and not wording.startswith(_UNLESS):
            other, template = self.imperative()
            if template:
                number, more = self.mark(self.fill(other, template.text, template.slots)[0])
                self.left_out.append(number)
                text += self.wording('otherwise_present' if present else 'otherwise_absent') + more
        instruction.text = text
        return True

    def state_then_request(self, instruction):
        """A statement about an object, and a request with a pronoun for it."""
        family, template, slot = self.object_request()
        if not template:
            return False
        phrase = self.noun_phrases.simple(
            family.noun_classes(slot), self.wording('statement_determiners')
        )
        statement = self.agree(self.wording('problem_statements'), phrase)
        text, given = self.pronominalize(template, slot, phrase)
        text, call = self.fill(family, self.add_short_carrier_phrase(text), template.slots, given)
        joint = self.wording('statement_joints')
        instruction.text = (statement + joint + text).replace('?, ', '? ').replace('?. ', '? ')
        instruction.calls = [call]
        return True

    def previous_call(self, instruction):
        """Write an instruction before this one; return its call and object slot, or (None, '')."""
        previous = AnnotatedInstruction()
        if not self.single(previous) or not previous.calls[0].phrases:
            return None, ''
        call = previous.calls[0]
        slot = self.object_slot(call.family, list(call.phrases))
        if not slot:
            return None, ''
        instruction.history = (previous.text,)
        self.left_out.clear()
        return call, slot

    def follow_up(self, instruction):
        """An instruction that refers to the previous one."""
        old, slot = self.previous_call(instruction)
        if not old:
            return False
        if self.random() < 0.6:
            subject = old.phrases[slot][0]
            family, template, taken = self.object_request(lambda f: f is not old.family)
            if not template or not self.can_refer_to(subject, family, taken):
                return False
            text, given = self.pronominalize(template, taken, subject)
            self.refer_to_place(family, template, old, given)
            text = self.wording('follow_up_more').replace('{}', text)
            instruction.text, call = self.fill(family, text, template.slots, given)
            instruction.calls = [call]
            return True
        new = self.noun_phrases.phrase(old.family.noun_classes(slot))
        call = old.copy()
        call.phrases = {**old.phrases, slot: (new,)}
        instruction.calls = [call]
        instruction.text = self.wording('follow_up_step').replace('{}', new.text)
        return True

    def no_skill(self, instruction):
        """A request for a skill that the catalogue lacks, alone or beside one that it has."""
        r = self.random()
        if r < 0.22:
            front, _, rest = self.wording('unsupported_requests').partition('<')
            verb, _, rest = rest.partition('>')
            if verb in self.catalogue.verbs:
                return False
            instruction.verb, marked = self.mark(verb)
            instruction.text = self.add_carrier_phrase(front + marked + rest)
            instruction.outcome = 'no_skill'
            return True
        family, template = self._unsupported_template()
        if not template:
            return False
        text, call = self.fill(family, self.request(family, template), template.slots)
        instruction.calls = [call]
        if r > 0.72:
            other, more = self.imperative()
            if more:
                wording, second = self.fill(other, more.text, more.slots)
                parts, calls = [text.rstrip('?？'), wording], [call, second]
                if self.random() < 0.5:
                    parts, calls = [wording, text], [second, call]
                text, instruction.calls = self.wording('then').join(parts), calls
        instruction.text = text
        return True

    def _unsupported_template(self):
        all_families = skill_families()
        names = list(all_families)
        if self.random() < 0.6:
            names = self.near_families() or names
        for _ in range(12):
            family = all_families[self.choose(names)]
            if self.catalogue.resolve(family.name) or not family.templates[self.lang]:
                continue
            template = self.choose(family.templates[self.lang])
            asks = template.is_imperative or family.name in FETCH_FAMILIES
            if not asks or (family.from_dictionary and self.random() < 0.7):
                continue
            if template.verb and self.is_outside_catalogue(family, template):
                return family, template
        return None, None

    def cancellation(self, instruction):
        """A request that is cancelled."""
        family, template = self.imperative()
        if not template:
            return False
        text, _ = self.fill(family, self.add_short_carrier_phrase(template.text), template.slots)
        instruction.text = text.rstrip('?？') + self.wording('cancellation')
        instruction.outcome = 'nothing'
        return True

    def clarification_answer(self, instruction):
        """The answer to a clarification question: "the red one"."""
        old, slot = self.previous_call(instruction)
        if not old:
            return False
        noun_classes = old.family.noun_classes(slot)
        noun = self.noun_phrases.lexicon.noun(self.rng, noun_classes, self.noun_phrases.split)
        r = self.random()
        new = (
            self.noun_phrases.pronominal(noun)
            if r < 0.6
            else self.noun_phrases.with_relation(noun)
            if r < 0.8
            else self.noun_phrases.definite(noun_classes)
        )
        call = old.copy()
        call.phrases = {**old.phrases, slot: (new,)}
        instruction.calls = [call]
        name = 'clarifications'
        if old.family.name in ('pick', *FETCH_FAMILIES) and self.random() < 0.1:
            name = 'clarifications_with_verb'
        instruction.text = self.wording(name).replace('{}', new.text)
        return True

    def attribute_correction(self, instruction):
        """A correction inside a noun phrase: "the red, no, the blue cup"."""
        family, template, slot = self.object_request()
        wrong, good = self.noun_phrases.adjective(), self.noun_phrases.adjective()
        if not template or wrong == good:
            return False
        noun_classes = family.noun_classes(slot)
        noun = self.noun_phrases.lexicon.noun(self.rng, noun_classes, self.noun_phrases.split)
        det = self.choose(('the', 'the', '')) if self.lang == 'en' else ''
        phrase = self.noun_phrases.build(noun, det, (good,))
        corrected = (
            self.wording('attribute_corrected')
            .replace('{wrong}', wrong)
            .replace('{no}', self.wording('attribute_correction'))
            .replace('{}', phrase.text)
        )
        instruction.text, call = self.fill(
            family,
            self.add_short_carrier_phrase(template.text),
            template.slots,
            {slot: (corrected, (phrase,))},
        )
        instruction.calls = [call]
        return True
