"""Simple Chinese noun phrases and places."""

from __future__ import annotations

from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.phrase_base import PLACEMENT_RELATIONS, PhraseBase
from kimi_train.reader.language.sentence_templates import sentence_templates
from kimi_train.reader.language.value_wordings import number_words_zh

__all__ = ['PlacePhraseGenerator', 'DETERMINERS']

TEMPLATES = sentence_templates('zh')
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
DETERMINERS = ('',) * 14 + (
    '那{}',
    '那{}',
    '那{}',
    '这{}',
    '一{}',
    '一{}',
    '我的',
    '你的',
    '我那{}',
)
# Adjectives for people, animals and rooms.
_PERSON_ADJECTIVES = ('高个子', '年轻', '年老', '小', '瘦', '生病', '新来', '漂亮', '矮个子')
_ADJECTIVES_BY_CLASS = {
    'person': _PERSON_ADJECTIVES,
    'animal': ('小', '大', '黑色', '白色', '可爱'),
    'place': ('大', '小', '隔壁', '对面', '楼上', '楼下', '新'),
}
_LABELLED_NOUNS = TEMPLATES['labelled_nouns']
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
_WHOLES = TEMPLATES['wholes']


class PlacePhraseGenerator(PhraseBase):
    """Generates simple Chinese noun phrases, and places."""

    lang = 'zh'
    adjective_shares = (
        (0.48, 'color'),
        (0.66, 'size'),
        (0.76, 'material'),
        (0.93, 'state'),
        (1.0, 'brand'),
    )
    compound_share = 0.12

    def colour_pair(self):
        """Return two colours as one adjective: 黑白相间."""
        pair = self.choose('黑白红蓝黄绿') + self.choose('黑白红蓝黄绿')
        return pair + self.choose(('相间', '双色', '两色', '色'))

    def simple(self, noun_classes=('landmark',), det=None) -> AnnotatedPhrase:
        """Return a noun phrase with at most one adjective."""
        r = self.random()
        if r < 0.05 and det is None:
            return self._labelled()
        noun = self.lexicon.noun(self.rng, noun_classes, self.split)
        adjectives = (self.adjective(),) if r > 0.75 else ()
        order = self.choose(self.lexicon.adjectives['order']) if 0.70 < r < 0.74 else ''
        return self.build(noun, self.choose(DETERMINERS) if det is None else det, adjectives, order)

    def build(self, noun, det='', adjectives=(), order='', number='one', clause=''):
        """Return the phrase of these parts in one of its word orders: 那个 最大的 红色的 杯子."""
        mark = self.mark
        noun = self.compound(noun)
        if adjectives and noun.noun_class in _ADJECTIVES_BY_CLASS:
            adjectives = (self.choose(_ADJECTIVES_BY_CLASS[noun.noun_class]),)
        det = det.replace('{}', noun.measure)
        parts, attributes, order_id = [], [], 0
        inner_det = ''
        if det[:1] in '那这' and det and (adjectives or order or clause) and self.random() < 0.4:
            inner_det, det = det, ''
        if order:
            if order[-1] == '的':
                order = order[:-1]
            of = '的' if not inner_det or self.random() < 0.6 else ''
            order_id, text = mark(order + of)
            parts.append(text)
        if clause:
            clause = clause.rstrip('的')
            number_of, text = mark(clause)
            attributes.append(number_of)
            parts.append(text + '的')
        for i, adjective in enumerate(adjectives):
            number_of, text = mark(adjective)
            attributes.append(number_of)
            short = len(adjective) == 1
            last = i == len(adjectives) - 1
            if (short and last and not inner_det and self.random() < 0.8) or (
                not short and last and not inner_det and self.random() < 0.25
            ):
                parts.append(text)
            elif adjective in self.lexicon.adjectives['brand'] and not inner_det:
                parts.append(text + self.choose(('', '的')))
            else:
                parts.append(text + '的')
        head, text = mark(noun.word)
        words, inner = mark(''.join(parts) + inner_det + text)
        return AnnotatedPhrase(
            det + inner,
            words,
            head,
            tuple(attributes),
            order_id,
            number,
            '',
            (),
            number not in ('one', 'other'),
            noun.noun_class,
        )

    def _labelled(self, noun=''):
        r = self.random()
        n = 1 + int(self.random() * 20)
        letter = self.choose('ABCDEFGH')
        label = (
            f'{number_words_zh(n, False)}号'
            if r < 0.4
            else f'{n}号'
            if r < 0.65
            else f'{letter}{1 + n % 9}'
            if r < 0.8
            else f'{letter}{1 + n % 9}号'
            if r < 0.9
            else f'{letter}区的'
        )
        head, text = self.mark(label + (noun or self.choose(_LABELLED_NOUNS)))
        words, text = self.mark(text)
        return AnnotatedPhrase(text, words, head, noun_class='container')

    def part_of(self, relation) -> AnnotatedPhrase:
        """Return 柜子最上面的抽屉."""
        mark = self.mark
        name = self.choose(_PART_OF[relation if relation in _PART_OF else 'on'])
        order, front = 0, ''
        for cut in ('的', '个', '那'):
            at = name.find(cut)
            if 0 < at < len(name) - 1:
                order, front = mark(name[: at + 1] if cut != '那' else name[:at])
                name = name[at + 1 :] if cut != '那' else name[at:]
                break
        head, text = mark(name)
        noun = self.lexicon.noun(self.rng, ('surface', 'container'), self.split)
        if self.random() < 0.6:
            noun = noun._replace(word=self.choose(_WHOLES), measure='个')
        whole = self.build(noun, '')
        words, inner = mark(whole.text + self.choose(('的', '', '')) + front + text)
        return AnnotatedPhrase(inner, words, head, (), order, 'one', 'part_of', (whole,))

    def place(
        self,
        relation=None,
        static=False,
        nested=True,
        allow_to=False,
        without_determiner=False,
        noun_classes=None,
    ):
        """Sample a place: relation, text (水壶左边) and landmarks.

        :param without_determiner: whether the landmark has none.
        :param noun_classes: of the landmark; None for those that suit the relation.
        """
        relation = relation or self.choose(PLACEMENT_RELATIONS)
        word = self.choose(RELATION_WORDS[relation])
        if relation == 'between':
            return (relation, *self._between(word, without_determiner))
        if relation == 'on' and not noun_classes and self.random() < 0.1:
            head, text = self.mark(
                self.choose(('桌', '桌', '地', '床', '台', '墙', '架', '桌子', '柜'))
            )
            words, text = self.mark(text)
            return relation, text + '上', (AnnotatedPhrase(text, words, head),)
        det = '' if without_determiner else None
        landmark = self.landmark(relation, static, nested, noun_classes, det)
        text = landmark.text
        if relation in ('on', 'in') and len(word) == 1 and text.endswith(('上', '里', '层')):
            word = ''
        return relation, text + word, (landmark,)

    def _between(self, word, without_determiner):
        if self.random() < 0.8:
            one, two = (
                self.simple(det='' if without_determiner else self.choose(('', '', '那{}'))),
                self.simple(det=''),
            )
            return f'{one.text}{self.choose(("和", "和", "跟", "与"))}{two.text}{word}', (one, two)
        noun = self.lexicon.noun(self.rng, ('landmark',), self.split)
        both = self.build(
            noun,
            self.choose(('两{}',) if without_determiner else ('两{}', '那两{}', '这两{}')),
            (self.adjective(),) if self.random() < 0.3 else (),
            number='2',
        )
        return both.text + word, (both,)
