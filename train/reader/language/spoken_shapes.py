"""Shapes of speech: mishaps as requests, texts said apart, verbless answers, verbs taken back."""

from __future__ import annotations

from kimi_train.reader.language.skill_families import (
    FETCH_FAMILIES,
    VERB_CLOSE,
    VERB_OPEN,
    skill_families,
)

__all__ = ['SPOKEN_SHAPES', 'SpokenShapeGenerator']

# Sampling weights.
SPOKEN_SHAPES = (
    ('mishap', 9),
    ('topic_of_all', 2),
    ('text_apart', 4),
    ('text_introduced', 3),
    ('verb_correction', 2),
    ('contrast_fragment', 2),
    ('joined_fragment', 2),
    ('answer_fragment', 3),
    ('near_miss', 12),
)
_STATED_CLASSES = {
    'person': 'person_states',
    'animal': 'person_states',
}


class SpokenShapeGenerator:
    """Mixed into a `PatternGenerator`, whose requests it embeds."""

    def topic_of_all(self, instruction):
        """A request about all things of a kind; a shape of Chinese alone."""
        return False

    def state_place(self, form, phrase) -> str:
        """Return the statement about a thing, '{}', and keep the place it tells, '{place}'."""
        if '{place}' in form:
            relation, place, landmarks = self.noun_phrases.place(static=True, nested=False)
            form = form.replace('{place}', place)
            if not phrase.relation:
                phrase.relation, phrase.landmarks = relation, landmarks
        return form.replace('{}', phrase.text)

    def mishap(self, instruction):
        """What happened to a thing, and a request: "my hook rolled under the bed, get it"."""
        family, template, slot = self.object_request()
        if not template:
            return False
        noun_classes = family.noun_classes(slot)
        phrase = (
            self.noun_phrases.simple(noun_classes, self.wording('mishap_determiners'))
            if self.random() < 0.8
            else self.noun_phrases.phrase(noun_classes)
        )
        if phrase.plural or phrase.noun_class == 'place':
            return False
        form = self.wording(_STATED_CLASSES.get(phrase.noun_class, 'mishaps'))
        statement = self.state_place(form, phrase)
        text, given = self.pronominalize(template, slot, phrase)
        text = self.wording('mishap_requests').replace('{}', text)
        text, call = self.fill(family, text, template.slots, given)
        parts = (statement, text) if self.random() < 0.88 else (text.rstrip('?？'), statement)
        joint = self.wording('mishap_joints')
        if self.lang == 'en' and parts[0] is text:
            joint = self.choose((', ', '. ', ' - ', ', you see, ', ' because '))
        instruction.text = joint.join(parts)
        instruction.calls = [call]
        return True

    def _text_request(self, predicate):
        """Sample a family with one text and an imperative template of it that fits, and the slot.

        :param predicate: of template and slot of the text.
        """

        def slot_of(family):
            slots = [a['name'] for a in family.arguments if a['type'] == 'string']
            return slots[0] if len(slots) == 1 else ''

        def fits(family):
            slot = slot_of(family)
            return slot and any(
                t.is_imperative and predicate(t, slot) for t in family.templates[self.lang]
            )

        family = self.family(fits)
        template = family and self.sample_template(
            family, lambda t: t.is_imperative and predicate(t, slot_of(family))
        )
        return (family, template, slot_of(family)) if template else (None, None, '')

    def text_apart(self, instruction):
        """A text that is said beside its request: "play us something, the title is Yesterday"."""
        family, template, slot = self._text_request(lambda t, slot: slot not in t.slots)
        if not template:
            return False
        forms = [f.partition(': ') for f in self.wordings('text_statements')]
        forms = [form for of, _, form in forms if slot in of.split(',') or of == 'any']
        form = self.choose(forms).replace('{slot}', slot).replace('{}', '{' + slot + '}')
        request = self.add_short_carrier_phrase(template.text)
        r = self.random()
        if r < 0.65:
            text, slots = request + self.wording('text_joints') + form, (*template.slots, slot)
        else:
            text, slots = form + self.wording('text_joints') + request, (slot, *template.slots)
        instruction.text, call = self.fill(family, text, slots)
        instruction.calls = [call]
        return True

    def text_introduced(self, instruction):
        """A text with its introduction: "play the one called Yesterday"."""
        family, template, slot = self._text_request(
            lambda t, slot: t.text.endswith(VERB_CLOSE + self.space + '{' + slot + '}')
        )
        if not template:
            return False
        forms = [f.partition(': ') for f in self.wordings('text_introductions')]
        forms = [form for of, _, form in forms if slot in of.split(',') or of == 'any']
        if not forms:
            return False
        text = template.text.replace(
            '{' + slot + '}', self.choose(forms).replace('{}', '{' + slot + '}')
        )
        instruction.text, call = self.fill(family, self.add_carrier_phrase(text), template.slots)
        instruction.calls = [call]
        return True

    def verb_correction(self, instruction):
        """A verb that is taken back: "wash, no, dry the cup"."""
        family, template, _ = self.object_request()
        if not template or not template.verb:
            return False
        other = skill_families()[self.choose(self.catalogue.requestable)]
        wrong = next((t.verb for t in other.templates[self.lang] if t.is_imperative), '')
        if not wrong or other is family or wrong == template.verb:
            return False
        text = template.text.replace(VERB_OPEN, wrong + self.wording('correction') + VERB_OPEN, 1)
        instruction.text, call = self.fill(
            family, self.add_short_carrier_phrase(text), template.slots
        )
        instruction.calls = [call]
        return True

    def _fragment_family(self):
        """Return the basic skill of a verbless request, place or hand_over, or ''."""
        if self.random() < 0.6 and self.catalogue.resolve('place'):
            return 'place'
        return 'hand_over' if any(map(self.catalogue.resolve, FETCH_FAMILIES)) else ''

    def contrast_fragment(self, instruction):
        """A contrast without a verb: "mug, not the glass, behind the bread bin"."""
        name = self._fragment_family()
        if not name:
            return False
        forbidden = self.noun_phrases.simple(('any',))
        phrase = self.noun_phrases.simple(('any',))
        form = self.wording(f'contrast_fragments_{name}').replace('{thing}', forbidden.text)
        instruction.text, call = self.basic_request(
            name, form, {'object': (phrase.text, (phrase,))}
        )
        instruction.calls, instruction.forbidden = [call], [forbidden]
        return True

    def joined_fragment(self, instruction):
        """Two things without a verb: "the mug, please, and the spoon as well"."""
        name = self._fragment_family()
        if not name:
            return False
        phrases = self.simple_phrases(('any',), 2)
        form = self.wording(f'joined_fragments_{name}').replace('{more}', phrases[1].text)
        instruction.text, call = self.basic_request(
            name, form, {'object': (phrases[0].text, (phrases[0],))}
        )
        instruction.calls = [call]
        self.repeat(instruction, call, 'object', phrases[1:])
        return True

    def answer_fragment(self, instruction):
        """The place or the value that answers a question: "on the shelf", "the left, please"."""
        old, _ = self.previous_call(instruction)
        if not old:
            return False
        call = old.copy()
        place = old.relation and self.place_slot(old.family, old.phrases)
        valued = [
            slot
            for slot in old.values
            if old.family.arguments_by_name[slot]['type'] in ('enum', 'number')
        ]
        if place:
            relation, text, phrases = self.sample_place(old.family, place)
            call.phrases[place], call.relation = phrases, relation
        elif valued:
            slot = self.choose(valued)
            text = self._fill_slot(old.family, call, slot, None)
        else:
            return False
        instruction.text = self.wording('answers').replace('{}', text)
        instruction.calls = [call]
        return True

    def near_miss(self, instruction):
        """A request beside what the skills do: "clip my toenails" of a robot that combs hair."""
        fulfilling, _, form = self.wording('near_misses').partition(': ')
        front, _, rest = form.partition('<')
        verb, _, rest = rest.partition('>')
        if verb in self.catalogue.verbs or self.catalogue.has(*fulfilling.split(',')):
            return False
        text = front + VERB_OPEN + rest
        for slot, noun_classes in (('{person}', ('person',)), ('{n}', ('any',))):
            if slot in text:
                text = text.replace(slot, self.noun_phrases.simple(noun_classes).text)
        instruction.verb, marked = self.mark(verb)
        text = text.replace(VERB_OPEN, marked)
        told = any(comma in text for comma in (', ', '，', '. '))  # what is wrong, then the request
        instruction.text = text if told else self.add_carrier_phrase(text)
        instruction.outcome = 'no_skill'
        return True
