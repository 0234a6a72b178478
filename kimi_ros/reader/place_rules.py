"""Rules for places and recipients in words that the network left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from kimi_ros.reader.features import TokenizedInstruction
from kimi_ros.reader.function_words import (
    CHINESE_RELATIONS,
    DESTINATIONS,
    DETERMINER,
    ENGLISH_RELATIONS,
    any_of,
)
from kimi_ros.reader.reading import Reading, Span, Thing
from kimi_ros.reader.skill_card import GROUNDED_TYPES, SkillCard
from kimi_ros.reader.tokenizer import normalize
from kimi_ros.reader.value_rules import uncovered_spans

# "At the sink" is where something is, and no way to say where it goes.
_PREPOSITIONS = {**ENGLISH_RELATIONS, 'at': 'next_to'}
_NOUN = r"(?P<noun>[a-z][a-z'-]*(?:\s+(?!(?:{stop})\b)[a-z][a-z'-]*){{0,3}})".format(
    stop='are|is|was|were|there|wearing|have|has|do|does|can|and|that|which|who|please|now|right|at|'
    'in|on|to|for|from|with|of|then|you|i|it'
)
_EN_PLACE = re.compile(rf'(?<![a-z])(?P<relation>{any_of(_PREPOSITIONS)})\s+{DETERMINER}\s+{_NOUN}')
_ZH_PLACE = re.compile(
    rf'(?:在|请问|数数|看看|数一数|看一下)*(?P<noun>[\u3400-\u9fff]{{1,6}}?)'
    rf'(?P<relation>{any_of(CHINESE_RELATIONS)})'
    r'(?=有|的|一共|总共|还|都|$|[^\u3400-\u9fff])'
)
# The preposition before a place: "in the ", and the localizer after it: 里.
_EN_BEFORE = re.compile(
    rf'(?<![a-z])({any_of((*_PREPOSITIONS, *DESTINATIONS))})\s+(?:{DETERMINER}\s+)?$'
)
_ZH_AFTER = re.compile(any_of(CHINESE_RELATIONS))
_EN_RECIPIENT = re.compile(rf'(?<![a-z])(?:to|for)\s+(?:{DETERMINER}\s+)?{_NOUN}')
_ZH_RECIPIENT = re.compile(r'[给让](?P<noun>[\u3400-\u9fff]{1,5})$')
# Argument names of recipients.
_RECIPIENT_ARGUMENTS = frozenset(
    'person recipient receiver user who whom human patient customer guest to'.split()
)
# Nouns for the whole scene, which are no landmarks.
_SCENE_NOUNS = frozenset(
    'table tables room view picture image scene photo front camera frame '
    '桌 桌子 这桌 屋 屋子 房间 画面 图 图片 照片 这 那 手'.split()
)
_PRONOUNS = frozenset('me us you it them that this him her 我 我们 你 他 她 它'.split())


def add_question_place(
    reading: Reading, instruction: str, tokenized: TokenizedInstruction
) -> Reading:
    """Return a question with the place that is not adjacent to its object.

    'How many plates are on the dresser': plates, on the dresser.
    """
    question = reading.question
    if not question or len(question.things) != 1 or question.things[0].landmarks:
        return reading
    found = _find_nouns(reading, instruction, tokenized, (_EN_PLACE, _ZH_PLACE))
    if len(found) != 1:
        return reading
    words, relation = found[0]
    thing = replace(
        question.things[0],
        relation={**_PREPOSITIONS, **CHINESE_RELATIONS}[relation],
        landmarks=(Thing(words, _head_noun(words, tokenized)),),
    )
    return replace(reading, question=replace(question, things=(thing,)))


def add_place_relation(reading: Reading, instruction: str, skills: Sequence[SkillCard]) -> Reading:
    """Return the reading with the relation of a place, read off the words around it.

    'Stow the chisel in the tray', whatever the skill calls its second object: in.
    """
    steps = list(reading.steps)
    for at, step in enumerate(steps):
        card = next(card for card in skills if card.name == step.skill)
        grounded = card.grounded
        things = step.things.get(grounded[-1], ()) if len(grounded) > 1 else ()
        if step.relation or len(things) != 1 or grounded[-1] in _RECIPIENT_ARGUMENTS:
            continue
        words = things[0].words
        if not words.turn and (relation := _relation_around(words, instruction)):
            steps[at] = replace(step, relation=relation)
    return replace(reading, steps=tuple(steps))


def _relation_around(words: Span, instruction: str) -> str:
    """Return the relation of a phrase by its preposition or localizer, or ''."""
    text = normalize(instruction)
    if before := _EN_BEFORE.search(text[: words.start]):
        return {**_PREPOSITIONS, **DESTINATIONS}[before[1]]
    if after := _ZH_AFTER.match(text, words.end):
        return CHINESE_RELATIONS[after[0]]
    return ''


def add_object_place(
    reading: Reading, instruction: str, skills: Sequence[SkillCard], tokenized: TokenizedInstruction
) -> Reading:
    """Return the reading with the place of a step's object that the network left out.

    'Follow the person pointing to the left in the kitchen': the person in the kitchen. Only for
    skills with one grounded argument, whose place cannot be a destination.
    """
    steps = list(reading.steps)
    for at, step in enumerate(steps):
        card = next(card for card in skills if card.name == step.skill)
        grounded = card.grounded
        things = step.things.get(grounded[0], ()) if len(grounded) == 1 else ()
        if step.relation or len(things) != 1 or things[0].landmarks or things[0].words.turn:
            continue
        (thing,) = things
        found = [
            (words, relation)
            for words, relation in _find_nouns(reading, instruction, tokenized, (_EN_PLACE,))
            if instruction[thing.words.end : words.start].lower().split()[:-1]
            == relation.split()  # it follows the object
        ]
        if len(found) == 1:
            ((words, relation),) = found
            landmark = Thing(words, _head_noun(words, tokenized))
            placed = replace(thing, relation=_PREPOSITIONS[relation], landmarks=(landmark,))
            steps[at] = replace(step, things={**step.things, grounded[0]: (placed,)})
    return replace(reading, steps=tuple(steps))


def english_relation(text: str) -> tuple[str, int] | None:
    """Return the relation of the preposition that a text ends with, and where it begins."""
    match = _EN_BEFORE.search(normalize(text))
    relation = _PREPOSITIONS.get(match[1]) if match else None
    return (relation, match.start()) if match and relation else None


def add_recipient(
    reading: Reading, instruction: str, skills: Sequence[SkillCard], tokenized: TokenizedInstruction
) -> Reading:
    """Return the reading with its recipient, if exactly one step lacks one."""
    missing = [
        (at, argument.name)
        for at, step in enumerate(reading.steps)
        for argument in next(card for card in skills if card.name == step.skill).arguments
        if argument.type in GROUNDED_TYPES
        and argument.name in _RECIPIENT_ARGUMENTS
        and argument.name not in step.things
    ]
    if len(missing) != 1:
        return reading
    found = _find_nouns(reading, instruction, tokenized, (_EN_RECIPIENT, _ZH_RECIPIENT))
    if len(found) != 1:
        return reading
    ((at, name),) = missing
    words, _ = found[0]
    steps = list(reading.steps)
    things = {**steps[at].things, name: (Thing(words, _head_noun(words, tokenized)),)}
    steps[at] = replace(steps[at], things=things)
    return replace(reading, steps=tuple(steps))


def _find_nouns(
    reading: Reading,
    instruction: str,
    tokenized: TokenizedInstruction,
    patterns: Sequence[re.Pattern[str]],
) -> list[tuple[Span, str]]:
    """Return the nouns that the patterns find in uncovered words, with their relation."""
    out = []
    normalized = normalize(instruction)
    for start, end in uncovered_spans(reading, tokenized):
        for pattern in patterns:
            for match in pattern.finditer(normalized[start:end]):
                noun = match['noun']
                if noun in _PRONOUNS or noun in _SCENE_NOUNS:
                    continue
                words = Span(start + match.start('noun'), start + match.end('noun'))
                out.append((words, match.groupdict().get('relation', '')))
    return out


def _head_noun(words: Span, tokenized: TokenizedInstruction) -> Span:
    """Return the last word of an English phrase, or a whole Chinese one."""
    inside = [
        token
        for token, turn in zip(tokenized.tokens, tokenized.turns, strict=True)
        if not turn and words.start <= token.start and token.end <= words.end
    ]
    if not inside or inside[-1].kind == 'han':
        return words
    return Span(inside[-1].start, inside[-1].end)
