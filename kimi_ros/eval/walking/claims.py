"""What a sentence of the narration claims, read from its words in English or Chinese."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from kimi_ros.assist.findings import UNNAMED
from kimi_ros.assist.things import load_kinds
from kimi_ros.speech.directions import Wording, direction
from kimi_ros.speech.narration import PHRASES

_METRES = {
    'en': re.compile(r'([\d.]+) (metres?|centimetres)'),
    'zh': re.compile(r'([\d.]+)(米|厘米)'),
}
_COUNTS = 10  # how many of a kind are told apart
_ADVICE = ('stop', 'go_left', 'go_right', 'go_on', 'unchecked', 'blocked')


@dataclass(frozen=True)
class Claim:
    """That something is somewhere.

    :ivar kind: English name of the kind, or a key of UNNAMED.
    :ivar count: how many.
    :ivar bearings: degrees, lowest and highest that are called so, positive to the right.
    :ivar metres: None where no distance is said.
    :ivar letters: of the sentence, until this is said.
    """

    kind: str
    count: int
    bearings: tuple[float, float]
    metres: float | None
    letters: int


@dataclass(frozen=True)
class Claims:
    """All that a sentence says.

    :ivar things: in its order.
    :ivar advice: 'stop', 'go_left', 'go_right', 'go_on', 'unchecked', 'blocked' or ''.
    :ivar strange: parts that no claim was read from.
    """

    things: tuple[Claim, ...]
    advice: str
    strange: tuple[str, ...]


def read_claims(text: str, language: str) -> Claims:
    """Read a sentence, other than the first one."""
    chinese = language == 'zh'
    things, strange, advice = [], [], ''
    letters = 0
    for part in text.rstrip('.。').split('；' if chinese else '; '):
        letters = text.index(part, letters) + len(part)
        spoken = part if chinese else part[:1].lower() + part[1:]
        if spoken in _advice(language):
            advice = _advice(language)[spoken]
            continue
        claim = _claim(spoken, language, letters)
        things += [claim] if claim is not None else []
        strange += [part] if claim is None else []
    return Claims(tuple(things), advice, tuple(strange))


def _claim(part: str, language: str, letters: int) -> Claim | None:
    label, *rest = part.split('，' if language == 'zh' else ', ')
    label = label.removeprefix('可能是').removeprefix('maybe ')
    known = _labels(language).get(label)
    bearings = next((_bearings(language)[w] for w in rest if w in _bearings(language)), None)
    if known is None or bearings is None:
        return None
    found = next((m for w in rest if (m := _METRES[language].fullmatch(w))), None)
    metres = None
    if found is not None:
        metres = float(found[1]) / (100 if found[2] in ('centimetres', '厘米') else 1)
    return Claim(*known, bearings, metres, letters)


@functools.cache
def _labels(language: str) -> dict[str, tuple[str, int]]:
    """Return kind and number by how they are called."""
    chinese = language == 'zh'
    labels = {
        kind.label(count, language): (kind.name['en'], count)
        for kind in load_kinds()
        for count in range(_COUNTS, 0, -1)
    }
    labels |= {names[chinese]: (key, 1) for key, names in UNNAMED.items()}
    labels[PHRASES['person'][chinese]] = ('person', 1)
    return labels


@functools.cache
def _bearings(language: str) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest bearing by the words for it."""
    wording = Wording(language)
    ranges: dict[str, tuple[float, float]] = {}
    for bearing in range(-180, 180):
        words = direction(bearing, wording)
        low, high = ranges.get(words, (bearing, bearing))
        ranges[words] = min(low, bearing), max(high, bearing)
    return ranges


@functools.cache
def _advice(language: str) -> dict[str, str]:
    return {PHRASES[name][language == 'zh']: name for name in _ADVICE}
