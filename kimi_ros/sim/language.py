"""How people speak of the table, in English and Chinese: requests, and what one would reply.

Training draws sentences from here and evaluation asks them; nothing on the way from a frame to a
plan imports this.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import yaml

from kimi_ros.sim.referring_expression import (
    CATEGORY_EN,
    CATEGORY_ZH,
    COLOR_ZH,
    LANGUAGES,
    ReferringExpression,
    center_x,
)

__all__ = [
    'LANGUAGES',
    'scene_description',
    'caption',
    'add_politeness',
    'preposition',
    'requests',
    'verbalize',
    'with_article',
]

MEASURE_WORDS_ZH = {
    'book': '本',
    'block': '块',
    'knife': '把',
    'scissors': '把',
    'spoon': '把',
    'pen': '支',
    'phone': '部',
    'car': '辆',
    'picture': '张',
    'bottle': '瓶',
    'banana': '根',
}
SYNONYMS_EN = {
    'largest': 'biggest',
    'nearest': 'closest',
    'farthest': 'furthest',
    'large': 'big',
    'small': 'little',
    'medium': 'medium-sized',
    'cup': 'mug',
    'can': 'tin',
    'pan': 'frying pan',
    'glass': 'drinking glass',
    'phone': 'mobile phone',
    'block': 'cube',
    'next to': 'beside',
    'left of': 'to the left of',
    'right of': 'to the right of',
    'in': 'inside',
    'on': 'on top of',
}
SYNONYMS_ZH = {
    '最大的': '最大的那个',
    '最近的': '离我最近的',
    '最远的': '离我最远的',
    '杯子': '马克杯',
    '手机': '电话',
    '图片': '照片',
    '旁边': '边上',
    '玩具车': '小汽车',
    '罐子': '易拉罐',
}


@functools.cache
def requests() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the templates of `requests.yaml`: by what is asked for, then by language."""
    text = Path(__file__).with_name('requests.yaml').read_text(encoding='utf-8')
    return {
        ask: {language: tuple(lines) for language, lines in by_language.items()}
        for ask, by_language in yaml.safe_load(text).items()
    }


def add_politeness(request: str, language: str, rng) -> str:
    """Return the request with something polite, or idle, before or after it; often as it is."""
    before, after = rng.random(2)
    if before < 0.25 and not request.lower().startswith(_POLITE):
        between = ' ' if language == 'en' else ''
        request = f'{_choose(requests()["openings"][language], rng)}{between}{request}'
    if after < 0.15 and request[-1] not in '?？':
        comma = ' ' if language == 'en' else '，'
        ending = _choose(requests()['endings'][language], rng)
        request = f'{request.rstrip(".。！!，")}{comma}{ending}'
    return request


_POLITE = ('please', 'could', 'can', 'would', '请', '麻烦', '劳驾', '能', '可以')


def with_article(name: str) -> str:
    """Return the English name with 'a' or 'an'."""
    return f'{"an" if name[0] in "aeiou" else "a"} {name}'


def verbalize(meaning: ReferringExpression, language: str, rng) -> str:
    """Return the description as somebody would say it in a request.

    :param rng: numpy Generator that chooses among the ways.
    """
    name = _in_other_words(meaning.name(language), language, rng)
    where = bool(meaning.relation)
    if language == 'en':
        ways = [f'the {name}'] * 3 + ([] if where else [f'the {name} on the table'])
        if not (where or meaning.superlative):
            ways += [with_article(name), f'that {name}', name]
        return _choose(ways, rng)
    ways = [name] * 3
    if not where:
        ways += [f'桌子上的{name}', f'桌上的{name}']
    if meaning.category and meaning.color and not (where or meaning.superlative or meaning.size):
        noun, color = CATEGORY_ZH[meaning.category], COLOR_ZH[meaning.color]
        that = f'那{MEASURE_WORDS_ZH.get(meaning.category, "个")}'
        ways += [
            f'{that}{name}',
            f'{color}{noun}',
            f'{color}的{that}{noun}',
            f'{that}{color}{noun}',
            f'桌子上{color}的{that}{noun}',
        ]
    return _choose(ways, rng)


def _in_other_words(name: str, language: str, rng) -> str:
    """Return the name, sometimes with one of its words said differently."""
    if rng.random() > 0.25:
        return name
    said = SYNONYMS_ZH if language == 'zh' else SYNONYMS_EN
    if language == 'zh':
        known = [w for w in said if w in name]
        word = _choose(known, rng) if known else ''
        return name.replace(word, said[word], 1) if word else name
    padded = f' {name} '
    known = [w for w in said if f' {w} ' in padded]
    if not known:
        return name
    word = _choose(known, rng)
    return padded.replace(f' {word} ', f' {said[word]} ', 1).strip()


def preposition(target: ReferringExpression, language: str) -> str:
    """Return where an object goes when it is put there: in a pan, on a book."""
    inside = target.is_container
    return ('里' if inside else '上') if language == 'zh' else ('in' if inside else 'on')


def caption(objects: Sequence, length: str) -> str:
    """Describe the objects from left to right: 'short', 'normal' or 'long' (boxes in 0-1)."""
    ordered = sorted(objects, key=center_x)
    names = [with_article(_name(o, 'en')) for o in ordered]
    listed = _listed(names, ' and ')
    if length == 'short':
        return f'{listed[0].upper()}{listed[1:]} on a table.'
    count = f'There are {len(names)} objects on the table'
    if length == 'normal':
        return f'{count}: {listed}.'
    places = [f'{n} {_place_en(o)}' for n, o in zip(names, ordered, strict=True)]
    return f'{count}: {_listed(places, " and ")}.'


def scene_description(objects: Sequence, language: str) -> str:
    """Answer 'what do you see?', from left to right."""
    ordered = sorted(objects, key=center_x)
    if language == 'en':
        return f'I see {_listed([with_article(_name(o, "en")) for o in ordered], " and ")}.'
    return f'我看到{"、".join(_name(o, "zh") for o in ordered)}。'


def _name(thing, language: str) -> str:
    if language == 'en':
        return f'{thing.color} {CATEGORY_EN.get(thing.category, thing.category)}'.strip()
    category = CATEGORY_ZH[thing.category]
    return f'{COLOR_ZH[thing.color]}的{category}' if thing.color else category


def _listed(names: list[str], last: str) -> str:
    return names[0] if len(names) == 1 else ', '.join(names[:-1]) + last + names[-1]


def _place_en(thing) -> str:
    x, y = center_x(thing), (thing.box[1] + thing.box[3]) / 2
    across = 'on the left' if x < 1 / 3 else 'on the right' if x > 2 / 3 else 'in the middle'
    return f'far {across}' if y < 0.4 else across


def _choose(options: Sequence[str], rng) -> str:
    return options[int(rng.integers(len(options)))]
