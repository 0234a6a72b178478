"""Rules for what must not be done: no step is taken from a verb that is denied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kimi_ros.reader.reading import Reading, Step

# What ends right before the denied verb: "I'd rather you didn't", 不要把杯子.
_DENIED = re.compile(
    r"(?:\b(?:do|does|did|should|must|need|could|can|would) ?(?:not|n't)|\bcannot|\bnever|\bnot to)"
    r'(?: (?:ever|even|just|yet|simply))? $'
    r'|(?<![能要分特个])(?:不要|别|不许|不准|不得|不能|勿)(?!忘|急|客气)(?:再|去|来)?(?:[把将给][^，,。；;！!？?]*)?$'
)


def apply_denial_rules(reading: Reading, texts: Sequence[str]) -> Reading:
    """Return the reading without the steps whose verb is denied; their objects are forbidden.

    :param texts: the instruction and the turns before it, the newest first, normalized.
    """
    denied = [step for step in reading.steps if _is_denied(step, texts)]
    if not denied:
        return reading
    steps = tuple(step for step in reading.steps if step not in denied)
    objects = [next(iter(step.things.values()), ()) for step in denied]
    forbidden = (*reading.forbidden, *(thing for group in objects for thing in group))
    return replace(
        reading, outcome='steps' if steps else 'nothing', steps=steps, forbidden=forbidden
    )


def _is_denied(step: Step, texts: Sequence[str]) -> bool:
    if step.verb is None:
        return False
    before = texts[step.verb.turn][: step.verb.start].replace('\u2019', "'")
    return _DENIED.search(before) is not None
