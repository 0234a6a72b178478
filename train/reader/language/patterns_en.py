"""English instructions of all kinds, and their frequencies."""

from __future__ import annotations

from kimi_train.reader.language.annotated_instruction import AnnotatedInstruction
from kimi_train.reader.language.requests_en import add_short_carrier_phrase
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.situations import SITUATIONS, SituationGenerator
from kimi_train.reader.language.skill_families import (
    FETCH_FAMILIES,
    VERB_CLOSE,
    VERB_OPEN,
    skill_families,
    to_passive,
)
from kimi_train.reader.language.tasks_en import TaskGenerator

__all__ = ['PATTERNS', 'EnglishGenerator']

TEMPLATES = sentence_templates('en')
_RECIPIENTS = TEMPLATES['recipients']
_CLEFTS = TEMPLATES['clefts']
_WANTED = TEMPLATES['wanted']
_LANDMARK_PRONOUNS = TEMPLATES['landmark_pronouns']
_RELATION_OF = {
    'on': 'on',
    'next': 'next_to',
    'beside': 'next_to',
    'in': 'in',
    'into': 'in',
    'behind': 'behind',
    'under': 'under',
    'inside': 'in',
    'near': 'next_to',
    'by': 'next_to',
    'onto': 'on',
}
_STATES = TEMPLATES['states']


