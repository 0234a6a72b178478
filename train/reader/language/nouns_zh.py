"""Chinese noun phrases of every kind."""

from __future__ import annotations

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.phrase import Phrase
from kimi_train.reader.language.places_zh import DETERMINERS, Places
from kimi_train.reader.language.values import spelled_zh

__all__ = ['Nouns']

FORMS = forms('zh')
_CLAUSES = FORMS['clauses']
_DOING = FORMS['doing']
_PARTS = FORMS['parts']
_VESSELS = (
    ('瓶', ('水', '牛奶', '果汁', '酱油', '油', '红酒', '胶水', '洗洁精', '可乐')),
    ('杯', ('水', '咖啡', '茶', '牛奶', '热水')),
    ('碗', ('饭', '汤', '面', '粥', '水果')),
    ('袋', ('米', '垃圾', '面粉', '螺丝', '零件')),
    ('盒', ('牛奶', '药', '饼干', '钉子', '螺丝')),
    ('桶', ('水', '油漆', '油')),
    ('盘', ('菜', '水果', '饺子')),
    ('包', ('纸巾', '饼干', '茶叶')),
    ('罐', ('可乐', '蜂蜜', '糖')),
    ('叠', ('纸', '文件', '盘子')),
    ('串', ('钥匙', '葡萄')),
    ('卷', ('胶带', '纸')),
    ('箱', ('苹果', '零件', '牛奶')),
)


