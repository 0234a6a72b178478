"""English requests: for one skill, in sequence, coordinated, elliptical."""

from __future__ import annotations

from kimi_train.reader.language import free_text
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.carrier_phrases_en import add_carrier_phrase
from kimi_train.reader.language.clause_generator import (
    GROUNDED_TYPES,
    ClauseGenerator,
    sample_relation,
)
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.skill_families import (
    VERB_CLOSE,
    VERB_OPEN,
    to_passive,
)

__all__ = ['RequestGenerator', 'THEN', 'add_short_carrier_phrase']

TEMPLATES = sentence_templates('en')
THEN = TEMPLATES['then']


class RequestGenerator(ClauseGenerator):
    """Generates English requests."""

    lang = 'en'

    def sample_text(self, slot):
        """Sample a string argument, sometimes in quotes."""
        text = free_text.sample_text(self.rng, 'en', slot)
        if slot not in free_text.QUOTABLE:
            return text, text
        r = self.random()
        quoted = f'"{text}"' if r < 0.25 else f"'{text}'" if r < 0.4 else text
        return quoted, text

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

    def clause(
        self, family=None, given=None, imperative=True, carrier_probability=0.0, pronoun=False
    ):
        """Return a clause and its skill call; (None, None) if nothing fits."""
        family = family or self.family(
            lambda f: not imperative or any(a.is_imperative for a in f.templates['en'])
        )
        template = family and self.sample_template(
            family, (lambda a: a.is_imperative) if imperative else None
        )
        if not template:
            return None, None
        text = template.pronoun_text if pronoun else template.text
        if carrier_probability and template.is_imperative and self.random() < carrier_probability:
            text = add_carrier_phrase(self.rng, text)
        elif template.is_question and self.random() < 0.8:
            text += '?'
        return self.fill(family, text, template.slots, given)

    def single(self, instruction):
        """A request for one skill."""
        family = self.family()
        template = self.sample_template(family)
        if not template:
            return False
        r = self.random()
        passive = to_passive(template) if r < 0.10 else None
        if passive:
            slot, done = passive
            text = self.choose(TEMPLATES['passive']).replace('{}', slot) + done
            if text.startswith(('could', 'can')):
                text += '?'
        elif template.is_imperative:
            text = add_carrier_phrase(self.rng, template.text)
            if (
                0.10 < r < 0.13
                and template.slots
                and template.text.count('{' + template.slots[0] + '}') == 1
            ):
                text = f'{{{template.slots[0]}}}, ' + template.pronoun_text.replace(
                    '{' + template.slots[0] + '}', 'it', 1
                )
                if family.arguments_by_name[template.slots[0]][
                    'type'
                ] not in GROUNDED_TYPES or family.arguments_by_name[template.slots[0]].get('place'):
                    text = template.text
                else:
                    given = self._singular_object(family, template.slots[0])
                    instruction.text, call = self.fill(family, text, template.slots, given)
                    instruction.calls = [call]
                    return True
        else:
            text = template.text + ('?' if template.is_question and self.random() < 0.8 else '')
        given = None
        if family.name == 'place' and r > 0.92:
            return self._between_places(instruction, family)
        instruction.text, call = self.fill(family, text, template.slots, given)
        instruction.calls = [call]
        return True

    def _between_places(self, instruction, family):
        """Moving an object: "move the cup from the shelf to the table"."""
        verb = self.choose(
            ('move', 'take', 'transfer', 'bring', 'shift', 'carry', 'relocate', 'get', 'move')
        )
        phrase = self.noun_phrases.from_place(family.noun_classes('object'))
        relation, wording, landmarks = self.noun_phrases.place(
            self.choose(('on', 'in')), allow_to=True, nested=False
        )
        instruction.text, call = self.fill(
            family,
            add_carrier_phrase(self.rng, f'{VERB_OPEN}{verb}{VERB_CLOSE} {{object}} {{target}}'),
            ('object', 'target'),
            {'object': (phrase.text, (phrase,)), 'target': (wording, landmarks, relation)},
        )
        instruction.calls = [call]
        return True

    def _singular_object(self, family, slot):
        for _ in range(8):
            phrase = self.noun_phrases.phrase(family.noun_classes(slot))
            if not phrase.plural:
                break
        return {slot: (phrase.text, (phrase,))}

    def takes_object(self, family):
        """Tell whether the family has an imperative template with an object slot."""
        return any(
            a.is_imperative and self.object_slot(family, a.slots) for a in family.templates['en']
        )

    def sequence(self, instruction, steps=0):
        """Two or three clauses, often with a pronoun: "grab the cup and put it there"."""
        steps = steps or (2 if self.random() < 0.75 else 3)
        first = self.family(self.takes_object)
        if not first:
            return False
        template = self.sample_template(
            first, lambda a: a.is_imperative and self.object_slot(first, a.slots)
        )
        if not template:
            return False
        slot = self.object_slot(first, template.slots)
        text = template.text
        r = self.random()
        if r < 0.4:
            text = self.choose(TEMPLATES['sequence_start']).replace('{}', text, 1)
        text, call = self.fill(first, text, template.slots)
        instruction.calls.append(call)
        subject = call.phrases[slot][0]
        for _ in range(steps - 1):
            connector = self.choose(THEN)
            more = self._next_clause(instruction, subject, call)
            if not more:
                return len(instruction.calls) > 1
            text += connector + more
        instruction.text = text
        return True

    def _next_clause(self, instruction, subject, previous):
        """Return another clause, with a pronoun for the subject most of the time."""
        family = self.family(
            self.takes_object
            if self.random() < 0.85
            else lambda f: any(a.is_imperative for a in f.templates['en'])
        )
        if not family:
            return ''
        template = self.sample_template(family, lambda a: a.is_imperative)
        if not template or (template.slots == () and family is previous.family):
            return ''
        slot = self.object_slot(family, template.slots)
        given = None
        text = template.text
        if (
            slot
            and self.random() < 0.72
            and family is not previous.family
            and self.can_refer_to(subject, family, slot)
        ):
            text = template.pronoun_text
            given = {slot: (self.pronoun(subject), (subject,))}
        elif family is previous.family and slot is None:
            return ''
        place = previous.relation and [
            s for s in previous.phrases if previous.family.arguments_by_name[s].get('place')
        ]
        target = next((s for s in template.slots if family.arguments_by_name[s].get('place')), '')
        if target and place and self.random() < 0.5:
            given = dict(given or {})
            given[target] = (
                self.choose(('there', 'there too', 'there as well')),
                previous.phrases[place[0]],
                previous.relation,
            )
        text, call = self.fill(family, text, template.slots, given)
        instruction.calls.append(call)
        return text

    def pronoun(self, phrase):
        """Return the pronoun for a phrase."""
        if phrase.plural:
            return 'them'
        if phrase.noun_class == 'person':
            return self.choose(('them', 'him', 'her'))
        return self.choose(('it',) * 8 + ('that', 'it'))

    def pronominalize(self, template, slot, subject):
        """Return the request with a pronoun as its object, and its `given` slots."""
        return template.pronoun_text, {slot: (self.pronoun(subject), (subject,))}

    def add_short_carrier_phrase(self, text):
        """Return the imperative in a short carrier phrase, often in none."""
        return add_short_carrier_phrase(self, text)

    def coordination(self, instruction):
        """One verb with two or three objects: a step for each."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
        )
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        noun_classes = family.noun_classes(slot)
        r = self.random()
        if r < 0.25:
            phrases, text = self._shared_head(noun_classes)
        else:
            count = 2 if r < 0.8 else 3
            phrases = [
                self.noun_phrases.simple(noun_classes)
                if self.random() < 0.7
                else self.noun_phrases.phrase(noun_classes)
                for _ in range(count)
            ]
            wordings = [p.text for p in phrases]
            last = self.choose(TEMPLATES['and'])
            text = (
                ', '.join(wordings[:-1])
                + (',' if count == 3 and last[0] == ' ' and self.random() < 0.4 else '')
                + last
                + wordings[-1]
            )
        clause, call = self.fill(
            family,
            add_carrier_phrase(self.rng, template.text),
            template.slots,
            {slot: (text, (phrases[0],))},
        )
        if self.random() < 0.06 and not clause.endswith('?') and len(phrases) == 2:
            clause = clause.replace(text, 'both ' + text)
        instruction.text = clause
        instruction.calls = [call]
        for phrase in phrases[1:]:
            more = call.copy()
            more.phrases[slot] = (phrase,)
            instruction.calls.append(more)
        return True

    def _shared_head(self, noun_classes):
        """Return "the red and the blue cup": the phrases share their head."""
        noun = self.noun_phrases.lexicon.noun(self.rng, noun_classes, self.noun_phrases.split)
        first, second = self.noun_phrases.adjective(), self.noun_phrases.adjective()
        if first == second:
            second = 'blue' if first != 'blue' else 'red'
        last = self.noun_phrases.build(noun, self.choose(('the', 'the', '')), (second,))
        attribute, text = self.mark(first)
        words, text = self.mark(text)
        det = self.choose(('the ', 'the ', 'the ', 'my '))
        one = AnnotatedPhrase(
            det + text, words, last.head, (attribute,), noun_class=noun.noun_class
        )
        return [one, last], f'{one.text} and {last.text}'

    def ellipsis(self, instruction):
        """Clauses that omit the verb: "put the fork in the drawer and the knife on the tray"."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family,
            lambda a: (
                a.is_imperative and self.object_slot(family, a.slots) and a.text.endswith('}')
            ),
        )
        if not template:
            return False
        slot = self.object_slot(family, template.slots)
        tail = template.text[template.text.index('{' + slot) :]
        text, call = self.fill(
            family, add_short_carrier_phrase(self, template.text), template.slots
        )
        instruction.calls = [call]
        for _ in range(1 if self.random() < 0.8 else 2):
            more, other = self.fill(family, tail, [s for s in template.slots if f'{{{s}}}' in tail])
            other.verb = call.verb
            other.phrases = {**call.phrases, **other.phrases}
            other.values = {**call.values, **other.values}
            text += (
                self.choose((' and ', ', ', ' and then ', ', then ', ', and ', ' and also ', '; '))
                + more
            )
            instruction.calls.append(other)
        instruction.text = text
        return True


def add_short_carrier_phrase(generator, text):
    """Return the imperative in a short carrier phrase, often in none."""
    return (
        text
        if generator.random() < 0.6
        else generator.choose(TEMPLATES['short_carrier_phrases']).replace('{}', text, 1)
    )
