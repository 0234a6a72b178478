"""Noise augmentation: fillers, lower case, missing punctuation, typing errors."""

from __future__ import annotations

import re

from kimi_ros.sim.language import requests
from kimi_train.reader.language.span_markers import closing_marker, opening_marker

__all__ = ['add_noise']

# Ranges of the markers that open and close a span.
_OPEN, _CLOSE, _LAST = opening_marker(0), closing_marker(0), '\uf7ff'

_EN_FILLERS = (
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
    'mate',
    'buddy',
    'dear',
    'sir',
    'my friend',
    'love',
)
_ZH_FILLERS = (
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
    '师傅',
    '同学',
    '小伙子',
    '亲',
    '大哥',
    '老兄',
    '哎师傅',
    '小助手',
)
# Endings with these words are adverbials of manner, not fillers.
_MANNER_WORDS = (
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
# Hesitations inside of a sentence: before a word, or instead of a comma.
_EN_HESITATIONS = (
    ' um',
    ' uh',
    ' er',
    ', um,',
    ', er,',
    ', uh,',
    ' - um -',
    ', you know,',
    ', let me see,',
    ', I think,',
    ' like',
    ', well,',
    ' erm',
    ', hm,',
)
# Politeness and vocatives inside of a request.
_EN_ASIDES = (
    *_EN_HESITATIONS,
    ', please,',
    ', please,',
    ' please',
    ', my dear,',
    ', love,',
    ', robot,',
    ', Kimi,',
    ', mate,',
    ', if you would,',
    ', if you can,',
    ", if you don't mind,",
    ', will you,',
    ', would you,',
    ', thank you,',
    ', be so kind,',
    ", for heaven's sake,",
    ', quickly now,',
    ", what's it called,",
    ', oh what is it,',
    ', you see,',
    ' just',
    ' kindly',
)
_ZH_HESITATIONS = (
    '呃',
    '嗯',
    '，呃，',
    '，嗯，',
    '……',
    '，就是，',
    '，那什么，',
    '那啥',
)
_ZH_ASIDES = (
    *_ZH_HESITATIONS,
    '麻烦',
    '，麻烦你，',
    '，麻烦您，',
    '，劳驾，',
    '，拜托，',
    '，好吧，',
    '，亲，',
    '，师傅，',
    '，小基，',
    '，你看，',
    '，那叫什么来着，',
    '，对吧，',
    '，辛苦了，',
    '，谢谢啊，',
    '，帮个忙，',
    '，哎，',
)
_ADJACENT_KEYS = {
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
    return [e for e in requests()['endings'][lang] if not any(m in e for m in _MANNER_WORDS)]


_EN_ENDINGS, _ZH_ENDINGS = _endings('en'), _endings('zh')
_EN_OPENINGS = [o for o in requests()['openings']['en'] if o not in ('first,', 'then,', 'quick,')]
_ZH_OPENINGS = [
    o for o in requests()['openings']['zh'] if o not in ('首先，', '然后，', '先，', '快，')
]


def add_noise(rng, lang: str, text: str, no_fillers: bool = False) -> str:
    """Return the sentence with noise; its span markers stay in place.

    :param no_fillers: add nothing before or after it (questions, small talk).
    """
    text = _english(rng, text, no_fillers) if lang == 'en' else _chinese(rng, text, no_fillers)
    return text


def _choose(rng, options):
    return options[int(rng.random() * len(options))]


def _english(rng, text, no_fillers):
    question = text.endswith('?')
    if question and rng.random() < 0.4:
        text = text[:-1]
    if not no_fillers:
        r = rng.random()
        if r < 0.08:
            text = f'{_choose(rng, _EN_FILLERS)}{_choose(rng, (", ", " "))}{text}'
        elif r < 0.15 and not text.startswith(('please', 'could', 'can', 'would')):
            text = f'{_choose(rng, _EN_OPENINGS)} {text}'
        r = rng.random()
        if not question and r < 0.08:
            pause = _choose(rng, (', ', ' '))
            text += pause + _choose(rng, ('please', 'please', 'thanks', 'robot', 'kimi'))
        elif not question and r < 0.15:
            text = f'{text}{_choose(rng, (", ", " "))}{_choose(rng, _EN_ENDINGS)}'
    if rng.random() < 0.09:
        text = _hesitate(rng, text, ' ', _EN_HESITATIONS if no_fillers else _EN_ASIDES)
    r = rng.random()
    if r < 0.25:  # as a speech recognizer writes it
        text = re.sub(r'[,.!?;:\"”“—]', '', text).replace(' - ', ' ').lower()
        text = re.sub(' {2,}', ' ', text)
    elif r < 0.65:
        text = _capitalize(text)
        if text[-1] not in '.?!' and rng.random() < 0.7:
            text += '.' if rng.random() < 0.93 else '!'
    elif r < 0.75 and text[-1] not in '.?!':
        text += '.'
    if rng.random() < 0.04:
        text = _add_typo(rng, text)
    return text


def _hesitate(rng, text, before, hesitations):
    """Return the text with a hesitation or a repeated word outside of its spans.

    :param before: what the hesitation precedes: a space, or '' for any span.
    """
    depth, places = 0, []
    for i, c in enumerate(text):
        if i and not depth and (c == before or (not before and _OPEN <= c < _CLOSE)):
            places.append(i)
        depth += 1 if _OPEN <= c < _CLOSE else -1 if _CLOSE <= c <= _LAST else 0
    if not places:
        return text
    at = _choose(rng, places)
    word = re.match(' [A-Za-z]+(?= )', text[at:])
    if word and rng.random() < 0.3:
        return text[:at] + word[0] + text[at:]
    return text[:at] + _choose(rng, hesitations) + text[at:]


def _capitalize(text):
    for i, c in enumerate(text):
        if c < '\ue000':
            return text[:i] + c.upper() + text[i + 1 :]
    return text


def _add_typo(rng, text):
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = _choose(rng, words)
    at = word.start() + 1 + int(rng.random() * (word.end() - word.start() - 2))
    r = rng.random()
    if r < 0.3:
        return text[:at] + text[at + 1 :]
    if r < 0.55:
        return text[:at] + text[at] + text[at:]
    if r < 0.8:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + _choose(rng, _ADJACENT_KEYS.get(text[at], text[at])) + text[at + 1 :]


def _chinese(rng, text, no_fillers):
    question = text.endswith(('？', '?'))
    if question and rng.random() < 0.4:
        text = text[:-1]
    if not no_fillers:
        r = rng.random()
        if r < 0.07:
            text = f'{_choose(rng, _ZH_FILLERS)}{_choose(rng, ("，", "，", ""))}{text}'
        elif r < 0.14:
            text = f'{_choose(rng, _ZH_OPENINGS)}{text}'
        r = rng.random()
        if not question and r < 0.12:
            text = f'{text}{_choose(rng, ("，", "，", ""))}{_choose(rng, _ZH_ENDINGS)}'
        elif not question and r < 0.17:
            text += _choose(rng, ('吧', '哈', '呗', '啊', '哦', '嘛'))
    if rng.random() < 0.06:
        text = _hesitate(rng, text, '', _ZH_HESITATIONS if no_fillers else _ZH_ASIDES)
    r = rng.random()
    if r < 0.25:
        text = re.sub('[，。！？；：、“”]', '', text) if r < 0.12 else re.sub('[，。；]', ' ', text)
    elif r < 0.65 and text[-1] not in '。？！':
        text += '。' if rng.random() < 0.93 else '！'
    return text
