"""Objects in noun phrases that the network passed over.

"Wipe the table" has a step without its object, "press the button on the machine" one about the
place of its object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from kimi_ros.reader.function_words import DETERMINER
from kimi_ros.reader.noun_phrases import NounPhraseParser
from kimi_ros.reader.place_rules import english_relation
from kimi_ros.reader.reading import Reading, Span, Thing
from kimi_ros.reader.skill_card import SkillCard
from kimi_ros.reader.value_rules import covered_spans

# Not 'your': "your grip on the pan" is no thing.
_DETERMINED = (
    rf'\b(?!your\b){DETERMINER} '
    r"(?P<noun>(?:[a-z'-]+ ){0,2}?(?P<head>[a-z'-]+))"
)
_ENGLISH_NOUN = re.compile(rf'{_DETERMINED}\s*$', re.IGNORECASE)
_ENGLISH_OBJECT = re.compile(
    rf'(?: (?:up|down|off|out|away|over))? {_DETERMINED}(?=[,.;!?]|\s*$'
    r'| (?:on|in|at|by|near|under|behind|next|left|right|please|and|then|but|for|with)\b)',
    re.IGNORECASE,
)


def add_missing_object(
    reading: Reading,
    instruction: str,
    parser: NounPhraseParser,
    cards: Mapping[str, SkillCard],
) -> Reading:
    """Return the reading of one step with its object: 擦一下桌子 wipes the table.

    Only for a skill that takes a thing and nothing else: of others it may be what a value is said
    of ("the curtains half way").

    :param cards: the robot's skills by name.
    """
    if len(reading.steps) != 1 or reading.forbidden or reading.steps[0].condition:
        return reading
    (step,) = reading.steps
    card = cards[step.skill]
    if step.things or len(card.arguments) != 1 or not card.grounded:
        return reading
    name = card.grounded[0]
    if step.verb and not step.verb.turn:
        said = _ENGLISH_OBJECT.match(instruction, step.verb.end)
        if said:
            thing = Thing(Span(*said.span('noun')), Span(*said.span('head')))
            return replace(reading, steps=(replace(step, things={name: (thing,)}),))
    disposed = step.verb and not step.verb.turn and parser.between(('把', '将'), step.verb.start)
    phrases = [disposed] if disposed else parser.unparsed()
    if not phrases or len(phrases) > 2:
        return reading
    if len(phrases) == 2 and not english_relation(instruction[: parser.span(phrases[1]).start]):
        return reading
    phrase = phrases[-1]  # its place, to which the object is added
    if step.verb and step.verb.end > parser.span(phrase).start >= step.verb.start:
        return reading  # the verb is also a noun
    things: dict[str, tuple[Thing, ...]] = {name: (parser.parse(phrase),)}
    return replace(reading, steps=(replace(step, things=things),))


def add_placed_object(
    reading: Reading, instruction: str, cards: Mapping[str, SkillCard]
) -> Reading:
    """Return the reading with objects for their places: "push the button on the machine".

    For English steps and questions about a single thing, before which there are a noun phrase that
    nothing uses and a preposition.
    """
    covered = covered_spans(reading)

    def placed(thing: Thing) -> Thing:
        before = english_relation(instruction[: thing.words.start])
        if thing.words.turn or thing.relation or before is None:
            return thing
        relation, end = before
        noun = _ENGLISH_NOUN.search(instruction[:end])
        if not noun or any(
            c.start < noun.end('noun') and noun.start('noun') < c.end for c in covered
        ):
            return thing
        words, head = Span(*noun.span('noun')), Span(*noun.span('head'))
        return Thing(words, head, relation=relation, landmarks=(thing,))

    steps = tuple(
        replace(step, things={n: tuple(map(placed, group)) for n, group in step.things.items()})
        if len(cards[step.skill].grounded) == 1 and len(step.all_things) == 1 and not step.relation
        else step
        for step in reading.steps
    )
    question = reading.question
    if question and len(question.things) == 1:
        question = replace(question, things=(placed(question.things[0]),))
    return replace(reading, steps=steps, question=question)
