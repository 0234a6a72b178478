"""English instructions: what is particular to the language."""

from __future__ import annotations

from kimi_train.reader.language import free_text
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.carrier_phrases_en import add_carrier_phrase, to_gerund
from kimi_train.reader.language.clause_generator import GROUNDED_TYPES
from kimi_train.reader.language.everyday_shapes import EverydayShapeGenerator
from kimi_train.reader.language.patterns import PatternGenerator
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.service_tasks import ServiceTaskGenerator
from kimi_train.reader.language.situations import SituationGenerator
from kimi_train.reader.language.skill_families import FETCH_FAMILIES, to_passive
from kimi_train.reader.language.span_markers import closing_marker, opening_marker
from kimi_train.reader.language.spoken_shapes import SpokenShapeGenerator
from kimi_train.reader.language.verbs_en import gerund, participle

__all__ = ['EnglishGenerator']

_THEM = ('them', 'them', 'both of them', 'both', 'them both', 'the two of them')


class EnglishGenerator(
    EverydayShapeGenerator,
    SituationGenerator,
    ServiceTaskGenerator,
    SpokenShapeGenerator,
    PatternGenerator,
):
    """Generates English instructions of all kinds."""

    lang = 'en'

    def sample_text(self, slot):
        """Sample a string argument, sometimes in quotes."""
        text = free_text.sample_text(self.rng, 'en', slot)
        if slot not in free_text.QUOTABLE:
            return text, text
        r = self.random()
        return (f'"{text}"' if r < 0.25 else f"'{text}'" if r < 0.4 else text), text

    def add_carrier_phrase(self, text):
        """Return the imperative in a carrier phrase, often in none."""
        return add_carrier_phrase(self.rng, text)

    def request(self, family, template):
        """Return the text of a request, with or without a carrier phrase."""
        if template.is_imperative:
            return self.add_carrier_phrase(template.text)
        return template.text + ('?' if template.is_question and self.random() < 0.8 else '')

    def gerund(self, text):
        """Return the imperative as a gerund, "picking up {object}", or ''."""
        return to_gerund(text)

    def agree(self, text, phrase):
        """Return the text about the phrase, its verb in the right number."""
        are = 'are' if phrase.plural else 'is'
        words = phrase.text
        if ' no {}' in text:  # no article after "no"
            words = words[words.index(opening_marker(phrase.words)) :]
        text = text.replace('{is}', are).replace('{isnt}', f"{are}n't")
        return text.replace('{}', words)

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

    def follow_several(self, template, slot, phrase):
        """Return the request with a pronoun for several things, and its `given` slots."""
        if template.slots.count(slot) != 1:
            return None
        return template.pronoun_text, {slot: (self.choose(_THEM), (phrase,))}

    def coordinate(self, template, slot, text):
        """Return the request with several objects in a slot, and their text."""
        request = self.add_carrier_phrase(template.text)
        both = ', ' not in text and not request.endswith('?') and self.random() < 0.06
        return request, f'both {text}' if both else text

    def elliptical(self, template, slot):
        """Return the request from its object on, if it ends with a slot, or ''."""
        if not template.text.endswith('}'):
            return ''
        return template.text[template.text.index('{' + slot) :]

    def finish_question(self, text):
        """Return the question, with a question mark unless it is an imperative."""
        imperative = text.split(' ', 1)[0] in sentence_templates('en')['no_question_mark']
        return text if imperative else text + '?'

    def question_phrase(self, template, noun_classes):
        """Return a question about a thing and its phrase, or None if they do not agree."""
        phrases = self.noun_phrases
        slot = next((s for s in ('{a}', '{s}', '{the}', '{n}') if s in template), '{}')
        if slot == '{}':
            phrase = (
                phrases.phrase(noun_classes)
                if self.random() < 0.6
                else phrases.definite(noun_classes)
            )
            return _agree_question(template, phrase).replace('{}', phrase.text), phrase
        if slot == '{n}':
            phrase = phrases.simple(noun_classes, '')
            return template.replace('{n}', phrase.text), phrase
        noun = phrases.lexicon.noun(self.rng, noun_classes, phrases.split)
        adjectives = (phrases.adjective(),) if self.random() < 0.35 else ()
        if slot == '{a}':
            phrase = phrases.build(noun, 'a', adjectives)
        elif not noun.plural and 'how many' in template:
            return None
        else:
            det = 'the' if slot == '{the}' else ''
            phrase = phrases.build(noun, det, adjectives, number='all' if noun.plural else 'one')
        text = template.replace(slot, phrase.text)
        if text.endswith((closing_marker(phrase.words), ' there', ' see', ' are')) and (
            self.random() < 0.35
        ):
            phrase.relation, place, phrase.landmarks = phrases.place(static=True, nested=False)
            text = f'{text} {place}'
        return text, phrase

    def shared_head(self, noun_classes):
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

    def single(self, instruction):
        """A request for one skill."""
        family = self.family()
        template = self.sample_template(family)
        if not template:
            return False
        r = self.random()
        if family.name == 'place' and r > 0.92:
            return self._between_places(instruction)
        needs = r < 0.03
        passive = to_passive(template, gerund if needs else participle) if r < 0.12 else None
        given = None
        if passive:
            slot, done = passive
            form = self.wording('needs_doing' if needs else 'passive')
            text = form.replace('{}', slot) + done
            text += '?' if text.startswith(('could', 'can', 'any')) else ''
        elif r < 0.15 and self._has_topic(family, template):
            slot = '{' + template.slots[0] + '}'
            text = f'{slot}, {template.pronoun_text.replace(slot, "it", 1)}'
            given = self._singular_object(family, template.slots[0])
        else:
            text = self.request(family, template)
        instruction.text, call = self.fill(family, text, template.slots, given)
        instruction.calls = [call]
        return True

    @staticmethod
    def _has_topic(family, template):
        """Tell whether the first slot can stand before the request: "the cup, wash it"."""
        if not template.is_imperative or not template.slots:
            return False
        argument = family.arguments_by_name[template.slots[0]]
        return argument['type'] in GROUNDED_TYPES and not argument.get('place')

    def _between_places(self, instruction):
        """Moving an object: "move the cup from the shelf to the table"."""
        form = self.add_carrier_phrase(self.wording('move_between'))
        phrase = self.noun_phrases.from_place(('any',))
        relation, wording, landmarks = self.noun_phrases.place(
            self.choose(('on', 'in')), allow_to=True, nested=False
        )
        given = {'object': (phrase.text, (phrase,)), 'target': (wording, landmarks, relation)}
        instruction.text, call = self.basic_request('place', form, given)
        instruction.calls = [call]
        return True

    def _singular_object(self, family, slot):
        for _ in range(8):
            phrase = self.noun_phrases.phrase(family.noun_classes(slot))
            if not phrase.plural:
                break
        return {slot: (phrase.text, (phrase,))}

    def cleft(self, instruction):
        """A cleft sentence: "it's the hammer I want you to pick up"."""
        family = self.family(self.takes_object)
        if family and family.name in FETCH_FAMILIES and self.random() < 0.5:
            instruction.text, call = self.basic_request(family.name, self.wording('wanted'))
            instruction.calls = [call]
            return True
        template = family and self.sample_template(
            family, lambda a: a.is_imperative and a.slots == (self.object_slot(family, a.slots),)
        )
        if not template:
            return False
        slot = '{' + template.slots[0] + '}'
        form = self.wording('clefts')
        if form.endswith(' it') or ' it ' in form.split('{v}')[1]:
            verb = template.pronoun_text.replace(slot, 'it', 1)
            form = form.replace('{v} it', '{v}')
        elif template.pronoun_text != template.text or template.text.endswith(' ' + slot):
            verb = template.pronoun_text.replace(' ' + slot, '', 1)
        else:
            return False
        given = self._singular_object(family, template.slots[0])
        text = form.replace('{v}', verb).replace('{o}', slot)
        instruction.text, call = self.fill(family, text, template.slots, given)
        instruction.calls = [call]
        return True

    def chain(self, instruction):
        """Two coordinated passives: "the cup should be washed and put on the shelf"."""
        family = self.family(self.takes_object)
        template = family and self.sample_template(family, to_passive)
        again = self.family(lambda f: f is not family and self.takes_object(f))
        more = again and self.sample_template(again, to_passive)
        if not template or not more or len(set(template.slots)) != len(template.slots):
            return False
        (slot, done), (taken, done_then) = to_passive(template), to_passive(more)
        name, taken = slot[1:-1], taken[1:-1]
        phrase = self.noun_phrases.simple(family.noun_classes(name))
        if (
            phrase.plural
            or not self.can_refer_to(phrase, again, taken)
            or family.arguments_by_name[name]['type'] != 'object'
            or again.arguments_by_name[taken]['type'] != 'object'
        ):
            return False
        form = self.wording('passive_chain').replace('{o}', slot) + done
        given = {name: (phrase.text, (phrase,))}
        one, call = self.fill(family, form, template.slots, given)
        two, other = self.fill(again, done_then, [s for s in more.slots if s != taken])
        other.phrases[taken] = (phrase,)
        instruction.text = one + self.choose((' and ', ' and then ', ', then ', ' and ')) + two
        instruction.calls = [call, other]
        return True


def _agree_question(template, phrase):
    if not phrase.plural:
        return template
    for one, more in (
        ("where's {}", 'where are {}'),
        ("what's {}", 'what are {}'),
        ("how's {}", 'how are {}'),
        ("isn't {}", "aren't {}"),
        ("wasn't {}", "weren't {}"),
        ("doesn't {}", "don't {}"),
        ('was {}', 'were {}'),
        ('is {}', 'are {}'),
        ('{} is', '{} are'),
        ('does {}', 'do {}'),
        ('has {}', 'have {}'),
        ('{} says', '{} say'),
    ):
        template = template.replace(one, more)
    return template
