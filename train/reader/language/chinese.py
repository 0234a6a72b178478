"""Chinese instructions: what is particular to the language."""

from __future__ import annotations

from kimi_train.reader.language import free_text
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.everyday_shapes import EverydayShapeGenerator
from kimi_train.reader.language.patterns import PatternGenerator
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.service_tasks import ServiceTaskGenerator
from kimi_train.reader.language.situations import SituationGenerator
from kimi_train.reader.language.skill_families import FETCH_FAMILIES
from kimi_train.reader.language.span_markers import remove_markers
from kimi_train.reader.language.spoken_shapes import SpokenShapeGenerator
from kimi_train.reader.language.topics_zh import (
    add_final_particle,
    topic_and_comment,
    without_value_links,
)

__all__ = ['ChineseGenerator']

_TEMPLATES = sentence_templates('zh')
_CARRIER_PHRASES = tuple(f for f in _TEMPLATES['carrier_phrases'] if f)
# With 我 ("for me") in the request, the topic takes no phrase that says so again.
_TOPICS = _TEMPLATES['topics']
_TOPICS_FOR_ME = tuple('{s}，{r}' if '我' in f else f for f in _TOPICS)
_TOPICS_GIVEN = tuple(f for f in _TOPICS if '给' not in f)


class ChineseGenerator(
    EverydayShapeGenerator,
    SituationGenerator,
    ServiceTaskGenerator,
    SpokenShapeGenerator,
    PatternGenerator,
):
    """Generates Chinese instructions of all kinds."""

    lang = 'zh'
    space = ''

    def sample_text(self, slot):
        """Sample a string argument, sometimes in quotes."""
        text = free_text.sample_text(self.rng, 'zh', slot)
        if slot not in free_text.QUOTABLE:
            return text, text
        r = self.random()
        return (f'“{text}”' if r < 0.35 else f'"{text}"' if r < 0.42 else text), text

    def add_carrier_phrase(self, text):
        """Return the imperative in a carrier phrase, often in none."""
        if self.random() < 0.45:
            return text
        chosen = self.choose(_CARRIER_PHRASES)
        if '给我' in text and chosen[:2] in ('给我', '帮我', '替我'):
            return text
        if chosen == '{}一下' and ('一' in text or not text.endswith('}')):
            return text
        return chosen.replace('{}', text, 1)

    def topicalize(self, template, family=None):
        """Return the request with its object as topic, 杯子给我拿过来; unchanged without a comment.

        :param family: of the template; without it, only the object of 把 becomes the topic.
        """
        slot, rest = self._topic_and_comment(template, family)
        if not rest:
            return template.text
        if family:
            values = [a['name'] for a in family.arguments if a['type'] in ('enum', 'number')]
            if self.random() < 0.5:
                rest = without_value_links(rest, values)
            if self.random() < 0.3:
                rest = add_final_particle(rest, self.choose)
        forms = _TOPICS_FOR_ME if '我' in rest else _TOPICS_GIVEN if '给' in rest else _TOPICS
        form = '{s}{r}' if self.random() < 0.2 else self.choose(forms)
        return form.replace('{s}', '{' + slot + '}').replace('{r}', rest)

    @staticmethod
    def _topic_and_comment(template, family):
        if template.without_object or not family:
            return (template.slots or ('',))[0], template.without_object
        slot, rest = topic_and_comment(template.text)
        argument = family.arguments_by_name.get(slot, {})
        if argument.get('type') != 'object' or argument.get('place'):
            return '', ''
        return ('', '') if 'person' in family.noun_classes(slot) else (slot, rest)

    def request(self, family, template):
        """Return the text of a request, with or without a carrier phrase."""
        if template.is_imperative and self.random() < 0.3:
            topical = self.topicalize(template, family)
            if topical is not template.text:
                return topical
        if template.is_imperative:
            return self.add_carrier_phrase(template.text)
        return template.text + ('？' if template.is_question and self.random() < 0.8 else '')

    def accepts_adverbial(self, text):
        """Tell whether an adverbial may precede the request."""
        return remove_markers(text)[:1] in '把将给拿放抓推打关开递取擦捡夹搬提切倒找去'

    def pronoun(self, phrase):
        """Return the pronoun for a phrase."""
        if phrase.plural:
            return '它们'
        if phrase.noun_class == 'person':
            return '他'
        return self.choose(('它', '它', '它', '它', '那个', '这个', '那东西'))

    def pronominalize(self, template, slot, subject):
        """Return the request with an overt or null pronoun as its object, and its `given` slots."""
        if template.without_object and template.slots[0] == slot and self.random() < 0.45:
            return self.elliptical(template, slot), {slot: ('', (subject,))}
        if subject.noun_class != 'person' and self.random() < 0.3:
            topic, rest = topic_and_comment(template.text)
            if topic == slot:
                return '{' + slot + '}' + rest, {slot: ('', (subject,))}
        return template.text, {slot: (self.pronoun(subject), (subject,))}

    def follow_several(self, template, slot, phrase):
        """Return the request with a pronoun for several things, and its `given` slots."""
        text = self.elliptical(template, slot)
        return (text, {slot: (self.wording('them'), (phrase,))}) if text else None

    def coordinate(self, template, slot, text):
        """Return the request with several objects in a slot, and their text."""
        if template.without_object and self.random() < 0.2:
            request = self.topicalize(template)
        else:
            request = self.add_carrier_phrase(template.text)
        slot = '{' + slot + '}'
        if (
            request.startswith(('把' + slot, '请把' + slot, '帮我把' + slot, slot))
            and self.random() < 0.35
            and template.without_object
            and '要' not in request
            and '，' not in request
        ):
            text += self.choose(('都', '都', '一起', '全', '全都'))
        return request, text

    def elliptical(self, template, slot):
        """Return the request without 把, if its object is what 把 marks, or ''."""
        if not template.without_object or template.slots[0] != slot:
            return ''
        return '{' + slot + '}' + template.without_object

    def finish_question(self, text):
        """Return the question, now and then with a final particle, mostly with a question mark."""
        r = self.random()
        if r < 0.15 and not any(word in text for word in ('吗', '呢', '不', '没')):
            text += self.choose(('呢', '啊', '呀'))
        return text + '？' if r < 0.7 else text

    def question_phrase(self, template, noun_classes):
        """Return a question about a thing and its phrase."""
        phrases = self.noun_phrases
        if '{n}' in template:
            phrase = phrases.definite(noun_classes)
            return template.replace('{n}', phrase.text), phrase
        if '{m}' not in template:
            phrase = (
                phrases.phrase(noun_classes)
                if self.random() < 0.5
                else phrases.simple(noun_classes)
            )
            return template.replace('{}', phrase.text), phrase
        noun = phrases.lexicon.noun(self.rng, noun_classes, phrases.split)
        adjectives = (phrases.adjective(),) if self.random() < 0.35 else ()
        phrase = phrases.build(noun, '', adjectives, number='all')
        text = template.replace('{m}', noun.measure).replace('{}', phrase.text)
        if text[0] in '有几一' and self.random() < 0.35:
            phrase.relation, place, phrase.landmarks = phrases.place(static=True, nested=False)
            text = place + text
        return text, phrase

    def shared_head(self, noun_classes):
        """Return 红色的和蓝色的杯子: the phrases share their head."""
        noun = self.noun_phrases.lexicon.noun(self.rng, noun_classes, self.noun_phrases.split)
        colours = self.noun_phrases.lexicon.adjectives['color'][:20]
        first, second = self.choose(colours), self.choose(colours)
        if first == second:
            second = '蓝色' if first != '蓝色' else '红色'
        head, text = self.mark(noun.word)
        a1, first = self.mark(first)
        w1, first = self.mark(first + ('的' if self.random() < 0.6 else ''))
        a2, second = self.mark(second)
        w2, second = self.mark(second + self.choose(('的', '的', '')) + text)
        one, two = (
            AnnotatedPhrase(first, w1, head, (a1,), noun_class=noun.noun_class),
            AnnotatedPhrase(second, w2, head, (a2,), noun_class=noun.noun_class),
        )
        return [one, two], f'{first}{self.choose(("和", "跟", "、", "还有"))}{second}'

    def single(self, instruction):
        """A request for one skill."""
        family = self.family()
        template = self.sample_template(family)
        if not template:
            return False
        if family.name in ('pick', 'hand_over', 'place') and self.random() < 0.08:
            return self._between_places(instruction, family.name)
        text = self.request(family, template)
        instruction.text, call = self.fill(family, text, template.slots)
        instruction.calls = [call]
        return True

    def _between_places(self, instruction, name):
        """A request with the source of its object: 把杯子从架子上拿到桌上."""
        phrase = self.noun_phrases.simple(('any',))
        phrase.relation, source, phrase.landmarks = self.noun_phrases.place(
            self.choose(('on', 'in')), static=True, nested=False
        )
        form = self.add_short_carrier_phrase(self.wording(f'{name}_from'))
        given = {'object': (phrase.text, (phrase,))}
        instruction.text, call = self.basic_request(name, form.replace('{source}', source), given)
        instruction.calls = [call]
        return True

    def topic_of_all(self, instruction):
        """A request about all things of a kind, which 全 or 都 says: 窗帘全拉上."""
        family, template, slot = self.object_request(
            of_template=lambda f, t: self._topic_and_comment(t, f)[1]
        )
        if not template:
            return False
        topic, rest = self._topic_and_comment(template, family)
        if topic != slot:
            return False
        noun = self.noun_phrases.lexicon.noun(
            self.rng, family.noun_classes(slot), self.noun_phrases.split
        )
        phrase = self.noun_phrases.build(noun, '', number='all')
        form = self.wording('topics_of_all').replace('{s}', '{' + slot + '}').replace('{r}', rest)
        given = {slot: (phrase.text, (phrase,))}
        instruction.text, call = self.fill(family, form, template.slots, given)
        instruction.calls = [call]
        return True

    def cleft(self, instruction):
        """A cleft sentence: 我要你拿的是锤子."""
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
        if template.text.endswith(slot) and '把' not in template.text:
            form, verb = self.wording('cleft_verb'), template.text[: -len(slot)]
        elif template.without_object:
            form, verb = self.wording('cleft_object'), template.without_object
        else:
            return False
        text = form.replace('{v}', verb).replace('{o}', slot)
        instruction.text, call = self.fill(family, text, template.slots)
        instruction.calls = [call]
        return True

    def chain(self, instruction):
        """A serial verb construction: 把杯子拿起来放桌上."""
        family, template, slot = self.object_request(
            of_template=lambda f, t: self.elliptical(t, self.object_slot(f, t.slots))
        )
        again, more, taken = self.object_request(
            lambda f: f is not family,
            lambda f, t: self.elliptical(t, self.object_slot(f, t.slots)),
        )
        if not template or not more:
            return False
        first = (
            self.add_short_carrier_phrase(template.text)
            if self.random() < 0.7
            else self.topicalize(template)
        )
        text, call = self.fill(family, first, template.slots)
        subject = call.phrases[slot][0]
        if not self.can_refer_to(subject, again, taken):
            return False
        follow, other = self.fill(
            again, self.elliptical(more, taken), more.slots, {taken: ('', (subject,))}
        )
        instruction.text = text + self.choose(('', '，', '再', '然后', '并')) + follow
        instruction.calls = [call, other]
        return True
