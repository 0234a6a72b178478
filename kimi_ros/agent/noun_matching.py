"""Matching nouns in names and instructions, English and Chinese: a dog bowl is not a dog."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

# Words after which a name says where a thing is or what it is like, not what it is.
_RELATIONS = frozenset(
    'left right on in at by with from near next behind beside under over above below inside '
    'onto into to between that which who wearing holding for'.split()
)
# What only a look at all the others can tell: no question about one place answers it.
_SUPERLATIVES = frozenset('largest smallest leftmost rightmost nearest farthest'.split())
_DETERMINERS = frozenset('the a an my your his her this'.split())
# After a noun these show that the phrase was whole: in 'the dog bowl' another noun follows.
_FOLLOWERS = _RELATIONS.union(
    _DETERMINERS,
    'of and or then up down please now away back out it here there too off first quickly slowly '
    'gently again'.split(),
)
# After these a thing is only a landmark: the cup behind the man.
_LANDMARKS = frozenset('behind beside near by with from between for under like next close'.split())
# Before 'of' these, too, make one; after any other word, as in 'a pair of', the thing is meant.
_SIDES = frozenset(
    'left right front back rear top bottom side edge corner middle center centre out'.split()
)
# 'Hand it over': a verb before what is handed and, where a clause begins, before a direction.
_HANDED = _DETERMINERS.union('it them that those these'.split())
_ONWARDS = frozenset('over to back across'.split())
_OPENERS = frozenset('please kindly hey hi hello yo but you then now'.split())
# 'Use your arm to lift the cup' names a tool, but not where somebody is touched with it.
_TOOLS = frozenset('hand hands arm arms'.split())
_SOMEBODY = frozenset('me him her them us you'.split())
_GIVING = frozenset('give hand bring pass show deliver serve offer lend'.split())
_PLACES = frozenset('to at on onto in into over'.split())
# What the rules and the grammar below are spelt with. NFKC leaves traditional characters alone.
_SIMPLIFIED = str.maketrans(
    '貓鳥馬藥門樓嬰兒寶爺媽臉頭髮發寵動倉鸚鵡腳機絨電腦筆記鍵盤話顯視線鍋湯壺蠟燭鋸針鍼櫃櫥劍槍鐵',
    '猫鸟马药门楼婴儿宝爷妈脸头发发宠动仓鹦鹉脚机绒电脑笔记键盘话显视线锅汤壶蜡烛锯针针柜橱剑枪铁',
) | str.maketrans(
    '險沒嗎麼應該過橫幾顆劑種個這對間邊裡裏後舉給帶遞撿丟將熱飲醫護師們與體燈樣醬來別雞',
    '险没吗么应该过横几颗剂种个这对间边里里后举给带递捡丢将热饮医护师们与体灯样酱来别鸡',
)
_ZH_AND = re.compile(r'[和与跟及、,;/]')
_ZH_PLACE = re.compile(r'^.*(?:[左右前后上下里外旁]|中间|附近|对面)[边面方]?的')
_ZH_SUPERLATIVE = re.compile('最(?:[大小近远]|[左右]边)的')
_ZH_AFTER = re.compile(
    r'(?:身上|头上|上面|上|里面|里|那里|那边|起来|过来|给我|手里|手上)?(?:吧|呢|好吗)?(?:$|[^\w]|[和与跟及])'
)
_ZH_VERB = re.compile(r'(?:身上|头上)?(?:拿|放|抓|举|推|打|移|搬|带|丢|扔|给|提|抱|递|取|捡)')
# What may follow a noun that ends its phrase, and words that hold a noun and mean another thing.
_ZH_ENDS = re.compile('$|[^\\w]|[和与跟及的]|身上|头上|上|里|旁|那|这|左|右|前|后')
_ZH_OTHER_WORDS = (
    '马上 马克 马路 别人 主人 人家 人类 刀叉 对手 碍手碍脚 指针 一针 针对 锯齿 门口处'.split()
)
_ZH_RECIPIENT = re.compile('[递送交拿带端]?给(?:那个?|这个?|[一那这]?位|小)?$')
_ZH_HANDLE = re.compile('[拿抓举推打放扔丢给移搬带提抱递取捡]')


def normalize_text(text: str) -> str:
    """Return the text as rules read it: NFKC, lower case, simplified characters."""
    return unicodedata.normalize('NFKC', text).lower().translate(_SIMPLIFIED)


def strip_qualifiers(label: str) -> str:
    """Return the name without where the thing is, and without what compares it to others.

    'largest red cup left of the plate' -> 'red cup'.
    """
    if is_chinese(label):
        return _ZH_SUPERLATIVE.sub('', _ZH_PLACE.sub('', label)) or label
    words = label.split()
    cut = next((i for i in range(1, len(words)) if _says_where(words, i)), len(words))
    return ' '.join(w for w in words[:cut] if w.lower() not in _SUPERLATIVES) or label


def names_one_of(label: str, nouns: Sequence[str], exempt: Sequence[str] = ()) -> bool:
    """Tell whether a name means one of the nouns: its last word, or its last characters, do.

    On both sides of 'of' and 'and', that is: a 'pair of scissors' is scissors.

    :param nouns: '*knife' is every word that ends so, a pocketknife, too.
    :param exempt: English words that make it something else when they stand before it ('toy dog')
        or are tied to it by 'of' ('leg of the chair', 'picture of a cat'), and Chinese words that
        end alike ('机器人').
    """
    name = strip_qualifiers(normalize_text(label))
    nouns, exempt = [normalize_text(n) for n in nouns], [normalize_text(e) for e in exempt]
    if is_chinese(name) and any(
        part.endswith(n) and not _covered(part, len(part) - len(n), len(part), exempt)
        for part in _ZH_AND.split(name)
        for n in (n.lstrip('*') for n in nouns)
    ):
        return True
    return any(True for _ in _found(_tokens(name), nouns, exempt))


def acts_on_one_of(instruction: str, nouns: Sequence[str], exempt: Sequence[str] = ()) -> bool:
    """Tell whether an instruction wants something done to, or brought to, one of the nouns.

    Coarse on purpose: 'pick up the dog' and 'put it on the dog' do, 'the dog bowl' and 'the cup
    behind the dog' do not. It only looks at words, so that no model can talk it out of a rule.
    """
    text = normalize_text(instruction)
    nouns, exempt = [normalize_text(n) for n in nouns], [normalize_text(e) for e in exempt]
    if is_chinese(text) and any(_aims_chinese(text, n.lstrip('*'), exempt) for n in nouns):
        return True
    tokens = _tokens(text)
    return any(
        not (_is_landmark(tokens[:at]) or _is_handing(tokens, at) or _is_tool(tokens, at))
        for at in _found(tokens, nouns, exempt)
    )


def mentioned(text: str, nouns: Sequence[str], exempt: Sequence[str] = ()) -> list[str]:
    """Return which of the nouns a text names, wherever they stand in it.

    English nouns must be whole names, as in `names_one_of`; Chinese ones must end a phrase.
    """
    plain = normalize_text(text)
    exempt = [normalize_text(e) for e in exempt]
    found = []
    for noun in map(normalize_text, nouns):
        if is_chinese(noun):
            found += [noun] if _names_chinese(plain, noun, exempt) else []
            continue
        tokens = _tokens(plain)
        for at in _found(tokens, [noun], exempt):
            if not (_is_handing(tokens, at) or _is_tool(tokens, at) or _is_own(tokens, at)):
                found.append(' '.join(tokens[at : at + len(_tokens(noun.lstrip('*')))]))
                break
    return list(dict.fromkeys(found))


def _names_chinese(text: str, noun: str, exempt: Sequence[str]) -> bool:
    return any(
        _ZH_ENDS.match(text[m.end() :])
        and not _covered(text, m.start(), m.end(), (*exempt, *_ZH_OTHER_WORDS))
        for m in re.finditer(re.escape(noun), text)
    )


def _says_where(words: Sequence[str], i: int) -> bool:
    """Tell whether the i-th word begins to say where; 'left' in 'his left hand' does not."""
    if words[i].lower() in ('left', 'right'):
        return words[i + 1 : i + 2] in ([], ['of'])
    return words[i].lower() in _RELATIONS


def _aims_chinese(text: str, noun: str, exempt: Sequence[str]) -> bool:
    for match in re.finditer(re.escape(noun), text):
        start, end = match.span()
        if _covered(text, start, end, exempt):
            continue
        clause = re.split(r'[，。；！？,.;!?]', text[:start])[-1]
        if _ZH_RECIPIENT.search(clause):
            continue
        given = re.search(r'[把将]', clause) and '的' not in text[end : end + 3]
        if (given and _ZH_VERB.match(text[end:])) or (
            _ZH_AFTER.match(text[end:]) and _ZH_HANDLE.search(clause)
        ):
            return True
    return False


def _is_landmark(before: Sequence[str]) -> bool:
    """Tell whether the noun after these tokens only says where something else is."""
    for i in range(len(before) - 1, max(len(before) - 5, -1), -1):
        word = before[i]
        if word in _LANDMARKS:
            return True
        if word == 'of':
            return before[max(i - 1, 0)] in _SIDES or _is_landmark(before[:i])
        if word in _PLACES:
            given = word == 'to' and not _GIVING.isdisjoint(_clause(before[:i]))
            return given or (i > 0 and before[i - 1] in _LANDMARKS)
        if not word[0].isalpha():
            return False
    return False


def _clause(tokens: Sequence[str]) -> Sequence[str]:
    """Return the tokens after the last mark."""
    marks = [i for i, token in enumerate(tokens) if not token[0].isalnum()]
    return tokens[marks[-1] + 1 :] if marks else tokens


def _found(tokens: Sequence[str], nouns: Sequence[str], exempt: Sequence[str]) -> Iterator[int]:
    """Yield where the nouns begin, in the singular or a regular plural, that are whole names."""
    for noun in nouns:
        *first, last = _tokens(noun.lstrip('*'))
        same = str.endswith if noun.startswith('*') else str.__eq__
        for end in range(len(first) + 1, len(tokens) + 1):
            start = end - len(first) - 1
            if tokens[start : end - 1] != first or not any(
                same(tokens[end - 1], last + ending) for ending in ('', 's', 'es')
            ):
                continue
            follower = tokens[end] if end < len(tokens) else '.'
            whole = not follower[0].isalpha() or follower in _FOLLOWERS
            if whole and not any(_singular(w) in exempt for w in _tied(tokens, start, end)):
                yield start


def _is_handing(tokens: Sequence[str], at: int) -> bool:
    """Tell whether 'hand' is what somebody is to do, not what it is done to."""
    before, word, after = _around(tokens, at)
    if word != 'hand' or before in _DETERMINERS or before in _SIDES or before == 'of':
        return False
    opens = not before[0].isalpha() or before in _OPENERS or tokens[at - 2 : at] == ['you', 'to']
    return after in _HANDED or (opens and after in _ONWARDS)


def _is_tool(tokens: Sequence[str], at: int) -> bool:
    """Tell whether the hand is lent for something: 'use the arm to', 'give me a hand with'."""
    before, word, after = _around(tokens, at)
    earlier, later = tokens[max(at - 3, 0) : at], tokens[at + 1 :]
    if word == 'hand' and before == 'a':
        return bool({'give', 'lend'}.intersection(earlier)) and after in ('.', 'and', 'with', 'to')
    used = earlier[-2:] in (['use', 'the'], ['use', 'your']) and after == 'to'
    return word in _TOOLS and used and not _SOMEBODY.intersection(later)


def _is_own(tokens: Sequence[str], at: int) -> bool:
    """Tell whether it is the robot's own, or somebody for whom something is done.

    'Between your fingers', 'a book for the children'.
    """
    if tokens[max(at - 1, 0)] == 'your':
        return True
    before = [t for t in tokens[max(at - 3, 0) : at] if t not in _DETERMINERS]
    return before[-1:] == ['for']


def _around(tokens: Sequence[str], at: int) -> tuple[str, str, str]:
    """Return a word with its neighbours, '.' where the text ends."""
    before = tokens[at - 1] if at else '.'
    return before, tokens[at], tokens[at + 1] if at + 1 < len(tokens) else '.'


def _tied(tokens: Sequence[str], start: int, end: int) -> Iterator[str]:
    """Yield the words that can make tokens[start:end] something else."""
    yield from tokens[max(start - 1, 0) : start]
    for i in range(start - 1, max(start - 5, 0), -1):  # picture of a small black cat
        if tokens[i] == 'of':
            yield tokens[i - 1]
        if tokens[i] in ('of', 'and', 'or') or not tokens[i][0].isalpha():
            break
    if tokens[end : end + 1] == ['of']:  # leg of the old chair
        for word in tokens[end + 1 : end + 5]:
            if word in _FOLLOWERS - _DETERMINERS or not word[0].isalpha():
                break
            yield word


def _singular(word: str) -> str:
    return word.removesuffix('s') if len(word) > 3 else word


def _tokens(text: str) -> list[str]:
    """Return words and, one by one, the marks between them; a hyphen only parts words."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]", text.replace('-', ' '))


def _covered(text: str, start: int, end: int, exempt: Sequence[str]) -> bool:
    """Tell whether text[start:end] is inside an exempt word."""
    return any(
        m.start() <= start and end <= m.end()
        for e in exempt
        for m in re.finditer(re.escape(e), text)
    )


def is_chinese(text: str) -> bool:
    """Tell whether a text holds a CJK ideograph."""
    return any('\u4e00' <= c <= '\u9fff' for c in text)
