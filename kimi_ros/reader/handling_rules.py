"""Rules for taking and putting: where a thing is, where it goes, by which handle it is taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kimi_ros.reader.function_words import DETERMINER
from kimi_ros.reader.reading import Reading, Span, Step, Thing
from kimi_ros.reader.skill_card import SkillCard
from kimi_ros.reader.tokenizer import normalize

_GRASP = re.compile(
    r'grasp|grab|grip|hold|take hold|get hold|seiz|pick|lift|tweez|clutch|clasp|hoist|heave|fetch|'
    r'elevat|抓|握|拉住|捏|拿住'
)
_TAKE_NAME = re.compile(r'pick|lift|grasp|grab|take')
_PUT = re.compile(r'put|place|lay|set|store|stow|stick')
_PUT_NAME = re.compile(r'^(?:put|place|set_down|stow|store)')
_THE = rf'(?:{DETERMINER}\s+)?'
# Between a verb of putting and the noun of a place: what is put, and the preposition.
_PUT_IN = re.compile(
    rf"\s+{_THE}(?P<thing>[a-z'-]+(?:\s+[a-z'-]+){{0,3}}?)\s+"
    rf'(?P<preposition>into|in|inside|onto|on)\s+{_THE}'
)
_HANDLE = re.compile(r'\b(?:handle|knob|grip|latch|pull)s?\b|把手|拉手|手柄|旋钮')


def apply_handling_rules(
    reading: Reading, texts: Sequence[str], cards: Mapping[str, SkillCard]
) -> Reading:
    """Return the reading with steps of taking and putting as they are meant.

    :param texts: the instruction and the turns before it, the newest first, normalized.
    :param cards: the robot's skills by name.
    """
    if not reading.steps:
        return reading
    steps = (
        _with_place(_with_source(step, texts, cards), texts, cards)
        for step in _without_means(reading.steps, texts)
    )
    return replace(reading, steps=tuple(steps))


def _with_source(step: Step, texts: Sequence[str], cards: Mapping[str, SkillCard]) -> Step:
    """Return a step of grasping with a place as a step of taking what is there.

    "From the shelf, grab the tin" and "lift the tin left of the jar" place nothing.
    """
    card = cards[step.skill]
    grounded = card.grounded
    if len(grounded) != 2 or not step.verb or not _GRASP.match(step.verb.text_in(texts)):
        return step
    things, places = (step.things.get(name, ()) for name in grounded)
    if len(things) != 1 or len(places) != 1 or places[0].words.turn != step.verb.turn:
        return step
    taking = _only_skill(_TAKE_NAME, 1, cards)
    if taking is None:
        return step
    thing = replace(things[0], relation=step.relation or 'in', landmarks=places)
    if places[0].words.end > step.verb.start:
        if step.relation in ('', 'on', 'in') or things[0].words.end > places[0].words.start:
            return step
        whole = replace(things[0].words, end=places[-1].words.end)
        thing = replace(thing, words=whole)
    slot = taking.arguments[0].name
    return replace(step, skill=taking.name, things={slot: (thing,)}, relation='')


def _with_place(step: Step, texts: Sequence[str], cards: Mapping[str, SkillCard]) -> Step:
    """Return a step of putting with its place, where its skill takes the place for the thing.

    "Put the tin in the crate" stacks no crate.
    """
    things = step.all_things
    if len(cards[step.skill].arguments) != 1 or len(things) != 1 or not step.verb:
        return step
    (place,) = things
    if not _PUT.fullmatch(step.verb.text_in(texts)) or place.words.turn != step.verb.turn:
        return step
    text = texts[step.verb.turn]
    put = _PUT_IN.fullmatch(text, step.verb.end, max(step.verb.end, place.words.start))
    placing = _only_skill(_PUT_NAME, 2, cards)
    if not put or placing is None:
        return step
    words = Span(*put.span('thing'), step.verb.turn)
    head = Span(words.start + put['thing'].rfind(' ') + 1, words.end, words.turn)
    slots = [a.name for a in placing.arguments]
    named: dict[str, tuple[Thing, ...]] = {slots[0]: (Thing(words, head),), slots[1]: (place,)}
    relation = 'on' if put['preposition'] in ('on', 'onto') else 'in'
    return replace(step, skill=placing.name, things=named, relation=relation)


def _only_skill(
    name: re.Pattern[str], things: int, cards: Mapping[str, SkillCard]
) -> SkillCard | None:
    """Return the one skill of such a name that takes so many things and no more, or None."""
    found = [
        card
        for card in cards.values()
        if name.search(normalize(card.name)) and len(card.grounded) == len(card.arguments) == things
    ]
    return found[0] if len(found) == 1 else None


def _without_means(steps: Sequence[Step], texts: Sequence[str]) -> tuple[Step, ...]:
    """Return the steps without those that take a handle for the sake of the next step.

    "Hold the cupboard's knob and pull it open": the cupboard is opened, nothing is picked up.
    """
    kept: list[Step] = []
    part: Thing | None = None
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        held, part = part, _held_part(step, following, texts)
        if part is None:
            kept.append(_with_whole(step, held) if held else step)
    return tuple(kept)


def _held_part(step: Step, following: Step | None, texts: Sequence[str]) -> Thing | None:
    """Return the handle that a step takes for the sake of the following one, or None."""
    things = step.all_things
    if following is None or len(things) != 1 or step.values or not step.verb:
        return None
    (thing,) = things
    if not _GRASP.match(step.verb.text_in(texts)) or not _HANDLE.search(thing.words.text_in(texts)):
        return None
    used = following.all_things
    if not used or not _shares_words(used[0].words, thing.words, texts):
        return None
    return thing


def _with_whole(step: Step, part: Thing) -> Step:
    """Return the step with the whole instead of its part, where it names the whole."""
    if part.relation != 'part_of' or not part.landmarks:
        return step
    things = {
        name: part.landmarks if group and group[0].words == part.words else group
        for name, group in step.things.items()
    }
    return replace(step, things=things)


def _shares_words(one: Span, other: Span, texts: Sequence[str]) -> bool:
    if one == other:
        return True
    words = set(re.findall(r'[a-z]+', one.text_in(texts))) - {'the', 'a', 'of'}
    shared = words & set(re.findall(r'[a-z]+', other.text_in(texts)))
    return bool(shared) or (not words and one.text_in(texts) in other.text_in(texts))
