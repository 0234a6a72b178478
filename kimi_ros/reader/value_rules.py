"""Rules for enum and number values in words that the network left out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kimi_ros.reader.features import TokenizedInstruction
from kimi_ros.reader.labels import EVENTS
from kimi_ros.reader.meant_numbers import find_meant
from kimi_ros.reader.onnx_model import EncodedCatalogue, EncodedInstruction
from kimi_ros.reader.reading import Reading, Span, Step, Value
from kimi_ros.reader.skill_card import GROUNDED_TYPES, Argument, SkillCard
from kimi_ros.reader.state_words import match_state
from kimi_ros.reader.tokenizer import detect_language

_MIN_SIMILARITY = 0.6  # cosine similarity of synonyms
# Words that introduce a text and are no part of it: "a label that says fragile".
_INTRODUCTION = re.compile(
    r'(?:(?:(?:that|which)\s+)?(?:says?|saying|reads?|reading)|called|titled|named|the\s+words?|the|a)\s+'
    r'|(?:写[着上的]?|内容是|叫做?|名为|说)[:：]?',
    re.IGNORECASE,
)
# Words that end a text: what follows is another argument or another clause.
_TEXT_END = frozenset(
    'and then on onto to into in at for by please now before after when if , . ; ! ? : \' "'.split()
)
_TEXT_END_ZH = frozenset('，。；！？、：”“"的在到给放再并贴')


def covered_spans(reading: Reading) -> list[Span]:
    """Return the spans that a reading covers."""
    things = [*reading.forbidden, *(reading.question.things if reading.question else ())]
    spans = [reading.verb]
    for step in reading.steps:
        spans += [step.verb, *(value.words for value in step.values.values())]
        things += step.all_things
        things += [step.condition.thing] if step.condition else []
    while things:
        thing = things.pop()
        spans.append(thing.words)
        things += thing.landmarks
    return [span for span in spans if span]


def add_missing_values(
    reading: Reading,
    instruction: str,
    skills: Sequence[SkillCard],
    tokenized: TokenizedInstruction,
    catalogue: EncodedCatalogue,
    encoded: EncodedInstruction,
) -> Reading:
    """Return the reading with missing values that uncovered words state.

    An enum value must be the only one similar to a word, or be implied by the verb; a number must
    be a quantity of the right kind. Words other than the verb are used only if exactly one value
    is missing.
    """
    missing = [
        (at, argument)
        for at, step in enumerate(reading.steps)
        for argument in next(card for card in skills if card.name == step.skill).arguments
        if argument.type in ('enum', 'number') and argument.name not in step.values
    ]
    steps = list(reading.steps)
    only_one = len(missing) == 1
    uncovered = _uncovered_tokens(covered_spans(reading), tokenized) if only_one else []
    runs = uncovered_spans(reading, tokenized) if only_one else []
    for at, argument in missing:
        if argument.type == 'enum':
            value = _enum(argument, steps[at], skills, tokenized, catalogue, encoded, uncovered)
            value = value or _match_verb(argument, steps[at], instruction, tokenized, uncovered)
        else:
            value = _number(argument, instruction, runs)
        if value is not None:
            steps[at] = replace(steps[at], values={**steps[at].values, argument.name: value})
    return replace(reading, steps=tuple(steps))


def join_repeated_steps(reading: Reading, cards: Mapping[str, SkillCard]) -> Reading:
    """Return the reading without steps that the next one says again, with the number they lack.

    "Stop the belt, set it to zero" sets it once.
    """
    kept = []
    for step, following in itertools.zip_longest(reading.steps, reading.steps[1:]):
        numbers = {a.type for a in cards[step.skill].arguments} - set(GROUNDED_TYPES) == {'number'}
        again = following is not None and following.skill == step.skill
        if not (again and numbers and not step.values and not _differs(step, following)):
            kept.append(step)
    return replace(reading, steps=tuple(kept))


def _differs(step: Step, other: Step) -> bool:
    """Tell whether two steps are about different things."""
    return any(
        name in other.things and [t.words for t in group] != [t.words for t in other.things[name]]
        for name, group in step.things.items()
    )


def complete_texts(
    reading: Reading, instruction: str, skills: Sequence[SkillCard], tokenized: TokenizedInstruction
) -> Reading:
    """Return the reading with string values up to the end of their phrase.

    'A reminder that says physio with Anna': not 'says physio', but 'physio with Anna'.
    """
    uncovered = set(_uncovered_tokens(covered_spans(reading), tokenized))
    steps = []
    for step in reading.steps:
        card = next(card for card in skills if card.name == step.skill)
        values = dict(step.values)
        for argument in card.arguments:
            value = values.get(argument.name)
            if argument.type == 'string' and value and value.words and not value.words.turn:
                words = _complete_text(value.words, instruction, tokenized, uncovered)
                values[argument.name] = Value(words, instruction[words.start : words.end])
        steps.append(replace(step, values=values))
    return replace(reading, steps=tuple(steps))


def _complete_text(
    span: Span, instruction: str, tokenized: TokenizedInstruction, uncovered: set[int]
) -> Span:
    start, end = span.start, span.end
    introduction = _INTRODUCTION.match(instruction[start:end])
    if introduction and start + introduction.end() < end:
        start += introduction.end()
    for i, (token, turn) in enumerate(zip(tokenized.tokens, tokenized.turns, strict=True)):
        if turn or token.start < end:
            continue
        text = token.text.lower()
        if i not in uncovered or text in _TEXT_END or text in _TEXT_END_ZH:
            break
        end = token.end
    return Span(start, end)


def _match_verb(
    argument: Argument,
    step: Step,
    instruction: str,
    tokenized: TokenizedInstruction,
    uncovered: Sequence[int],
) -> Value | None:
    """Return the value implied by the step's verb and the uncovered words after it."""
    verb = step.verb
    if verb is None or verb.turn:
        return None
    following = [tokenized.tokens[i] for i in uncovered if tokenized.tokens[i].start >= verb.end]
    words = [instruction[verb.start : verb.end], *(token.text for token in following)]
    separator = '' if detect_language(instruction) == 'zh' else ' '
    value = match_state(separator.join(words), argument.values)
    return None if value is None else Value(verb, value)


