"""Drawing referring expressions about a scene: what people say to name an object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kimi_ros.sim.full.object_classes import (
    CATEGORIES,
    COLORS,
    PEOPLE,
    SCALABLE,
    SIZES,
    colors_of,
)
from kimi_ros.sim.referring_expression import SUPERLATIVES, ReferringExpression, related
from kimi_ros.sim.truth import ObjectTruth


@dataclass(frozen=True)
class Mix:
    """What descriptions are drawn from, in shares.

    :ivar absent: of objects that are not there.
    :ivar duplicates: about objects that have a duplicate, where there is one, beyond chance.
    :ivar category: by the category alone; likewise color, sized (a size, with or without a colour),
        superlative, relation; the rest is by category and colour.
    """

    absent: float = 0.25
    duplicates: float = 0.0
    category: float = 0.12
    color: float = 0.05
    sized: float = 0.12
    superlative: float = 0.14
    relation: float = 0.22


DEFAULT_MIX = Mix()
# Whether there is a largest cup is seldom asked, and seldom what is on its left.
PRESENCE_MIX = Mix(absent=0.5, superlative=0, relation=0.1)
_TRIES = 60


def sample_expression(
    objects: Sequence[ObjectTruth], rng, mix: Mix = DEFAULT_MIX
) -> ReferringExpression:
    """Return a description of something on the table or, in a share of the cases, not on it.

    Borderline cases are excluded: `ReferringExpression.is_clear_cut`.
    """
    for _ in range(20):
        meaning = _draw_expression(objects, rng, mix)
        if meaning.is_clear_cut(objects):
            break
    return meaning


def refers_to_one(what: ReferringExpression, objects: Sequence[ObjectTruth]) -> bool:
    """Return whether an expression refers to one object, without borderline cases."""
    return len(what.matches(objects)) == 1 and what.is_clear_cut(objects)


def sample_two_expressions(objects: Sequence[ObjectTruth], rng) -> list[ReferringExpression]:
    """Return expressions for two objects, each referring to one; fewer where there are not two."""
    found: dict[int, ReferringExpression] = {}
    for _ in range(_TRIES):
        what = sample_expression(objects, rng, Mix(absent=0))
        if refers_to_one(what, objects):
            found.setdefault(what.matches(objects)[0], what)
        if len(found) == 2:
            break
    return list(found.values())


def _draw_expression(objects: Sequence[ObjectTruth], rng, mix: Mix) -> ReferringExpression:
    things = [o for o in objects if o.category not in PEOPLE]
    thing = _draw_object(things, rng, mix)
    missing = rng.random() < mix.absent
    plain = ReferringExpression(thing.category, thing.color)
    draw = rng.random()
    for form, share in (
        (_by_category, mix.category),
        (_by_color, mix.color),
        (_by_size, mix.sized),
        (_by_superlative, mix.superlative),
        (_by_relation, mix.relation),
    ):
        if draw < share:
            return form(things, thing, missing, rng) or plain
        draw -= share
    return absent_expression(plain, objects, rng) if missing else plain


def _by_category(things, thing, missing: bool, rng) -> ReferringExpression:
    there = {t.category for t in things}
    return ReferringExpression(
        _choose([k for k in CATEGORIES if k not in there and k not in PEOPLE], rng)
        if missing
        else thing.category
    )


def _by_color(things, thing, missing: bool, rng) -> ReferringExpression | None:
    there = {t.color for t in things}
    absent = [c for c in COLORS if c not in there]
    return ReferringExpression(color=_choose(absent, rng) if missing and absent else thing.color)


def _by_size(things, thing, missing: bool, rng) -> ReferringExpression | None:
    if not thing.size_name or thing.category not in SCALABLE:
        return None
    color = thing.color if rng.random() < 0.5 else ''
    named = [ReferringExpression(thing.category, color, size) for size in SIZES]
    absent = [m for m in named if not m.matches(things)]
    if missing and absent:
        return _choose(absent, rng)
    return next(m for m in named if m.size == thing.size_name)


def _by_superlative(things, thing, missing: bool, rng) -> ReferringExpression | None:
    """Prefer a category with several objects; seldom compare all objects of a colour."""
    superlatives = list(SUPERLATIVES)
    if not thing.size[0]:
        return None
    if missing:
        return replace(
            absent_expression(ReferringExpression(thing.category), things, rng),
            superlative=_choose(superlatives, rng),
        )
    if rng.random() < 0.12:  # Sizes of different categories are hard to compare.
        return ReferringExpression(color=thing.color, superlative=_choose(superlatives[2:], rng))
    several = [t for t in things if sum(o.category == t.category for o in things) > 1]
    thing = _choose(several, rng) if several and rng.random() < 0.9 else thing
    color = thing.color if rng.random() < 0.2 else ''
    if thing.category not in SCALABLE:
        superlatives = superlatives[2:]
    return ReferringExpression(thing.category, color, superlative=_choose(superlatives, rng))


def _by_relation(things, thing, missing: bool, rng) -> ReferringExpression | None:
    alone = [t for t in things if _is_unique(things, t)]
    # What lies on, in or next to something is rare: it is spoken of more often.
    for relations, share in ((('on', 'in'), 0.35), (('next',), 0.25)):
        pairs = [
            (t, r, o)
            for t in things
            for o in alone
            for r in relations
            if t is not o and related(t, r, o)
        ]
        if pairs and rng.random() < share:
            thing, relation, other = _choose(pairs, rng)
            break
    else:
        alone = [t for t in alone if t is not thing]
        if not alone:
            return None
        other = _choose(alone, rng)
        relation = 'left' if related(thing, 'left', other) else 'right'
    if missing:
        relation = {'left': 'right', 'right': 'left'}.get(relation) or _choose(
            ('on', 'in', 'next'), rng
        )
    anchor = ReferringExpression(other.category, other.color)
    if rng.random() < 0.3 and len(ReferringExpression(other.category).matches(things)) == 1:
        anchor = ReferringExpression(other.category)
    color = thing.color if rng.random() < 0.5 else ''
    return ReferringExpression(thing.category, color, relation=relation, other=anchor)


def absent_expression(
    plain: ReferringExpression, objects: Sequence[ObjectTruth], rng
) -> ReferringExpression:
    """Return a description of nothing that is there, mostly a near miss."""
    for _ in range(30):
        other = perturbed(plain, rng)
        if not other.matches(objects):
            return other
    return other


def perturbed(true: ReferringExpression, rng) -> ReferringExpression:
    """Return the description with another category, another colour or both."""
    things = [k for k in CATEGORIES if k not in PEOPLE and k != true.category]
    draw = rng.random()
    category = _choose(things, rng) if draw > 0.45 or not true.color else true.category
    if not true.color:
        return replace(true, category=category)
    colors = [c for c in colors_of(category) if c != true.color]
    color = true.color
    if draw < 0.55 or color not in colors_of(category):
        color = _choose(colors, rng)
    return replace(true, category=category, color=color)


def _draw_object(things, rng, mix: Mix):
    duplicates = [t for t in things if not _is_unique(things, t)] if mix.duplicates else []
    return _choose(duplicates if duplicates and rng.random() < mix.duplicates else things, rng)


def _is_unique(things, thing) -> bool:
    return sum((t.category, t.color) == (thing.category, thing.color) for t in things) == 1


def _choose(options, rng):
    return options[int(rng.integers(len(options)))]
