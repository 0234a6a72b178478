"""Chinese questions, small talk, words without sense, and what hardly a robot does."""

from __future__ import annotations

from kimi_train.reader.language import spoken
from kimi_train.reader.language.phrase import Phrase

__all__ = ['IMPOSSIBLE', 'TALK', 'ask', 'nonsense']

# What stands before the verb, the verb, and what follows it.
IMPOSSIBLE = (
    ('', '飞', '到天花板上去'), ('', '飞', '上天'), ('给我', '订', '个披萨'), ('', '订', '一张机票'), ('', '打电话', '给我妈'),
    ('给医生', '打电话', ''), ('', '播放', '音乐'), ('', '唱', '首歌'), ('给我', '唱', '个摇篮曲'), ('跟我', '跳舞', ''), ('', '发邮件', '给老板'),
    ('去', '买', '点牛奶'), ('去', '买', '菜'), ('', '翻译', '这封信'), ('', '游泳', ''), ('', '爬', '楼梯'), ('', '爬', '到屋顶上'), ('', '跳', '过箱子'),
    ('', '提醒', '我开会'), ('六点', '叫醒', '我'), ('', '下载', '一部电影'), ('', '发明', '点新东西'), ('', '开车', '送我去机场'), ('给我', '按摩', '一下背'),
    ('', '照看', '一下孩子'), ('把这里', '炸', '了'), ('用刀', '扎', '一下那个人'), ('', '砍', '那个人'), ('', '烤', '个蛋糕'), ('', '织', '条围巾'),
    ('', '粉刷', '天花板'), ('', '修', '屋顶'), ('', '割', '草'), ('', '算', '一下这道题'), ('', '预测', '明天的天气'), ('', '挤', '牛奶'), ('', '熨', '衬衫'),
    ('', '查', '一下天气'), ('', '拍', '张照片'), ('跟我', '下棋', ''), ('', '炒', '个菜'), ('', '讲', '个笑话'), ('把车', '洗', '了'), ('', '遛', '狗'),
    ('给花', '浇水', ''), ('', '画', '一幅画'), ('把他', '赶', '出去'), ('', '叫', '一辆出租车'), ('', '报警', ''), ('', '弹', '钢琴'), ('', '搬家', ''),
)
TALK = tuple('''你好|您好|早上好|下午好|晚上好|晚安|你好吗|最近怎么样|谢谢|谢谢你|多谢|太好了|真棒|做得好|干得漂亮|不错|很好|好的|好|嗯|哦|是的|不是|对|没错
行|可以|知道了|明白了|算了|没事|没事了|没关系|不用了|不用谢|不客气|对不起|抱歉|我叫小明|我累了|我饿了|我好无聊|今天好开心|又下雨了|今天天气真好|今天真冷
我妹妹明天要来|今天好忙|你真有趣|你真厉害|你帮了大忙|我喜欢你|你是最棒的|好机器人|再见|拜拜|回头见|明天见|祝你愉快|欢迎回来|很高兴认识你|够了|就这样吧
没别的了|没什么|什么都别做|什么也不用做|让我想想|等一下，我想想|我在自言自语|我没跟你说话|我什么都没说|开玩笑的|逗你玩的|我刚在打电话|孩子们上学去了
昨天吃的面条|我喜欢这首歌|这厨房真漂亮|我今天背疼|昨晚没睡好|今天是我生日|会议真无聊|又到星期一了|外面好冷|火车又晚点了|我们去年搬来的|她说会打电话来
他去度假了|这样就挺好|一切正常|看起来不错|别担心|放心吧|恭喜|新年快乐|哎呀|天哪|哇|哈哈|哈哈哈|真好笑|你还好吗|准备好了吗|听得到吗|你在吗|你在听吗|你是谁
你叫什么名字|你几岁了|你喜欢音乐吗|你从哪里来|谁做的你|你是机器人吗|你会做梦吗|你会做什么|你能做什么|喂喂喂|测试测试|一二三|待会儿聊|我马上回来|辛苦了|加油'''.replace('\n', '|').split('|'))
_FRAGMENTS = ('那个', '嗯', '呃', '就是', '然后', '这个', '的', '把', '在', '和', '是', '啊', '哦', '吧', '给')
_BLURRED = ('咕噜', '啦啦', '嘟嘟', '哔哔', '啊啊', '嗷', '哼哼', '呜', '叽里呱啦', 'asdf', '滋滋')

