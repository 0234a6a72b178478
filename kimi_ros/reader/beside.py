"""Where a thing stands and who gets it, in words that the network left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kimi_ros.reader.cards import GROUNDED, SkillCard
from kimi_ros.reader.features import Said
from kimi_ros.reader.reading import Reading, Span, Thing
from kimi_ros.reader.tokens import plain
from kimi_ros.reader.values import free_runs

_ENGLISH = (
    ('on top of', 'on'), ('on', 'on'), ('inside of', 'in'), ('inside', 'in'),
    ('in front of', 'in_front_of'), ('in', 'in'), ('underneath', 'under'), ('beneath', 'under'),
    ('below', 'under'), ('under', 'under'), ('above', 'above'), ('behind', 'behind'),
    ('next to', 'next_to'), ('beside', 'next_to'), ('near', 'next_to'), ('by', 'next_to'),
    ('to the left of', 'left_of'), ('left of', 'left_of'), ('to the right of', 'right_of'),
    ('right of', 'right_of'),
)  # fmt: skip
_CHINESE = (
    ('上面', 'on'), ('上头', 'on'), ('上', 'on'), ('里面', 'in'), ('里头', 'in'), ('里', 'in'),
    ('下面', 'under'), ('底下', 'under'), ('前面', 'in_front_of'), ('后面', 'behind'),
    ('旁边', 'next_to'), ('左边', 'left_of'), ('左侧', 'left_of'), ('右边', 'right_of'),
    ('右侧', 'right_of'),
)  # fmt: skip
_DETERMINER = r'(?:(?:the|a|an|my|your|our|his|her|their|this|that)\s+)'
_NOUN = r"(?P<noun>[a-z][a-z'-]*(?:\s+(?!(?:{stop})\b)[a-z][a-z'-]*){{0,3}})".format(
    stop='are|is|was|were|there|wearing|have|has|do|does|can|and|that|which|who|please|now|right|at|'
    'in|on|to|for|from|with|of|then|you|i|it'
)
_EN_PLACE = re.compile(
    rf'(?<![a-z])(?P<relation>{"|".join(words for words, _ in _ENGLISH)})\s+{_DETERMINER}{_NOUN}'
)
_ZH_PLACE = re.compile(
    rf'(?:在|请问|数数|看看|数一数|看一下)*(?P<noun>[\u3400-\u9fff]{{1,6}}?)'
    rf'(?P<relation>{"|".join(words for words, _ in _CHINESE)})'
    r'(?=有|的|一共|总共|还|都|$|[^\u3400-\u9fff])'
)
_EN_TO = re.compile(rf'(?<![a-z])(?:to|for)\s+{_DETERMINER}?{_NOUN}')
_ZH_TO = re.compile(r'[给让](?P<noun>[\u3400-\u9fff]{1,5})$')
# How catalogues name the person that gets something.
_PERSON = frozenset(
    'person recipient receiver user who whom human patient customer guest to'.split()
)
# Where everything in view is: no landmark.
_SCENE = frozenset(
    'table tables room view picture image scene photo front camera frame '
    '桌 桌子 这桌 屋 屋子 房间 画面 图 图片 照片 这 那 手'.split()
)
_NOBODY = frozenset('me us you it them that this him her 我 我们 你 他 她 它'.split())


def with_places(reading: Reading, instruction: str, said: Said) -> Reading:
    """Return a question with the place that was said apart from its one thing.

    'How many plates are on the dresser': plates, on the dresser.
    """
    question = reading.question
    if not question or len(question.things) != 1 or question.things[0].landmarks:
        return reading
    found = _found(reading, instruction, said, (_EN_PLACE, _ZH_PLACE))
    if len(found) != 1:
        return reading
    words, relation = found[0]
    thing = replace(
        question.things[0],
        relation=dict((*_ENGLISH, *_CHINESE))[relation],
        landmarks=(Thing(words, _last(words, said)),),
    )
    return replace(reading, question=replace(question, things=(thing,)))


def with_person(
    reading: Reading, instruction: str, skills: Sequence[SkillCard], said: Said
) -> Reading:
    """Return the reading with the person who gets something, where one step alone lacks one."""
    lacking = [
        (at, argument.name)
        for at, step in enumerate(reading.steps)
        for argument in next(card for card in skills if card.name == step.skill).arguments
        if argument.type in GROUNDED
        and argument.name in _PERSON
        and argument.name not in step.things
    ]
    if len(lacking) != 1:
        return reading
    found = _found(reading, instruction, said, (_EN_TO, _ZH_TO))
    if len(found) != 1:
        return reading
    ((at, name),) = lacking
    words, _ = found[0]
    steps = list(reading.steps)
    things = {**steps[at].things, name: (Thing(words, _last(words, said)),)}
    steps[at] = replace(steps[at], things=things)
    return replace(reading, steps=tuple(steps))


def _found(reading: Reading, instruction: str, said: Said, patterns) -> list[tuple[Span, str]]:
    """Return the nouns that patterns find in the words that a reading leaves out."""
    out = []
    flat = plain(instruction)
    for start, end in free_runs(reading, said):
        for pattern in patterns:
            for match in pattern.finditer(flat[start:end]):
                noun = match['noun']
                if noun in _NOBODY or noun in _SCENE:
                    continue
                words = Span(start + match.start('noun'), start + match.end('noun'))
                out.append((words, match.groupdict().get('relation', '')))
    return out


def _last(words: Span, said: Said) -> Span:
    """Return the last word of an English phrase, and all of a Chinese one."""
    inside = [
        token
        for token, turn in zip(said.tokens, said.turns, strict=True)
        if not turn and words.start <= token.start and token.end <= words.end
    ]
    if not inside or inside[-1].kind == 'han':
        return words
    return Span(inside[-1].start, inside[-1].end)
