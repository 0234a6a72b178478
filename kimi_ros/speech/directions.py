"""Directions and distances in words, in English and Chinese: rounded as people say them."""

from __future__ import annotations

import math
from dataclasses import dataclass

UNITS = ('metres', 'steps')
_STEP = 0.7  # metres
_CLOCK_EN = 'twelve one two three four five six seven eight nine ten eleven'.split()
_CLOCK_ZH = '十二 一 两 三 四 五 六 七 八 九 十 十一'.split()
_AHEAD, _SLIGHT, _SIDE = 12.0, 35.0, 110.0  # degrees


@dataclass(frozen=True)
class Wording:
    """How directions and distances are said; may change from sentence to sentence.

    :ivar clock: clock face instead of left and right.
    :ivar units: 'metres' or 'steps' of 0.7 m.
    """

    language: str = 'en'
    clock: bool = False
    units: str = 'metres'


def direction(bearing: float, wording: Wording) -> str:
    """Return where something is.

    :param bearing: degrees, 0 ahead, positive to the right.
    """
    bearing = (bearing + 180) % 360 - 180
    chinese = wording.language == 'zh'
    if wording.clock:
        hour = round(bearing / 30) % 12
        return f'{_CLOCK_ZH[hour]}点钟方向' if chinese else f"{_CLOCK_EN[hour]} o'clock"
    size = abs(bearing)
    if size <= _AHEAD:
        return '正前方' if chinese else 'ahead'
    right = bearing > 0
    if size > _SIDE:
        return '后面' if chinese else 'behind you'
    if size <= _SLIGHT:
        return f'{"右" if right else "左"}前方' if chinese else f'ahead {_side(right)}'
    return f'{"右" if right else "左"}边' if chinese else f'on the {_side(right)}'


def distance(metres: float | None, wording: Wording) -> str:
    """Return a distance, rounded: below 1 m to 10 cm, below 5 m to 0.5 m, then to 1 m; or empty."""
    if metres is None or not math.isfinite(metres) or metres < 0:
        return ''
    chinese = wording.language == 'zh'
    if wording.units == 'steps':
        steps = max(1, round(metres / _STEP))
        return f'{steps}步' if chinese else f'{steps} step{"s" * (steps > 1)}'
    if metres < 0.95:
        centimetres = max(10, round(metres * 10) * 10)
        return f'{centimetres}厘米' if chinese else f'{centimetres} centimetres'
    rounded = round(metres * 2) / 2 if metres < 5 else float(round(metres))
    plain = f'{rounded:g}'
    if chinese:
        return f'{plain}米'
    return f'{plain} metre{"s" * (rounded != 1)}'


def _side(right: bool) -> str:
    return 'right' if right else 'left'
