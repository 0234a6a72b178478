"""Chinese noun phrases, and places said with a word of direction."""

from __future__ import annotations

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.marks import Marks
from kimi_train.reader.language.nouns_en import PLACED
from kimi_train.reader.language.phrase import Phrase
from kimi_train.reader.language.values import spelled_zh

__all__ = ['Nouns']

FORMS = forms('zh')

RELATION_WORDS = {
    'on': ('上',) * 8 + ('上面', '上面', '的上面', '上边', '顶上'),
    'in': ('里',) * 7 + ('里面', '里面', '的里面', '里头', '中', '内'),
    'left_of': ('左边', '左边', '的左边', '左侧', '左面', '的左侧', '左手边'),
    'right_of': ('右边', '右边', '的右边', '右侧', '右面', '的右侧', '右手边'),
    'in_front_of': ('前面', '前面', '的前面', '前边', '前', '前方'),
    'behind': ('后面', '后面', '的后面', '后边', '后', '背后', '后方'),
    'next_to': ('旁边', '旁边', '旁边', '的旁边', '边上', '旁', '附近', '边'),
    'between': ('之间', '中间', '的中间', '之间'),
    'under': ('下面', '下面', '底下', '的下面', '下', '下边'),
    'above': ('上方', '的上方'),
}
_DET = ('',) * 14 + ('那{}', '那{}', '那{}', '这{}', '一{}', '一{}', '我的', '你的', '我那{}')
_CLAUSES = FORMS['clauses']
# Adjectives for what is no thing.
_ALIVE = ('高个子', '年轻', '年老', '小', '瘦', '生病', '新来', '漂亮', '矮个子')
_FITTING = {
    'person': _ALIVE,
    'animal': ('小', '大', '黑色', '白色', '可爱'),
    'place': ('大', '小', '隔壁', '对面', '楼上', '楼下', '新'),
}
_DOING = FORMS['doing']
_PARTS = FORMS['parts']
_TAGGED = FORMS['tagged']
_PART_OF = {
    'on': (
        '第一层',
        '第二层',
        '第三层',
        '最上层',
        '最下层',
        '最底层',
        '中间那层',
        '上层',
        '下层',
        '角',
        '边',
        '顶',
        '盖子',
        '左半边',
        '右半边',
        '边缘',
    ),
    'in': (
        '抽屉',
        '上层抽屉',
        '第二个抽屉',
        '最下面的抽屉',
        '中间的抽屉',
        '隔层',
        '后面的隔层',
        '左边的格子',
        '第一格',
        '角落',
        '夹层',
        '下层',
        '最上面的抽屉',
        '第三个格子',
    ),
}
_WHOLES = FORMS['wholes']
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
_ADVERBIAL_ORDER = ('最大', '最小', '最左边', '最右边')


