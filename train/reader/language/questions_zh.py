"""Chinese questions, small talk, words without sense, and what hardly a robot does."""

from __future__ import annotations

from kimi_train.reader.language import spoken
from kimi_train.reader.language.forms import forms
from kimi_train.reader.language.phrase import Phrase

__all__ = ['IMPOSSIBLE', 'TALK', 'ask', 'nonsense']

FORMS = forms('zh')

# What stands before the verb, the verb, and what follows it.
IMPOSSIBLE = (
    ('', '飞', '到天花板上去'),
    ('', '飞', '上天'),
    ('给我', '订', '个披萨'),
    ('', '订', '一张机票'),
    ('', '打电话', '给我妈'),
    ('给医生', '打电话', ''),
    ('', '播放', '音乐'),
    ('', '唱', '首歌'),
    ('给我', '唱', '个摇篮曲'),
    ('跟我', '跳舞', ''),
    ('', '发邮件', '给老板'),
    ('去', '买', '点牛奶'),
    ('去', '买', '菜'),
    ('', '翻译', '这封信'),
    ('', '游泳', ''),
    ('', '爬', '楼梯'),
    ('', '爬', '到屋顶上'),
    ('', '跳', '过箱子'),
    ('', '提醒', '我开会'),
    ('六点', '叫醒', '我'),
    ('', '下载', '一部电影'),
    ('', '发明', '点新东西'),
    ('', '开车', '送我去机场'),
    ('给我', '按摩', '一下背'),
    ('', '照看', '一下孩子'),
    ('把这里', '炸', '了'),
    ('用刀', '扎', '一下那个人'),
    ('', '砍', '那个人'),
    ('', '烤', '个蛋糕'),
    ('', '织', '条围巾'),
    ('', '粉刷', '天花板'),
    ('', '修', '屋顶'),
    ('', '割', '草'),
    ('', '算', '一下这道题'),
    ('', '预测', '明天的天气'),
    ('', '挤', '牛奶'),
    ('', '熨', '衬衫'),
    ('', '查', '一下天气'),
    ('', '拍', '张照片'),
    ('跟我', '下棋', ''),
    ('', '炒', '个菜'),
    ('', '讲', '个笑话'),
    ('把车', '洗', '了'),
    ('', '遛', '狗'),
    ('给花', '浇水', ''),
    ('', '画', '一幅画'),
    ('把他', '赶', '出去'),
    ('', '叫', '一辆出租车'),
    ('', '报警', ''),
    ('', '弹', '钢琴'),
    ('', '搬家', ''),
)
TALK = FORMS['talk']
_FRAGMENTS = (
    '那个',
    '嗯',
    '呃',
    '就是',
    '然后',
    '这个',
    '的',
    '把',
    '在',
    '和',
    '是',
    '啊',
    '哦',
    '吧',
    '给',
)
_BLURRED = ('咕噜', '啦啦', '嘟嘟', '哔哔', '啊啊', '嗷', '哼哼', '呜', '叽里呱啦', 'asdf', '滋滋')

_WHERE = FORMS['where']
_SEEN = FORMS['seen']
_COUNT = FORMS['count']
_ATTRIBUTE = FORMS['attribute']
_WHICH = FORMS['which']
_TEXT = FORMS['text']
_WHAT = FORMS['what']
_THIS = ('那个', '这个', '那个东西', '这个东西', '这', '那', '它')
_DESCRIBE = FORMS['describe']
_OTHER = FORMS['other']
_PICTURED = ('{}长什么样', '描述一下{}', '{}是什么样子的', '说说{}')
_WHERE += spoken.questions('zh', 'where')
_SEEN += spoken.questions('zh', 'presence')
_ATTRIBUTE += tuple(q for q in spoken.questions('zh', 'attribute') if '{2}' not in q)
_WHICH += tuple(q for q in spoken.questions('zh', 'attribute') if '{2}' in q)
_TEXT += spoken.questions('zh', 'text')
_COUNT += tuple(q.replace('个', '{m}') for q in spoken.questions('zh', 'count'))
_OTHER += tuple(q for q in spoken.questions('zh', 'other') if '{2}' not in q)
_DESCRIBE += tuple(q for q in spoken.questions('zh', 'describe') if '{' not in q)
_DESCRIBE = tuple(q for q in _DESCRIBE if '桌' not in q)  # that asks for what is on a thing
_PICTURED += tuple(q for q in spoken.questions('zh', 'describe') if '{}' in q)
TALK += spoken.small_talk('zh')
_RELATED = FORMS['related']
_RELATED_THING = (
    '{}在{p}吗',
    '{}是不是在{p}',
    '{}在不在{p}',
    '哪个{n}在{p}',
    '{p}的是{n}吗',
    '{p}是不是{n}',
)


