"""What a step will do, in the words that the person used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kimi_ros.reader import Span, Step

_FOLLOWING = re.compile(
    r'(?:\s+(?:it|them|that|this|those|these|one|both|all))?'
    r'(?:\s+(?:up|down|on|off|in|out|away|over|back|open|shut|closed|together|apart|there|here))?'
    r'(?!\w)',
    re.IGNORECASE,
)
_DEIXIS = {
    'me': 'you',
    'my': 'your',
    'mine': 'yours',
    'myself': 'yourself',
    'us': 'you',
    'our': 'your',
}
_ZH_TAIL = re.compile(
    r'(?:的)?(?:左|右|前|后|上|下|里|旁)?(?:边|面|头)?(?:之间|中间)?(?:起来|过来|过去|上|里|下|开)?'
)


def retell_step(step: Step, turns: Sequence[str], language: str) -> str:
    """Return the part of the instruction that asks for a step: 'put it left of the bowl'.

    :param turns: the instruction, then the earlier ones, newest first.
    """
    instruction = turns[0]
    spans = [span for span in _spans(step) if span.turn == 0]
    if step.verb is None or step.verb.turn != 0:
        return _by_name(step, turns, language)
    start, end = step.verb.start, max([step.verb.end, *(span.end for span in spans)])
    if language == 'zh':
        told = _chinese(instruction, spans, start, end)
        return told if spans else told + _first_thing(step, turns, '{}')
    following = _FOLLOWING.match(instruction, end)
    end = following.end() if following else end
    clause = instruction[start:end].strip()
    if end <= step.verb.end:  # what it is about was said before: "the cup, please, grab"
        clause += _first_thing(step, turns, ' the {}')
    words = [_DEIXIS.get(word.lower(), word) for word in clause.split()]
    return ' '.join([words[0].lower(), *words[1:]])


def _by_name(step: Step, turns: Sequence[str], language: str) -> str:
    """Return the skill's name with its first thing, where no verb was said."""
    form = '{}' if language == 'zh' else ' the {}'
    return step.skill.replace('_', ' ') + _first_thing(step, turns, form)


def _first_thing(step: Step, turns: Sequence[str], form: str) -> str:
    things = [thing for group in step.things.values() for thing in group]
    if not things or things[0].words.turn >= len(turns):
        return ''
    span = things[0].words
    return form.format(turns[span.turn][span.start : span.end])


def _chinese(instruction: str, spans: Sequence[Span], start: int, end: int) -> str:
    before = [s.start for s in spans if s.start < start]
    given = re.search('[把将][^，。；,;]*$', instruction[:start])
    if before and given and given.start() < min(before):
        start = given.start()
    tail = _ZH_TAIL.match(instruction[end:])
    return (instruction[start:end] + (tail[0] if tail else '')).replace('我', '你').strip()


def _spans(step: Step) -> Iterator[Span]:
    for things in step.things.values():
        for thing in things:
            yield thing.words
    for value in step.values.values():
        if value.words is not None:
            yield value.words
