"""Plain Chinese noun phrases, and places said with a word of direction."""

from __future__ import annotations

from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.marks import Marks
from kimi_train.reader.language.phrase import Phrase
from kimi_train.reader.language.places_en import PLACED
from kimi_train.reader.language.values import spelled_zh

__all__ = ['Places', 'DETERMINERS']

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
# Adjectives for what is no thing.
_ALIVE = ('高个子', '年轻', '年老', '小', '瘦', '生病', '新来', '漂亮', '矮个子')
_FITTING = {
    'person': _ALIVE,
    'animal': ('小', '大', '黑色', '白色', '可爱'),
    'place': ('大', '小', '隔壁', '对面', '楼上', '楼下', '新'),
}
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


class Places:
    """Makes plain phrases and places of one example.

    :param rng: random.Random.
    :param lexicon: the words.
    :param part: which nouns: "train", "core", "held" or "all".
    :ivar guarded: a place follows the phrase: where the thing is now is said with a clause of its
        own, so that the two are not taken for one another.
    """

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
        return self._build(noun, self.pick(DETERMINERS) if det is None else det, adjectives, order)

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

    def phrase(self, kinds=('any',)) -> Phrase:
        """Return a noun phrase of any make."""
        raise NotImplementedError

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
