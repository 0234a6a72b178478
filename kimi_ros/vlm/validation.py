"""Validation of numeric arguments; numpy scalars become plain Python numbers."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

from .config import ModelConfig
from .errors import InputError, PromptTooLong


def check_int(value: Any, what: str, least: int = 1) -> int:
    """Return `value` as an int of at least `least`, or raise InputError."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    # True is an int to Python, but never a count.
    if number < least or isinstance(value, bool):
        raise InputError(f'{what} must be an integer, {least} or more, not {value!r}')
    return number


def check_finite(value: Any, what: str) -> float:
    """Return `value` as a finite float, or raise InputError."""
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise InputError(f'{what} must be a number, not {value!r}')
    return float(value)


def check_context_length(config: ModelConfig, count: int, with_image: bool) -> None:
    """Raise PromptTooLong if a prompt of `count` tokens does not fit into the context."""
    prefix = config.prefix_length if with_image else 0
    excess = prefix + count - config.text.max_context
    if excess > 0:
        raise PromptTooLong(
            f'the prompt is {excess} tokens too long: {count} tokens'
            + (f' and {prefix} for the image' if with_image else '')
            + f' do not fit into {config.text.max_context}; shorten the question or the history',
            excess,
        )
