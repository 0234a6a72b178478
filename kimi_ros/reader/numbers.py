"""Numbers and units as people say them, in English and Chinese: 'half an hour', 一百二十厘米."""

from __future__ import annotations

import math
import re

from kimi_ros.reader.tokens import plain

# Units by what they measure, each with how many of the first one it is, and how it is said.
_MEASURES: tuple[dict[str, tuple[float, tuple[str, ...]]], ...] = (
    {
        'm': (1, ('metre', 'meter', '米', '公尺')),
        'cm': (0.01, ('centimetre', 'centimeter', '厘米', '公分')),
        'mm': (0.001, ('millimetre', 'millimeter', '毫米')),
        'km': (1000, ('kilometre', 'kilometer', '公里', '千米')),
        'inch': (0.0254, ('inches', 'in', '"', '英寸')),
        'ft': (0.3048, ('foot', 'feet', '英尺')),
        'yard': (0.9144, ('码',)),
    },
    {
        's': (1, ('second', 'sec', '秒', '秒钟')),
        'ms': (0.001, ('millisecond', '毫秒')),
        'min': (60, ('minute', '分钟', '分')),
        'h': (3600, ('hour', 'hr', '小时', '个小时', '钟头', '个钟头')),
        'day': (86400, ('天',)),
    },
    {
        'deg': (1, ('degree', '°', '度')),
        'rad': (180 / math.pi, ('radian', '弧度')),
        'turn': (360, ('revolution', '圈', '转')),
    },
    {
        'kg': (1, ('kilo', 'kilogram', 'kilogramme', '公斤', '千克')),
        'g': (0.001, ('gram', 'gramme', '克')),
        'mg': (1e-6, ('milligram', '毫克')),
        'lb': (0.45359237, ('pound', '磅')),
        'jin': (0.5, ('斤',)),
        't': (1000, ('tonne', 'ton', '吨')),
    },
    {
        'l': (1, ('litre', 'liter', '升')),
        'ml': (0.001, ('millilitre', 'milliliter', 'cc', '毫升')),
        'dl': (0.1, ('decilitre', '分升')),
        'cl': (0.01, ('centilitre', '厘升')),
    },
    {
        'm/s': (1, ('metre per second', 'meter per second', '米每秒', '米/秒')),
        'km/h': (1 / 3.6, ('kilometre per hour', 'kilometer per hour', 'kph', '公里每小时')),
    },
    {'percent': (1, ('%', 'per cent', '百分之'))},
    {'c': (1, ('°c', '℃', 'celsius', 'degree celsius', 'degc', 'degree', '摄氏度', '度'))},
)  # fmt: skip
_SMALL = {
    word: value
    for value, word in enumerate(
        'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen '
        'fifteen sixteen seventeen eighteen nineteen'.split()
    )
} | {
    word: 10 * value
    for value, word in enumerate('twenty thirty forty fifty sixty seventy eighty ninety'.split(), 2)
}
_SMALL |= {'a': 1, 'an': 1, 'no': 0, 'once': 1, 'twice': 2, 'thrice': 3, 'couple': 2, 'pair': 2,
           'both': 2, 'fourty': 40}  # fmt: skip
_BIG = {'dozen': 12, 'hundred': 100, 'thousand': 1000}
_PARTS = {'half': 0.5, 'quarter': 0.25, 'quarters': 0.25, 'third': 1 / 3, 'thirds': 1 / 3,
          'tenth': 0.1, 'tenths': 0.1, 'halves': 0.5}  # fmt: skip
_DIGITS = {c: i for i, c in enumerate('零一二三四五六七八九')} | {
    '〇': 0,
    '两': 2,
    '俩': 2,
    '幺': 1,
}
_PLACES = {'十': 10, '百': 100, '千': 1000, '万': 10000}
_HAN = ''.join([*_DIGITS, *_PLACES, '点', '半'])
_FIGURES = re.compile(r'(\d+(?:,\d{3})*(?:\.\d+)?)(?: ?/ ?(\d+))?')


def number_in(text: str) -> float | None:
    """Return the first number that a text says, None where it says none."""
    found = _number(plain(text))
    return found[0] if found else None