class Nouns(Places):
    """Makes noun phrases of one example."""

    def phrase(self, kinds=('any',)) -> Phrase:
        """Return a noun phrase of any make."""
        r = self.random()
        if kinds[0] == 'person' and r < 0.5:
            return self._somebody(kinds)
        if r < 0.42:
            return self.simple(kinds)
        if r > 0.993:
            return self._held()
        noun = self.lexicon.noun(self.rng, kinds, self.part)
        if r < 0.56:
            count = 1 if self.random() < 0.75 else 2
            adjectives = sorted(
                dict.fromkeys(self.adjective() for _ in range(count)), key=len, reverse=True
            )
            return self._build(noun, self.pick(DETERMINERS), tuple(adjectives))
        if r < 0.64:
            return self._ordered(noun)
        if r < 0.73:
            return self.related(noun)
        if r < 0.80:
            return self._with_clause(noun)
        if r < 0.86:
            return self._several(noun)
        if r < 0.91:
            return self.one(noun)
        if r < 0.93:
            return self._owned(noun)
        if r < 0.95:
            return self._vessel()
        if r < 0.97:
            return self.part_of(self.pick(('on', 'in')))
        return self.related(noun, apposition=True)

    def _somebody(self, kinds):
        if self.random() < 0.5:
            return self._build(self.lexicon.noun(self.rng, ('name',), self.part))
        noun = self.lexicon.noun(self.rng, kinds, self.part)
        return self._build(noun, self.pick(('', '那{}')), clause=self.pick(_DOING))

    def _held(self):
        noun = self.lexicon.noun(self.rng, ('thing',), self.part)._replace(
            word='东西', measure='个'
        )
        return self._build(
            noun,
            self.pick(('', '那{}')),
            clause=self.pick(('你手里', '你拿着', '你抓着', '你手上', '你刚拿起', '夹爪里')),
        )

    def _ordered(self, noun):
        adjectives = (self.adjective(),) if self.random() < 0.25 else ()
        r = self.random()
        if r < 0.6:
            return self._build(
                noun,
                self.pick(('', '', '', '那{}')),
                adjectives,
                self.pick(self.lexicon.adjectives['order']),
            )
        marks = self.marks
        if r < 0.85:
            rank = self.pick(
                ('第一', '第二', '第三', '第四', '倒数第一', '倒数第二', '最后一', '第一', '第二')
            )
            side = self.pick(
                (
                    '',
                    '',
                    '左边',
                    '右边',
                    '从左数',
                    '从右数',
                    '左数',
                    '右起',
                    '左起',
                    '上面',
                    '前排',
                    '从左往右',
                    '从左边数',
                )
            )
            order, first = marks(f'{side}{rank}{noun.measure}')
            head, text = marks(noun.word)
            words, inner = marks(first + text)
            return Phrase(inner, words, head, (), order, kind=noun.kind)
        order, last = marks(self.pick(FORMS['of_two']) + '的')
        head, text = marks(noun.word)
        among = self.pick(('里', '里面', '中', '当中', '里头'))
        that = self.pick(('那', '那', ''))
        that += noun.measure if that else ''
        words, inner = marks(f'两{noun.measure}{text}{among}{last}{that}')
        return Phrase(inner, words, head, (), order, kind=noun.kind)

    def related(self, noun, apposition=False, relation=None) -> Phrase:
        """Return 水壶左边的杯子, 放在桌上的杯子, 离门最近的杯子, or 杯子，水壶左边那个."""
        marks = self.marks
        adjectives = (self.adjective(),) if self.random() < 0.2 else ()
        r = self.random()
        number = 'one'
        if r < 0.08 and not apposition:
            landmark = self.simple(('open', 'surface', 'landmark'), '')
            of, relation = f'离{landmark.text}最近', 'nearest_to'
            landmarks = (landmark,)
        elif r < 0.14 and not apposition:
            landmark = self.simple(('surface',), '') if self.random() < 0.3 else self._wall()
            of, relation, landmarks = f'靠{landmark.text}', 'next_to', (landmark,)
        else:
            relation, place, landmarks = self.place(relation, static=True, deep=False, bare=True)
            front = self.pick(
                (
                    '',
                    '',
                    '',
                    '',
                    '在',
                    '放在',
                    '摆在',
                    '立在',
                    '躺在',
                    '搁在',
                    '挂在' if relation == 'on' else '放在',
                )
            )
            of = front + place
        parts = []
        attributes = []
        for adjective in adjectives:
            attribute, text = marks(adjective)
            attributes.append(attribute)
            parts.append(text + ('' if len(adjective) == 1 else '的'))
        head, text = marks(noun.word)
        det, inner_det = '', ''
        r = self.random()
        if apposition:
            base = ''.join(parts) + text
            pause = self.pick(('，', '，', '，就是'))
            words, inner = marks(f'{base}{pause}{of}{self.pick(("那", "的那"))}{noun.measure}')
        else:
            if r < 0.25:
                inner_det = f'{self.pick(("那", "那", "这"))}{noun.measure}'
            elif r < 0.33:
                det, number = '', 'all'
                inner_det = self.pick(('所有', '所有的', '全部'))
            of += self.pick(('的', '的', '的')) if not inner_det or self.random() < 0.6 else ''
            words, inner = marks(of + inner_det + ''.join(parts) + text)
        return Phrase(
            det + inner,
            words,
            head,
            tuple(attributes),
            0,
            number,
            relation,
            landmarks,
            number != 'one',
            noun.kind,
        )

    def _wall(self):
        head, text = self.marks(self.pick(('墙', '窗', '门', '窗户', '桌边', '墙角', '过道')))
        words, text = self.marks(text)
        return Phrase(text, words, head)

    def from_place(self, kinds) -> Phrase:
        """Return a phrase with where the thing is now."""
        return self.related(
            self.lexicon.noun(self.rng, kinds, self.part), relation=self.pick(('on', 'in'))
        )

    def _with_clause(self, noun):
        r = self.random()
        adjectives = (self.adjective(),) if self.random() < 0.15 else ()
        if r < 0.4:
            colour = self.pick(self.lexicon.adjectives['color'][:20])
            clause = self.pick(
                ('带{}的', '有{}的', '带着{}的', '印着{}的' if r < 0.1 else '有个{}的')
            ).replace('{}', colour + self.pick(_PARTS))
        else:
            clause = self.pick(_CLAUSES)
        return self._build(
            noun, self.pick(('', '', '', '那{}', '那{}', '一{}')), adjectives, clause=clause
        )

    def _several(self, noun):
        adjectives = (self.adjective(),) if self.random() < 0.35 else ()
        r = self.random()
        if r < 0.4:
            return self._build(
                noun,
                self.pick(('所有的', '所有', '全部的', '全部', '每{}', '这些', '那些', '所有的')),
                adjectives,
                number='all',
            )
        if r < 0.75:
            n = self.pick('22222333456')
            det = spelled_zh(int(n)) if self.random() < 0.8 else n
            det = self.pick(('', '', '', '那', '这')) + det + '{}'
            return self._build(noun, det, adjectives, number=n)
        return self._build(
            noun,
            self.pick(('另一{}', '另外一{}', '另一{}', '其他的', '别的', '另外那{}')),
            adjectives,
            number='other',
        )

    def one(self, noun) -> Phrase:
        """Return 那个红的, 红的那个, 左边那个, 大一点的那个, 另一个."""
        marks = self.marks
        m = noun.measure if self.random() < 0.3 else '个'
        r = self.random()
        if r < 0.3:
            attribute, text = marks(self.adjective())
            head, last = marks(f'那{m}')
            words, inner = marks(f'{text}的{last}')
            return Phrase(inner, words, head, (attribute,))
        if r < 0.5:
            head, text = marks(self.adjective() + '的')
            words, inner = marks(text)
            return Phrase(f'那{m}{inner}' if self.random() < 0.7 else inner, words, head)
        if r < 0.85:
            of = self.pick(('的', ''))
            word = self.pick(self.lexicon.adjectives['order'])
            order, text = marks(word + of)
            head, last = marks(f'那{m}')
            words, inner = marks(text + last)
            return Phrase(inner, words, head, (), order)
        if r < 0.93:
            head, text = marks(self.pick((f'另一{m}', f'另外一{m}', f'另外那{m}')))
            words, inner = marks(text)
            return Phrase(inner, words, head, number='other')
        relation, place, landmarks = self.place(static=True, deep=False, bare=True)
        head, last = marks(f'那{m}')
        words, inner = marks(f'{place}{self.pick(("的", ""))}{last}')
        return Phrase(inner, words, head, relation=relation, landmarks=landmarks)

    def _owned(self, noun):
        phrase = self._build(noun, '', (), clause=self.pick(self.lexicon.adjectives['name']))
        return phrase

    def _vessel(self):
        measure, of = self.pick(_VESSELS)
        head, text = self.marks(self.pick(of))
        words, inner = self.marks(text)
        return Phrase(
            self.pick(('一', '一', '那', '这', '')) + measure + inner
            if self.random() < 0.9
            else inner,
            words,
            head,
        )
