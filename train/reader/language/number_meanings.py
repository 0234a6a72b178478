"""Numbers said by their meaning: portions for percent, times of the day for hours."""

from __future__ import annotations

__all__ = ['sample_meaning']

_PORTIONS = {
    'en': (
        (50, ('half way', 'halfway', 'half-way', 'half', 'half')),
        (
            100,
            ('completely', 'fully', 'all the way', 'the whole way', 'entirely', 'totally')
            + ('as far as it goes', 'to the max', 'full'),
        ),
        (25, ('a quarter', 'one quarter', 'a quarter of the way')),
        (75, ('three quarters', 'three quarters of the way')),
        (33.333333, ('a third', 'one third', 'a third of the way')),
        (66.666667, ('two thirds', 'two thirds of the way')),
        (10, ('a tenth', 'one tenth')),
        (20, ('a fifth', 'one fifth')),
    ),
    'zh': (
        (50, ('一半', '一半', '一半', '五成', '半', '二分之一')),
        (100, ('全', '百分之百', '满', '十成')),
        (25, ('四分之一', '两成半')),
        (75, ('四分之三', '七成半')),
        (33.333333, ('三分之一', '三分之一')),
        (66.666667, ('三分之二',)),
        (20, ('两成', '五分之一')),
        (30, ('三成', '三成')),
        (40, ('四成',)),
        (60, ('六成',)),
        (70, ('七成',)),
        (80, ('八成', '八成')),
        (90, ('九成',)),
    ),
}
_HOUR_WORDS = 'twelve one two three four five six seven eight nine ten eleven'.split()
_HOURS_ZH = '十二 一 两 三 四 五 六 七 八 九 十 十一'.split()


def sample_meaning(rng, lang: str, argument: dict, name: str) -> tuple[str, float] | None:
    """Sample what a person says instead of a number, and its value; None for a plain number.

    :param name: of the argument's unit: 'percent', 'h', or '' for another or none.
    """
    low, high = argument.get('minimum'), argument.get('maximum')
    if name == 'percent':
        if rng.random() > 0.45:
            return None
        low, high = 0 if low is None else low, 100 if high is None else high
        fitting = [p for p in _PORTIONS[lang] if low <= p[0] <= high]
        if not fitting:
            return None
        value, words = fitting[int(rng.random() ** 1.5 * len(fitting))]
        return words[int(rng.random() * len(words))], float(value)
    if not _is_hour_of_day(argument, low, high):
        return None
    hour = int(low or 0) + int(rng.random() * (min(high, 23) - int(low or 0) + 1))
    if rng.random() < 0.1:
        return f'{hour}{"" if lang == "en" else "点"}', float(hour)
    part = 0.0
    if rng.random() < 0.3 and hour + 0.75 <= high:
        part = (0.5, 0.5, 0.25)[int(rng.random() * 3)]
    text = (_hour_en if lang == 'en' else _hour_zh)(rng, hour, part)
    return text, hour + part


def _is_hour_of_day(argument, low, high):
    of_day = low in (0, 1, 5, 6, 7, 8) and high in (20, 21, 22, 23, 24)
    return of_day and argument['name'] != 'hours' and argument.get('unit') in ('h', "o'clock", '点')


def _hour_en(rng, hour, part):
    day = (
        'in the morning'
        if hour < 12
        else 'in the afternoon'
        if hour < 18
        else 'in the evening'
        if hour < 21
        else 'at night'
    )
    word = _HOUR_WORDS[hour % 12]
    r = rng.random()
    if part == 0.5:
        said = f'half past {word}' if r < 0.7 else f'{word} thirty'
    elif part:
        said = f'{"a " if r < 0.3 else ""}quarter past {word}'
    else:
        said = word
        if hour in (0, 12) and r < 0.6:
            return 'noon' if hour else 'midnight'
        if hour and hour <= 12 and r < 0.45:
            return f"{word} o'clock"
        if r < 0.6 and hour not in (0, 12):
            return f'{(hour - 1) % 12 + 1}{" " if r < 0.55 else ""}{"am" if hour < 12 else "pm"}'
        if r < 0.65:
            return f'{hour}:00'
    return f'{said} {day}'


def _hour_zh(rng, hour, part):
    day = (
        '半夜'
        if hour == 0
        else '凌晨'
        if hour < 5
        else ('早上', '上午')[hour > 8]
        if hour < 12
        else '中午'
        if hour < 13
        else '下午'
        if hour < 18
        else '晚上'
    )
    minutes = {0.0: '', 0.5: '半', 0.25: '一刻'}[part]
    r = rng.random()
    if 0 < hour <= 12 and r < 0.3:
        day = ''
    word = str((hour - 1) % 12 + 1) if r > 0.85 else _HOURS_ZH[hour % 12]
    return f'{day}{word}点{minutes or ("钟" if r < 0.1 else "整" if r > 0.97 else "")}'
