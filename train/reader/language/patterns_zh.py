"""Chinese instructions of every kind, some in less usual shapes."""

from __future__ import annotations

from kimi_train.reader.language.draft import Draft
from kimi_train.reader.language.errands_zh import Errands
from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.skills import FETCH, VERB_CLOSE, VERB_OPEN, families

__all__ = ['PATTERNS', 'Chinese']

FORMS = forms('zh')
_RECIPIENTS = FORMS['recipients']
_WANTED = FORMS['wanted']
_RETAKES = (
    ('它上面', 'on'),
    ('它旁边', 'next_to'),
    ('它里面', 'in'),
    ('它左边', 'left_of'),
    ('它右边', 'right_of'),
    ('它前面', 'in_front_of'),
    ('它后面', 'behind'),
    ('上面', 'on'),
    ('里面', 'in'),
    ('旁边', 'next_to'),
    ('它的上面', 'on'),
    ('那里面', 'in'),
    ('那上面', 'on'),
    ('它下面', 'under'),
    ('那旁边', 'next_to'),
)
_STATES = FORMS['states']


class Chinese(Errands):
    """Makes one Chinese instruction of any kind."""

    def cleft(self, draft):
        """The thing pulled out of its clause: 我要你拿的是锤子."""
        family = self.family(self._handles)
        if family and family.name in FETCH and self.random() < 0.5:
            form = self.pick(_WANTED).replace('{o}', '{object}')
            if '要' in form:
                form = form.replace('要', VERB_OPEN + '要' + VERB_CLOSE, 1)
            draft.text, act = self.fill(family, form, ('object',))
            draft.acts = [act]
            return True
        ask = family and self.ask(
            family, lambda a: a.imperative and a.slots == (self._object(family, a.slots),)
        )
        if not ask:
            return False
        slot = '{' + ask.slots[0] + '}'
        if ask.text.endswith(slot) and '把' not in ask.text:
            form = self.pick(FORMS['cleft_verb'])
            text = form.replace('{v}', ask.text[: -len(slot)]).replace('{o}', slot)
        elif ask.dropped:
            form = self.pick(FORMS['cleft_thing'])
            text = form.replace('{v}', ask.dropped).replace('{o}', slot)
        else:
            return False
        draft.text, act = self.fill(family, text, ask.slots)
        draft.acts = [act]
        return True

    def both_then(self, draft):
        """Two things taken up together: 拿起叉子和刀，都放到托盘上."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        again = self.family(lambda f: f is not family and self._handles(f))
        more = again and self.ask(
            again, lambda a: a.dropped and a.slots[0] == self._object(again, a.slots)
        )
        if not ask or not more:
            return False
        slot, taken = self._object(family, ask.slots), self._object(again, more.slots)
        kinds = family.kinds(slot)
        phrases = [self.nouns.simple(kinds) for _ in range(2)]
        if not all(self.fits(p, again, taken) for p in phrases):
            return False
        joined = f'{phrases[0].text}{self.pick(("和", "跟", "还有", "、"))}{phrases[1].text}'
        text, act = self.fill(
            family, self.lightly(ask.text), ask.slots, {slot: (joined, (phrases[0],))}
        )
        first = [act, act.same()]
        first[1].things[slot] = (phrases[1],)
        them = self.pick(('把它们都', '都', '把它们', '把这两个', '全都', '把两个都', '把这两样'))
        follow, act = self.fill(
            again, '{' + taken + '}' + more.dropped, more.slots, {taken: (them, (phrases[0],))}
        )
        second = [act, act.same()]
        second[1].things[taken] = (phrases[1],)
        draft.text = text + self.pick(('，', '，然后', '，再', '，接着')) + follow
        draft.acts = first + second
        return True

    def retake(self, draft):
        """A thing named first that is the place of another: 找到托盘，把杯子放到它上面."""
        first = self.family(self._handles)
        ask = first and self.ask(first, lambda a: a.imperative and self._object(first, a.slots))
        placer = self.family(
            lambda f: any(a.get('place') for a in f.arguments) and self._handles(f)
        )
        put = placer and self.ask(
            placer,
            lambda a: (
                a.imperative
                and self._object(placer, a.slots)
                and any(placer.by_name[s].get('place') for s in a.slots)
            ),
        )
        if not ask or not put:
            return False
        text, act = self.fill(first, self.lightly(ask.text), ask.slots)
        landmark = act.things[self._object(first, ask.slots)][0]
        if landmark.plural or landmark.kind == 'person':
            return False
        target = next(s for s in put.slots if placer.by_name[s].get('place'))
        said, relation = self.pick(_RETAKES)
        more, other = self.fill(
            placer, put.text, put.slots, {target: (said, (landmark,), relation)}
        )
        draft.text = text + self.pick(('，然后', '，再', '，', '，接着')) + more
        draft.acts = [act, other]
        return True

    def recipient(self, draft):
        """A person who gets the thing where no skill of the catalogue takes a person."""
        family = families()['hand_over']
        onto = self.world.resolve('hand_over')
        if not onto or any(
            'person' in families()[onto].kinds(a['name']) for a in families()[onto].arguments
        ):
            return False
        number, who = self.marks(f'给{self.pick(_RECIPIENTS)}')
        self.left_out.append(number)
        verb = self.pick(('拿', '递', '送', '带'))
        verb = VERB_OPEN + verb + VERB_CLOSE
        text = self.pick(
            (
                f'把{{object}}{verb}{who}',
                f'{who}{verb}{{object}}',
                f'{verb}{{object}}{who}',
                f'把{{object}}{verb}过去{who}',
                f'{{object}}{verb}{who}',
            )
        )
        draft.text, act = self.fill(family, self.lightly(text), ('object',))
        draft.acts = [act]
        return True

    def if_state(self, draft):
        """A condition that no view can settle: told back."""
        family = self.family(lambda f: any(a.imperative for a in f.asks['zh']))
        ask = family and self.ask(family, lambda a: a.imperative)
        if not ask:
            return False
        text, act = self.fill(family, self.lightly(ask.text), ask.slots)
        thing = self.nouns.simple(('any', 'open', 'switch'), '')
        state = self.pick(_STATES)
        number, said = self.marks(
            self.pick(
                (
                    f'如果{thing.text}{state}',
                    f'要是{thing.text}{state}',
                    f'{thing.text}{state}的话',
                    f'等{thing.text}{state}以后',
                    f'{thing.text}{state}的时候',
                    f'当{thing.text}{state}时',
                )
            )
        )
        self.left_out.append(number)
        draft.text = f'{said}{self.pick(("，", "，", "就"))}{text}'
        draft.acts = [act]
        return True

    def where_is(self, draft):
        """A place told by what lies there now: no place that can be planned."""
        if not self.world.resolve('place'):
            return False
        thing = self.nouns.simple(('any',), '')
        number, said = self.marks(
            self.pick(
                (
                    f'{thing.text}那里',
                    f'{thing.text}在的地方',
                    f'{thing.text}那儿',
                    f'原来放{thing.text}的地方',
                )
            )
        )
        self.left_out.append(number)
        draft.text, act = self.fill(
            families()['place'],
            self.lightly(f'把{{object}}{VERB_OPEN}放{VERB_CLOSE}到{said}'),
            ('object',),
        )
        draft.acts = [act]
        return True

    def answer(self, draft):
        """What one says when asked which: 红的那个, after the request that left it open."""
        before = Draft()
        if not self.single(before) or not before.acts[0].things:
            return False
        old = before.acts[0]
        slot = self._object(old.family, list(old.things))
        if not slot:
            return False
        self.left_out.clear()
        draft.history = (before.text,)
        noun = self.nouns.lexicon.noun(self.rng, old.family.kinds(slot), self.nouns.part)
        r = self.random()
        new = (
            self.nouns.one(noun)
            if r < 0.6
            else self.nouns.related(noun)
            if r < 0.8
            else self.nouns._build(noun)
        )
        act = old.same()
        act.things = {**old.things, slot: (new,)}
        draft.acts = [act]
        draft.text = self.pick(
            (
                '{}',
                '{}',
                '{}',
                '我要{}' if old.family.name in FETCH else '{}',
                '我是说{}',
                '当然是{}',
                '是{}',
                '{}吧',
                '就{}',
                '{}，谢谢',
            )
        ).replace('{}', new.text)
        return True

    def swapped_word(self, draft):
        """A word taken back inside a phrase: 红色的，不，蓝色的杯子."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.imperative and self._object(family, a.slots))
        if not ask:
            return False
        slot = self._object(family, ask.slots)
        noun = self.nouns.lexicon.noun(self.rng, family.kinds(slot), self.nouns.part)
        wrong, good = self.nouns.adjective(), self.nouns.adjective()
        if wrong == good:
            return False
        phrase = self.nouns._build(noun, '', (good,))
        swap = self.pick(
            ('，不，', '，不对，', '，哦不，', '，呃，', '，不是，是', '，说错了，', '不对')
        )
        draft.text, act = self.fill(
            family,
            self.lightly(ask.text),
            ask.slots,
            {slot: (f'{wrong}的{swap}{phrase.text}', (phrase,))},
        )
        draft.acts = [act]
        return True

    def fragment(self, draft):
        """A request that is little more than its nouns: 杯子，放桌上; 杯子谢谢."""
        r = self.random()
        if r < 0.5 and self.world.resolve('place'):
            text = self.pick(
                (
                    '{object}，{target}',
                    '{object}{v}{target}',
                    '{target}{v}{object}',
                    '{object}{target}',
                )
            )
            text = text.replace('{v}', VERB_OPEN + '放' + VERB_CLOSE)
            draft.text, act = self.fill(families()['place'], text, ('object', 'target'))
        elif any(self.world.resolve(n) for n in FETCH):
            draft.text, act = self.fill(
                families()['hand_over'],
                self.pick(
                    (
                        '{object}，谢谢',
                        '{object}谢谢',
                        '{object}！',
                        '来{object}',
                        '{object}，快',
                        '麻烦，{object}',
                    )
                ),
                ('object',),
            )
        else:
            return False
        draft.acts = [act]
        return True

    def cancelled(self, draft):
        """A request taken back as a whole: nothing to do."""
        family = self.family(lambda f: any(a.imperative for a in f.asks['zh']))
        ask = family and self.ask(family, lambda a: a.imperative)
        if not ask:
            return False
        text, _ = self.fill(family, self.lightly(ask.text), ask.slots)
        draft.text = text + self.pick(
            (
                '，算了',
                '，不用了',
                '，还是算了吧',
                '……算了',
                '，哦不用了',
                '，没事了',
                '，不，别弄了',
                '，算了不用了',
            )
        )
        draft.outcome = 'nothing'
        return True

    def serial(self, draft):
        """Steps run together with the thing said once: 把杯子拿起来放桌上."""
        family = self.family(self._handles)
        ask = family and self.ask(family, lambda a: a.dropped)
        again = self.family(lambda f: f is not family and self._handles(f))
        more = again and self.ask(
            again, lambda a: a.dropped and a.slots[0] == self._object(again, a.slots)
        )
        if not ask or not more or ask.slots[0] != self._object(family, ask.slots):
            return False
        text, act = self.fill(
            family, self.lightly(ask.text) if self.random() < 0.7 else self.topic(ask), ask.slots
        )
        subject = act.things[ask.slots[0]][0]
        if not self.fits(subject, again, more.slots[0]):
            return False
        follow, other = self.fill(
            again,
            '{' + more.slots[0] + '}' + more.dropped,
            more.slots,
            {more.slots[0]: ('', (subject,))},
        )
        draft.text = text + self.pick(('', '，', '再', '然后', '并')) + follow
        draft.acts = [act, other]
        return True


# How often each kind is drawn.
PATTERNS = (
    ('single', 32),
    ('chain', 13),
    ('coordination', 7),
    ('ellipsis', 4),
    ('prohibition', 6),
    ('only_refusal', 2),
    ('correction', 3),
    ('order', 5),
    ('condition', 5),
    ('state', 4),
    ('follow_up', 5),
    ('no_skill', 11),
    ('question', 18),
    ('talk', 3),
    ('unclear', 3),
    ('cleft', 3),
    ('both_then', 2),
    ('retake', 3),
    ('recipient', 1),
    ('if_state', 1),
    ('where_is', 1),
    ('answer', 2),
    ('swapped_word', 1),
    ('fragment', 3),
    ('cancelled', 1),
    ('serial', 4),
    ('errand', 6),
)
