"""Numbers said by their meaning: 'half way' is 50 percent, 'three in the afternoon' is 15 hours."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from kimi_ros.reader.numbers import find_quantity, parse_number, parse_quantity
from kimi_ros.reader.reading import Span
from kimi_ros.reader.tokenizer import Token, normalize

_PERCENT = frozenset(('percent', '%', 'per cent', 'pct', '百分比'))
_HOURS = frozenset(('h', 'hr', 'hour', 'hours', "o'clock", 'oclock', '点', '时', '小时'))

# Portions in percent. A span that holds nothing but 全 means all; in other words it does not.
_PORTIONS = (
    (re.compile(r'\b(?:half[ -]?way|by half|half)\b|一半|半(?=$|[开关满])|对半'), 50.0),
    (
        re.compile(
            r'\b(?:completely|fully|entirely|totally|all (?:the )?way|the whole way|'
            r'(?:to )?the max(?:imum)?|full(?: blast)?|flat out|as far as it goes)\b'
            r'|完全|全部|(?<!安)全(?=$|[开关拉打升降放掀展])|到头|到底|满'
        ),
        100.0,
    ),
)
_FRACTION = re.compile(
    r'\b(?:(?P<count>an?|one|two|three) )?(?P<part>third|quarter|fifth|tenth)s?\b'
    r'|(?P<of>[二两三四五六七八九十])分之(?P<numerator>[一二两三四五六七八九])'
    r'|(?P<tenths>[一二两三四五六七八九十]|\d)成(?P<half>半)?'
)
_PARTS = {'third': 3, 'quarter': 4, 'fifth': 5, 'tenth': 10}
_COUNTS = {'a': 1, 'an': 1, 'one': 1, 'two': 2, 'three': 3}

_HOUR_EN = r'\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve'
_MINUTES_EN = r'five|ten|twenty|twenty[ -]five|thirty|fifteen|forty[ -]five|\d{1,2}'
_CLOCK_EN = re.compile(
    rf'(?:(?P<part>half|(?:a )?quarter|{_MINUTES_EN})(?: minutes)?'
    r' (?P<side>past|to|after|before) )?'
    rf'\b(?P<hour>{_HOUR_EN})'
    r'(?:(?::|\.)(?P<digits>\d\d)| (?P<minutes>thirty|fifteen|forty[ -]five))?'
    r"(?P<clock> ?o'? ?clock)?"
    r'(?: (?:in the |at |this )?(?P<day>morning|afternoon|evening|night)\b'
    r'| ?(?P<half>[ap])\.?m\b\.?)?'
)
_NAMED_HOURS = {'noon': 12.0, 'midday': 12.0, 'midnight': 0.0, '正午': 12.0, '午夜': 0.0}
_CLOCK_ZH = re.compile(
    r'(?P<day>凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|半夜|今晚|晚)?'
    r'(?P<hour>\d{1,2}|[零一二两三四五六七八九十]{1,3})(?:点钟?整?|:(?=\d\d))'
    r'(?P<minutes>半|[一三]刻|(?:\d{1,2}|[零一二三四五六七八九十]{1,3})分?)?'
)
_LATE_ZH = ('中午', '下午', '傍晚', '晚上', '今晚', '晚', '夜里', '半夜')
_AROUND = 5  # tokens on either side
_RATE = re.compile(r'每(?:秒|小时)钟?[^每，。；]*?(?:米|公里)')
_HALVES = re.compile(r' and a (?:half|quarter)')
_MINUS = re.compile(r'^\s*(?:minus|negative|below|零下|负|-)\s*(?=\S)')


def parse_meant(text: str, unit: str = '') -> float | None:
    """Return the quantity in a text as `parse_quantity`, or the one that its words mean.

    Portions are converted to percent, times of the day to hours from midnight, numbers below zero
    keep their sign.
    """
    found = _find(text, unit, counts=True)
    if found:
        return found[0]
    if minus := _MINUS.match(normalize(text)):
        value = parse_quantity(normalize(text)[minus.end() :], unit)
        return None if value is None else -value
    return parse_quantity(text, unit)


def find_meant(text: str, unit: str) -> tuple[float, int, int] | None:
    """Return the quantity that a text holds, and its characters; see `find_quantity`."""
    return find_quantity(text, unit) or _find(text, unit, counts=False)


def widen_quantity(text: str, words: Span, tokens: Sequence[Token], unit: str) -> Span:
    """Return the words of a number with what of the quantity stands around them.

    'An hour' of "an hour and a quarter" and 二米每秒 of 一点二米每秒 are half of what was said.

    :param text: the turn that the words are of.
    :param tokens: that turn's.
    """
    starts = [t.start for t in tokens if t.start <= words.start][-_AROUND:]
    ends = [t.end for t in tokens if t.end >= words.end][:_AROUND]
    around = sorted(itertools.product(starts, ends), key=lambda span: span[0] - span[1])
    for start, end in around:
        if end - start > words.end - words.start and _is_whole(text[start:end], unit):
            return Span(start, end, words.turn)
    return words


def _is_whole(text: str, unit: str) -> bool:
    """Tell whether a text is a quantity and nothing else."""
    if _RATE.fullmatch(normalize(text)):
        return parse_meant(text, unit) is not None
    found = find_quantity(text, unit) or _find(text, unit, counts=False)
    if not found or found[1]:
        return False
    return found[2] == len(text) or bool(_HALVES.fullmatch(normalize(text[found[2] :])))


def _find(text: str, unit: str, counts: bool) -> tuple[float, int, int] | None:
    """Return a portion or a time of the day, if the unit asks for one.

    :param counts: whether a number without a unit may be an hour.
    """
    text, unit = normalize(text), normalize(unit).strip()
    if unit in _PERCENT:
        return _find_portion(text)
    if unit in _HOURS or (counts and not unit):
        return _find_hour(text)
    return None


def _find_portion(text: str) -> tuple[float, int, int] | None:
    if re.search(r'\d\s*%|per ?cent|百分之', text):
        return None
    if match := _FRACTION.search(text):
        if match['part']:
            value = _COUNTS[match['count'] or 'a'] / _PARTS[match['part']]
        elif match['of']:
            value = (parse_number(match['numerator']) or 0) / (parse_number(match['of']) or 1)
        else:
            value = (parse_number(match['tenths']) or 0) / 10 + (0.05 if match['half'] else 0)
        return round(100 * value, 6), match.start(), match.end()
    for pattern, value in _PORTIONS:
        if match := pattern.search(text):
            return value, match.start(), match.end()
    return None


def _find_hour(text: str) -> tuple[float, int, int] | None:
    for word, value in _NAMED_HOURS.items():
        if match := re.search(rf'\b{word}\b' if word.isascii() else word, text):
            return value, match.start(), match.end()
    for match in _CLOCK_EN.finditer(text):
        if any(match[name] for name in ('side', 'digits', 'clock', 'day', 'half')):
            return _english_hour(match), match.start(), match.end()
    if (match := _CLOCK_ZH.search(text)) and not re.match('[个小钟]', text[match.end() :]):
        minutes = match['minutes'] or ''
        decimal = minutes and not match['day'] and not minutes.endswith(('半', '刻', '分'))
        if not decimal or ':' in match[0]:
            return _chinese_hour(match), match.start(), match.end()
    return None


def _english_hour(match: re.Match[str]) -> float:
    hour = parse_number(match['hour']) or 0.0
    minutes = parse_number((match['digits'] or match['minutes'] or '0').replace('-', ' ')) or 0.0
    if part := match['part']:
        minutes = (
            30.0 if part == 'half' else 15.0 if 'quarter' in part else parse_number(part) or 0.0
        )
        minutes = -minutes if match['side'] in ('to', 'before') else minutes
    late = match['half'] == 'p' or match['day'] in ('afternoon', 'evening')
    late = late or (match['day'] == 'night' and hour >= 6)
    if hour == 12 and (match['half'] == 'a' or match['day'] in ('night', 'morning')):
        hour = 0.0
    elif hour < 12 and late:
        hour += 12
    return round(hour + minutes / 60, 6)


def _chinese_hour(match: re.Match[str]) -> float:
    hour, day, minutes = parse_number(match['hour']) or 0.0, match['day'] or '', match['minutes']
    night = day in ('晚上', '今晚', '晚', '夜里', '半夜', '凌晨')
    if hour == 12 and night:
        hour = 0.0
    elif hour < 12 and day in _LATE_ZH and (hour > 5 or not day.endswith(('夜里', '半夜'))):
        hour += 0 if day == '中午' and hour > 4 else 12
    if not minutes:
        more = 0.0
    elif minutes == '半':
        more = 30.0
    elif minutes.endswith('刻'):
        more = 15 * (parse_number(minutes[0]) or 0)
    else:
        more = parse_number(minutes.rstrip('分').lstrip('零') or '零') or 0.0
    return round(hour + more / 60, 6)
