"""Wordings of numbers with units and of enum values, in both languages."""

from __future__ import annotations

from kimi_train.reader.language import number_meanings

__all__ = ['sample_enum', 'sample_number', 'number_words_en', 'number_words_zh']

# Groups of convertible units with their factors.
_METRES = {'m': 1.0, 'cm': 0.01, 'mm': 0.001}
_SECONDS = {'s': 1.0, 'min': 60.0, 'h': 3600.0}
_UNIT_GROUPS = (
    _METRES,
    _SECONDS,
    {'deg': 1.0},
    {'percent': 1.0},
    {'C': 1.0},
    {'kg': 1.0, 'g': 0.001},
    {'l': 1.0, 'ml': 0.001},
    {'rpm': 1.0},
    {'N': 1.0},
    {'V': 1.0},
    {'W': 1.0},
    {'A': 1.0},
    {'Nm': 1.0},
    {'bar': 1.0},
    {'m/s': 1.0},
    {'Hz': 1.0},
    {'dB': 1.0},
)
_UNIT_ALIASES = {
    'm': 'm',
    'meter': 'm',
    'meters': 'm',
    'metre': 'm',
    'metres': 'm',
    'cm': 'cm',
    'mm': 'mm',
    'centimeters': 'cm',
    'centimetres': 'cm',
    'millimeters': 'mm',
    's': 's',
    'sec': 's',
    'second': 's',
    'seconds': 's',
    'min': 'min',
    'minute': 'min',
    'minutes': 'min',
    'h': 'h',
    'hour': 'h',
    'hours': 'h',
    'deg': 'deg',
    'degree': 'deg',
    'degrees': 'deg',
    '°': 'deg',
    '%': 'percent',
    'percent': 'percent',
    'C': 'C',
    '°C': 'C',
    'celsius': 'C',
    'degC': 'C',
    'kg': 'kg',
    'g': 'g',
    'gram': 'g',
    'grams': 'g',
    'l': 'l',
    'L': 'l',
    'ml': 'ml',
    'mL': 'ml',
    'rpm': 'rpm',
    'N': 'N',
    'V': 'V',
    'W': 'W',
    'A': 'A',
    'Nm': 'Nm',
    'N·m': 'Nm',
    'bar': 'bar',
    'm/s': 'm/s',
    'Hz': 'Hz',
    'dB': 'dB',
    'litres': 'l',
    'liters': 'l',
    'volts': 'V',
}
# Units of countable items: English singular, Chinese measure word.
_COUNTED_UNITS = {
    'copies': ('copy', '份'),
    'cups': ('cup', '杯'),
    'chairs': ('chair', '把'),
    'drops': ('drop', '滴'),
    'euros': ('euro', '欧元'),
    'kits': ('kit', '套'),
    'km/h': ('km/h', '公里'),
    'pages': ('page', '页'),
    'people': ('person', '个人'),
    'portions': ('portion', '份'),
    'times': ('time', '次'),
    'pieces': ('piece', '块'),
    'steps': ('step', '步'),
    'sheets': ('sheet', '张'),
    'rounds': ('round', '轮'),
    'spoons': ('spoon', '勺'),
    'slices': ('slice', '片'),
    'bags': ('bag', '袋'),
    'boxes': ('box', '箱'),
}
_UNIT_NAMES_EN = {
    'm': ('metre', 'metres', 'meter', 'meters', 'm'),
    'cm': ('centimetre', 'centimetres', 'centimeter', 'centimeters', 'cm'),
    'mm': ('millimetre', 'millimetres', 'millimeter', 'millimeters', 'mm'),
    's': ('second', 'seconds', 'sec', 'secs', 's'),
    'min': ('minute', 'minutes', 'min', 'mins', 'min'),
    'h': ('hour', 'hours'),
    'deg': ('degree', 'degrees', 'degree', 'degrees', '°'),
    'percent': ('percent', 'percent', 'per cent', 'per cent', '%'),
    'C': ('degree', 'degrees', 'degree celsius', 'degrees celsius', '°C'),
    'kg': ('kilo', 'kilos', 'kilogram', 'kilograms', 'kg'),
    'g': ('gram', 'grams', 'gram', 'grams', 'g'),
    'l': ('litre', 'litres', 'liter', 'liters', 'l'),
    'ml': ('millilitre', 'millilitres', 'milliliter', 'milliliters', 'ml'),
    'rpm': ('rpm', 'rpm'),
    'N': ('newton', 'newtons', 'newton', 'newtons', 'N'),
    'V': ('volt', 'volts'),
    'W': ('watt', 'watts'),
    'A': ('amp', 'amps'),
    'Nm': ('newton metre', 'newton metres'),
    'bar': ('bar', 'bar'),
    'm/s': ('metre per second', 'metres per second'),
    'Hz': ('hertz', 'hertz'),
    'dB': ('decibel', 'decibels'),
}
_UNIT_NAMES_ZH = {
    'm': ('米', '米', 'm'),
    'cm': ('厘米', '公分', '厘米', 'cm'),
    'mm': ('毫米', 'mm'),
    's': ('秒', '秒钟', '秒'),
    'min': ('分钟', '分钟', '分'),
    'h': ('小时', '个小时'),
    'deg': ('度', '度', '°'),
    'percent': ('%', '%'),
    'C': ('度', '摄氏度', '度', '℃'),
    'kg': ('公斤', '千克'),
    'g': ('克', 'g'),
    'l': ('升',),
    'ml': ('毫升', 'ml'),
    'rpm': ('转每分', 'rpm'),
    'N': ('牛', 'N'),
    'V': ('伏', 'V'),
    'W': ('瓦',),
    'A': ('安',),
    'Nm': ('牛米',),
    'bar': ('巴',),
    'm/s': ('米每秒',),
    'Hz': ('赫兹',),
    'dB': ('分贝',),
}
_ROUND_NUMBERS = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    12,
    15,
    18,
    20,
    22,
    25,
    30,
    35,
    40,
    45,
    50,
    60,
    70,
    75,
    80,
    90,
    100,
    110,
    120,
    135,
    150,
    160,
    180,
    200,
    250,
    270,
    300,
    360,
    400,
    500,
    600,
    800,
    1000,
    1500,
    2000,
)
_UNDER_20 = (
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen '
    'fifteen sixteen seventeen eighteen nineteen'
).split()
_TENS = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split()
_DIGITS_ZH = '零一二三四五六七八九'


