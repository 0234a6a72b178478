"""Chinese requests: for one skill, in sequence, coordinated, elliptical."""

from __future__ import annotations

from kimi_train.reader.language import free_text
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.clause_generator import ClauseGenerator, sample_relation
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.skill_families import VERB_CLOSE, VERB_OPEN
from kimi_train.reader.language.span_markers import remove_markers

__all__ = ['RequestGenerator', 'THEN']

TEMPLATES = sentence_templates('zh')
_CARRIER_PHRASES = TEMPLATES['carrier_phrases']
_NONEMPTY_CARRIER_PHRASES = tuple(f for f in _CARRIER_PHRASES if f)
THEN = TEMPLATES['then']


class RequestGenerator(ClauseGenerator):
    """Generates Chinese requests."""

    lang = 'zh'

    def sample_text(self, slot):
        """Sample a string argument, sometimes in quotes."""
        text = free_text.sample_text(self.rng, 'zh', slot)
        if slot not in free_text.QUOTABLE:
            return text, text
        return (
            f'“{text}”' if self.random() < 0.35 else f'"{text}"' if self.random() < 0.1 else text
        ), text

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
        return self.noun_phrases.place()

    def takes_object(self, family):
        """Tell whether the family has an imperative template with an object slot."""
        return any(
            a.is_imperative and self.object_slot(family, a.slots) for a in family.templates['zh']
        )

    def add_carrier_phrase(self, text):
        """Return the imperative in a carrier phrase, often in none."""
        if self.random() < 0.45:
            return text
        chosen = self.choose(_NONEMPTY_CARRIER_PHRASES)
        if '给我' in text and chosen[:2] in ('给我', '帮我', '替我'):
            return text
        if chosen == '{}一下' and ('一' in text or text.endswith('}') is False):
            return text
        return chosen.replace('{}', text, 1)

    def add_short_carrier_phrase(self, text):
        """Return the imperative in a short carrier phrase, often in none."""
        return (
            text
            if self.random() < 0.6
            else self.choose(
                ('请{}', '帮我{}', '麻烦你{}', '你{}', '先{}', '现在{}', '请你{}', '去{}', '你去{}')
            ).replace('{}', text, 1)
        )

    def topicalize(self, template):
        """Return the request with its object as topic, 杯子给我拿过来; unchanged without 把."""
        if not template.without_object:
            return template.text
        slot = '{' + template.slots[0] + '}'
        rest = template.without_object
        mine = '我' in rest
        return (
            self.choose(
                (
                    '{s}{r}',
                    '{s}{r}',
                    '{s}，{r}',
                    '将{s}{r}',
                    '给我把{s}{r}' if not mine else '{s}{r}',
                    '{s}给我{r}' if not mine else '{s}，{r}',
                    '{s}帮我{r}' if not mine else '{s}{r}',
                    '{s}你{r}',
                    '{s}麻烦{r}',
                    '{s}请{r}',
                    '{s}，帮我{r}' if not mine else '{s}{r}',
                    '你把{s}{r}',
                    '{s}，请{r}',
                    '{s}，把它{r}',
                    '{s}要{r}',
                    '{s}得{r}',
                    '{s}需要{r}',
                    '想把{s}{r}',
                    '我想把{s}{r}',
                    '{s}该{r}了',
                )
            )
            .replace('{s}', slot)
            .replace('{r}', rest)
        )

    def request(self, family, template=None, predicate=None):
        """Return the text of a request, and its template."""
        template = template or self.sample_template(family, predicate)
        if not template:
            return '', None
        r = self.random()
        if template.without_object and r < 0.25:
            return self.topicalize(template), template
        if template.is_imperative:
            return self.add_carrier_phrase(template.text), template
        return template.text + (
            '？' if template.is_question and self.random() < 0.8 else ''
        ), template

    def accepts_adverbial(self, text):
        """Tell whether an adverbial may precede the request."""
        return remove_markers(text)[:1] in '把将给拿放抓推打关开递取擦捡夹搬提切倒找去'

    def single(self, instruction):
        """A request for one skill."""
        family = self.family()
        text, template = self.request(family)
        if not template:
            return False
        if family.name in ('pick', 'hand_over', 'place') and self.random() < 0.08:
            return self._between_places(instruction, family)
        instruction.text, call = self.fill(family, text, template.slots)
        instruction.calls = [call]
        return True

    def _between_places(self, instruction, family):
        """A request with the source of its object: 把杯子从架子上拿到桌上."""
        phrase = self.noun_phrases.simple(family.noun_classes('object'))
        phrase.relation, wording, phrase.landmarks = self.noun_phrases.place(
            self.choose(('on', 'in')), static=True, nested=False
        )
        verb = self.choose(
            ('拿', '取', '搬', '移', '挪', '拿') if family.name == 'place' else ('拿', '取', '拿')
        )
        verb = VERB_OPEN + verb + VERB_CLOSE
        given = {'object': (phrase.text, (phrase,))}
        if family.name == 'place':
            variants = (
                f'把{{object}}从{wording}{verb}到{{target}}',
                f'从{wording}把{{object}}{verb}到{{target}}',
                f'{{object}}从{wording}{verb}到{{target}}',
            )
            slots = ('object', 'target')
        elif family.name == 'pick':
            variants, slots = (
                (
                    f'把{{object}}从{wording}{verb}起来',
                    f'从{wording}{verb}{{object}}',
                    f'从{wording}{verb}起{{object}}',
                ),
                ('object',),
            )
        else:
            variants, slots = (
                (
                    f'把{{object}}从{wording}{verb}给我',
                    f'从{wording}给我{verb}{{object}}',
                    f'从{wording}把{{object}}{verb}过来',
                    f'去{wording}{verb}{{object}}给我',
                ),
                ('object',),
            )
        instruction.text, call = self.fill(
            family, self.add_short_carrier_phrase(self.choose(variants)), slots, given
        )
        instruction.calls = [call]
        return True

    def sequence(self, instruction, steps=0):
        """Two or three clauses, later ones often with 它 or a null pronoun."""
        steps = steps or (2 if self.random() < 0.72 else 3)
        first = self.family(self.takes_object)
        template = first and self.sample_template(
            first, lambda a: a.is_imperative and self.object_slot(first, a.slots)
        )
        if not template:
            return False
        slot = self.object_slot(first, template.slots)
        text, call = self.fill(first, self.add_short_carrier_phrase(template.text), template.slots)
        instruction.calls.append(call)
        subject = call.phrases[slot][0]
        for _ in range(steps - 1):
            more = self._next_clause(instruction, subject, call)
            if not more:
                return len(instruction.calls) > 1
            text += self.choose(THEN) + more
        instruction.text = text
        return True

    def _next_clause(self, instruction, subject, previous):
        family = self.family(
            self.takes_object
            if self.random() < 0.85
            else lambda f: any(a.is_imperative for a in f.templates['zh'])
        )
        template = family and self.sample_template(family, lambda a: a.is_imperative)
        if not template or (not template.slots and family is previous.family):
            return ''
        slot = self.object_slot(family, template.slots)
        given, text = None, template.text
        if (
            slot
            and self.random() < 0.75
            and family is not previous.family
            and self.can_refer_to(subject, family, slot)
        ):
            text, given = self.pronominalize(template, slot, subject)
        place = previous.relation and [
            s for s in previous.phrases if previous.family.arguments_by_name[s].get('place')
        ]
        target = next((s for s in template.slots if family.arguments_by_name[s].get('place')), '')
        if target and place and self.random() < 0.4:
            given = dict(given or {})
            given[target] = (
                self.choose(('那里', '那儿', '那边', '同一个地方', '那个地方')),
                previous.phrases[place[0]],
                previous.relation,
            )
        text, call = self.fill(family, text, template.slots, given)
        instruction.calls.append(call)
        return text

    def pronominalize(self, template, slot, subject):
        """Return the request with an overt or null pronoun as its object, and its `given` slots."""
        if template.without_object and template.slots[0] == slot and self.random() < 0.45:
            return '{' + slot + '}' + template.without_object, {slot: ('', (subject,))}
        wording = (
            '它们'
            if subject.plural
            else '他'
            if subject.noun_class == 'person'
            else self.choose(('它', '它', '它', '它', '那个', '这个', '那东西'))
        )
        return template.text, {slot: (wording, (subject,))}

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
        if self.random() < 0.22:
            phrases, text = self._shared_head(noun_classes)
        else:
            count = 2 if self.random() < 0.8 else 3
            phrases = [
                self.noun_phrases.simple(noun_classes)
                if self.random() < 0.7
                else self.noun_phrases.phrase(noun_classes)
                for _ in range(count)
            ]
            last = self.choose(('和', '和', '和', '跟', '、', '以及', '还有', '与', '，还有', '，'))
            text = '、'.join(p.text for p in phrases[:-1]) + last + phrases[-1].text
        request = (
            self.topicalize(template)
            if template.without_object and self.random() < 0.2
            else self.add_carrier_phrase(template.text)
        )
        placeholder = '{' + slot + '}'
        if (
            request.startswith(
                ('把' + placeholder, '请把' + placeholder, '帮我把' + placeholder, placeholder)
            )
            and self.random() < 0.35
            and (template.without_object and '要' not in request and '，' not in request)
        ):
            text += self.choose(('都', '都', '一起', '全', '全都'))
        instruction.text, call = self.fill(
            family, request, template.slots, {slot: (text, (phrases[0],))}
        )
        instruction.calls = [call]
        for phrase in phrases[1:]:
            more = call.copy()
            more.phrases[slot] = (phrase,)
            instruction.calls.append(more)
        return True

    def _shared_head(self, noun_classes):
        """Return 红色的和蓝色的杯子."""
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

    def ellipsis(self, instruction):
        """Clauses that share a verb: 把叉子放抽屉里，刀放托盘上."""
        family = self.family(
            lambda f: self.takes_object(f) and any(a.without_object for a in f.templates['zh'])
        )
        template = family and self.sample_template(family, lambda a: a.without_object)
        if not template or self.object_slot(family, template.slots) != template.slots[0]:
            return False
        tail = '{' + template.slots[0] + '}' + template.without_object
        text, call = self.fill(
            family,
            self.add_short_carrier_phrase(template.text) if self.random() < 0.7 else tail,
            template.slots,
        )
        instruction.calls = [call]
        for _ in range(1 if self.random() < 0.8 else 2):
            more, other = self.fill(family, tail, template.slots)
            text += self.choose(('，', '，', '，再把', '，然后把', '，然后', '、', '，还有')) + more
            instruction.calls.append(other)
        instruction.text = text
        return True
