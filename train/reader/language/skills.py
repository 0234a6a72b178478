"""The skills that instructions ask for, as the corpus tells them, and how each is asked for."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from pathlib import Path

import yaml

from kimi_ros.sim.language import requests
from kimi_train.reader.language import lexicon as words
from kimi_train.reader.language.verbs_en import PARTICLES, participle, phrasal

__all__ = ['FETCH', 'Ask', 'Family', 'families', 'neighbours', 'passive', 'relatives']

_DATA = Path(__file__).parent.parent / 'data'
_SLOT = re.compile(r'\{(\w+)\}')
# Marks around the verb within a way to ask; filled with those of the example.
VERB_OPEN, VERB_CLOSE = '\x01', '\x02'
FETCH = ('hand_over', 'bring', 'fetch', 'deliver')
_NOT_IMPERATIVE = frozenset(
    """i i'd i'll i'm i've i am we we'd can could may might would will is are do
does did has have where what which who how why when any there it it's that the this these my our
shall just next first down up somebody someone anybody anyone let's don't no not your you a an if time""".split()
)
_AUXILIARY = frozenset(
    """i we you it he she they can could may might would will shall should must is are
am be was were do does did has to the a an any that this there where what which who how why when my our
me us your for of on in at by with please let's don't ought got going able 'd 'll i'd i'll i'm i've
we'd not so too now here still just back up down off out over""".split()
)


_LIGHT = PARTICLES | frozenset(
    'to at by for from in on of into onto with it me us please a an the go and'.split()
)
_LIGHT_ZH = str.maketrans('', '', '把将给我一下起来去到在往向个帮请')


class Ask:
    """One way to ask for a skill.

    :ivar text: with its slots in braces and the verb between `VERB_OPEN` and `VERB_CLOSE`.
    :ivar slots: names of the arguments it holds, in their order.
    :ivar imperative: whether "could you" and the like may stand before it.
    :ivar verb: '' where no word can be called one.
    :ivar pronoun: the text with the first slot where "it" goes ("pick {object} up").
    :ivar dropped: in Chinese, the text without the thing that 把 brings; '' where it has none.
    :ivar idiom: whether it holds more than a verb and its slots: "give {object} a polish".
    :ivar given: the verb where the text marks it: "<pick> up {object}".
    :ivar shape: the text with its slots left blank: what tells two ways apart.
    """

    __slots__ = (
        'idiom',
        'text',
        'slots',
        'imperative',
        'verb',
        'pronoun',
        'dropped',
        'shape',
        'question',
        'given',
    )

    def __init__(self, text: str, lang: str):
        self.slots = tuple(_SLOT.findall(text))
        self.shape = _SLOT.sub('{}', text).lower().strip('?？!.。 ')
        given = re.search(r'<(.+)>', text)
        if given:
            text = text.replace(given[0], given[1])
            self.shape = self.shape.replace(given[0].lower(), given[1].lower())
        self.given = given[1] if given else ''
        self.question = text.rstrip().endswith(('?', '？'))
        text = text.strip().rstrip('?？.。!')
        (self._english if lang == 'en' else self._chinese)(text)
        rest = _SLOT.sub(' ', self.text).replace(VERB_OPEN + self.verb + VERB_CLOSE, ' ')
        self.idiom = (
            any(w not in _LIGHT for w in rest.lower().split())
            if lang == 'en'
            else len(rest.translate(_LIGHT_ZH).replace(' ', '')) > 1
        )

    def _english(self, text):
        text = re.sub('^(please|kindly|just) ', '', text, flags=re.I)
        tokens = text.split(' ')
        first = tokens[0].lower()
        self.imperative = bool(
            first in words.verb_words() and first not in _NOT_IMPERATIVE and tokens[1:2] != ['of']
        )
        at = None
        if self.imperative:
            at = 1 if first in ('go', 'come') and len(tokens) > 2 and tokens[1] in _BASE else 0
            at = 2 if first in ('go', 'come') and tokens[1:2] == ['and'] else at
        else:
            for i, token in enumerate(tokens):
                if _is_verb(token.lower().strip(',')):
                    at = i
                    break
            if first in (
                'can',
                'could',
                'may',
                'would',
                'will',
                'is',
                'are',
                'any',
                'do',
                'where',
                'what',
                'how',
                'which',
                "don't",
                'did',
            ) and not first.startswith("don't"):
                self.question = True
        self.verb = tokens[at].strip(',') if at is not None else ''
        marked = list(tokens)
        if self.verb:
            marked[at] = marked[at].replace(self.verb, VERB_OPEN + self.verb + VERB_CLOSE, 1)
        self.text = ' '.join(marked)
        self.pronoun = self.text
        self.dropped = ''
        if (
            self.imperative
            and len(tokens) > 2
            and tokens[1] in PARTICLES
            and tokens[2].startswith('{')
            and phrasal(tokens[0], tokens[1])
        ):
            marked[1], marked[2] = marked[2], marked[1]
            self.pronoun = ' '.join(marked)

    def _chinese(self, text):
        self.imperative = (
            text[0] not in '我能可怎哪什想谁你别不咱要该有没{'
            and '，' not in text
            and not text.endswith(('吗', '呢', '了', '吧'))
        )
        if text.endswith(('吗', '呢')):
            self.question = True
        at, verb = (text.index(self.given), self.given) if self.given else _chinese_verb(text)
        self.verb = verb
        if verb:
            text = text[:at] + VERB_OPEN + verb + VERB_CLOSE + text[at + len(verb) :]
        self.text = self.pronoun = text
        match = re.match(r'(?:把|将)\{(\w+)\}', text)
        self.dropped = text[match.end() :] if match else ''
        if match and not self.dropped.lstrip(VERB_OPEN):
            self.dropped = ''


