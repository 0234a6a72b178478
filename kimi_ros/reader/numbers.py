"""Parses numbers and quantities in English and Chinese: 'half an hour', 一百二十厘米."""

from __future__ import annotations

import math
import re

from kimi_ros.reader.tokenizer import normalize

# Units by kind, each with its factor to the first one and its names.
_QUANTITIES: tuple[dict[str, tuple[float, tuple[str, ...]]], ...] = (
    {
        'm': (1, ('metre', 'meter', '米', '公尺')),
        'cm': (0.01, ('centimetre', 'centimeter', '厘米', '公分')),
        'mm': (0.001, ('millimetre', 'millimeter', 'mill', 'mil', '毫米', '毫')),
        'km': (1000, ('kilometre', 'kilometer', '公里', '千米')),
        'inch': (0.0254, ('inches', 'in', '"', '英寸')),
        'ft': (0.3048, ('foot', 'feet', '英尺')),
        'yard': (0.9144, ('码',)),
    },
    {
        's': (1, ('second', 'sec', '秒', '秒钟')),
        'ms': (0.001, ('millisecond', '毫秒')),
        'min': (60, ('minute', '分钟', '分')),
        'quarter': (900, ('刻钟', '刻')),
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
        'm/s': (
            1,
            ('metre per second', 'meter per second', 'metre a second', 'meter a second')
            + ('metres a second', 'meters a second', '米每秒', '米/秒', '米一秒'),
        ),
        'km/h': (
            1 / 3.6,
            ('kilometre per hour', 'kilometer per hour', 'kilometres an hour', 'kph')
            + ('公里每小时', '公里一小时'),
        ),
    },
    {'percent': (1, ('%', 'per cent', '百分之'))},
    {'c': (1, ('°c', '℃', 'celsius', 'degree celsius', 'degc', 'degree', '摄氏度', '度'))},
)
_NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen '
        'fifteen sixteen seventeen eighteen nineteen'.split()
    )
} | {
    word: 10 * value
    for value, word in enumerate('twenty thirty forty fifty sixty seventy eighty ninety'.split(), 2)
}
_NUMBER_WORDS |= {
    'a': 1,
    'an': 1,
    'no': 0,
    'once': 1,
    'twice': 2,
    'thrice': 3,
    'couple': 2,
    'pair': 2,
    'both': 2,
    'fourty': 40,
}
_MULTIPLIERS = {'dozen': 12, 'hundred': 100, 'thousand': 1000}
_FRACTIONS = {
    'half': 0.5,
    'quarter': 0.25,
    'quarters': 0.25,
    'third': 1 / 3,
    'thirds': 1 / 3,
    'tenth': 0.1,
    'tenths': 0.1,
    'halves': 0.5,
}
_DIGITS = {c: i for i, c in enumerate('零一二三四五六七八九')} | {
    '〇': 0,
    '两': 2,
    '俩': 2,
    '幺': 1,
}
_HAN_MULTIPLIERS = {'十': 10, '百': 100, '千': 1000, '万': 10000}
_HAN_NUMERALS = ''.join([*_DIGITS, *_HAN_MULTIPLIERS, '点', '半'])
# 每秒半米 for 半米每秒.
_RATE_ZH = re.compile(r'每(秒|小时)钟?([^每，。；]*?(?:米|公里))')
_DIGITS_PATTERN = re.compile(r'(\d+(?:,\d{3})*(?:\.\d+)?)(?: ?/ ?(\d+))?')


def parse_number(text: str) -> float | None:
    """Return the first number in a text, or None."""
    found = _parse_first(normalize(text))
    return found[0] if found else None


