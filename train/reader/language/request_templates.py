"""Templates of requests for a skill, with the position of their verb."""

from __future__ import annotations

import functools
import re

from kimi_train.reader.language import dictionaries as words
from kimi_train.reader.language.verbs_en import PARTICLES, participle, phrasal

__all__ = ['ACTION_CHARACTERS', 'SLOT', 'VERB_CLOSE', 'VERB_OPEN', 'RequestTemplate', 'to_passive']

SLOT = re.compile(r'\{(\w+)\}')
# Delimiters of the verb in a template; `fill` replaces them by span markers.
VERB_OPEN, VERB_CLOSE = '\x01', '\x02'
_NOT_IMPERATIVE = frozenset(
    """i i'd i'll i'm i've i am we we'd can could may might would will is are do does did has have
    where what which who how why when any there it it's that the this these my our shall just next
    first down up somebody someone anybody anyone let's don't no not your you a an if
    time""".split()
)
# Verbs of the dictionary that open a request as nouns: "bed up a bit", "table for two".
_OPENING_NOUNS = frozenset(
    """access baby background badge bed blood breakfast channel doctor floor ink last like lunch man
    nap room short subject table team trash wrong""".split()
)
_AUXILIARY = frozenset(
    """i we you it he she they can could may might would will shall should must is are
am be was were do does did has to the a an any that this there where what which who how why when my
our me us your for of on in at by with please let's don't ought got going able 'd 'll i'd i'll
i'm i've we'd not so too now here still just back up down off out over""".split()
)
_FUNCTION_WORDS = PARTICLES | frozenset(
    'to at by for from in on of into onto with it me us please a an the go and'.split()
)
_QUESTION_WORDS = frozenset(
    'can could may would will is are any do where what how which did'.split()
)
_FUNCTION_CHARACTERS = str.maketrans('', '', '把将给我一下起来去到在往向个帮请')