_WHERE = ('{}在哪', '{}在哪里', '{}在哪儿', '{}在什么地方', '{}放哪了', '{}去哪了', '{}呢', '哪里有{}', '我的{}在哪', '你知道{}在哪吗', '能告诉我{}在哪吗',
          '找一下{}', '找找{}', '看看{}在哪', '{}跑哪去了', '{}在哪边', '帮我找{}', '帮我看看{}在哪里', '告诉我{}在哪里', '我找不到{}', '{}是不是在左边', '指一下{}',
          '{}放在哪儿了', '{}到哪儿去了', '请问{}在哪里')
_SEEN = ('有没有{}', '有{}吗', '有没有看到{}', '看到{}了吗', '你看见{}没有', '你能看到{}吗', '看得见{}吗', '{}在不在', '{}在吗', '{}还在吗', '桌上有{}吗', '桌上有没有{}',
         '这里有{}吗', '还有{}吗', '有没有{}呀', '能看到{}吗', '你看到{}没', '是不是有{}', '有{}没有', '还剩{}吗', '附近有{}吗', '看看有没有{}', '那儿有{}吗', '{}有吗')
_COUNT = ('有几{m}{}', '有多少{m}{}', '一共有几{m}{}', '数一下{}', '数数有几{m}{}', '{}有几{m}', '桌上有几{m}{}', '你看到几{m}{}', '总共多少{m}{}', '{}一共有多少',
          '数一数{}', '几{m}{}', '还剩几{m}{}', '有多少{}', '{}有多少{m}', '能数一下有几{m}{}吗', '看看有几{m}{}', '告诉我有几{m}{}', '{}有几个')
_ATTRIBUTE = ('{}是什么颜色', '{}是什么颜色的', '{}什么颜色', '{}有多大', '{}是什么做的', '{}是什么材质', '{}是开着的吗', '{}关了吗', '{}空了吗', '{}满了吗', '{}脏不脏', '{}干净吗',
              '{}烫不烫', '{}是什么形状', '{}多高', '{}坏了吗', '{}开没开', '{}是开着还是关着', '{}是红色的吗', '{}是不是空的', '{}重不重', '{}是新的吗', '{}是什么牌子',
              '{}熟了吗', '{}有多长', '{}是圆的吗', '{}大不大', '{}有没有盖子', '{}是不是木头的', '{}还能用吗')
_WHICH = ('{}和{2}哪个大', '{}和{2}哪个更小', '{}比{2}大吗', '{}是不是比{2}高', '{}跟{2}一样吗', '{}和{2}颜色一样吗', '{}和{2}哪个近', '{}和{2}有什么区别', '{}跟{2}哪个长', '哪个更重，{}还是{2}')
_TEXT = ('{}上写着什么', '{}上写了什么', '念一下{}上的字', '读一下{}', '读一下{}上的标签', '{}的标签上写着什么', '{}上面写的什么', '{}上有什么字', '看看{}上写了啥', '{}写的是什么',
         '把{}上的字念给我听', '{}的保质期到什么时候', '{}是几号', '{}上的号码是多少', '帮我看看{}上写的什么', '念念{}')
_WHAT = ('{this}是什么', '{this}是什么东西', '{this}是啥', '{this}叫什么', '{this}是干什么用的', '你知道{this}是什么吗', '看看{this}是什么', '{this}叫什么名字')
_THIS = ('那个', '这个', '那个东西', '这个东西', '这', '那', '它')
_DESCRIBE = ('你看到了什么', '看到什么了', '桌上有什么', '桌上都有啥', '有什么东西', '前面有什么', '描述一下场景', '描述一下你看到的', '说说你看到了什么', '这里有什么', '周围有什么', '眼前有什么',
             '都有些什么', '看看有什么', '现在是什么情况', '你能看到什么', '屋里有什么', '介绍一下桌上的东西', '列出你看到的东西')
