"""Chinese requests: one skill, several in a row, several things under one verb."""

from __future__ import annotations

from kimi_train.reader.language import texts
from kimi_train.reader.language.clauses import Clauses, relation_for
from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.marks import bare
from kimi_train.reader.language.phrase import Phrase
from kimi_train.reader.language.skills import VERB_CLOSE, VERB_OPEN

__all__ = ['Requests', 'THEN']

FORMS = forms('zh')
_FRAMES = FORMS['frames']
_FRAMES_ = tuple(f for f in _FRAMES if f)
THEN = FORMS['then']


class Requests(Clauses):
    """Makes one Chinese request."""

    lang = 'zh'

    def words(self, slot):
        """Return a text to be said or written, sometimes in quotes."""
        text = texts.text(self.rng, 'zh', slot)
        if slot not in texts.FREE:
            return text, text
        return (
            f'“{text}”' if self.random() < 0.35 else f'"{text}"' if self.random() < 0.1 else text
        ), text

    def put(self, family, slot):
        """Return relation, text and landmarks of a place."""
        if family.into:
            return self.nouns.place('in' if self.random() < 0.75 else None)
        kinds = family.kinds(slot)
        if kinds != family.kinds('object') and kinds != ('any',) and self.random() < 0.75:
            return self.nouns.place(relation_for(self, kinds), kinds=kinds)
        return self.nouns.place()

    @staticmethod
    def _object(family, slots):
        for slot in slots:
            if family.by_name[slot]['type'] == 'object' and not family.by_name[slot].get('place'):
                return slot
        return ''

    def _handles(self, family):
        return any(a.imperative and self._object(family, a.slots) for a in family.asks['zh'])

    def frame(self, text):
        """Return the imperative with something around it, often as it is."""
        if self.random() < 0.45:
            return text
        chosen = self.pick(_FRAMES_)
        if '给我' in text and chosen[:2] in ('给我', '帮我', '替我'):
            return text
        if chosen == '{}一下' and ('一' in text or text.endswith('}') is False):
            return text
        return chosen.replace('{}', text, 1)

    def lightly(self, text):
        """Return the imperative with little around it."""
        return (
            text
            if self.random() < 0.6
            else self.pick(
                ('请{}', '帮我{}', '麻烦你{}', '你{}', '先{}', '现在{}', '请你{}', '去{}', '你去{}')
            ).replace('{}', text, 1)
        )

    def topic(self, ask):
        """Return the request with its thing in front: 杯子给我拿过来; as it is without 把."""
        if not ask.dropped:
            return ask.text
        slot = '{' + ask.slots[0] + '}'
        rest = ask.dropped
        mine = '我' in rest
        return (
            self.pick(
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

    def request(self, family, ask=None, fits=None):
        """Return the text of a request, and its way to ask."""
        ask = ask or self.ask(family, fits)
        if not ask:
            return '', None
        r = self.random()
        if ask.dropped and r < 0.25:
            return self.topic(ask), ask
        if ask.imperative:
            return self.frame(ask.text), ask
        return ask.text + ('？' if ask.question and self.random() < 0.8 else ''), ask

    def plain(self, text):
        """Tell whether a word of manner or time may stand before the request."""
        return bare(text)[:1] in '把将给拿放抓推打关开递取擦捡夹搬提切倒找去'

    def single(self, draft):
        """One request for one skill, in any of its ways."""
        family = self.family()
        text, ask = self.request(family)
        if not ask:
            return False
        if family.name in ('pick', 'hand_over', 'place') and self.random() < 0.08:
            return self._moved(draft, family)
        draft.text, act = self.fill(family, text, ask.slots)
        draft.acts = [act]
        return True

    def _moved(self, draft, family):
        """From where it is: 把杯子从架子上拿到桌上."""
        phrase = self.nouns.simple(family.kinds('object'))
        phrase.relation, said, phrase.landmarks = self.nouns.place(
            self.pick(('on', 'in')), static=True, deep=False
        )
        verb = self.pick(
            ('拿', '取', '搬', '移', '挪', '拿') if family.name == 'place' else ('拿', '取', '拿')
        )
        verb = VERB_OPEN + verb + VERB_CLOSE
        given = {'object': (phrase.text, (phrase,))}
        if family.name == 'place':
            forms = (
                f'把{{object}}从{said}{verb}到{{target}}',
                f'从{said}把{{object}}{verb}到{{target}}',
                f'{{object}}从{said}{verb}到{{target}}',
            )
            slots = ('object', 'target')
        elif family.name == 'pick':
            forms, slots = (
                (
                    f'把{{object}}从{said}{verb}起来',
                    f'从{said}{verb}{{object}}',
                    f'从{said}{verb}起{{object}}',
                ),
                ('object',),
            )
        else:
            forms, slots = (
                (
                    f'把{{object}}从{said}{verb}给我',
                    f'从{said}给我{verb}{{object}}',
                    f'从{said}把{{object}}{verb}过来',
                    f'去{said}{verb}{{object}}给我',
                ),
                ('object',),
            )
        draft.text, act = self.fill(family, self.lightly(self.pick(forms)), slots, given)
        draft.acts = [act]
        return True

    def chain(self, draft, steps=0):
        """Several steps, later ones often with 它 or nothing for the thing."""
        steps = steps or (2 if self.random() < 0.72 else 3)
        first = self.family(self._handles)
        ask = first and self.ask(first, lambda a: a.imperative and self._object(first, a.slots))
        if not ask:
            return False
        slot = self._object(first, ask.slots)
        text, act = self.fill(first, self.lightly(ask.text), ask.slots)
        draft.acts.append(act)
        subject = act.things[slot][0]
        for _ in range(steps - 1):
            more = self._follow(draft, subject, act)
            if not more:
                return len(draft.acts) > 1
            text += self.pick(THEN) + more
        draft.text = text
        return True

    def _follow(self, draft, subject, before):
        family = self.family(
            self._handles
            if self.random() < 0.85
            else lambda f: any(a.imperative for a in f.asks['zh'])
        )
        ask = family and self.ask(family, lambda a: a.imperative)
        if not ask or (not ask.slots and family is before.family):
            return ''
        slot = self._object(family, ask.slots)
        given, text = None, ask.text
        if (
            slot
            and self.random() < 0.75
            and family is not before.family
            and self.fits(subject, family, slot)
        ):
            text, given = self.pronoun(ask, slot, subject)
        place = before.relation and [
            s for s in before.things if before.family.by_name[s].get('place')
        ]
        target = next((s for s in ask.slots if family.by_name[s].get('place')), '')
        if target and place and self.random() < 0.4:
            given = dict(given or {})
            given[target] = (
                self.pick(('那里', '那儿', '那边', '同一个地方', '那个地方')),
                before.things[place[0]],
                before.relation,
            )
        text, act = self.fill(family, text, ask.slots, given)
        draft.acts.append(act)
        return text

    def pronoun(self, ask, slot, subject):
        """Return the request with 它, 那个 or nothing for its thing, and what that stands for."""
        if ask.dropped and ask.slots[0] == slot and self.random() < 0.45:
            return '{' + slot + '}' + ask.dropped, {slot: ('', (subject,))}
        said = (
            '它们'
            if subject.plural
            else '他'
            if subject.kind == 'person'
            else self.pick(('它', '它', '它', '它', '那个', '这个', '那东西'))
        )
        return ask.text, {slot: (said, (subject,))}

    def coordination(self, draft):
        """One verb with two or three things: a step for each."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        kinds = family.kinds(slot)
        if self.random() < 0.22:
            phrases, text = self._shared_head(kinds)
        else:
            count = 2 if self.random() < 0.8 else 3
            phrases = [
                self.nouns.simple(kinds) if self.random() < 0.7 else self.nouns.phrase(kinds)
                for _ in range(count)
            ]
            last = self.pick(('和', '和', '和', '跟', '、', '以及', '还有', '与', '，还有', '，'))
            text = '、'.join(p.text for p in phrases[:-1]) + last + phrases[-1].text
        request = self.topic(ask) if ask.dropped and self.random() < 0.2 else self.frame(ask.text)
        mark = '{' + slot + '}'
        if (
            request.startswith(('把' + mark, '请把' + mark, '帮我把' + mark, mark))
            and self.random() < 0.35
            and (ask.dropped and '要' not in request and '，' not in request)
        ):
            text += self.pick(('都', '都', '一起', '全', '全都'))
        draft.text, act = self.fill(family, request, ask.slots, {slot: (text, (phrases[0],))})
        draft.acts = [act]
        for phrase in phrases[1:]:
            more = act.same()
            more.things[slot] = (phrase,)
            draft.acts.append(more)
        return True

    def _shared_head(self, kinds):
        """Return 红色的和蓝色的杯子."""
        noun = self.nouns.lexicon.noun(self.rng, kinds, self.nouns.part)
        colours = self.nouns.lexicon.adjectives['color'][:20]
        first, second = self.pick(colours), self.pick(colours)
        if first == second:
            second = '蓝色' if first != '蓝色' else '红色'
        head, text = self.marks(noun.word)
        a1, first = self.marks(first)
        w1, first = self.marks(first + ('的' if self.random() < 0.6 else ''))
        a2, second = self.marks(second)
        w2, second = self.marks(second + self.pick(('的', '的', '')) + text)
        one, two = (
            Phrase(first, w1, head, (a1,), kind=noun.kind),
            Phrase(second, w2, head, (a2,), kind=noun.kind),
        )
        return [one, two], f'{first}{self.pick(("和", "跟", "、", "还有"))}{second}'

    def ellipsis(self, draft):
        """Two things to two places: 把叉子放抽屉里，刀放托盘上."""
        family = self.family(lambda f: self._handles(f) and any(a.dropped for a in f.asks['zh']))
        ask = family and self.ask(family, lambda a: a.dropped)
        if not ask or self._object(family, ask.slots) != ask.slots[0]:
            return False
        tail = '{' + ask.slots[0] + '}' + ask.dropped
        text, act = self.fill(
            family, self.lightly(ask.text) if self.random() < 0.7 else tail, ask.slots
        )
        draft.acts = [act]
        for _ in range(1 if self.random() < 0.8 else 2):
            more, other = self.fill(family, tail, ask.slots)
            text += self.pick(('，', '，', '，再把', '，然后把', '，然后', '、', '，还有')) + more
            draft.acts.append(other)
        draft.text = text
        return True
