"""One object of a rendered scene and a description that refers to it only."""

from __future__ import annotations

from dataclasses import replace

from kimi_ros.eval.held_out_scenes import HeldOutScene
from kimi_ros.eval.localization import LocalizationSample
from kimi_ros.sim.expression_sampling import Mix, refers_to_one, sample_expression
from kimi_ros.sim.full.object_classes import HELD_OUT
from kimi_ros.sim.referring_expression import ReferringExpression

_PLAIN = Mix(absent=0, category=0, color=0, sized=0, superlative=0, relation=0)
_MIX_OF_TYPE = {
    'kind': replace(_PLAIN, category=1),
    'color': replace(_PLAIN, color=0.3),  # the rest with the category
    'size': replace(_PLAIN, sized=1),
    'relation': replace(_PLAIN, relation=1),
    'superlative': replace(_PLAIN, superlative=1),
}
EXPRESSION_TYPES = tuple(_MIX_OF_TYPE)
"""By category alone, by colour, size, relation to another object, or superlative."""
_TRIES = 60


def expression_type_of(what: ReferringExpression) -> str:
    """Return which of `EXPRESSION_TYPES` an expression is."""
    if what.relation:
        return 'relation'
    if what.superlative:
        return 'superlative'
    return 'size' if what.size else 'color' if what.color else 'kind'


def localization_sample(world: HeldOutScene, language: str) -> LocalizationSample | None:
    """Return an object of the scene and a name that refers to it only; None if none has one.

    Every form of description that the scene allows is as likely.
    """
    rng = world.rng('points')
    for expression_type in rng.permutation(EXPRESSION_TYPES):
        for _ in range(_TRIES):
            what = sample_expression(world.objects, rng, _MIX_OF_TYPE[expression_type])
            if expression_type_of(what) == expression_type and refers_to_one(what, world.objects):
                return replace(
                    described(world, what, language), expression_type=expression_type_of(what)
                )
    return None


def held_out_pair(world: HeldOutScene, language: str) -> LocalizationSample | None:
    """Return the object whose category and colour training never saw together, or None.

    None, too, where it is hidden, or where there are two of them.
    """
    for thing in world.objects:
        what = ReferringExpression(thing.category, thing.color)
        if (thing.category, thing.color) in HELD_OUT and refers_to_one(what, world.objects):
            return described(world, what, language)
    return None


def described(world: HeldOutScene, what: ReferringExpression, language: str) -> LocalizationSample:
    """Return the first object that a description means, with its mask and its box."""
    thing = world.objects[what.matches(world.objects)[0]]
    mask = world.segmentation == thing.index
    return LocalizationSample(world.frame.rgb, what.name(language), mask, thing.box)
