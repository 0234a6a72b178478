"""What people add that no skill takes: how, when, for whom; and reasons, which may go unheard."""

from __future__ import annotations

import functools

from kimi_train.reader.language import spoken
from kimi_train.reader.language.forms import forms

__all__ = ['left_out', 'placeless', 'reasons']

# Reasons that do not stand in front of what they are the reason for.
_BEHIND = ('if ', 'because', '不然', '免得', '方便')


def left_out(lang: str, before: bool) -> tuple[str, ...]:
    """Return content that a plan cannot hold, for in front of a request or behind it."""
    return forms(lang)['left_out_before' if before else 'left_out_after']


@functools.cache
def reasons(lang: str, before: bool) -> tuple[str, ...]:
    """Return why something is asked for: nothing is lost when that is not planned."""
    told = tuple(r for r in spoken.reasons(lang) if len(r) > 2)
    if before:
        told = tuple(r for r in told if not r.startswith(_BEHIND))
    return forms(lang)['reasons_before' if before else 'reasons_after'] + told


def placeless(lang: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return places that name nothing, and those with content that is told back."""
    return forms(lang)['placeless'], forms(lang)['placeless_told']