class RequestTemplate:
    """A template of a request for a skill.

    :ivar text: with slots in braces and the verb between `VERB_OPEN` and `VERB_CLOSE`.
    :ivar slots: argument names, in order.
    :ivar is_imperative: whether it can follow a carrier phrase such as "could you".
    :ivar verb: '' if none was found.
    :ivar pronoun_text: the text with the first slot where a pronoun goes: "pick {object} up".
    :ivar without_object: in Chinese, the text without 把 and its object; '' if it has no 把.
    :ivar is_idiom: whether it has more content than a verb and slots: "give {object} a polish".
    :ivar marked_verb: the verb if the source marks it: "<pick> up {object}"; else ''. A Chinese
        source without a verb may say so, where another word looks like one: "<>皮带{speed}".
    :ivar is_question: whether it ends with a question mark.
    :ivar delexicalized: the text with empty slots, to compare templates.
    """

    __slots__ = (
        'is_idiom',
        'text',
        'slots',
        'is_imperative',
        'verb',
        'pronoun_text',
        'without_object',
        'delexicalized',
        'is_question',
        'marked_verb',
    )

    def __init__(self, text: str, lang: str):
        self.slots = tuple(SLOT.findall(text))
        self.delexicalized = SLOT.sub('{}', text).lower().strip('?？!.。 ')
        given = re.search(r'<(.*)>', text)
        if given:
            text = text.replace(given[0], given[1])
            self.delexicalized = self.delexicalized.replace(given[0].lower(), given[1].lower())
        self.marked_verb = given[1] if given else ''
        self.is_question = text.rstrip().endswith(('?', '？'))
        text = text.strip().rstrip('?？.。!')
        if lang == 'en':
            self._english(text)
        else:
            self._chinese(text, is_verbless=bool(given and not given[1]))
        rest = SLOT.sub(' ', self.text).replace(VERB_OPEN + self.verb + VERB_CLOSE, ' ')
        self.is_idiom = (
            any(w not in _FUNCTION_WORDS for w in rest.lower().split())
            if lang == 'en'
            else len(rest.translate(_FUNCTION_CHARACTERS).replace(' ', '')) > 1
        )

    def _english(self, text):
        text = re.sub('^(please|kindly|just) ', '', text, flags=re.I)
        tokens = text.split(' ')
        first = tokens[0].lower()
        self.is_imperative = bool(
            first in words.verb_words()
            and first not in _NOT_IMPERATIVE | _OPENING_NOUNS
            and tokens[1:2] != ['of']
        )
        if not self.is_imperative and first in _QUESTION_WORDS:
            self.is_question = True
        at = _position(self.marked_verb, tokens)
        if at is None and self.is_imperative:
            at = (
                1
                if first in ('go', 'come') and len(tokens) > 2 and tokens[1] in _SERIAL_VERBS
                else 0
            )
            at = 2 if first in ('go', 'come') and tokens[1:2] == ['and'] else at
        elif at is None:
            for i, token in enumerate(tokens):
                if _is_verb(token.lower().strip(',')) and (i or first not in _OPENING_NOUNS):
                    at = i
                    break
        self.verb = tokens[at].strip(',') if at is not None else ''
        marked = list(tokens)
        if self.verb:
            marked[at] = marked[at].replace(self.verb, VERB_OPEN + self.verb + VERB_CLOSE, 1)
        self.text = ' '.join(marked)
        self.pronoun_text = self.text
        self.without_object = ''
        if (
            self.is_imperative
            and len(tokens) > 2
            and tokens[1] in PARTICLES
            and tokens[2].startswith('{')
            and phrasal(tokens[0], tokens[1])
        ):
            marked[1], marked[2] = marked[2], marked[1]
            self.pronoun_text = ' '.join(marked)

    def _chinese(self, text, is_verbless):
        self.is_imperative = (
            text[0] not in '我能可怎哪什想谁你别不咱要该有没{'
            and '，' not in text
            and not text.endswith(('吗', '呢', '了', '吧'))
        )
        if text.endswith(('吗', '呢')):
            self.is_question = True
        at, verb = (
            (text.index(self.marked_verb), self.marked_verb)
            if self.marked_verb
            else (0, '')
            if is_verbless
            else _chinese_verb(text)
        )
        self.verb = verb
        if verb:
            text = text[:at] + VERB_OPEN + verb + VERB_CLOSE + text[at + len(verb) :]
        self.text = self.pronoun_text = text
        match = re.match(r'(?:把|将)\{(\w+)\}', text)
        self.without_object = text[match.end() :] if match else ''
        if match and not self.without_object.lstrip(VERB_OPEN):
            self.without_object = ''


def _position(verb, tokens):
    """Return where a marked verb, or its first word, stands among the tokens; None if nowhere."""
    first = verb.split(' ')[0]
    return next((i for i, t in enumerate(tokens) if first and t.strip(',') == first), None)


def _is_verb(word):
    if word in _AUXILIARY or not word.isalpha():
        return False
    known = words.verb_words()
    return word in known or any(
        word.endswith(e) and (word[: -len(e)] in known or word[: -len(e)] + 'e' in known)
        for e in ('ed', 'ing', 's')
    )


_SERIAL_VERBS = frozenset(
    """get wait fetch find bring pick grab take see look stand sit check help tell give put
park hand clean""".split()
)


@functools.cache
def _verbs_zh() -> frozenset[str]:
    verbs = set()
    for word, glosses, _ in words.cedict():
        if len(word) <= 2 and glosses[0].startswith('to '):
            verbs.add(word)
    return frozenset(verbs) - set('把将给帮让我你在到去来请要想能可以是有会向往朝从对为和用过上下')