def quantity_in(text: str, unit: str = '') -> float | None:
    """Return what a text says of a quantity, in the unit; None where it says no number.

    A number without a unit, or with one that is unknown, is taken to be in the unit wanted; of one
    that measures something else nothing is said.
    """
    text = plain(text)
    found = _number(text)
    if found is None:
        return None
    value, start, end = found
    wanted = _unit(unit)
    said = _said(text[end:], wanted) or _said(_before(text[:start]), wanted)
    if said is None:
        others = range(len(_MEASURES)) if wanted else ()
        return None if any(_said(text[end:], (other, 1.0)) for other in others) else value
    factor, after = said
    # 'two and a half hours' has its half before the unit, 三米半 behind it.
    if after.startswith('半'):
        value += 0.5
    elif 'and a half' in after:
        value += 0.5
    elif (more := _number(after)) and more[1] <= 5 and (smaller := _said(after[more[2] :], wanted)):
        if smaller[0] < factor:  # 'one hour and 20 minutes'
            return round(value * factor + more[0] * smaller[0], 6)
    return round(value * factor, 6)


def quantity_said(text: str, unit: str) -> tuple[float, int, int] | None:
    """Return a quantity that a text says for sure, and its characters [start, end).

    For sure: with a unit that measures what is wanted; where the unit wanted measures nothing,
    with a number that is more than an article.
    """
    flat = plain(text)
    found = _number(flat)
    if found is None:
        return None
    _, start, end = found
    wanted = _unit(unit)
    said = _said(flat[end:], wanted)
    if wanted and not said and not _before(flat[:start]):
        return None
    if not wanted and flat[start:end] in ('a', 'an', 'no', 'one', '一', '两', '半'):
        return None
    if said:
        end = len(flat) - len(said[1])
    if flat[start:end] == 'a turn':  # 'give it a turn'
        return None
    value = quantity_in(text[start:end], unit)
    return None if value is None else (value, start, end)


def _unit(unit: str) -> tuple[int, float] | None:
    """Return what a unit measures, and how large it is; None where it only counts."""
    name = plain(unit).strip()
    for measure, units in enumerate(_MEASURES):
        for short, (factor, names) in units.items():
            if name in (short, *names) or name.removesuffix('s') in (short, *names):
                return measure, factor
    return None


def _said(text: str, wanted: tuple[int, float] | None) -> tuple[float, str] | None:
    """Return how many of the unit wanted make the one that a text begins with, and the rest."""
    if wanted is None:
        return None
    text = re.sub(r'^[\s\-]*(?:of |an? |个(?=小时|钟头|半))*', '', text)
    best: tuple[float, int] | None = None
    for short, (factor, names) in _MEASURES[wanted[0]].items():
        for name in (short, *names):
            for spelt in (name, f'{name}s', re.sub('^(metre|meter)', r'\1s', name)):
                if not text.startswith(spelt) or _goes_on(text, len(spelt)):
                    continue
                if best is None or len(spelt) > best[1]:
                    best = factor / wanted[1], len(spelt)
    return (best[0], text[best[1] :]) if best else None


def _goes_on(text: str, at: int) -> bool:
    """Tell whether an English word goes on at this character."""
    return (
        text[at - 1].isascii()
        and text[at - 1].isalpha()
        and text[at : at + 1].isascii()
        and (text[at : at + 1].isalpha())
    )


def _before(text: str) -> str:
    return '百分之' if text.rstrip().endswith('百分之') else ''


def _number(text: str) -> tuple[float, int, int] | None:
    """Return the first number of a plain text, and its characters [start, end)."""
    found = [number for read in (_figures, _han, _english) if (number := read(text))]
    return min(found, key=lambda number: number[1]) if found else None


def _figures(text: str) -> tuple[float, int, int] | None:
    match = _FIGURES.search(text)
    if not match:
        return None
    value = float(match[1].replace(',', ''))
    if match[2] and float(match[2]):
        value /= float(match[2])
    rest = text[match.end() :]
    if more := re.match(r' (\d+)/(\d+)', rest):  # 2 1/2
        if float(more[2]):
            return value + float(more[1]) / float(more[2]), match.start(), match.end() + more.end()
    if more := re.match(r' and a half', rest):
        return value + 0.5, match.start(), match.end() + more.end()
    if more := re.match(f'[{"".join(_PLACES)}]', rest):
        return value * _PLACES[more[0]], match.start(), match.end() + 1
    return value, match.start(), match.end()


