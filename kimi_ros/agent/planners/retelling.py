"""What a step will do, in the words that the person used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kimi_ros.reader import Span, Step

_PRONOUNS = r'(?:it|them|that|this|those|these|one|both|all)'
_PRONOUN = re.compile(rf'{_PRONOUNS}\b', re.IGNORECASE)
_FOLLOWING = re.compile(
    rf'(?:\s+{_PRONOUNS})?'
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
_WISHES = frozenset('appreciate fancy like love need prefer require want wish'.split())
# "Comes", "printed", "meeting": no verb of what one will do; "press", "need", "bring" are.
_INFLECTED = re.compile(r'[a-z]*[aeiouy][a-z]*(?:ing|(?<!e)ed|(?<!s)s)', re.IGNORECASE)
_ZH_TAIL = re.compile(
    r'(?:的)?(?:左|右|前|后|上|下|里|旁)?(?:边|面|头)?(?:之间|中间)?(?:起来|过来|过去|来|上|里|下|开)?'
)


def retell_step(step: Step, turns: Sequence[str], language: str) -> str | None:
    """Return the part of the instruction that asks for a step: 'put it left of the bowl'.

    Of the plainer words, where it was read from these: 'put the cup on the tray' of "the cup is to
    go on the tray". None where the instruction has no such part: "it smells of smoke" for a call.

    :param turns: the instruction, then the earlier ones, newest first.
    """
    if step.plain is not None:
        instruction, step = step.plain
        turns = (instruction, *turns[1:])
    instruction = turns[0]
    if not step.things and not step.values:
        return None
    spans = [span for span in _spans(step) if span.turn == 0]
    verb = step.verb.text_in(turns) if step.verb and not step.verb.turn else ''
    if step.verb is None or not verb or verb.lower() in _WISHES or _INFLECTED.fullmatch(verb):
        return None if language == 'zh' else _by_name(step, turns)
    start, end = step.verb.start, max([step.verb.end, *(span.end for span in spans)])
    if language == 'zh':
        told = _chinese(instruction, spans, start, end)
        return told if spans else told + _first_thing(step, turns, '{}')
    following = _FOLLOWING.match(instruction, end)
    end = following.end() if following else end
    clause = instruction[start:end].strip()
    if end <= step.verb.end:  # what it is about was said before: "the cup, please, grab"
        clause += _first_thing(step, turns, ' the {}')
    elif _is_passive(step, rest := instruction[step.verb.end : end].strip()):
        clause = f'{verb}{_first_thing(step, turns, " the {}")} {rest}'
    words = [_DEIXIS.get(word.lower(), word) for word in clause.split()]
    return ' '.join([words[0].lower(), *words[1:]])


def _is_passive(step: Step, rest: str) -> bool:
    """Tell whether what a step is about is the subject: "could the cup be put on the tray?".

    :param rest: what follows the verb.
    """
    assert step.verb is not None
    first = next(iter(step.all_things), None)
    if first is None or first.words.turn or first.words.end > step.verb.start:
        return False
    return not _PRONOUN.match(rest)  # "There is a cup: put it on the tray"


def _by_name(step: Step, turns: Sequence[str]) -> str:
    """Return the skill's name with its first thing, where no verb was said."""
    return step.skill.replace('_', ' ') + _first_thing(step, turns, ' the {}')


def _first_thing(step: Step, turns: Sequence[str], form: str) -> str:
    things = step.all_things
    if not things or things[0].words.turn >= len(turns):
        return ''
    return form.format(things[0].words.text_in(turns))


def _chinese(instruction: str, spans: Sequence[Span], start: int, end: int) -> str:
    before = sorted((s for s in spans if s.start < start), key=lambda span: span.start)
    given = re.search('[把将][^，。；,;]*$', instruction[:start])
    told = instruction[start:end]
    if before and given and given.start() < before[0].start:
        told = instruction[given.start() : end]
    elif before:  # 杯子放到碗里吧
        told = f'把{instruction[before[0].start : before[0].end]}{told}'
    tail = _ZH_TAIL.match(instruction[end:])
    return (told + (tail[0] if tail else '')).replace('我', '你').strip()


def _spans(step: Step) -> Iterator[Span]:
    for thing in step.all_things:
        yield thing.words
    for value in step.values.values():
        if value.words is not None:
            yield value.words