def parse_quantity(text: str, unit: str = '') -> float | None:
    """Return the quantity in a text, converted to the unit; None without a number.

    A number without a known unit is taken to be in the target unit. A unit of another kind gives
    None.
    """
    text = _RATE_ZH.sub(r'\2每\1', normalize(text))
    found = _parse_first(text)
    if found is None:
        return None
    value, start, end = found
    target_unit = _parse_unit(unit)
    match = _match_unit(text[end:], target_unit) or _match_unit(
        _prefix_unit(text[:start]), target_unit
    )
    if match is None:
        others = range(len(_QUANTITIES)) if target_unit else ()
        return None if any(_match_unit(text[end:], (other, 1.0)) for other in others) else value
    factor, after = match
    # 'two and a half hours' has its half before the unit, 三米半 behind it.
    if after.startswith('半'):
        value += 0.5
    elif 'and a half' in after:
        value += 0.5
    elif 'and a quarter' in after:
        value += 0.25
    elif (
        (more := _parse_first(after))
        and more[1] <= 5
        and (smaller := _match_unit(after[more[2] :], target_unit))
    ):
        if smaller[0] < factor:  # 'one hour and 20 minutes'
            return round(value * factor + more[0] * smaller[0], 6)
    return round(value * factor, 6)


def find_quantity(text: str, unit: str) -> tuple[float, int, int] | None:
    """Return an unambiguous quantity in a text, and its characters [start, end).

    It needs a unit of the right kind; if the target unit only counts, a number that is more than
    an article.
    """
    normalized = normalize(text)
    found = _parse_first(normalized)
    if found is None:
        return None
    _, start, end = found
    target_unit = _parse_unit(unit)
    match = _match_unit(normalized[end:], target_unit)
    if target_unit and not match and not _prefix_unit(normalized[:start]):
        return None
    if not target_unit and normalized[start:end] in ('a', 'an', 'no', 'one', '一', '两', '半'):
        return None
    if match:
        end = len(normalized) - len(match[1])
    if normalized[start:end] == 'a turn':  # 'give it a turn'
        return None
    value = parse_quantity(text[start:end], unit)
    return None if value is None else (value, start, end)


def _parse_unit(unit: str) -> tuple[int, float] | None:
    """Return the kind and the factor of a unit; None for a unit that only counts."""
    name = normalize(unit).strip()
    for measure, units in enumerate(_QUANTITIES):
        for short, (factor, names) in units.items():
            if name in (short, *names) or name.removesuffix('s') in (short, *names):
                return measure, factor
    return None


def _match_unit(text: str, target_unit: tuple[int, float] | None) -> tuple[float, str] | None:
    """Return the factor of the unit at the beginning of a text, and the rest of the text."""
    if target_unit is None:
        return None
    text = re.sub(r'^[\s\-]*(?:of |an? |个(?=小时|钟头|半))*', '', text)
    best: tuple[float, int] | None = None
    for short, (factor, names) in _QUANTITIES[target_unit[0]].items():
        for name in (short, *names):
            for spelling in (name, f'{name}s', re.sub('^(metre|meter)', r'\1s', name)):
                if not text.startswith(spelling) or _word_continues(text, len(spelling)):
                    continue
                if best is None or len(spelling) > best[1]:
                    best = factor / target_unit[1], len(spelling)
    return (best[0], text[best[1] :]) if best else None


def _word_continues(text: str, at: int) -> bool:
    """Tell whether an English word continues at this character."""
    return (
        text[at - 1].isascii()
        and text[at - 1].isalpha()
        and text[at : at + 1].isascii()
        and (text[at : at + 1].isalpha())
    )


def _prefix_unit(text: str) -> str:
    return '百分之' if text.rstrip().endswith('百分之') else ''


def _parse_first(text: str) -> tuple[float, int, int] | None:
    """Return the first number in a normalized text, and its characters [start, end)."""
    found = [
        number for read in (_parse_digits, _parse_han, _parse_english) if (number := read(text))
    ]
    return min(found, key=lambda number: number[1]) if found else None


def _parse_digits(text: str) -> tuple[float, int, int] | None:
    match = _DIGITS_PATTERN.search(text)
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
    if more := re.match(f'[{"".join(_HAN_MULTIPLIERS)}]', rest):
        return value * _HAN_MULTIPLIERS[more[0]], match.start(), match.end() + 1
    return value, match.start(), match.end()


