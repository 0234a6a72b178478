"""Chinese noun phrases of all kinds."""

from __future__ import annotations

from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.lexicon import Noun
from kimi_train.reader.language.place_phrases_zh import DETERMINERS, PlacePhraseGenerator
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.value_wordings import number_words_zh

__all__ = ['NounPhraseGenerator']

TEMPLATES = sentence_templates('zh')
_CLAUSES = TEMPLATES['modifier_clauses']
_PERSON_CLAUSES = TEMPLATES['person_clauses']
_PARTS = TEMPLATES['parts']
_CONTAINERS = (
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

_ROOMS = ('厅', '房', '室', '教室', '仓库', '车间', '病房', '会议室')


class NounPhraseGenerator(PlacePhraseGenerator):
    """Generates the noun phrases of one example."""

    def phrase(self, noun_classes=('any',)) -> AnnotatedPhrase:
        """Return a noun phrase of any kind."""
        r = self.random()
        if noun_classes[0] == 'person' and r < 0.5:
            return self.person(noun_classes)
        if noun_classes[0] == 'any' and self.random() < 0.02:
            return self.anything_held()
        if r < 0.42:
            return self.simple(noun_classes)
        if r > 0.993:
            return self._held_object()
        noun = self.lexicon.noun(self.rng, noun_classes, self.split)
        if r < 0.56:
            count = 1 if self.random() < 0.75 else 2
            adjectives = sorted(
                dict.fromkeys(self.adjective() for _ in range(count)), key=len, reverse=True
            )
            return self.build(noun, self.choose(DETERMINERS), tuple(adjectives))
        if r < 0.64:
            return self._with_ordinal(noun)
        if r < 0.73:
            return self.with_relation(noun)
        if r < 0.80:
            return self._with_clause(noun)
        if r < 0.86:
            return self._quantified(noun)
        if r < 0.91:
            return self.pronominal(noun)
        if r < 0.93:
            return self._possessive(noun)
        if r < 0.95:
            return self._container_of()
        if r < 0.96:
            return self.part_of(self.choose(('on', 'in')))
        if r < 0.985:
            return self._in_room(noun)
        return self.with_relation(noun, apposition=True)

    def person(self, noun_classes=('person',)) -> AnnotatedPhrase:
        """Return a name, or a phrase for somebody: 穿红衣服的男人, 戴眼镜的那位."""
        if self.random() < 0.45:
            return self.build(self.lexicon.noun(self.rng, ('name',), self.split))
        noun = self.lexicon.noun(self.rng, noun_classes, self.split)
        if self.random() < 0.4:
            noun = noun._replace(word=self.choose(TEMPLATES['people']))
        clause = self.choose(_PERSON_CLAUSES)
        clause = clause.replace('{color}', self.choose(self.lexicon.adjectives['color'][:20]))
        clause = clause.replace('{garment}', self.choose(TEMPLATES['garments']))
        if self.random() < 0.3:  # 戴眼镜的那位
            noun = noun._replace(word=self.choose(('那位', '那个人', '那位客人', '那个')))
            return self.build(noun, clause=clause)
        return self.build(noun, self.choose(('', '那{}', '那位')), clause=clause)

    def placed_person(self, source=False) -> AnnotatedPhrase:
        """Return 大厅里的客人, also for the source of a way."""
        base = self.person()
        inside = self.random() < 0.6
        landmark = self.simple(('place',) if inside else ('surface',), '')
        word = self.choose(('里', '里', '', '里面') if inside else ('旁边', '边上', '那边', '旁'))
        words, text = self.mark(f'{landmark.text}{word}的{base.text}')
        return AnnotatedPhrase(
            text,
            words,
            base.head,
            base.attributes,
            relation='in' if inside else 'next_to',
            landmarks=(landmark,),
            noun_class='person',
        )

    def anything_held(self) -> AnnotatedPhrase:
        """Return 东西, 那个物体, 手里的物品."""
        noun = Noun(self.choose(TEMPLATES['anything']), '', '个', 'name')
        clause = self.choose(TEMPLATES['held']) if self.random() < 0.25 else ''
        return self.build(noun, self.choose(('', '', '那{}')), clause=clause)

    def _held_object(self):
        noun = self.lexicon.noun(self.rng, ('thing',), self.split)._replace(
            word='东西', measure='个'
        )
        return self.build(
            noun,
            self.choose(('', '那{}')),
            clause=self.choose(('你手里', '你拿着', '你抓着', '你手上', '你刚拿起', '夹爪里')),
        )

    def _with_ordinal(self, noun):
        adjectives = (self.adjective(),) if self.random() < 0.25 else ()
        r = self.random()
        if r < 0.6:
            return self.build(
                noun,
                self.choose(('', '', '', '那{}')),
                adjectives,
                self.choose(self.lexicon.adjectives['order']),
            )
        mark = self.mark
        if r < 0.85:
            rank = self.choose(
                ('第一', '第二', '第三', '第四', '倒数第一', '倒数第二', '最后一', '第一', '第二')
            )
            side = self.choose(
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
            order, first = mark(f'{side}{rank}{noun.measure}')
            head, text = mark(noun.word)
            words, inner = mark(first + text)
            return AnnotatedPhrase(inner, words, head, (), order, noun_class=noun.noun_class)
        order, last = mark(self.choose(TEMPLATES['of_two']) + '的')
        head, text = mark(noun.word)
        among = self.choose(('里', '里面', '中', '当中', '里头'))
        that = self.choose(('那', '那', ''))
        that += noun.measure if that else ''
        words, inner = mark(f'两{noun.measure}{text}{among}{last}{that}')
        return AnnotatedPhrase(inner, words, head, (), order, noun_class=noun.noun_class)

    def with_relation(self, noun, apposition=False, relation=None) -> AnnotatedPhrase:
        """Return 水壶左边的杯子, 放在桌上的杯子, 离门最近的杯子, or 杯子，水壶左边那个."""
        mark = self.mark
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
            relation, place, landmarks = self.place(
                relation, static=True, nested=False, without_determiner=True
            )
            front = self.choose(
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
            attribute, text = mark(adjective)
            attributes.append(attribute)
            parts.append(text + ('' if len(adjective) == 1 else '的'))
        head, text = mark(noun.word)
        det, inner_det = '', ''
        r = self.random()
        if apposition:
            base = ''.join(parts) + text
            pause = self.choose(('，', '，', '，就是'))
            words, inner = mark(f'{base}{pause}{of}{self.choose(("那", "的那"))}{noun.measure}')
        else:
            if r < 0.25:
                inner_det = f'{self.choose(("那", "那", "这"))}{noun.measure}'
            elif r < 0.33:
                det, number = '', 'all'
                inner_det = self.choose(('所有', '所有的', '全部'))
            of += self.choose(('的', '的', '的')) if not inner_det or self.random() < 0.6 else ''
            words, inner = mark(of + inner_det + ''.join(parts) + text)
        return AnnotatedPhrase(
            det + inner,
            words,
            head,
            tuple(attributes),
            0,
            number,
            relation,
            landmarks,
            number != 'one',
            noun.noun_class,
        )

    def _in_room(self, noun):
        """Return 三号厅的黑板, 仓库那扇门: the room stands first, the thing last."""
        room = (
            self._labelled(self.choose(_ROOMS))
            if self.random() < 0.3
            else self.build(self.lexicon.noun(self.rng, ('place',), self.split))
        )
        adjectives = (self.adjective(),) if self.random() < 0.2 else ()
        thing = self.build(noun, '', adjectives)
        that = self.choose(('的', '的', '里的', '那{}', '里那{}', '那边的', '')).replace(
            '{}', noun.measure
        )
        words, inner = self.mark(room.text + that + thing.text)
        return AnnotatedPhrase(
            inner,
            words,
            thing.head,
            thing.attributes,
            relation='in',
            landmarks=(room,),
            noun_class=noun.noun_class,
        )

    def _wall(self):
        head, text = self.mark(self.choose(('墙', '窗', '门', '窗户', '桌边', '墙角', '过道')))
        words, text = self.mark(text)
        return AnnotatedPhrase(text, words, head)

    def from_place(self, noun_classes) -> AnnotatedPhrase:
        """Return a phrase with the place where the object is now."""
        if noun_classes[0] == 'person':
            return self.placed_person(source=True)
        return self.with_relation(
            self.lexicon.noun(self.rng, noun_classes, self.split),
            relation=self.choose(('on', 'in')),
        )

    def _with_clause(self, noun):
        r = self.random()
        adjectives = (self.adjective(),) if self.random() < 0.15 else ()
        if r < 0.4:
            colour = self.choose(self.lexicon.adjectives['color'][:20])
            clause = self.choose(
                ('带{}的', '有{}的', '带着{}的', '印着{}的' if r < 0.1 else '有个{}的')
            ).replace('{}', colour + self.choose(_PARTS))
        else:
            clause = self.choose(_CLAUSES)
        return self.build(
            noun, self.choose(('', '', '', '那{}', '那{}', '一{}')), adjectives, clause=clause
        )

    def _quantified(self, noun):
        adjectives = (self.adjective(),) if self.random() < 0.35 else ()
        r = self.random()
        if r < 0.4:
            return self.build(
                noun,
                self.choose(('所有的', '所有', '全部的', '全部', '每{}', '这些', '那些', '所有的')),
                adjectives,
                number='all',
            )
        if r < 0.75:
            n = self.choose('22222333456')
            det = number_words_zh(int(n)) if self.random() < 0.8 else n
            det = self.choose(('', '', '', '那', '这')) + det + '{}'
            return self.build(noun, det, adjectives, number=n)
        return self.build(
            noun,
            self.choose(('另一{}', '另外一{}', '另一{}', '其他的', '别的', '另外那{}')),
            adjectives,
            number='other',
        )

    def pronominal(self, noun) -> AnnotatedPhrase:
        """Return 那个红的, 红的那个, 左边那个, 大一点的那个, 另一个."""
        mark = self.mark
        m = noun.measure if self.random() < 0.3 else '个'
        r = self.random()
        if r < 0.3:
            attribute, text = mark(self.adjective())
            head, last = mark(f'那{m}')
            words, inner = mark(f'{text}的{last}')
            return AnnotatedPhrase(inner, words, head, (attribute,))
        if r < 0.5:
            head, text = mark(self.adjective() + '的')
            words, inner = mark(text)
            return AnnotatedPhrase(f'那{m}{inner}' if self.random() < 0.7 else inner, words, head)
        if r < 0.85:
            of = self.choose(('的', ''))
            word = self.choose(self.lexicon.adjectives['order'])
            order, text = mark(word + of)
            head, last = mark(f'那{m}')
            words, inner = mark(text + last)
            return AnnotatedPhrase(inner, words, head, (), order)
        if r < 0.93:
            head, text = mark(self.choose((f'另一{m}', f'另外一{m}', f'另外那{m}')))
            words, inner = mark(text)
            return AnnotatedPhrase(inner, words, head, number='other')
        relation, place, landmarks = self.place(static=True, nested=False, without_determiner=True)
        head, last = mark(f'那{m}')
        words, inner = mark(f'{place}{self.choose(("的", ""))}{last}')
        return AnnotatedPhrase(inner, words, head, relation=relation, landmarks=landmarks)

    def _possessive(self, noun):
        phrase = self.build(noun, '', (), clause=self.choose(self.lexicon.adjectives['name']))
        return phrase

    def _container_of(self):
        measure, of = self.choose(_CONTAINERS)
        head, text = self.mark(self.choose(of))
        words, inner = self.mark(text)
        return AnnotatedPhrase(
            self.choose(('一', '一', '那', '这', '')) + measure + inner
            if self.random() < 0.9
            else inner,
            words,
            head,
        )