def _uncovered_tokens(spans: Sequence[Span], tokenized: TokenizedInstruction) -> list[int]:
    """Return the instruction's tokens that no span covers."""
    return [
        i
        for i, (token, turn) in enumerate(zip(tokenized.tokens, tokenized.turns, strict=True))
        if not turn
        and not any(not s.turn and s.start < token.end and token.start < s.end for s in spans)
    ]


def uncovered_spans(reading: Reading, tokenized: TokenizedInstruction) -> list[tuple[int, int]]:
    """Return the characters [start, end) of the instruction's words that a reading leaves out."""
    uncovered = np.array(_uncovered_tokens(covered_spans(reading), tokenized), int)
    runs = np.split(uncovered, np.where(np.diff(uncovered) > 1)[0] + 1)
    return [
        (tokenized.tokens[run[0]].start, tokenized.tokens[run[-1]].end) for run in runs if len(run)
    ]


def _enum(
    argument: Argument,
    step: Step,
    skills: Sequence[SkillCard],
    tokenized: TokenizedInstruction,
    catalogue: EncodedCatalogue,
    encoded: EncodedInstruction,
    uncovered: Sequence[int],
) -> Value | None:
    number = [card.name for card in skills].index(step.skill)
    names = [a.name for a in skills[number].arguments]
    at = catalogue.tokenized.arguments[number][names.index(argument.name)]
    matches = (encoded.exact_match[:, len(EVENTS) :] > 0) | (
        encoded.similarity[:, len(EVENTS) :] > _MIN_SIMILARITY
    )
    found = {}
    for value, text in zip(catalogue.tokenized.values[at], argument.values, strict=True):
        tokens = [i for i in uncovered if matches[i, catalogue.tokenized.value == value].any()]
        if tokens:
            found[text] = tokens[0]
    if len(found) != 1:
        return None
    ((text, token),) = found.items()
    return Value(Span(tokenized.tokens[token].start, tokenized.tokens[token].end), text)


def _number(argument: Argument, instruction: str, runs: Sequence[tuple[int, int]]) -> Value | None:
    found: list[Value] = []
    for first, last in runs:
        if quantity := find_meant(instruction[first:last], argument.unit):
            value, start, end = quantity
            found.append(Value(Span(first + start, first + end), value))
    return found[0] if len(found) == 1 else None