def _parse_han(text: str) -> tuple[float, int, int] | None:
    for match in re.finditer(f'[{_HAN_NUMERALS}]+', text):
        value = _han_value(match[0])
        if value is None:
            continue
        end = match.end()
        if half := re.match('个半', text[end:]):  # 一个半小时
            return value + 0.5, match.start(), end + half.end()
        if denominator := re.match(f'分之([{_HAN_NUMERALS}]+)', text[end:]):  # 三分之一
            numerator = _han_value(denominator[1])
            if numerator is not None and value:
                if value == 100:  # 百分之五十: so many percent
                    value = 1
                return numerator / value, match.start(), end + denominator.end()
        return value, match.start(), end
    return None


def _han_value(text: str) -> float | None:
    if text in '点':
        return None
    whole, _, part = text.partition('点')
    half = 0.5 if whole.endswith('半') or part.endswith('半') else 0.0
    whole, part = whole.rstrip('半'), part.rstrip('半')
    total, digit, place = 0.0, None, 1
    if whole and not any(c in _HAN_MULTIPLIERS for c in whole):
        total = float(''.join(str(_DIGITS[c]) for c in whole if c in _DIGITS) or 0)
        whole = ''
    for c in whole:
        if c in _HAN_MULTIPLIERS:
            if c == '万':
                total = (total + (digit or 0)) * 10000
            else:
                total += (1 if digit is None else digit) * _HAN_MULTIPLIERS[c]
            place, digit = _HAN_MULTIPLIERS[c], None
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


def _parse_english(text: str) -> tuple[float, int, int] | None:
    words = [(m[0], m.start(), m.end()) for m in re.finditer(r'[a-z]+', text)]
    numeric = {*_NUMBER_WORDS, *_MULTIPLIERS, *_FRACTIONS}
    at = next(
        (
            i
            for i, (word, *_) in enumerate(words)
            if word in numeric
            and (word not in ('a', 'an', 'no') or _article_counts(text, words, i))
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
            while i + 1 < len(words) and _NUMBER_WORDS.get(words[i + 1][0], 10) < 10:
                i += 1
                digits.append(str(_NUMBER_WORDS[words[i][0]]))
            if digits:
                parts += float('0.' + ''.join(digits))
                end = i
        elif word in _NUMBER_WORDS and not (word in ('a', 'an') and (current is not None or parts)):
            pair = word in ('couple', 'pair') and current == 1  # 'a couple'
            current = 2 if pair else (current or 0) + _NUMBER_WORDS[word]
            end = i
        elif word in _MULTIPLIERS:
            current = (1 if current is None else current) * _MULTIPLIERS[word]
            if word == 'thousand':
                total, current = total + current, None
            end = i
        elif word in _FRACTIONS:
            # 'three quarters', 'a half', 'two and a half'; 'half an hour'.
            if current is not None and end == i - 1 and word != 'half':
                parts, current = parts + current * _FRACTIONS[word], 0
            elif words[i - 1][0] == 'a' and end == i - 1 and i > at and current is not None:
                parts, current = parts + _FRACTIONS[word], current - 1
            else:
                parts += _FRACTIONS[word]
            end = i
        elif word in ('and', 'a', 'an') and i + 1 < len(words):
            following = words[i + 1][0]
            if word in ('a', 'an') and following not in _FRACTIONS:
                break
            if word == 'and' and following not in numeric:
                break
        else:
            break
        i += 1
    return total + (current or 0) + parts, words[at][1], words[end][2]


def _article_counts(text: str, words: list[tuple[str, int, int]], i: int) -> bool:
    """Tell whether 'a' is the only number there: 'a minute', but not 'a bit over ten'."""
    others = {*_NUMBER_WORDS, *_MULTIPLIERS, *_FRACTIONS} - {'a', 'an', 'no'}
    later = [word for word, *_ in words[i + 1 :]]
    if later[-3:] in (['and', 'a', 'half'], ['and', 'a', 'quarter']):
        later = later[:-3]
    if i + 1 < len(words) and later[0] in {*_MULTIPLIERS, *_FRACTIONS, 'couple', 'pair'}:
        return True
    return not any(word in others for word in later) and not re.search(r'\d', text)
