"""One thing of a rendered scene and a description that means it alone."""

from __future__ import annotations

from dataclasses import replace

from kimi_ros.eval.looking import Referent
from kimi_ros.eval.worlds import World
from kimi_ros.sim.full.catalogue import HELD_OUT
from kimi_ros.sim.meaning import Meaning
from kimi_ros.sim.tasks import Mix, means_one, some_meaning

_PLAIN = Mix(absent=0, kind=0, color=0, sized=0, superlative=0, relation=0)
_MIXES = {
    'kind': replace(_PLAIN, kind=1),
    'color': replace(_PLAIN, color=0.3),  # the rest with the kind
    'size': replace(_PLAIN, sized=1),
    'relation': replace(_PLAIN, relation=1),
    'superlative': replace(_PLAIN, superlative=1),
}
FORMS = tuple(_MIXES)
"""What descriptions use: the kind alone, a colour, a size, a relation to another, a superlative."""
_TRIES = 60


def form_of(what: Meaning) -> str:
    """Return which of `FORMS` a description has."""
    if what.relation:
        return 'relation'
    if what.superlative:
        return 'superlative'
    return 'size' if what.size else 'color' if what.color else 'kind'


def referent(world: World, language: str) -> Referent | None:
    """Return one thing of the scene and a name that means it alone, or None where none has one.

    Every form of description that the scene allows is as likely.
    """
    rng = world.rng('points')
    for form in rng.permutation(FORMS):
        for _ in range(_TRIES):
            what = some_meaning(world.objects, rng, _MIXES[form])
            if form_of(what) == form and means_one(what, world.objects):
                return replace(described(world, what, language), form=form_of(what))
    return None


def unseen_pair(world: World, language: str) -> Referent | None:
    """Return the thing whose kind and colour training never saw together, or None.

    None, too, where it is hidden, or where there are two of them.
    """
    for thing in world.objects:
        what = Meaning(thing.kind, thing.color)
        if (thing.kind, thing.color) in HELD_OUT and means_one(what, world.objects):
            return described(world, what, language)
    return None


def described(world: World, what: Meaning, language: str) -> Referent:
    """Return the first thing that a description means, with its mask and its box."""
    thing = world.objects[what.matches(world.objects)[0]]
    mask = world.segmentation == thing.index
    return Referent(world.frame.rgb, what.name(language), mask, thing.box)
