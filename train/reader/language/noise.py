"""What happens to a sentence on its way: fillers, lower case, no marks, slips of the keys."""

from __future__ import annotations

import re

from kimi_ros.sim.language import requests

__all__ = ['dress']

_EN_BEFORE = (
    'um',
    'uh',
    'er',
    'hey kimi',
    'kimi',
    'hey robot',
    'robot',
    'ok',
    'okay',
    'so',
    'well',
    'alright',
    'hi',
    'now',
    'ok so',
    'right',
    'hello',
    'listen',
    'excuse me',
    'hey',
    'oh',
)
_ZH_BEFORE = (
    '那个',
    '嗯',
    '呃',
    '喂',
    '机器人',
    '你好',
    '好',
    '哎',
    '请',
    '麻烦',
    '那',
    '来',
    '小基',
    '对了',
)
# Endings that say how: no harmless idle words.
_MANNER = (
    'quick',
    'careful',
    'slow',
    '快',
    '慢',
    '小心',
    '仔细',
    '稳',
    '悠',
    'time',
    'double',
    'rush',
    '急',
)
_WORD = re.compile('[a-z]{4,}')
_NEIGHBOURS = {
    'a': 's',
    's': 'ad',
    'd': 'sf',
    'e': 'wr',
    'r': 'et',
    't': 'ry',
    'i': 'uo',
    'o': 'ip',
    'n': 'mb',
    'm': 'n',
    'l': 'k',
    'k': 'l',
    'h': 'gj',
    'g': 'fh',
    'u': 'yi',
    'c': 'vx',
}


def _endings(lang):
    return [e for e in requests()['endings'][lang] if not any(m in e for m in _MANNER)]


_EN_AFTER, _ZH_AFTER = _endings('en'), _endings('zh')
_EN_OPEN = [o for o in requests()['openings']['en'] if o not in ('first,', 'then,', 'quick,')]
_ZH_OPEN = [
    o for o in requests()['openings']['zh'] if o not in ('首先，', '然后，', '先，', '快，')
]


def dress(rng, lang: str, text: str, plain: bool = False) -> str:
    """Return the sentence as it may arrive, its marks in place.

    :param plain: nothing before or behind it (questions, small talk).
    """
    text = _english(rng, text, plain) if lang == 'en' else _chinese(rng, text, plain)
    return text


def _pick(rng, options):
    return options[int(rng.random() * len(options))]


def _english(rng, text, plain):
    question = text.endswith('?')
    if question and rng.random() < 0.4:
        text = text[:-1]
    if not plain:
        r = rng.random()
        if r < 0.08:
            text = f'{_pick(rng, _EN_BEFORE)}{_pick(rng, (", ", " "))}{text}'
        elif r < 0.15 and not text.startswith(('please', 'could', 'can', 'would')):
            text = f'{_pick(rng, _EN_OPEN)} {text}'
        r = rng.random()
        if not question and r < 0.08:
            pause = _pick(rng, (', ', ' '))
            text += pause + _pick(rng, ('please', 'please', 'thanks', 'robot', 'kimi'))
        elif not question and r < 0.15:
            text = f'{text}{_pick(rng, (", ", " "))}{_pick(rng, _EN_AFTER)}'
    r = rng.random()
    if r < 0.25:  # as recognised from speech
        text = re.sub(r'[,.!?;:\"”“—]', '', text).replace(' - ', ' ').lower()
        text = re.sub(' {2,}', ' ', text)
    elif r < 0.65:
        text = _capital(text)
        if text[-1] not in '.?!' and rng.random() < 0.7:
            text += '.' if rng.random() < 0.93 else '!'
    elif r < 0.75 and text[-1] not in '.?!':
        text += '.'
    if rng.random() < 0.04:
        text = _slip(rng, text)
    return text


def _capital(text):
    for i, c in enumerate(text):
        if c < '\ue000':
            return text[:i] + c.upper() + text[i + 1 :]
    return text


def _slip(rng, text):
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = _pick(rng, words)
    at = word.start() + 1 + int(rng.random() * (word.end() - word.start() - 2))
    r = rng.random()
    if r < 0.3:
        return text[:at] + text[at + 1 :]
    if r < 0.55:
        return text[:at] + text[at] + text[at:]
    if r < 0.8:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + _pick(rng, _NEIGHBOURS.get(text[at], text[at])) + text[at + 1 :]


def _chinese(rng, text, plain):
    question = text.endswith(('？', '?'))
    if question and rng.random() < 0.4:
        text = text[:-1]
    if not plain:
        r = rng.random()
        if r < 0.07:
            text = f'{_pick(rng, _ZH_BEFORE)}{_pick(rng, ("，", "，", ""))}{text}'
        elif r < 0.14:
            text = f'{_pick(rng, _ZH_OPEN)}{text}'
        r = rng.random()
        if not question and r < 0.12:
            text = f'{text}{_pick(rng, ("，", "，", ""))}{_pick(rng, _ZH_AFTER)}'
        elif not question and r < 0.17:
            text += _pick(rng, ('吧', '哈', '呗', '啊', '哦', '嘛'))
    r = rng.random()
    if r < 0.25:
        text = re.sub('[，。！？；：、“”]', '', text) if r < 0.12 else re.sub('[，。；]', ' ', text)
    elif r < 0.65 and text[-1] not in '。？！':
        text += '。' if rng.random() < 0.93 else '！'
    return text