class EnglishGenerator(SituationGenerator, TaskGenerator):
    """Generates English instructions of all kinds."""

    def cleft(self, instruction):
        """A cleft sentence: "it's the hammer I want you to pick up"."""
        family = self.family(self.takes_object)
        if family and family.name in FETCH_FAMILIES and self.random() < 0.5:
            form = self.choose(_WANTED).replace('{o}', '{object}')
            verb = 'need' if ' need' in form else 'want' if ' want' in form else ''
            if verb:
                form = form.replace(verb, VERB_OPEN + verb + VERB_CLOSE, 1)
            instruction.text, call = self.fill(family, form, ('object',))
            instruction.calls = [call]
            return True
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and a.slots == (self.object_slot(family, a.slots),)
        )
        if not template:
            return False
        slot = '{' + template.slots[0] + '}'
        form = self.choose(_CLEFTS)
        if form.endswith(' it') or ' it ' in form.split('{v}')[1]:
            verb = template.pronoun_text.replace(slot, 'it', 1)
            form = form.replace('{v} it', '{v}')
        elif template.pronoun_text != template.text or template.text.endswith(' ' + slot):
            verb = template.pronoun_text.replace(' ' + slot, '', 1)
        else:
            return False
        given = self._singular_object(family, template.slots[0])
        instruction.text, call = self.fill(
            family, form.replace('{v}', verb).replace('{o}', slot), template.slots, given
        )
        instruction.calls = [call]
        return True

    def shared_objects(self, instruction):
        """Two objects shared by two verbs: "take the fork and the knife and wash them"."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and self.object_slot(family, a.slots)
        )
        again = self.family(lambda f: f is not family and self.takes_object(f))
        more = again and self.sample_template(
            again, lambda a: a.is_imperative and self.object_slot(again, a.slots)
        )
        if not template or not more or more.slots.count(self.object_slot(again, more.slots)) != 1:
            return False
        slot, taken = self.object_slot(family, template.slots), self.object_slot(again, more.slots)
        noun_classes = family.noun_classes(slot)
        phrases = [self.noun_phrases.simple(noun_classes) for _ in range(2)]
        if not all(self.can_refer_to(p, again, taken) for p in phrases):
            return False
        text, call = self.fill(
            family,
            add_short_carrier_phrase(self, template.text),
            template.slots,
            {slot: (f'{phrases[0].text} and {phrases[1].text}', (phrases[0],))},
        )
        first = [call, call.copy()]
        first[1].phrases[slot] = (phrases[1],)
        them = self.choose(('them', 'them', 'both of them', 'both', 'them both', 'the two of them'))
        follow, call = self.fill(
            again, more.pronoun_text, more.slots, {taken: (them, (phrases[0],))}
        )
        second = [call, call.copy()]
        second[1].phrases[taken] = (phrases[1],)
        instruction.text = (
            text + self.choose((' and ', ' and then ', ', then ', '. Then ', ' and ')) + follow
        )
        instruction.calls = first + second
        return True

    def landmark_pronoun(self, instruction):
        """A pronoun for a landmark: "find the tray and put the cup on it"."""
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
        text, call = self.fill(first, add_short_carrier_phrase(self, template.text), template.slots)
        landmark = call.phrases[self.object_slot(first, template.slots)][0]
        if landmark.plural or landmark.noun_class == 'person':
            return False
        target = next(s for s in place_template.slots if placer.arguments_by_name[s].get('place'))
        wording = self.choose(_LANDMARK_PRONOUNS)
        relation = _RELATION_OF.get(wording.split(' ')[0], '')
        if wording.startswith(('in front', 'to the left', 'to the right')):
            relation = {'f': 'in_front_of', 'l': 'left_of', 'r': 'right_of'}[
                wording.split(' ')[-3 if 'to the' in wording else 1][0]
            ]
        more, other = self.fill(
            placer,
            place_template.text,
            place_template.slots,
            {target: (wording, (landmark,), relation)},
        )
        instruction.text = (
            text
            + self.choose((' and ', ' and then ', ', then ', '. Then ', ' and ', ', and '))
            + more
        )
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
        verb = self.choose(('give', 'hand', 'bring', 'pass', 'take', 'deliver'))
        if verb not in ('give', 'hand', 'bring', 'pass') and verb in self.catalogue.verbs:
            return False
        number, who = self.mark(f'to {self.choose(_RECIPIENTS)}')
        self.left_out.append(number)
        text, call = self.fill(
            family,
            add_short_carrier_phrase(self, f'{VERB_OPEN}{verb}{VERB_CLOSE} {{object}} {who}'),
            ('object',),
        )
        instruction.text, instruction.calls = text, [call]
        return True

    def unverifiable_condition(self, instruction):
        """A condition that an image cannot answer, reported as left out."""
        text, call = self.clause(carrier_probability=0.2)
        if not text or text.endswith('?'):
            return False
        thing = self.noun_phrases.simple(('any', 'open', 'switch'), 'the')
        if thing.plural:
            return False
        number, wording = self.mark(
            f'{self.choose(("if", "if", "when", "once", "as soon as", "unless", "while"))} '
            f'{thing.text} {self.choose(_STATES)}'
        )
        self.left_out.append(number)
        instruction.text = (
            f'{wording}{self.choose((", ", " "))}{text}'
            if self.random() < 0.6
            else f'{text} {wording}'
        )
        instruction.calls = [call]
        return True

    def place_by_content(self, instruction):
        """A place named by what is there now, reported as left out."""
        family = skill_families()['place']
        if not self.catalogue.resolve('place'):
            return False
        thing = self.noun_phrases.simple(('any',), 'the')
        number, wording = self.mark(f'where {thing.text} {"are" if thing.plural else "is"}')
        self.left_out.append(number)
        verb = self.choose(('put', 'place', 'set', 'leave', 'put'))
        instruction.text, call = self.fill(
            family,
            add_short_carrier_phrase(self, f'{VERB_OPEN}{verb}{VERB_CLOSE} {{object}} {wording}'),
            ('object',),
        )
        instruction.calls = [call]
        return True

    def clarification_answer(self, instruction):
        """The answer to a clarification question: "the red one"."""
        previous = AnnotatedInstruction()
        if not self.single(previous) or not previous.calls[0].phrases:
            return False
        old = previous.calls[0]
        slot = self.object_slot(old.family, list(old.phrases))
        if not slot:
            return False
        self.left_out.clear()
        instruction.history = (previous.text,)
        r = self.random()
        new = (
            self.noun_phrases.pronominal()
            if r < 0.6
            else self.noun_phrases.with_relation(
                self.noun_phrases.lexicon.noun(
                    self.rng, old.family.noun_classes(slot), self.noun_phrases.split
                )
            )
            if r < 0.8
            else self.noun_phrases.simple(old.family.noun_classes(slot), 'the')
        )
        call = old.copy()
        call.phrases = {**old.phrases, slot: (new,)}
        instruction.calls = [call]
        instruction.text = self.choose(
            (
                '{}',
                '{}',
                '{}',
                '{} please',
                'I mean {}',
                '{} of course',
                'I meant {}',
                'take {}' if old.family.name == 'pick' else '{}',
                '{}, I think',
                'the answer is {}',
                '{} I guess',
                'well, {}',
            )
        ).replace('{}', new.text)
        return True

    def attribute_correction(self, instruction):
        """A correction inside a noun phrase: "the red, no, the blue cup"."""
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
        phrase = self.noun_phrases.build(noun, self.choose(('the', 'the', '')), (good,))
        correction = self.choose(TEMPLATES['attribute_correction'])
        instruction.text, call = self.fill(
            family,
            add_short_carrier_phrase(self, template.text),
            template.slots,
            {slot: (f'the {wrong}{correction}{phrase.text}', (phrase,))},
        )
        instruction.calls = [call]
        return True

    def fragment(self, instruction):
        """A verbless request: "mug on the shelf", "cup please"."""
        fetch = any(self.catalogue.resolve(n) for n in FETCH_FAMILIES)
        r = self.random()
        if r < 0.5 and self.catalogue.resolve('place'):
            family = skill_families()['place']
            instruction.text, call = self.fill(
                family, self.choose(TEMPLATES['fragment_place']), ('object', 'target')
            )
        elif fetch:
            family = skill_families()['hand_over']
            instruction.text, call = self.fill(
                family, self.choose(TEMPLATES['fragment_fetch']), ('object',)
            )
        else:
            return False
        instruction.calls = [call]
        return True

    def cancellation(self, instruction):
        """A request that is cancelled."""
        text, call = self.clause(carrier_probability=0.3)
        if not text:
            return False
        instruction.text = text.rstrip('?') + self.choose(TEMPLATES['cancellation'])
        instruction.outcome = 'nothing'
        return True

    def passive_chain(self, instruction):
        """Two coordinated passives: "the cup should be washed and put on the shelf"."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(family, to_passive)
        again = self.family(lambda f: f is not family and self.takes_object(f))
        more = again and self.sample_template(again, to_passive)
        if not template or not more or len(set(template.slots)) != len(template.slots):
            return False
        slot, done = to_passive(template)
        slot2, done2 = to_passive(more)
        phrase = self.noun_phrases.simple(family.noun_classes(slot[1:-1]))
        if (
            phrase.plural
            or not self.can_refer_to(phrase, again, slot2[1:-1])
            or family.arguments_by_name[slot[1:-1]]['type'] != 'object'
            or (again.arguments_by_name[slot2[1:-1]]['type'] != 'object')
        ):
            return False
        form = self.choose(TEMPLATES['passive_chain'])
        one, call = self.fill(
            family,
            form.replace('{o}', slot) + done,
            template.slots,
            {slot[1:-1]: (phrase.text, (phrase,))},
        )
        two, other = self.fill(again, done2, [s for s in more.slots if s != slot2[1:-1]])
        other.phrases[slot2[1:-1]] = (phrase,)
        instruction.text = one + self.choose((' and ', ' and then ', ', then ', ' and ')) + two
        instruction.calls = [call, other]
        return True


# Sampling weights.
PATTERNS = (
    ('single', 30),
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
    ('passive_chain', 2),
    ('multi_step_task', 6),
    *SITUATIONS,
)
