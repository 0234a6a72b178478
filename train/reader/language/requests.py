"""Requests of both languages: in sequence, coordinated, elliptical."""

from __future__ import annotations

from kimi_train.reader.language.clause_generator import ClauseGenerator, sample_relation
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.skill_families import (
    VERB_CLOSE,
    VERB_OPEN,
    RequestTemplate,
    SkillFamily,
    skill_families,
)

__all__ = ['RequestGenerator']


class RequestGenerator(ClauseGenerator):
    """Generates requests; what they say comes from the sentence templates of the language."""

    def wording(self, name: str) -> str:
        """Return a random entry of a list of sentence templates."""
        return self.choose(sentence_templates(self.lang)[name])

    def wordings(self, name: str) -> tuple[str, ...]:
        """Return a list of sentence templates."""
        return sentence_templates(self.lang)[name]

    # What the languages do differently.

    def add_carrier_phrase(self, text: str) -> str:
        """Return the imperative in a carrier phrase, often in none."""
        raise NotImplementedError

    def request(self, family: SkillFamily, template: RequestTemplate) -> str:
        """Return the text of a request, with or without a carrier phrase."""
        raise NotImplementedError

    def pronominalize(self, template, slot, subject):
        """Return the request with a pronoun as its object, and its `given` slots."""
        raise NotImplementedError

    def coordinate(self, template, slot, phrases):
        """Return the request with several objects in a slot, and their text."""
        raise NotImplementedError

    def shared_head(self, noun_classes):
        """Return two phrases that share their head, and their text: "the red and the blue cup"."""
        raise NotImplementedError

    def elliptical(self, template, slot) -> str:
        """Return the request without what a clause before it says, or ''."""
        raise NotImplementedError

    def agree(self, text: str, phrase) -> str:
        """Return the text about the phrase, '{}', its verbs in the phrase's number."""
        return text.replace('{}', phrase.text)

    def gerund(self, text: str) -> str:
        """Return the imperative as a gerund, or ''."""
        return ''

    # What they share.

    def add_short_carrier_phrase(self, text: str) -> str:
        """Return the imperative in a short carrier phrase, often in none."""
        if self.random() < 0.6:
            return text
        return self.wording('short_carrier_phrases').replace('{}', text, 1)

    def takes_object(self, family: SkillFamily) -> bool:
        """Tell whether the family has an imperative template with an object slot."""
        return any(
            template.is_imperative and self.object_slot(family, template.slots)
            for template in family.templates[self.lang]
        )

    def imperative(self, predicate=None):
        """Sample a family with an imperative, and a template of it; (None, None) if none fits."""
        family = self.family(
            predicate or (lambda f: any(t.is_imperative for t in f.templates[self.lang]))
        )
        template = family and self.sample_template(family, lambda t: t.is_imperative)
        return (family, template) if template else (None, None)

    def object_request(self, predicate=None, of_template=None):
        """Sample family, imperative template and object slot; three times None if none fits.

        :param predicate: of the family; of_template: of family and template.
        """
        family = self.family(lambda f: self.takes_object(f) and (predicate is None or predicate(f)))
        template = family and self.sample_template(
            family,
            lambda t: (
                t.is_imperative
                and self.object_slot(family, t.slots)
                and (of_template is None or of_template(family, t))
            ),
        )
        if not template:
            return None, None, None
        return family, template, self.object_slot(family, template.slots)

    def placement_request(self):
        """Sample family, imperative template and object slot of a request with a place."""
        return self.object_request(
            lambda f: any(a.get('place') for a in f.arguments),
            lambda f, t: any(f.arguments_by_name[s].get('place') for s in t.slots),
        )

    def place_slot(self, family, slots) -> str:
        """Return the slot of a place, or ''."""
        return next((s for s in slots if family.arguments_by_name[s].get('place')), '')

    def simple_phrases(self, noun_classes, count: int):
        """Return phrases, most of them simple."""
        return [
            self.noun_phrases.simple(noun_classes)
            if self.random() < 0.7
            else self.noun_phrases.phrase(noun_classes)
            for _ in range(count)
        ]

    def sample_place(self, family, slot):
        """Sample a place: relation, text and landmarks."""
        if family.prefers_inside:
            return self.noun_phrases.place('in' if self.random() < 0.75 else None)
        noun_classes = family.noun_classes(slot)
        if (
            noun_classes != family.noun_classes('object')
            and noun_classes != ('any',)
            and self.random() < 0.75
        ):
            return self.noun_phrases.place(
                sample_relation(self, noun_classes), noun_classes=noun_classes
            )
        return self.noun_phrases.place(allow_to=family.name == 'place' and self.random() < 0.12)

    def basic_request(self, name: str, form: str, given=None):
        """Return text and call of a request for a basic skill, its verb written as <verb>.

        :param given: as in `fill`; also for slots that the request leaves unsaid.
        """
        family = skill_families()[name]
        slots = [slot for slot in family.arguments_by_name if f'{{{slot}}}' in form]
        form = form.replace('<', VERB_OPEN).replace('>', VERB_CLOSE)
        text, call = self.fill(family, form, slots, given)
        for slot, (_, phrases, *relation) in (given or {}).items():
            call.phrases[slot] = phrases
            call.relation = relation[0] if relation else call.relation
        return text, call

    def sequence(self, instruction):
        """Two or three clauses, later ones mostly with a pronoun."""
        family, template, slot = self.object_request()
        if not template:
            return False
        text, call = self.fill(family, self.add_short_carrier_phrase(template.text), template.slots)
        instruction.calls.append(call)
        subject = call.phrases[slot][0]
        for _ in range(1 if self.random() < 0.74 else 2):
            more = self._next_clause(instruction, subject, call)
            if not more:
                return len(instruction.calls) > 1
            text += self.wording('then') + more
            instruction.text = text
        return True

    def _next_clause(self, instruction, subject, previous):
        """Return another clause, with a pronoun for the subject most of the time."""
        family, template = self.imperative(self.takes_object if self.random() < 0.85 else None)
        if not template or (not template.slots and family is previous.family):
            return ''
        slot = self.object_slot(family, template.slots)
        given, text = {}, template.text
        if (
            slot
            and self.random() < 0.73
            and family is not previous.family
            and self.can_refer_to(subject, family, slot)
        ):
            text, given = self.pronominalize(template, slot, subject)
        self.refer_to_place(family, template, previous, given)
        text, call = self.fill(family, text, template.slots, given)
        instruction.calls.append(call)
        return text

    def refer_to_place(self, family, template, previous, given) -> None:
        """Add, half of the time, "there" as place of a request, after a call with a place."""
        target = self.place_slot(family, template.slots)
        place = previous.relation and self.place_slot(previous.family, previous.phrases)
        if target and place and self.random() < 0.5:
            given[target] = self.wording('there'), previous.phrases[place], previous.relation

    def coordination(self, instruction):
        """One verb with two or three objects: a step for each."""
        family, template, slot = self.object_request()
        if not template:
            return False
        noun_classes = family.noun_classes(slot)
        r = self.random()
        if r < 0.24:
            phrases, text = self.shared_head(noun_classes)
        else:
            phrases = self.simple_phrases(noun_classes, 2 if r < 0.8 else 3)
            text = self.join([phrase.text for phrase in phrases])
        request, text = self.coordinate(template, slot, text)
        instruction.text, call = self.fill(
            family, request, template.slots, {slot: (text, (phrases[0],))}
        )
        instruction.calls = [call]
        self.repeat(instruction, call, slot, phrases[1:])
        return True

    @staticmethod
    def repeat(instruction, call, slot, phrases) -> None:
        """Add a call for each further phrase."""
        for phrase in phrases:
            more = call.copy()
            more.phrases[slot] = (phrase,)
            instruction.calls.append(more)

    def join(self, texts) -> str:
        """Return an enumeration: "the cup, the fork and the plate"."""
        comma = self.wording('enumeration')
        return comma.join(texts[:-1]) + self.wording('and') + texts[-1]

    def ellipsis(self, instruction):
        """Clauses that omit the verb: "put the fork in the drawer and the knife on the tray"."""
        family, template, _ = self.object_request(
            of_template=lambda f, t: self.elliptical(t, self.object_slot(f, t.slots))
        )
        if not template:
            return False
        tail = self.elliptical(template, self.object_slot(family, template.slots))
        whole = VERB_OPEN in tail and self.random() < 0.3
        text, call = self.fill(
            family,
            tail if whole else self.add_short_carrier_phrase(template.text),
            template.slots,
        )
        instruction.calls = [call]
        for _ in range(1 if self.random() < 0.8 else 2):
            more, other = self.fill(family, tail, [s for s in template.slots if f'{{{s}}}' in tail])
            other.verb = other.verb or call.verb
            other.phrases = {**call.phrases, **other.phrases}
            other.values = {**call.values, **other.values}
            text += self.wording('ellipsis_joints') + more
            instruction.calls.append(other)
        instruction.text = text
        return True
