"""The noun that "one" stands for: "pick up the red cup", then "the other one, too"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from kimi_ros.reader.reading import Reading, Span, Thing

_ELLIPTICAL = re.compile(
    r'ones?|(?:另外?|其[他它余]|别|剩下|那|这)?的?[那这]?[一两几]?(?:个|只|把|本|块|支|瓶|件|条|张|些)?',
    re.IGNORECASE,
)
_OTHER = re.compile(r'\bother\b|另|其[他它余]|别的|剩下', re.IGNORECASE)


def has_ellipsis(reading: Reading, texts: Sequence[str]) -> bool:
    """Tell whether a step is about a noun phrase without a noun.

    :param texts: the instruction and the turns before it, the newest first.
    """
    return any(_is_elliptical(thing, texts) for step in reading.steps for thing in step.all_things)


def fill_ellipsis(reading: Reading, texts: Sequence[str], previous: Reading) -> Reading:
    """Return the reading with the noun of the turn before in phrases that have none.

    :param previous: the reading of the turn before; its spans count turns from that turn.
    """
    antecedent = _antecedent(previous)
    if antecedent is None:
        return reading
    noun = antecedent

    def fill(thing: Thing) -> Thing:
        if not _is_elliptical(thing, texts):
            return thing
        number = 'other' if _OTHER.search(thing.words.text_in(texts)) else thing.number
        bare = not (thing.attributes or thing.order or thing.landmarks)
        return replace(thing, words=noun if bare else thing.words, head=noun, number=number)

    return _map_things(reading, fill)


def _is_elliptical(thing: Thing, texts: Sequence[str]) -> bool:
    return not thing.head.turn and bool(_ELLIPTICAL.fullmatch(thing.head.text_in(texts)))


def _antecedent(previous: Reading) -> Span | None:
    """Return the head of the first object of the last step, seen from the next turn."""
    for step in reversed(previous.steps):
        for things in step.things.values():
            head = things[0].head
            return replace(head, turn=head.turn + 1)
    return None


def _map_things(reading: Reading, change: Callable[[Thing], Thing]) -> Reading:
    steps = tuple(
        replace(
            step, things={name: tuple(map(change, group)) for name, group in step.things.items()}
        )
        for step in reading.steps
    )
    return replace(reading, steps=steps)
