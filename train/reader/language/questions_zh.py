"""Chinese questions, small talk, unintelligible text and requests that no skill fulfils."""

from __future__ import annotations

from kimi_train.reader.language import sentence_corpus
from kimi_train.reader.language.annotated_phrase import AnnotatedPhrase
from kimi_train.reader.language.sentence_templates import sentence_templates

__all__ = ['UNSUPPORTED_REQUESTS', 'SMALL_TALK', 'generate_question', 'unintelligible_text']

TEMPLATES = sentence_templates('zh')

# What stands before the verb, the verb, and what follows it.
UNSUPPORTED_REQUESTS = (
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
SMALL_TALK = TEMPLATES['small_talk']
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
_NONWORDS = ('咕噜', '啦啦', '嘟嘟', '哔哔', '啊啊', '嗷', '哼哼', '呜', '叽里呱啦', 'asdf', '滋滋')

_WHERE = TEMPLATES['where']
_PRESENCE = TEMPLATES['presence']
_COUNT = TEMPLATES['count']
_ATTRIBUTE = TEMPLATES['attribute']
_WHICH = TEMPLATES['which']
_TEXT = TEMPLATES['text']
_WHAT = TEMPLATES['what']
_THIS = ('那个', '这个', '那个东西', '这个东西', '这', '那', '它')
_DESCRIBE = TEMPLATES['describe']
_OTHER = TEMPLATES['other']
_DESCRIBE_OBJECT = ('{}长什么样', '描述一下{}', '{}是什么样子的', '说说{}')
_WHERE += sentence_corpus.questions('zh', 'where')
_PRESENCE += sentence_corpus.questions('zh', 'presence')
_ATTRIBUTE += tuple(q for q in sentence_corpus.questions('zh', 'attribute') if '{2}' not in q)
_WHICH += tuple(q for q in sentence_corpus.questions('zh', 'attribute') if '{2}' in q)
_TEXT += sentence_corpus.questions('zh', 'text')
_COUNT += tuple(q.replace('个', '{m}') for q in sentence_corpus.questions('zh', 'count'))
_OTHER += tuple(q for q in sentence_corpus.questions('zh', 'other') if '{2}' not in q)
_DESCRIBE += tuple(q for q in sentence_corpus.questions('zh', 'describe') if '{' not in q)
_DESCRIBE = tuple(q for q in _DESCRIBE if '桌' not in q)  # that asks for what is on a thing
_DESCRIBE_OBJECT += tuple(q for q in sentence_corpus.questions('zh', 'describe') if '{}' in q)
SMALL_TALK += sentence_corpus.small_talk('zh')
_RELATION = TEMPLATES['relation']
_RELATION_OF_OBJECT = (
    '{}在{p}吗',
    '{}是不是在{p}',
    '{}在不在{p}',
    '哪个{n}在{p}',
    '{p}的是{n}吗',
    '{p}是不是{n}',
)


def unintelligible_text(generator) -> str:
    """Return filler words, nonwords or a truncated sentence."""
    r = generator.random()
    if r < 0.4:
        return ''.join(generator.choose(_FRAGMENTS) for _ in range(2 + int(generator.random() * 4)))
    if r < 0.6:
        return ''.join(
            generator.choose(_NONWORDS if generator.random() < 0.7 else _FRAGMENTS)
            for _ in range(1 + int(generator.random() * 3))
        )
    noun = generator.noun_phrases.lexicon.noun(
        generator.rng, ('any',), generator.noun_phrases.split
    ).word
    return generator.choose(
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


def generate_question(generator, instruction) -> bool:
    """Write a question into the instruction; tell whether it fits the catalogue."""
    r = generator.random()
    noun_phrases, catalogue = generator.noun_phrases, generator.catalogue
    if r < 0.16:
        return not catalogue.has('locate') and _object_question(
            generator, instruction, 'where', _WHERE
        )
    if r < 0.31:
        template = generator.choose(_PRESENCE)
        if catalogue.has('locate') and any(w in template for w in '看见'):
            return False
        return _object_question(generator, instruction, 'presence', (template,), det='')
    if r < 0.46:
        if catalogue.mentions('几', '多少', '数'):
            return False
        noun = noun_phrases.lexicon.noun(generator.rng, ('any',), noun_phrases.split)
        phrase = noun_phrases.build(
            noun, '', (noun_phrases.adjective(),) if generator.random() < 0.35 else (), number='all'
        )
        text = generator.choose(_COUNT).replace('{m}', noun.measure).replace('{}', phrase.text)
        if generator.random() < 0.3 and text[0] in '有几一数':
            relation, place, landmarks = noun_phrases.place(static=True, nested=False)
            phrase.relation, phrase.landmarks = relation, landmarks
            text = (
                place + text if text[0] != '数' else f'看看{place}有几{noun.measure}{phrase.text}'
            )
        instruction.text, instruction.question = text, ('count', (phrase,))
    elif r < 0.58:
        return _object_question(generator, instruction, 'attribute', _ATTRIBUTE)
    elif r < 0.62:
        one, two = noun_phrases.simple(('any',)), noun_phrases.simple(('any',))
        instruction.text = generator.choose(_WHICH).replace('{}', one.text).replace('{2}', two.text)
        instruction.question = ('attribute', (one, two))
    elif r < 0.70:
        if catalogue.has('read', 'read_text', 'read_label'):
            return False
        return _object_question(generator, instruction, 'text', _TEXT)
    elif r < 0.80:
        return _relation_question(generator, instruction)
    elif r < 0.84:
        if generator.random() < 0.35:
            phrase = noun_phrases.phrase(('any',))
        else:
            wording = generator.choose(_THIS)
            det, name = (wording[:2], wording[2:]) if wording.endswith('东西') else ('', wording)
            head, text = generator.mark(name)
            words, text = generator.mark(text)
            phrase = AnnotatedPhrase(det + text, words, head)
        instruction.text, instruction.question = (
            generator.choose(_WHAT).replace('{this}', phrase.text),
            ('what', (phrase,)),
        )
    elif r < 0.91:
        if catalogue.has('describe'):
            return False
        if generator.random() < 0.35:
            return _object_question(generator, instruction, 'describe', _DESCRIBE_OBJECT)
        instruction.text, instruction.question = generator.choose(_DESCRIBE), ('describe', ())
    else:
        return _object_question(generator, instruction, 'other', _OTHER)
    return finish_question(generator, instruction)


def finish_question(generator, instruction) -> bool:
    """Close the question's text; return True."""
    instruction.outcome = 'answer'
    r = generator.random()
    if not any(w in instruction.text for w in ('吗', '呢', '不', '没')) and r < 0.15:
        instruction.text += generator.choose(('呢', '啊', '呀'))
    if r < 0.7:
        instruction.text += '？'
    return True


_KEYWORDS = {
    'count': ('几', '多少', '数'),
    'text': ('读', '念', '写着'),
    'attribute': ('颜色', '多大', '多高', '多重', '吗', '没有', '了没', '是不是'),
    'where': ('在哪', '哪里', '找'),
    'other': ('几点', '怎么', '天气', '多少钱'),
    'presence': ('有没有', '有吗'),
}


def may_request_skill(generator, kind, template) -> bool:
    """Tell whether a skill of the catalogue may be meant by the question."""
    return generator.catalogue.mentions(*_KEYWORDS.get(kind, ('不会出现',)))


def _object_question(generator, instruction, kind, templates, det=None):
    template = generator.choose(templates)
    if may_request_skill(generator, kind, template):
        return False
    if kind == 'text' and generator.catalogue.has('read', 'read_text', 'read_label'):
        return False
    things = ()
    if '{}' in template:
        phrase = (
            generator.noun_phrases.phrase()
            if generator.random() < 0.55 and det is None
            else generator.noun_phrases.simple(('any',), det)
        )
        things = (phrase,)
        template = template.replace('{}', phrase.text)
    instruction.text, instruction.question = template, (kind, things)
    return finish_question(generator, instruction)


def _relation_question(generator, instruction):
    relation, place, landmarks = generator.noun_phrases.place(static=True, nested=False)
    if generator.random() < 0.65:
        template = generator.choose(_RELATION)
        word = '什么东西' if '什么东西' in template else '什么' if '什么' in template else '东西'
        head, text = generator.mark(word)
        words, text = generator.mark(text)
        phrase = AnnotatedPhrase(text, words, head, relation=relation, landmarks=landmarks)
        instruction.text = template.replace(word, text, 1).replace('{p}', place)
    else:
        template = generator.choose(_RELATION_OF_OBJECT)
        phrase = generator.noun_phrases.simple(('any',), '')
        phrase.relation, phrase.landmarks = relation, landmarks
        instruction.text = (
            template.replace('{}', phrase.text).replace('{n}', phrase.text).replace('{p}', place)
        )
    instruction.question = ('relation', (phrase,))
    return finish_question(generator, instruction)
