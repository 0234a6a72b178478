"""Adverbials that no skill takes (manner, time, beneficiary), and reasons."""

from __future__ import annotations

import functools

from kimi_train.reader.language import sentence_corpus
from kimi_train.reader.language.sentence_templates import sentence_templates

__all__ = ['left_out_adverbials', 'vague_places', 'reasons']

# Reasons with these beginnings stand only after the request.
_ONLY_AFTER = ('if ', 'because', '不然', '免得', '方便')


def left_out_adverbials(lang: str, before: bool) -> tuple[str, ...]:
    """Return adverbials that a reading reports as left out, to stand before or after a request."""
    return sentence_templates(lang)[
        'left_out_adverbials_before' if before else 'left_out_adverbials_after'
    ]


@functools.cache
def reasons(lang: str, before: bool) -> tuple[str, ...]:
    """Return reasons for a request, which a reading may ignore."""
    wordings = tuple(r for r in sentence_corpus.reasons(lang) if len(r) > 2)
    wordings += sentence_corpus.spoken_reasons(lang)
    if before:
        wordings = tuple(r for r in wordings if not r.startswith(_ONLY_AFTER))
    return sentence_templates(lang)['reasons_before' if before else 'reasons_after'] + wordings


def vague_places(lang: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return places without a landmark: those to ignore, and those to report as left out."""
    return sentence_templates(lang)['vague_places'], sentence_templates(lang)['left_out_places']
