"""What a step will do, in the words that the person used."""

from __future__ import annotations

import re
from typing import Any

_PARTICLES = frozenset(
    'up down on off in out away over back open shut closed together apart'.split()
)
_DEIXIS_EN = {'me': 'you', 'my': 'your', 'mine': 'yours', 'myself': 'yourself', 'us': 'you',
              'our': 'your'}  # fmt: skip
_ZH_TAIL = re.compile(
    r'(?:的)?(?:左|右|前|后|上|下|里|旁)?(?:边|面|头)?(?:之间|中间)?(?:起来|过来|过去|上|里|下|开)?'
)


def retell_step(step: Any, instruction: str, language: str) -> str:
    """Return the part of the instruction that asks for a step: 'put it left of the bowl'.

    :param step: a `kimi_ros.reader.reading.Step`.
    """
    spans = [span for span in _spans(step) if span.turn == 0]
    if step.verb is None or step.verb.turn != 0:
        return step.skill.replace('_', ' ')
    start, end = step.verb.start, max([step.verb.end, *(span.end for span in spans)])
    if language == 'zh':
        return _chinese(step, instruction, spans, start, end)
    clause = instruction[start:end]
    following = re.match(r'\s+([a-z]+)\b', instruction[end:])
    if following and following[1].lower() in _PARTICLES:
        clause += f' {following[1]}'
    words = [_DEIXIS_EN.get(word.lower(), word) for word in clause.strip().split()]
    return ' '.join([words[0].lower(), *words[1:]])


def _chinese(step, instruction: str, spans, start: int, end: int) -> str:
    before = [s.start for s in spans if s.start < start]
    given = re.search('[把将][^，。；,;]*$', instruction[:start])
    if before and given and given.start() < min(before):
        start = given.start()
    tail = _ZH_TAIL.match(instruction[end:])
    return (instruction[start:end] + (tail[0] if tail else '')).replace('我', '你').strip()


def _spans(step: Any):
    for things in step.things.values():
        for thing in things:
            yield thing.words
    for value in step.values.values():
        if value.words is not None:
            yield value.words