def _is_verb(word):
    if word in _AUXILIARY or not word.isalpha():
        return False
    known = words.verb_words()
    return word in known or any(
        word.endswith(e) and (word[: -len(e)] in known or word[: -len(e)] + 'e' in known)
        for e in ('ed', 'ing', 's')
    )


_BASE = frozenset(
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


# What people do with things, said with one character.
_DOING = frozenset(
    """拿放递取推拉开关擦洗倒切剪拧转拔插按压挂叠折铺卷捆绑扔丢捡抓夹握举提抬端搬移挪送带找指看读念写画说喊唱播
贴撕盖掀揭装卸拆修钉锯磨钻焊刷喷涂抹扫拖吸晾晒烫熨煮炒烤煎蒸炸热冷冻拌搅揉捏摇晃敲打踢扶背喂浇种挖埋剥削榨泡冲点灭锁解系穿脱戴称量测数查扫印复订寄收整理分
拾搁撂够沏掸泼归刮凿斩剁拴掐闻招逮抚兜掘掂刨涮浸泊滋镶嵌绘绞绑缠编焖熏敷跨绕围鸣停走跑跳爬飞坐站躺跟追领问答叫告报记拍录接挡堵塞掏舀撒滴挤吹充换调升降摆堆码垒搁搭架固松紧翻滚滑甩摸戳捅抱牵遮补缝织烧熬腌腾清扔吃喝买卖订租借还喷哄逗'
""".replace('\n', '')
)
_COMPLEMENT = frozenset('起上下开出进回到掉住入走好满动转断净干碎破平直紧松稳倒翻散合拢给向往')
_PAIRS = frozenset(
    '提醒 打扫 打包 报告 告诉 推荐 收拾 整理 检查 清洁 清洗 充电 拍照 跳舞 消毒 加热 预订 翻译 介绍 归位 启动'.split()
)
_WEAK = frozenset(
    '一下 过来 起来 下来 出来 帮我 给我 一个 可以 应该 需要 帮忙 麻烦 能不 过去 看看 想要 进去 上去 下去'.split()
)


def _chinese_verb(text):
    """Return where the verb of a way to ask begins, and the verb."""
    verbs = _verbs_zh()
    gaps = [(m.start(), m.end()) for m in _SLOT.finditer(text)]
    inside = {i for start, end in gaps for i in range(start, end)}
    best = None
    for i, c in enumerate(text):
        if i in inside or not '\u4e00' <= c <= '\u9fff':
            continue
        pair = text[i : i + 2]
        if len(pair) == 2 and pair in verbs and pair not in _WEAK and i + 1 not in inside:
            if (
                (pair[0] in _DOING and (pair[1] in _COMPLEMENT or pair[1] in _DOING))
                or not set(pair) & _DOING
                or (pair in _PAIRS)
            ):
                rank = 1 if set(pair) & _DOING else 2
                if best is None or rank < best[0]:
                    best = (rank, i, pair)
                if rank == 1:
                    break
        elif c in _DOING:
            best = (1, i, c)
            break
    if best:
        return best[1], best[2]
    for word in ('去', '来', '要', '用', '到', '开', '给'):
        at = text.find(word)
        if at >= 0 and at not in inside:
            return at, word
    return 0, ''


class Family:
    """A skill of the corpus.

    :ivar arguments: the entries of its YAML.
    :ivar nouns: classes of the things it is asked for, by argument.
    :ivar asks: ways to ask by language.
    :ivar more: further ways, from the requests of the simulated table.
    :ivar drawn: whether it comes from a dictionary, not from the corpus.
    :ivar otherwise: names of families that do for it where a catalogue lacks it.
    """

    def __init__(self, entry: dict, core: bool):
        self.name = entry['name']
        self.aliases = tuple(str(a) for a in entry.get('aliases') or ())
        self.arguments = entry.get('arguments') or []
        self.by_name = {a['name']: a for a in self.arguments}
        self.core = core
        self.drawn = bool(entry.get('drawn'))
        self.said = entry.get('said') or {}
        self.into = entry.get('into', '')
        otherwise = entry.get('otherwise') or ()
        self.otherwise = (otherwise,) if isinstance(otherwise, str) else tuple(otherwise)
        self._nouns = entry.get('nouns') or ['any']
        self.descriptions = {}
        self.asks: dict[str, list[Ask]] = {}
        self.more: dict[str, list[Ask]] = {'en': [], 'zh': []}
        for lang in ('en', 'zh'):
            told = entry.get(lang) or {}
            self.descriptions[lang] = tuple(told.get('descriptions') or ())
            self.asks[lang] = [
                ask for line in told.get('ask') or () if (ask := self._ask(str(line), lang))
            ]

    def _ask(self, line, lang):
        ask = Ask(line, lang)
        return ask if all(slot in self.by_name for slot in ask.slots) else None

    @property
    def names(self) -> tuple[str, ...]:
        """All its names."""
        return (self.name, *self.aliases)

    @functools.cache  # noqa: B019  families live as long as the process
    def kinds(self, argument: str) -> tuple[str, ...]:
        """Return the classes of nouns that fit an argument."""
        nouns = self._nouns
        if isinstance(nouns, dict):
            nouns = nouns.get(argument) or ['any']
        if isinstance(nouns, str):
            nouns = [nouns]
        return tuple(nouns)


@functools.cache
def families() -> dict[str, Family]:
    """Return the skills of the corpus by name; entries of the same name are put together."""
    entries: dict[str, dict] = {}
    core = set()
    for path in sorted(_DATA.glob('*.yaml'), key=lambda p: (p.name != 'core.yaml', p.name)):
        for entry in yaml.safe_load(path.read_text(encoding='utf-8')) or ():
            known = entries.setdefault(entry['name'], entry)
            if path.name == 'core.yaml':
                core.add(entry['name'])
            elif known is not entry:
                _merge(known, entry)
    everyone = {name: Family(entry, name in core) for name, entry in entries.items()}
    for entry in (*_verbs_en(everyone), *_dictionary_zh(everyone)):
        everyone[entry['name']] = Family(entry, False)
    for (name, lang), lines in table_requests().items():
        everyone[name].more[lang] = [Ask(line, lang) for line in lines]
    return everyone


def _verbs_en(known):
    """Make skills of verbs of WordNet: a name, what it means, and its synonyms as ways to ask."""
    taken = {label for family in known.values() for label in family.names}
    for synonyms, gloss in words.wordnet_verbs():
        name = synonyms[0].replace(' ', '_').replace('-', '_')
        if sum(map(ord, name + gloss)) % 8 or name in taken or len(synonyms) > 5:
            continue
        taken.add(name)
        asks = []
        for verb in synonyms:
            front, space, particle = verb.rpartition(' ')
            asks += [f'{verb} {{object}}'] * 2
            if particle in PARTICLES and front:
                asks.append(f'{front} {{object}} {particle}')
        yield {
            'name': name,
            'aliases': [v.replace(' ', '_') for v in synonyms[1:]],
            'drawn': True,
            'arguments': [{'name': 'object', 'type': 'object'}],
            'en': {'descriptions': [gloss[0].upper() + gloss[1:] + '.'], 'ask': asks},
        }


def _dictionary_zh(known):
    """Make skills of verbs of CC-CEDICT, named in English."""
    taken = {label for family in known.values() for label in family.names}
    used = {ask.verb for family in known.values() for ask in family.asks['zh']}
    contact = {verb for synonyms, _ in words.wordnet_verbs() for verb in synonyms}
    for word, glosses, _ in words.cedict():
        if len(word) != 2 or not glosses[0].startswith('to ') or word in used:
            continue
        meaning = re.sub(r'\(.*?\)', '', glosses[0][3:]).strip()
        name = meaning.replace(' ', '_')
        if meaning not in contact or name in taken or not set(word) & _DOING:
            continue
        taken.add(name)
        yield {
            'name': name,
            'drawn': True,
            'arguments': [{'name': 'object', 'type': 'object'}],
            'en': {'descriptions': [f'{meaning[0].upper()}{meaning[1:]} an object.']},
            'zh': {
                'descriptions': [f'{word}一个物体。', f'把物体{word}。', f'{word}指定的东西。'],
                'ask': [
                    f'<{word}>{{object}}',
                    f'<{word}>{{object}}',
                    f'<{word}>一下{{object}}',
                    f'把{{object}}<{word}>一下',
                ],
            },
        }


# Words in a request of the table that a reading would not account for, or that say two things.
_UNFIT_EN = re.compile(
    r"\b(quick|slow|gent|care|soft|firm|not|n't|never|nothing|other|else|only|both|first|"
    r'finish|before|after|once|when|if|until|minute|today|hand me|nobody|without)',
    re.I,
)
_UNFIT_ZH = re.compile('慢|轻|小心|快|稳|不要|别|其他|只|先|如果|要是|左手|右手|双手|看到.*就|完')
_FETCH_EN = re.compile(r'\b(me|us|bring|hand|pass|give|fetch|gimme|here|over)\b', re.I)
_FETCH_ZH = re.compile('给我|递|拿来|过来|取来|给俺|给咱|我要|我想要|借')
_GRASP_EN = re.compile(
    r'\b(pick|grab|grasp|lift|grip|seize|clutch|raise|hoist|clasp|pluck|snatch)', re.I
)
_GRASP_ZH = re.compile('抓|拿起|夹|捡|举|提起|端起|握|抬|捏|拎|拾')
_TWO_EN = re.compile(
    r'\b(pick|grab|grip|snatch|fetch|take|get|find|lift|grasp|bring|hold|got)\w*\b.*\b(and|then|so)\b|; ',
    re.I,
)
_TWO_ZH = re.compile('(拿|抓|夹|捡|举|端|取|握|捏|抄|拎|找|托).*(放|搁|摆|松|落|塞|移|置|送|丢)')


def table_requests() -> dict[tuple[str, str], list[str]]:
    """Return the requests of the simulated table by family and language, without the unfit ones."""
    found = {}
    for skill, by_language in requests().items():
        if skill in ('openings', 'endings'):
            continue
        for lang, lines in by_language.items():
            en = lang == 'en'
            unfit, two = (_UNFIT_EN, _TWO_EN) if en else (_UNFIT_ZH, _TWO_ZH)
            fetch, grasp = (_FETCH_EN, _GRASP_EN) if en else (_FETCH_ZH, _GRASP_ZH)
            for line in lines:
                name = skill
                if unfit.search(line) or (skill == 'place' and two.search(line)):
                    continue
                if skill == 'place':
                    line = line.replace('{where} {target}' if en else '{target}{where}', '{target}')
                    if '{where}' in line or '{target}' not in line:
                        continue
                elif skill == 'pick':
                    if fetch.search(line):
                        name = 'hand_over'
                    elif not grasp.search(line):
                        continue
                found.setdefault((name, lang), []).append(line)
    return found


def _merge(known, entry):
    arguments = {a['name'] for a in known.get('arguments') or ()}
    for lang in ('en', 'zh'):
        told, more = known.setdefault(lang, {}), entry.get(lang) or {}
        told['descriptions'] = list(
            dict.fromkeys((told.get('descriptions') or []) + (more.get('descriptions') or []))
        )
        asks = [a for a in more.get('ask') or () if set(_SLOT.findall(str(a))) <= arguments]
        told['ask'] = list(dict.fromkeys((told.get('ask') or []) + asks))
    known['aliases'] = list(
        dict.fromkeys((known.get('aliases') or []) + (entry.get('aliases') or []))
    )


_IDLE = frozenset(
    """a an the of or in to and for with by as on at from into onto it its is are so that some something thing
object objects robot person one""".split()
)


@functools.cache
def neighbours() -> dict[str, dict[str, float]]:
    """Return for each family of the corpus those told in like words, and how like they are."""
    told = {}
    for name, family in families().items():
        if not family.drawn:
            text = ' '.join((*family.descriptions['en'], *family.names)).lower().replace('_', ' ')
            told[name] = {w[:5] for w in re.findall('[a-z]+', text)} - {w[:5] for w in _IDLE}
    near = {}
    for name, mine in told.items():
        like = {
            other: len(mine & theirs) / (len(mine | theirs) or 1)
            for other, theirs in told.items()
            if other != name
        }
        near[name] = {
            o: like[o] for o in sorted(like, key=lambda o: (-like[o], o))[:10] if like[o] > 0.05
        }
    return near


@functools.cache
def relatives() -> dict[str, frozenset[str]]:
    """Return for each family those that mean the same or are asked for in the same words."""
    everyone = families()
    shared = defaultdict(set)
    for name, family in everyone.items():
        for label in family.names:
            shared['name', label].add(name)
        for lang in ('en', 'zh'):
            for ask in family.asks[lang]:
                shared['ask', ask.shape].add(name)
    same: dict[str, set[str]] = {name: set() for name in everyone}
    for group in shared.values():
        for name in group:
            same[name] |= group
    return {name: frozenset(group - {name}) for name, group in same.items()}


def passive(ask: Ask) -> tuple[str, str] | None:
    """Return "{object} VERBed up REST" for "VERB up {object} REST", marks around the verb."""
    match = re.fullmatch(f'{VERB_OPEN}(\\w+){VERB_CLOSE}(?: (\\w+))? (\\{{\\w+\\}})(.*)', ask.text)
    if not match or not ask.imperative:
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
    done = VERB_OPEN + participle(verb) + VERB_CLOSE + (f' {particle}' if particle else '')
    return slot, done + rest