_OTHER = ('现在几点了', '{}怎么做', '怎么修{}', '菜谱是什么', '总统是谁', '商店几点开门', '天为什么是蓝的', '{}多少钱', '谁把{}放这的', '{}是谁的', '{}怎么用', '今天星期几', '几点吃饭',
          '晚上吃什么', '为什么{}在这里', '会下雨吗', '车站有多远', '一加一等于几', '谁动了{}', '你上次什么时候擦的{}', '{}能吃吗', '{}危险吗', '{}有什么用', '{}平时放哪', '要多久', '今天热吗',
          '{}贵吗', '{}什么时候到期', '{}为什么坏了', '你喜欢{}吗', '{}该怎么洗', '明天天气怎么样', '{}在哪里买的', '{}要不要扔')
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
_RELATED = ('{p}是什么', '{p}有什么', '{p}放着什么', '{p}的是什么', '{p}有东西吗', '{p}那个是什么', '什么在{p}', '{p}都有什么', '{p}有没有东西', '看看{p}有什么', '{p}是什么东西', '告诉我{p}有什么')
_RELATED_THING = ('{}在{p}吗', '{}是不是在{p}', '{}在不在{p}', '哪个{n}在{p}', '{p}的是{n}吗', '{p}是不是{n}')


def nonsense(say) -> str:
    """Return words without sense, or a sentence that is cut off."""
    r = say.random()
    if r < 0.4:
        return ''.join(say.pick(_FRAGMENTS) for _ in range(2 + int(say.random() * 4)))
    if r < 0.6:
        return ''.join(say.pick(_BLURRED if say.random() < 0.7 else _FRAGMENTS) for _ in range(1 + int(say.random() * 3)))
    noun = say.nouns.lexicon.noun(say.rng, ('any',), say.nouns.part).word
    return say.pick(('把那个', '你能不能', '请把', '我想', '放到', '那个带着', '请', '拿', '然后那个', '如果你能', '拿起那个', '旁边的', '那个那个嗯', f'{noun}的的', f'在{noun}的',
                     f'把{noun}', '把把', '去那个', '弄一下', '搞一下那个', '你懂的', '老样子', '就那样', f'{noun}{noun}', '还要再', '随便什么', '左的右', f'跟{noun}那什么', '放一下', '就是那个啥'))


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
        phrase = nouns._build(noun, '', (nouns.adjective(),) if say.random() < 0.35 else (), number='all')
        text = say.pick(_COUNT).replace('{m}', noun.measure).replace('{}', phrase.text)
        if say.random() < 0.3 and text[0] in '有几一数':
            relation, place, landmarks = nouns.place(static=True, deep=False)
            phrase.relation, phrase.landmarks = relation, landmarks
            text = place + text if text[0] != '数' else f'看看{place}有几{noun.measure}{phrase.text}'
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
        draft.text, draft.question = say.pick(_WHAT).replace('{this}', phrase.text), ('what', (phrase,))
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


_KEYS = {'text': ('读', '念', '写着'), 'attribute': ('颜色', '多大', '多高', '多重', '吗', '没有', '了没', '是不是'),
         'where': ('在哪', '哪里', '找'), 'other': ('几点', '怎么', '天气', '多少钱'), 'presence': ('有没有', '有吗')}


def _about(say, draft, kind, templates, det=None):
    template = say.pick(templates)
    if say.world.mentions(*_KEYS.get(kind, ('不会出现',))):
        return False
    if kind == 'text' and say.world.has('read', 'read_text', 'read_label'):
        return False
    things = ()
    if '{}' in template:
        phrase = say.nouns.phrase() if say.random() < 0.55 and det is None else say.nouns.simple(('any',), det)
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
        draft.text = template.replace('{}', phrase.text).replace('{n}', phrase.text).replace('{p}', place)
    draft.question = ('relation', (phrase,))
    return _finish(say, draft)