# Verbs of one character.
ACTION_CHARACTERS = frozenset(
    """拿放递取推拉开关擦洗倒切剪拧转拔插按压挂叠折铺卷捆绑扔丢捡抓夹握举提抬端搬移挪送带找指看读念写画说喊唱播
贴撕盖掀揭装卸拆修钉锯磨钻焊刷喷涂抹扫拖吸晾晒烫熨煮炒烤煎蒸炸热冷冻拌搅揉捏摇晃敲打踢扶背喂浇种挖埋剥削榨泡冲点灭锁解系穿脱戴称量测数查扫印复订寄收整理分
拾搁撂够沏掸泼归刮凿斩剁拴掐闻招逮抚兜掘掂刨涮浸泊滋镶嵌绘绞绑缠编焖熏敷跨绕围鸣停走跑跳爬飞坐站躺跟追领问答叫告报记拍录接挡堵塞掏舀撒滴挤吹充换调升降摆堆码垒搁搭架固松紧翻滚滑甩摸戳捅抱牵遮补缝织烧熬腌腾清扔吃喝买卖订租借还喷哄逗'
""".replace('\n', '')
)
_COMPLEMENTS = frozenset('起上下开出进回到掉住入走好满动转断净干碎破平直紧松稳倒翻散合拢给向往')
_VERB_PAIRS = frozenset(
    """提醒 打扫 打包 报告 告诉 推荐 收拾 整理 检查 清洁 清洗 充电 拍照 跳舞 消毒
    加热 预订 翻译 介绍 归位 启动""".split()
)
_NOT_VERBS = frozenset(
    """一下 过来 起来 下来 出来 帮我 给我 一个 可以 应该 需要 帮忙 麻烦 能不 过去 看看
    想要 进去 上去 下去""".split()
)


def _chinese_verb(text):
    """Return the position of the verb in a template, and the verb."""
    verbs = _verbs_zh()
    gaps = [(m.start(), m.end()) for m in SLOT.finditer(text)]
    inside = {i for start, end in gaps for i in range(start, end)}
    best = None
    for i, c in enumerate(text):
        if i in inside or not '\u4e00' <= c <= '\u9fff':
            continue
        pair = text[i : i + 2]
        if len(pair) == 2 and pair in verbs and pair not in _NOT_VERBS and i + 1 not in inside:
            if (
                (
                    pair[0] in ACTION_CHARACTERS
                    and (pair[1] in _COMPLEMENTS or pair[1] in ACTION_CHARACTERS)
                )
                or not set(pair) & ACTION_CHARACTERS
                or (pair in _VERB_PAIRS)
            ):
                rank = 1 if set(pair) & ACTION_CHARACTERS else 2
                if best is None or rank < best[0]:
                    best = (rank, i, pair)
                if rank == 1:
                    break
        elif c in ACTION_CHARACTERS:
            best = (1, i, c)
            break
    if best:
        return best[1], best[2]
    for word in ('去', '来', '要', '用', '到', '开', '给'):
        at = text.find(word)
        if at >= 0 and at not in inside:
            return at, word
    return 0, ''


def to_passive(template: RequestTemplate, inflect=participle) -> tuple[str, str] | None:
    """Return slot and passive participle of "VERB up {object} REST"; None if it has no passive.

    :param inflect: of the verb, `gerund` for "needs VERBing".
    """
    match = re.fullmatch(
        f'{VERB_OPEN}(\\w+){VERB_CLOSE}(?: (\\w+))? (\\{{\\w+\\}})(.*)', template.text
    )
    if not match or not template.is_imperative:
        return None
    verb, particle, slot, rest = match.groups()
    if particle and not (particle in PARTICLES and phrasal(verb, particle)):
        return None
    if re.search(r'^ (a|an) |\b(and|it|them|then)\b', rest) or verb in (
        'give',
        'let',
        'have',
        'go',
        'come',
        'tell',
        'get',
        'show',
    ):
        return None
    done = VERB_OPEN + inflect(verb) + VERB_CLOSE + (f' {particle}' if particle else '')
    return slot, done + rest