class Nouns:
    """Makes noun phrases of one example; as the English one."""

    def __init__(self, rng, lexicon, marks: Marks, part: str):
        self.rng = rng
        self.random = rng.random
        self.lexicon = lexicon
        self.marks = marks
        self.part = part
        self.guarded = False

    def pick(self, options):
        """Draw one of the options."""
        return options[int(self.random() * len(options))]

    def adjective(self) -> str:
        """Draw an adjective."""
        r = self.random()
        words = self.lexicon.adjectives
        if r < 0.48:
            return self.pick(words['color'])
        if r < 0.66:
            return self.pick(words['size'])
        if r < 0.76:
            return self.pick(words['material'])
        if r < 0.93:
            return self.pick(words['state'])
        return self.pick(words['brand'])

    def simple(self, kinds=('landmark',), det=None) -> Phrase:
        """Return a phrase with an adjective at most."""
        r = self.random()
        if r < 0.05 and det is None:
            return self._tagged()
        noun = self.lexicon.noun(self.rng, kinds, self.part)
        adjectives = (self.adjective(),) if r > 0.75 else ()
        order = self.pick(self.lexicon.adjectives['order']) if 0.70 < r < 0.74 else ''
        return self._build(noun, self.pick(_DET) if det is None else det, adjectives, order)

    def _build(self, noun, det='', adjectives=(), order='', number='one', clause=''):
        """Put a phrase together: 那个 最大的 红色的 带把手的 杯子, in one of its orders."""
        marks = self.marks
        if adjectives and noun.kind in _FITTING:
            adjectives = (self.pick(_FITTING[noun.kind]),)
        det = det.replace('{}', noun.measure)
        parts, attributes, order_id = [], [], 0
        inner_det = ''
        if det[:1] in '那这' and det and (adjectives or order or clause) and self.random() < 0.4:
            inner_det, det = det, ''
        if order:
            if order[-1] == '的':
                order = order[:-1]
            of = '的' if not inner_det or self.random() < 0.6 else ''
            order_id, text = marks(order + of)
            parts.append(text)
        if clause:
            clause = clause.rstrip('的')
            number_of, text = marks(clause)
            attributes.append(number_of)
            parts.append(text + '的')
        for i, adjective in enumerate(adjectives):
            number_of, text = marks(adjective)
            attributes.append(number_of)
            short = len(adjective) == 1
            last = i == len(adjectives) - 1
            if (short and last and not inner_det and self.random() < 0.8) or (
                not short and last and not inner_det and self.random() < 0.25
            ):
                parts.append(text)
            elif adjective in self.lexicon.adjectives['brand'] and not inner_det:
                parts.append(text + self.pick(('', '的')))
            else:
                parts.append(text + '的')
        head, text = marks(noun.word)
        words, inner = marks(''.join(parts) + inner_det + text)
        return Phrase(
            det + inner,
            words,
            head,
            tuple(attributes),
            order_id,
            number,
            '',
            (),
            number not in ('one', 'other'),
            noun.kind,
        )

    def _tagged(self):
        r = self.random()
        n = 1 + int(self.random() * 20)
        letter = self.pick('ABCDEFGH')
        tag = (
            f'{spelled_zh(n, False)}号'
            if r < 0.4
            else f'{n}号'
            if r < 0.65
            else f'{letter}{1 + n % 9}'
            if r < 0.8
            else f'{letter}{1 + n % 9}号'
            if r < 0.9
            else f'{letter}区的'
        )
        head, text = self.marks(tag + self.pick(_TAGGED))
        words, text = self.marks(text)
        return Phrase(text, words, head, kind='container')

    def phrase(self, kinds=('any',), source=0.0) -> Phrase:
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
            return self._build(noun, self.pick(_DET), tuple(adjectives))
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
        words, inner = marks(
            f'两{noun.measure}{text}{self.pick(("里", "里面", "中", "当中", "里头"))}{last}{self.pick(("那", "那", "")).replace("那", "那" + noun.measure)}'
        )
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
            words, inner = marks(
                f'{base}{self.pick(("，", "，", "，就是"))}{of}{self.pick(("那", "的那"))}{noun.measure}'
            )
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

    def part_of(self, relation) -> Phrase:
        """Return 柜子最上面的抽屉."""
        marks = self.marks
        name = self.pick(_PART_OF[relation if relation in _PART_OF else 'on'])
        order, front = 0, ''
        for cut in ('的', '个', '那'):
            at = name.find(cut)
            if 0 < at < len(name) - 1:
                order, front = marks(name[: at + 1] if cut != '那' else name[:at])
                name = name[at + 1 :] if cut != '那' else name[at:]
                break
        head, text = marks(name)
        noun = self.lexicon.noun(self.rng, ('surface', 'container'), self.part)
        if self.random() < 0.6:
            noun = noun._replace(word=self.pick(_WHOLES), measure='个')
        whole = self._build(noun, '')
        words, inner = marks(whole.text + self.pick(('的', '', '')) + front + text)
        return Phrase(inner, words, head, (), order, 'one', 'part_of', (whole,))

    def place(self, relation=None, static=False, deep=True, to=False, bare=False, kinds=None):
        """Return relation, text and landmarks of a place: 水壶左边.

        :param bare: the landmark without determiner.
        :param kinds: classes of the landmark; None for what suits the relation.
        """
        relation = relation or self.pick(PLACED)
        word = self.pick(RELATION_WORDS[relation])
        r = self.random()
        if relation == 'between':
            return (relation, *self._between(word, r, bare))
        if kinds:
            pass
        elif relation in ('on', 'under') and r < 0.75:
            kinds = ('surface',)
        elif relation == 'in' and r < 0.8:
            kinds = ('place',) if static and r < 0.12 else ('container',)
        elif relation in ('next_to', 'behind', 'in_front_of') and r < 0.3:
            kinds = ('surface', 'container', 'switch', 'open')
        kinds = kinds or ('landmark',)
        r = self.random()
        if relation == 'on' and r < 0.12 and kinds == ('surface',):
            head, text = self.marks(
                self.pick(('桌', '桌', '地', '床', '台', '墙', '架', '桌子', '柜'))
            )
            words, text = self.marks(text)
            return relation, text + '上', (Phrase(text, words, head),)
        if deep and r > 0.92 and relation in ('on', 'in'):
            landmark = self.part_of(relation)
        elif deep and r > 0.88:
            landmark = self.phrase(kinds)
        else:
            landmark = self.simple(kinds, '' if bare else None)
        text = landmark.text
        if relation in ('on', 'in') and len(word) == 1 and text.endswith(('上', '里', '层')):
            word = ''
        return relation, text + word, (landmark,)

    def _between(self, word, r, bare):
        if r < 0.8:
            one, two = (
                self.simple(det='' if bare else self.pick(('', '', '那{}'))),
                self.simple(det=''),
            )
            return f'{one.text}{self.pick(("和", "和", "跟", "与"))}{two.text}{word}', (one, two)
        noun = self.lexicon.noun(self.rng, ('landmark',), self.part)
        both = self._build(
            noun,
            self.pick(('两{}',) if bare else ('两{}', '那两{}', '这两{}')),
            (self.adjective(),) if self.random() < 0.3 else (),
            number='2',
        )
        return both.text + word, (both,)
