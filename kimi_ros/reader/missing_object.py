"""The object of a step that has none, where the instruction has a noun phrase that nothing uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from kimi_ros.reader.decoder import TokenSpan
from kimi_ros.reader.features import TokenizedInstruction
from kimi_ros.reader.labels import ROLES
from kimi_ros.reader.noun_phrases import NounPhraseParser
from kimi_ros.reader.reading import Reading, Step, Thing
from kimi_ros.reader.skill_card import SkillCard

_NOUN_PHRASE = {i for i, role in enumerate(ROLES) if role.startswith(('head', 'attribute'))}
_HEAD = ROLES.index('head')


def add_missing_object(
    reading: Reading,
    parser: NounPhraseParser,
    tokenized: TokenizedInstruction,
    roles: np.ndarray,
    cards: Mapping[str, SkillCard],
) -> Reading:
    """Return the reading of one step with its object: 擦一下桌子 wipes the table.

    Only for a skill that takes a thing and nothing else: of others it may be what a value is said
    of ("the curtains half way").

    :param roles: (tokens,) the network's most likely role of each token, of `ROLES`.
    :param cards: the robot's skills by name.
    """
    if len(reading.steps) != 1 or reading.forbidden or reading.steps[0].condition:
        return reading
    (step,) = reading.steps
    card = cards[step.skill]
    if step.things or len(card.arguments) != 1 or not card.grounded:
        return reading
    phrases = _disposed(tokenized, step) or _noun_phrases(tokenized, roles)
    if len(phrases) != 1:
        return reading
    (phrase,) = phrases
    if step.verb and step.verb.end > parser.span(phrase).start >= step.verb.start:
        return reading  # the verb is also a noun
    things: dict[str, tuple[Thing, ...]] = {card.grounded[0]: (parser.parse(phrase),)}
    return replace(reading, steps=(replace(step, things=things),))


def _disposed(tokenized: TokenizedInstruction, step: Step) -> list[TokenSpan]:
    """Return what stands between 把 and the verb of a Chinese step, if anything does."""
    if not step.verb or step.verb.turn:
        return []
    before = [
        i
        for i, (token, turn) in enumerate(zip(tokenized.tokens, tokenized.turns, strict=True))
        if not turn and token.end <= step.verb.start
    ]
    for at in reversed(before):
        if tokenized.tokens[at].kind == 'mark':
            break
        if tokenized.tokens[at].text in ('把', '将'):
            return [(at + 1, before[-1])] if at < before[-1] else []
    return []


def _noun_phrases(tokenized: TokenizedInstruction, roles: np.ndarray) -> list[TokenSpan]:
    """Return the runs of tokens of the instruction that are a head, with its attributes."""
    runs: list[TokenSpan] = []
    for i, turn in enumerate(tokenized.turns):
        if turn or roles[i] not in _NOUN_PHRASE:
            continue
        if runs and runs[-1][1] == i - 1:
            runs[-1] = runs[-1][0], i
        else:
            runs.append((i, i))
    return [(a, b) for a, b in runs if _HEAD in roles[a : b + 1]]
