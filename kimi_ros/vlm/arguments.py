"""Numbers that callers give: checked once, in plain Python afterwards."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

from .errors import InputError


def check_integer(value: Any, what: str, least: int = 1) -> int:
    """Return an integer, numpy's included, of at least `least`; InputError for all else."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    # True is an int to Python, but never a count.
    if number < least or isinstance(value, bool):
        raise InputError(f'{what} must be an integer, {least} or more, not {value!r}')
    return number


def check_number(value: Any, what: str) -> float:
    """Return a finite number; InputError for all else."""
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise InputError(f'{what} must be a number, not {value!r}')
    return float(value)
