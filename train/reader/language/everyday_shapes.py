"""Shapes of everyday talk: refusals, vague words, topics of questions, shares, changed endings."""

from __future__ import annotations

__all__ = ['EVERYDAY_SHAPES', 'EverydayShapeGenerator']

# Sampling weights.
EVERYDAY_SHAPES = (
    ('refused_request', 7),
    ('vague_object', 4),
    ('topic_question', 6),
    ('shares', 3),
    ('next_share', 4),
    ('changed_ending', 3),
)
_DIRECTIONS = (' to ', ' in ', ' into ', ' on ', ' onto ', ' under ', ' next ', ' behind ', ' at ')


class EverydayShapeGenerator:
    """Mixed into a `PatternGenerator`, whose requests it embeds."""

    def refused_request(self, instruction):
        """What is not to be done, or need not be: "don't water the palm any more"."""
        family, template = self.imperative()
        if not template:
            return False
        forbidding = self.random() < 0.72
        form, text = self.wording('refusals' if forbidding else 'needless'), template.text
        if '{doing}' in form:
            text = self.gerund(text)
            if not text:
                return False
        for slot, noun_classes in (('{n}', ('any',)), ('{name}', ('name',))):
            form = self.noun_phrases.with_nouns(form, slot, noun_classes)
        text, call = self.fill(family, text, template.slots)
        instruction.text = form.replace('{doing}', text).replace('{}', text)
        slot = self.object_slot(family, template.slots)
        if forbidding and slot:
            instruction.forbidden = [call.phrases[slot][0]]
        instruction.outcome = 'nothing'
        self.left_out.clear()
        return True

    def vague_object(self, instruction):
        """A request about something that nobody could know: "hand me the whatsit"."""
        family, template, slot = self.object_request()
        if not template or 'place' in family.noun_classes(slot):
            return False
        people = 'person' in family.noun_classes(slot)
        phrase = self.noun_phrases.simple(family.noun_classes(slot))
        if phrase.plural:
            return False
        given = {slot: (self.wording('vague_people' if people else 'vague_things'), (phrase,))}
        instruction.text, _ = self.fill(
            family, self.add_carrier_phrase(template.text), template.slots, given
        )
        instruction.outcome = 'unclear'
        self.left_out.clear()
        return True

    def topic_question(self, instruction):
        """A question after what it is about: "the melons, are they on the cart or in the van"."""
        kind, _, form = self.wording('topic_questions').partition(': ')
        if self.may_request_skill(kind, form):
            return False
        person = '{who}' in form
        phrase = self.noun_phrases.person() if person else self.noun_phrases.definite(('any',))
        if '{place}' in form:
            relation, place, landmarks = self._place()
            if '{elsewhere}' not in form:
                phrase.relation, phrase.landmarks = relation, landmarks
            form = form.replace('{place}', place).replace('{elsewhere}', self._place()[1])
        it, are, have = ('they', 'are', 'have') if phrase.plural else ('it', 'is', 'has')
        form = form.replace('{it}', it).replace('{is}', are).replace('{has}', have)
        text = form.replace('{who}', phrase.text).replace('{}', phrase.text)
        instruction.text, instruction.outcome = self.finish_question(text), 'answer'
        instruction.question = (kind, (phrase,))
        return True

    def shares(self, instruction):
        """Who gets what, or what goes where, twice: "the soup for Ann and the stew for Bo"."""
        if self.random() < 0.4 and self.catalogue.resolve('place') == 'place':
            forms = (self.wording('placed_shares'),) * 2
            parts = [self.basic_request('place', form) for form in forms]
        else:
            family, what, to = self.delivery()
            if not family:
                return False
            forms = self.wording('personal_shares').split(' | ')
            parts = [self.fill_delivery(family, what, to, form) for form in (forms[0], forms[-1])]
        instruction.text = parts[0][0] + self.wording('share_joints') + parts[1][0]
        instruction.calls = [call for _, call in parts]
        return True

    def _request_with_ending(self, instruction):
        """Write a request before this one; return its call, object slot and words from there on.

        Three times None if none fits.
        """

        def tail_of(family, template):
            slot = self.object_slot(family, template.slots)
            tail = slot and self.elliptical(template, slot)
            return tail if tail and tail.count('{') > 1 else ''

        family, template, slot = self.object_request(of_template=tail_of)
        if not template:
            return None, None, None
        text, call = self.fill(family, self.request(family, template), template.slots)
        instruction.history = (text,)
        self.left_out.clear()
        return call, slot, tail_of(family, template)

    def _say_again(self, old, words, given=None):
        """Return the words of a request with new slots, and its call, the rest as in the old."""
        slots = [slot for slot in old.family.arguments_by_name if '{' + slot + '}' in words]
        text, call = self.fill(old.family, words, slots, given)
        call.verb = call.verb or old.verb
        said = set(slots)  # "over there" fills a slot with nothing
        call.phrases |= {s: p for s, p in old.phrases.items() if s not in said}
        call.values |= {s: v for s, v in old.values.items() if s not in said}
        if not any(old.family.arguments_by_name[slot].get('place') for slot in slots):
            call.relation = old.relation
        return text, call

    def next_share(self, instruction):
        """A further object and where it goes, after a request: "and the red one to bed two"."""
        old, slot, tail = self._request_with_ending(instruction)
        if not old:
            return False
        noun_classes = old.family.noun_classes(slot)
        given = None
        if self.random() < 0.4:
            noun = self.noun_phrases.lexicon.noun(self.rng, noun_classes, self.noun_phrases.split)
            phrase = self.noun_phrases.pronominal(noun)
            given = {slot: (phrase.text, (phrase,))}
        rest = tail.removeprefix('{' + slot + '}')
        going = rest.startswith(_DIRECTIONS) and not any('{' + s + '}' in rest for s in old.values)
        if rest != tail and going and self.random() < 0.35:
            tail = '{' + slot + '}' + ' goes' + rest
        text, call = self._say_again(old, tail, given)
        instruction.text = self.wording('further_shares').replace('{}', text)
        instruction.calls = [call]
        return True

    def changed_ending(self, instruction):
        """What follows the object, changed after a request: "no, to bed two"."""
        old, slot, tail = self._request_with_ending(instruction)
        if not old:
            return False
        rest = tail.replace('{' + slot + '}', '', 1).strip(' ,，').removeprefix('的')
        text, call = self._say_again(old, rest)
        instruction.text = self.wording('changed_endings').replace('{}', text)
        instruction.calls = [call]
        return True