def nonsense(say) -> str:
    """Return words without sense, or a sentence that is cut off."""
    r = say.random()
    if r < 0.4:
        return ''.join(say.pick(_FRAGMENTS) for _ in range(2 + int(say.random() * 4)))
    if r < 0.6:
        return ''.join(
            say.pick(_BLURRED if say.random() < 0.7 else _FRAGMENTS)
            for _ in range(1 + int(say.random() * 3))
        )
    noun = say.nouns.lexicon.noun(say.rng, ('any',), say.nouns.part).word
    return say.pick(
        (
            '把那个',
            '你能不能',
            '请把',
            '我想',
            '放到',
            '那个带着',
            '请',
            '拿',
            '然后那个',
            '如果你能',
            '拿起那个',
            '旁边的',
            '那个那个嗯',
            f'{noun}的的',
            f'在{noun}的',
            f'把{noun}',
            '把把',
            '去那个',
            '弄一下',
            '搞一下那个',
            '你懂的',
            '老样子',
            '就那样',
            f'{noun}{noun}',
            '还要再',
            '随便什么',
            '左的右',
            f'跟{noun}那什么',
            '放一下',
            '就是那个啥',
        )
    )


def ask(say, draft) -> bool:
    """Fill the draft with a question."""
    r = say.random()
    nouns, world = say.nouns, say.world
    if r < 0.16:
        return not world.has('locate') and _about(say, draft, 'where', _WHERE)
    if r < 0.31:
        template = say.pick(_SEEN)
        if world.has('locate') and any(w in template for w in '看见'):
            return False
        return _about(say, draft, 'presence', (template,), det='')
    if r < 0.46:
        if world.mentions('几', '多少', '数'):
            return False
        noun = nouns.lexicon.noun(say.rng, ('any',), nouns.part)
        phrase = nouns._build(
            noun, '', (nouns.adjective(),) if say.random() < 0.35 else (), number='all'
        )
        text = say.pick(_COUNT).replace('{m}', noun.measure).replace('{}', phrase.text)
        if say.random() < 0.3 and text[0] in '有几一数':
            relation, place, landmarks = nouns.place(static=True, deep=False)
            phrase.relation, phrase.landmarks = relation, landmarks
            text = (
                place + text if text[0] != '数' else f'看看{place}有几{noun.measure}{phrase.text}'
            )
        draft.text, draft.question = text, ('count', (phrase,))
    elif r < 0.58:
        return _about(say, draft, 'attribute', _ATTRIBUTE)
    elif r < 0.62:
        one, two = nouns.simple(('any',)), nouns.simple(('any',))
        draft.text = say.pick(_WHICH).replace('{}', one.text).replace('{2}', two.text)
        draft.question = ('attribute', (one, two))
    elif r < 0.70:
        if world.has('read', 'read_text', 'read_label'):
            return False
        return _about(say, draft, 'text', _TEXT)
    elif r < 0.80:
        return _related(say, draft)
    elif r < 0.84:
        if say.random() < 0.35:
            phrase = nouns.phrase(('any',))
        else:
            said = say.pick(_THIS)
            det, name = (said[:2], said[2:]) if said.endswith('东西') else ('', said)
            head, text = say.marks(name)
            words, text = say.marks(text)
            phrase = Phrase(det + text, words, head)
        draft.text, draft.question = (
            say.pick(_WHAT).replace('{this}', phrase.text),
            ('what', (phrase,)),
        )
    elif r < 0.91:
        if world.has('describe'):
            return False
        if say.random() < 0.35:
            return _about(say, draft, 'describe', _PICTURED)
        draft.text, draft.question = say.pick(_DESCRIBE), ('describe', ())
    else:
        return _about(say, draft, 'other', _OTHER)
    return _finish(say, draft)


def _finish(say, draft):
    draft.outcome = 'answer'
    r = say.random()
    if not any(w in draft.text for w in ('吗', '呢', '不', '没')) and r < 0.15:
        draft.text += say.pick(('呢', '啊', '呀'))
    if r < 0.7:
        draft.text += '？'
    return True


_KEYS = {
    'text': ('读', '念', '写着'),
    'attribute': ('颜色', '多大', '多高', '多重', '吗', '没有', '了没', '是不是'),
    'where': ('在哪', '哪里', '找'),
    'other': ('几点', '怎么', '天气', '多少钱'),
    'presence': ('有没有', '有吗'),
}


def _about(say, draft, kind, templates, det=None):
    template = say.pick(templates)
    if say.world.mentions(*_KEYS.get(kind, ('不会出现',))):
        return False
    if kind == 'text' and say.world.has('read', 'read_text', 'read_label'):
        return False
    things = ()
    if '{}' in template:
        phrase = (
            say.nouns.phrase()
            if say.random() < 0.55 and det is None
            else say.nouns.simple(('any',), det)
        )
        things = (phrase,)
        template = template.replace('{}', phrase.text)
    draft.text, draft.question = template, (kind, things)
    return _finish(say, draft)


def _related(say, draft):
    relation, place, landmarks = say.nouns.place(static=True, deep=False)
    if say.random() < 0.65:
        template = say.pick(_RELATED)
        word = '什么东西' if '什么东西' in template else '什么' if '什么' in template else '东西'
        head, text = say.marks(word)
        words, text = say.marks(text)
        phrase = Phrase(text, words, head, relation=relation, landmarks=landmarks)
        draft.text = template.replace(word, text, 1).replace('{p}', place)
    else:
        template = say.pick(_RELATED_THING)
        phrase = say.nouns.simple(('any',), '')
        phrase.relation, phrase.landmarks = relation, landmarks
        draft.text = (
            template.replace('{}', phrase.text).replace('{n}', phrase.text).replace('{p}', place)
        )
    draft.question = ('relation', (phrase,))
    return _finish(say, draft)
