"""Faithful names: a model may only name what was said, or a listed synonym of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kimi_ros.agent.noun_matching import is_chinese

# Names that models are trained on, and what people say for them. Plans show what was said.
_SYNONYMS = {
    'largest': ('biggest', 'largest of all', 'larger', 'bigger'),
    'smallest': ('littlest', 'tiniest', 'smaller'),
    'nearest': ('closest', 'nearer', 'closer'),
    'farthest': ('furthest', 'most distant', 'further', 'farther'),
    'leftmost': ('far left', 'left'),
    'rightmost': ('far right', 'right'),
    'large': ('big', 'huge'),
    'small': ('little', 'tiny'),
    'medium': ('medium-sized', 'mid-sized', 'middle-sized'),
    'cup': ('mug',),
    'can': ('tin',),
    'pan': ('frying pan', 'skillet'),
    'glass': ('drinking glass', 'tumbler'),
    'phone': ('mobile phone', 'cell phone', 'smartphone', 'cellphone'),
    'block': ('cube', 'brick'),
    'picture': ('photo', 'image', 'photograph'),
    'toy car': ('car',),
    'next to': ('beside', 'close to', 'near', 'by'),
    'left of': ('to the left of', 'on the left of', 'on the left side of'),
    'right of': ('to the right of', 'on the right of', 'on the right side of'),
    'in': ('inside', 'within'),
    'on': ('on top of', 'upon', 'atop'),
    'object': ('thing', 'item', 'one', 'something'),
    '最大的': ('最大的那个', '大一点的'),
    '最小的': ('最小的那个', '小一点的'),
    '最近的': ('离我最近的',),
    '最远的': ('离我最远的',),
    '杯子': ('马克杯', '杯'),
    '手机': ('电话',),
    '图片': ('照片', '画'),
    '旁边': ('边上', '附近', '旁'),
    '玩具车': ('小汽车', '车'),
    '罐子': ('易拉罐', '罐'),
    '瓶子': ('瓶',),
    '盘子': ('碟子', '盘'),
    '盒子': ('箱子', '盒'),
    '勺子': ('勺',),
    '剪刀': ('剪子',),
    '刀': ('刀子', '小刀'),
    '笔': ('钢笔', '圆珠笔'),
    '积木': ('方块',),
    '平底锅': ('煎锅', '锅'),
    '东西': ('物体', '物品'),
}
# Words that say nothing about what a thing is.
_FUNCTION_WORDS = ('the', 'of', 'to')
# Chinese characters that may be added: 红 is said for 红色, 左 for 左边.
_ADDED = {'的': '', '色': '红橙黄绿蓝紫黑白粉棕灰', '边': '左右旁'}
_PLURALS = (
    ('ives', 'ife'),
    ('ies', 'y'),
    ('sses', 'ss'),
    ('shes', 'sh'),
    ('ches', 'ch'),
    ('xes', 'x'),
    ('s', ''),
)
_WORD = re.compile(r"[^\W_\u4e00-\u9fff]+(?:['’-][^\W_\u4e00-\u9fff]+)*")
_MOST_WORDS = 12


def words_said(texts: Iterable[str]) -> list[str]:
    """Return the different words (not Chinese) of some texts, in lower case."""
    return list(dict.fromkeys(w for text in texts for w in _WORD.findall(text.lower())))


def name_pattern(texts: Iterable[str]) -> str:
    """Return a regular expression of the names that hold only words said in the texts.

    Words may come in any order, and be singular, or a listed synonym of what was said.

    :param texts: the instruction, and earlier ones of the conversation.
    """
    texts = [text.lower() for text in texts]
    words = words_said(texts)
    words += [s for word in words for s in _singulars(word) if s not in words]
    words += [w for name in _taught(texts) for w in ([name] if is_chinese(name) else name.split())]
    if any(map(is_chinese, texts)):
        characters = {c for text in texts for c in text if is_chinese(c)}
        one = f'[{"".join(sorted(characters | _added(characters)))}]'
        return f'(?:{_any_of([*words, one])}){{1,40}}'
    one = _any_of(dict.fromkeys([*words, *_FUNCTION_WORDS]))
    return f'(?:{one})(?: (?:{one})){{0,{_MOST_WORDS - 1}}}'


def as_said(name: str, texts: Iterable[str]) -> str:
    """Return a model's name for a thing in the words that were said for it."""
    texts = [text.lower() for text in texts]
    for taught in _taught(texts):
        said = next(s for s in _SYNONYMS[taught] if any(_holds(t, s) for t in texts))
        if not is_chinese(taught):
            name = re.sub(rf'\b{re.escape(taught)}\b', said, name)
        elif said not in name:
            name = name.replace(taught, said)
    return name


def as_taught(name: str) -> str:
    """Return a name in the words that models are trained on: 'biggest mug' -> 'largest cup'."""
    for taught, synonyms in _SYNONYMS.items():
        if taught in name.lower():
            continue
        for said in sorted(synonyms, key=len, reverse=True):
            if is_chinese(said):
                if said in name:
                    name = name.replace(said, taught)
                    break
            elif _holds(name.lower(), said):
                name = re.sub(rf'(?<![\w-]){re.escape(said)}(?![\w-])', taught, name.lower())
                break
    return name


def singular(name: str) -> str:
    """Return an English name with its last word in the singular; a Chinese one as it is."""
    if is_chinese(name) or name.endswith(('scissors', 'ss')):
        return name
    for ending, instead in _PLURALS:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name[: -len(ending)] + instead
    return name


def unsaid_words(name: str, texts: Iterable[str]) -> list[str]:
    """Return the words, or Chinese characters, of a name that the texts do not hold."""
    texts = [text.lower() for text in texts]
    said = set(words_said(texts))
    said.update(s for word in list(said) for s in _singulars(word))
    characters = {c for text in texts for c in text}
    characters |= _added(characters)
    words = [w for w in _WORD.findall(name.lower()) if w not in said.union(_FUNCTION_WORDS)]
    return words + [c for c in name if is_chinese(c) and c not in characters]


def _added(characters: set[str]) -> set[str]:
    return {c for c, after in _ADDED.items() if not after or characters.intersection(after)}


def _taught(texts: list[str]) -> list[str]:
    """Return the names that stand for something said, without having been said themselves."""
    return [
        taught
        for taught, synonyms in _SYNONYMS.items()
        if not any(_holds(t, taught) for t in texts)
        and any(_holds(t, s) for t in texts for s in synonyms)
    ]


def _holds(text: str, words: str) -> bool:
    if is_chinese(words):
        return words in text
    return re.search(rf'(?<![\w-]){re.escape(words)}(?![\w-])', text) is not None


def _singulars(word: str) -> list[str]:
    """Return what an English word may be the plural of."""
    found = []
    for ending, singular in (('ives', 'ife'), ('ves', 'f'), ('ies', 'y'), ('es', ''), ('s', '')):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            found.append(word[: -len(ending)] + singular)
    return found


def _any_of(words: Iterable[str]) -> str:
    return '|'.join(w if w.startswith('[') else re.escape(w).replace(r'\-', '-') for w in words)
