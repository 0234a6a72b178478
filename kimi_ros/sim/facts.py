"""Facts about a table to ask for: how many, what is it like, where does it stand to another."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_ros.sim.full.object_classes import CATEGORIES, COLORS, PEOPLE, SCALABLE, SIZES
from kimi_ros.sim.referring_expression import (
    NEXT_TO_DISTANCE,
    NEXT_TO_MARGIN,
    ReferringExpression,
    center_x,
    related,
)
from kimi_ros.sim.truth import ObjectTruth

MAX_COUNT = 6
"""Things that are counted."""
_APART = 0.05
"""Of the picture's width: two objects nearer than this stand on no clear side of each other."""
_TOUCHING = 0.45
"""How often it is asked whether something is on, in or next to another, where one is."""


def sample_count(objects: Sequence[ObjectTruth], rng) -> tuple[ReferringExpression, list[int]]:
    """Return what to count and which those are; every number that there is is as likely."""
    numbered = by_number(objects)
    what = _choose(numbered[_choose(sorted(numbered), rng)], rng)
    return what, what.matches(objects)


def by_number(objects: Sequence[ObjectTruth]) -> dict[int, list[ReferringExpression]]:
    """Return what may be counted, categories, colours and both, but no people, by its number.

    Of more than `MAX_COUNT` nothing is returned.
    """
    out: dict[int, list[ReferringExpression]] = {}
    for category in ('', *CATEGORIES):
        for color in ('', *COLORS):
            what = ReferringExpression(category, color)
            found = len(what.matches(objects))
            if found <= MAX_COUNT and category not in PEOPLE:
                out.setdefault(found, []).append(what)
    return out


def sample_relation(objects: Sequence[ObjectTruth], rng) -> tuple[int, str, int, bool] | None:
    """Return (one, relation, another, whether it holds), or None where no two have own names.

    Half of what is asked holds. Nobody would argue about it: nothing is nearly beside or nearly
    next to anything.
    """
    names = [(o.category, o.color) for o in objects]
    alone = [
        i for i, o in enumerate(objects) if names.count(names[i]) == 1 and o.category not in PEOPLE
    ]
    width = max((o.box[2] for o in objects), default=0)
    pairs = [(i, j) for i in alone for j in alone if i != j]
    if not pairs:
        return None
    true = bool(rng.integers(2))
    if rng.random() < _TOUCHING:
        held = [
            (i, r, j)
            for i, j in pairs
            for r in ('on', 'in', 'next')
            if _is_sure(objects[i], r, objects[j])
        ]
        if held:
            i, relation, j = _choose(held, rng)
            if true:
                return i, relation, j, True
            # No: the same is asked of something that is near, or of what it stands on.
            others = [
                k
                for k in alone
                if k not in (i, j) and not _is_sure(objects[k], relation, objects[j], doubtful=True)
            ]
            if others:
                return _choose(others, rng), relation, j, False
    clear = [
        (i, j)
        for i, j in pairs
        if abs(center_x(objects[i]) - center_x(objects[j])) >= _APART * width
    ]
    if not clear:
        return None
    i, j = _choose(clear, rng)
    relation = 'left' if related(objects[i], 'left', objects[j]) == true else 'right'
    return i, relation, j, true


def sample_attribute(
    objects: Sequence[ObjectTruth], rng
) -> tuple[ReferringExpression, int, str, bool] | None:
    """Return (what to ask about, its place, a colour or a size, whether it has it), or None."""
    alone = [
        (i, o)
        for i, o in enumerate(objects)
        if o.category not in PEOPLE and sum(other.category == o.category for other in objects) == 1
    ]
    if not alone:
        return None
    index, thing = _choose(alone, rng)
    true = bool(rng.integers(2))
    if thing.size_name and thing.category in SCALABLE and rng.random() < 0.3:
        has, others = thing.size_name, [s for s in SIZES if s != thing.size_name]
        return (
            ReferringExpression(thing.category, thing.color),
            index,
            has if true else _choose(others, rng),
            true,
        )
    others = [c for c in COLORS if c != thing.color]
    return (
        ReferringExpression(thing.category),
        index,
        thing.color if true else _choose(others, rng),
        true,
    )


def _is_sure(one: ObjectTruth, relation: str, other: ObjectTruth, doubtful: bool = False) -> bool:
    """Return whether it surely holds; with `doubtful` whether it may hold."""
    if relation != 'next':
        return related(one, relation, other)
    apart = (
        (one.position[0] - other.position[0]) ** 2 + (one.position[1] - other.position[1]) ** 2
    ) ** 0.5
    flat = one.support == other.support == -1
    return flat and apart < NEXT_TO_DISTANCE + (NEXT_TO_MARGIN if doubtful else -NEXT_TO_MARGIN)


def _choose(options, rng):
    return options[int(rng.integers(len(options)))]