def number_words_en(n: int) -> str:
    """Return a whole number from 0 to 9999 in words."""
    if n < 20:
        return _UNDER_20[n]
    if n < 100:
        return _TENS[n // 10] + (f'-{_UNDER_20[n % 10]}' if n % 10 else '')
    big, name = (n // 1000, 'thousand') if n >= 1000 else (n // 100, 'hundred')
    rest = n % (1000 if n >= 1000 else 100)
    return f'{number_words_en(big)} {name}' + (f' and {number_words_en(rest)}' if rest else '')


def number_words_zh(n: int, counting: bool = True) -> str:
    """Return a whole number from 0 to 9999 in words; 2 of something is 两."""
    if n == 2 and counting:
        return '两'
    if n < 10:
        return _DIGITS_ZH[n]
    if n < 20:
        return '十' + (_DIGITS_ZH[n % 10] if n % 10 else '')
    if n < 100:
        return _DIGITS_ZH[n // 10] + '十' + (_DIGITS_ZH[n % 10] if n % 10 else '')
    if n < 1000:
        rest = n % 100
        return (
            _DIGITS_ZH[n // 100]
            + '百'
            + (
                ''
                if not rest
                else '零' + _DIGITS_ZH[rest]
                if rest < 10
                else ('一' if rest < 20 else '') + number_words_zh(rest, False)
            )
        )
    rest = n % 1000
    return (
        _DIGITS_ZH[n // 1000]
        + '千'
        + ('' if not rest else ('零' if rest < 100 else '') + number_words_zh(rest, False))
    )


def sample_number(rng, lang: str, argument: dict) -> tuple[str, float]:
    """Sample a number in the argument's bounds: its wording, and its value in the unit."""
    unit = argument.get('unit') or ''
    name = _UNIT_ALIASES.get(unit, '')
    if name == 'percent' or not name or name == 'h':
        meant = number_meanings.sample_meaning(rng, lang, argument, name)
        if meant:
            return meant
    low = argument.get('minimum')
    high = argument.get('maximum')
    low = 0.0 if low is None else max(float(low), 0.0)
    high = max(low + 1, 100.0) if high is None else float(high)
    group = next((g for g in _UNIT_GROUPS if name in g), {name: 1.0})
    wording = name if rng.random() < 0.7 or len(group) == 1 else rng.choice(list(group))
    factor = group[wording] / group[name]
    amounts = _amounts(low, high, factor)
    if unit in _COUNTED_UNITS:
        amounts = tuple(a for a in amounts if a == int(a)) or amounts
    if not amounts:
        wording, factor = name, 1.0
        amounts = _amounts(low, high, factor)
    if not amounts:
        amounts = (low if low == high else round((low + high) / 2, 2),)
    amount = amounts[int(rng.random() * len(amounts))]
    text = (_quantity_en if lang == 'en' else _quantity_zh)(
        rng, amount, wording, unit if not name else ''
    )
    return text, round(amount * factor, 6)


_amount_cache: dict[tuple, tuple] = {}


def _amounts(low, high, factor):
    key = low, high, factor
    if key not in _amount_cache:
        some = [n for n in _ROUND_NUMBERS if low <= n * factor <= high and n * factor >= 0]
        some += [
            n for n in (0.5, 0.5, 1.5, 2.5) if low <= n * factor <= high and high / factor < 30
        ]
        if high <= 1.5 * factor:
            some += [n / 10 for n in range(1, 10) if low <= n / 10 * factor <= high]
        _amount_cache[key] = tuple(some)
    return _amount_cache[key]


def _quantity_en(rng, amount, unit, counted):
    names = _UNIT_NAMES_EN.get(
        unit, (_COUNTED_UNITS.get(counted, (counted,))[0], counted) if counted else ('', '')
    )
    if counted == 'times' and amount in (1, 2) and rng.random() < 0.6:
        return ('once', 'twice')[int(amount) - 1]
    if amount == 2 and unit in ('', 'min', 's', 'h', 'kg', 'l', 'cm') and rng.random() < 0.25:
        name = counted or (_UNIT_NAMES_EN[unit][1] if unit else '')
        return f'a couple of {name}' if name else 'a couple'
    if unit in ('h', 'min') and amount * (60 if unit == 'h' else 1) in (15, 30, 45):
        if rng.random() < 0.4:
            part = {15: 'a quarter of', 30: 'half', 45: 'three quarters of'}
            return f'{part[int(amount * (60 if unit == "h" else 1))]} an hour'
    two = 2 * int(rng.random() * (len(names) // 2))
    one, more = names[two : two + 2]
    whole = amount == int(amount)
    if unit and amount == 0.5 and rng.random() < 0.7 and unit in ('m', 'h', 'min', 'l', 'kg'):
        return f'half {"an" if unit == "h" else "a"} {one}'
    if unit and amount == 1.5 and rng.random() < 0.6:
        return f'one and a half {more}'
    if unit and amount == 2.5 and rng.random() < 0.6:
        return f'two and a half {more}'
    if len(names) == 5 and not counted and rng.random() < 0.3:
        short = names[4]
        gap = '' if short in ('°', '%', '°C') or rng.random() < 0.5 else ' '
        return f'{_figures(amount)}{gap}{short}'
    if unit and amount == 1 and rng.random() < 0.4:
        return f'{"an" if one == "hour" else "a"} {one}'
    figures = number_words_en(int(amount)) if whole and rng.random() < 0.5 else _figures(amount)
    name = one if amount == 1 else more
    return f'{figures} {name}'.strip()


def _quantity_zh(rng, amount, unit, counted):
    names = _UNIT_NAMES_ZH.get(unit, (_COUNTED_UNITS.get(counted, ('', counted))[1],))
    if counted == 'times':
        names = ('次', '次', '遍', '遍', '回')
    name = names[int(rng.random() * len(names))]
    whole = amount == int(amount)
    if unit == 'percent':
        return (
            f'百分之{number_words_zh(int(amount), False)}'
            if whole and rng.random() < 0.5
            else f'{_figures(amount)}%'
        )
    if unit == 'min' and amount in (15, 45) and rng.random() < 0.4:
        return f'{"一" if amount == 15 else "三"}刻钟'
    if amount == 0.5 and unit and unit not in ('percent', 'deg') and name.isascii() is False:
        return '半个小时' if unit == 'h' else f'半{name}'
    if amount in (1.5, 2.5) and unit in ('m', 'kg', 'l') and not name.isascii():
        return f'{number_words_zh(int(amount))}{name}半'
    if whole and rng.random() < 0.5 and not name.isascii():
        return f'{number_words_zh(int(amount), bool(unit or counted))}{name}'
    gap = ' ' if name.isascii() and name and rng.random() < 0.2 else ''
    return f'{_figures(amount)}{gap}{name}'


def _figures(amount):
    return str(int(amount)) if amount == int(amount) else str(amount)


def sample_enum(rng, lang: str, argument: dict, wording: dict) -> tuple[str, str]:
    """Sample a value of an enum: its wording and the value."""
    values = argument.get('values') or ['on']
    value = values[int(rng.random() * len(values))]
    wording = argument.get('said') or wording
    wordings = wording.get(value) or {}
    wordings = wordings.get(lang) if isinstance(wordings, dict) else wordings
    if isinstance(wordings, str):
        wordings = [wordings]
    if not wordings:
        return str(value).replace('_', ' '), str(value)
    return str(wordings[int(rng.random() * len(wordings))]), str(value)