def _han(text: str) -> tuple[float, int, int] | None:
    for match in re.finditer(f'[{_HAN}]+', text):
        value = _of_han(match[0])
        if value is None:
            continue
        end = match.end()
        if half := re.match('个半', text[end:]):  # 一个半小时
            return value + 0.5, match.start(), end + half.end()
        if share := re.match(f'分之([{_HAN}]+)', text[end:]):  # 三分之一
            above = _of_han(share[1])
            if above is not None and value:
                if value == 100:  # 百分之五十: so many percent
                    value = 1
                return above / value, match.start(), end + share.end()
        return value, match.start(), end
    return None


def _of_han(text: str) -> float | None:
    if text in '点':
        return None
    whole, _, part = text.partition('点')
    half = 0.5 if whole.endswith('半') or part.endswith('半') else 0.0
    whole, part = whole.rstrip('半'), part.rstrip('半')
    total, digit, place = 0.0, None, 1
    if whole and not any(c in _PLACES for c in whole):
        total = float(''.join(str(_DIGITS[c]) for c in whole if c in _DIGITS) or 0)
        whole = ''
    for c in whole:
        if c in _PLACES:
            if c == '万':
                total = (total + (digit or 0)) * 10000
            else:
                total += (1 if digit is None else digit) * _PLACES[c]
            place, digit = _PLACES[c], None
        elif c in _DIGITS:
            digit = _DIGITS[c]
            place = 1 if digit == 0 else place
    if digit:
        # 一百二 is 120, 一百零二 is 102.
        total += digit * (place // 10 if place > 10 else 1)
    if part:
        digits = ''.join(str(_DIGITS[c]) for c in part if c in _DIGITS)
        total += float(f'0.{digits}') if digits else 0.0
    return total + half


def _english(text: str) -> tuple[float, int, int] | None:
    words = [(m[0], m.start(), m.end()) for m in re.finditer(r'[a-z]+', text)]
    numeric = {*_SMALL, *_BIG, *_PARTS}
    at = next(
        (
            i
            for i, (word, *_) in enumerate(words)
            if word in numeric and (word not in ('a', 'an', 'no') or _counts(text, words, i))
        ),
        None,
    )
    if at is None:
        return None
    total, current, parts, end, i = 0.0, None, 0.0, at, at
    while i < len(words):
        word = words[i][0]
        if i > at and not re.fullmatch(r'[\s\-]*', text[words[i - 1][2] : words[i][1]]):
            break
        if word == 'point' and current is not None:
            digits = []
            while i + 1 < len(words) and _SMALL.get(words[i + 1][0], 10) < 10:
                i += 1
                digits.append(str(_SMALL[words[i][0]]))
            if digits:
                parts += float('0.' + ''.join(digits))
                end = i
        elif word in _SMALL and not (word in ('a', 'an') and (current is not None or parts)):
            pair = word in ('couple', 'pair') and current == 1  # 'a couple'
            current = 2 if pair else (current or 0) + _SMALL[word]
            end = i
        elif word in _BIG:
            current = (1 if current is None else current) * _BIG[word]
            if word == 'thousand':
                total, current = total + current, None
            end = i
        elif word in _PARTS:
            # 'three quarters', 'a half', 'two and a half'; 'half an hour'.
            if current is not None and end == i - 1 and word != 'half':
                parts, current = parts + current * _PARTS[word], 0
            elif words[i - 1][0] == 'a' and end == i - 1 and i > at and current is not None:
                parts, current = parts + _PARTS[word], current - 1
            else:
                parts += _PARTS[word]
            end = i
        elif word in ('and', 'a', 'an') and i + 1 < len(words):
            following = words[i + 1][0]
            if word in ('a', 'an') and following not in _PARTS:
                break
            if word == 'and' and following not in numeric:
                break
        else:
            break
        i += 1
    return total + (current or 0) + parts, words[at][1], words[end][2]


def _counts(text: str, words, i: int) -> bool:
    """Tell whether 'a' is the only number there: 'a minute', but not 'a bit over ten'."""
    others = {*_SMALL, *_BIG, *_PARTS} - {'a', 'an', 'no'}
    later = [word for word, *_ in words[i + 1 :]]
    if later[-3:] == ['and', 'a', 'half']:
        later = later[:-3]
    if i + 1 < len(words) and later[0] in {*_BIG, *_PARTS, 'couple', 'pair'}:
        return True
    return not any(word in others for word in later) and not re.search(r'\d', text)
