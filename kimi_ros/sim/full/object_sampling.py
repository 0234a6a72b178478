"""Sampling the objects of a full scene: categories, colours, sizes, stacks, contents."""

from __future__ import annotations

import colorsys
import dataclasses

from kimi_ros.sim.full.detailed_object import DetailedObject
from kimi_ros.sim.full.object_classes import (
    CONTAINERS,
    HELD_OUT,
    HUE_SATURATION_VALUE,
    LABEL_TEXTS,
    LABELLED,
    MATERIALS,
    NOMINAL_SIZES,
    SCALABLE,
    SIGN_TEXTS,
    SIZES,
    THINGS,
    colors_of,
)

GROUPS = (3, 8)
SAME_NAME_SHARE, SAME_CATEGORY_SHARE, CROWD_SHARE = 0.20, 0.28, 0.22
STACK_SHARE, CONTENT_SHARE = 0.22, 0.30
HOT_SHARE, LABEL_SHARE = 0.4, 0.45
STANDING = ('apple', 'ball', 'block', 'can', 'cup', 'bowl', 'car', 'glass', 'bottle', 'book')
SMALL_ENOUGH = ('apple', 'ball', 'block', 'can', 'car')


@dataclasses.dataclass
class Group:
    """What stands on one spot: the lowest object first, each later one on or in `support`."""

    things: list[DetailedObject]


def sample_groups(draw, held_out: bool) -> list[Group]:
    """Return the scene's groups; with `held_out` the first has a pair that training never saw."""
    count = GROUPS[0] + draw.below(GROUPS[1] - GROUPS[0] + 1)
    categories = draw.shuffled(THINGS)[:count]
    names = [(category, _color(draw, category)) for category in categories]
    which = draw.uniform()
    if which < SAME_NAME_SHARE:
        names[1] = names[0]
    elif which < SAME_NAME_SHARE + SAME_CATEGORY_SHARE:
        names[1] = names[0][0], _color(draw, names[0][0])
    elif which < SAME_NAME_SHARE + SAME_CATEGORY_SHARE + CROWD_SHARE:
        names = _crowd(draw, names)
    if held_out:
        names[0] = draw.choice(sorted(HELD_OUT))
    found = [Group([sample_object(draw, *name)]) for name in names]
    return [_piled(draw, group) for group in found]


def _crowd(draw, names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the names with three or more objects of one category, mostly in two colours."""
    category, color = names[0]
    two = color, _color(draw, category)
    size = min(3 + draw.below(4), len(names))
    return [(category, draw.choice(two)) for _ in range(size)] + names[size:]


def _color(draw, category: str) -> str:
    return draw.choice([c for c in colors_of(category) if (category, c) not in HELD_OUT])


def sample_object(draw, category: str, color: str, size_name: str = '') -> DetailedObject:
    """Return an object at the origin, varied a little."""
    if not size_name:
        size_name = draw.choice(tuple(SIZES)) if category in SCALABLE else 'medium'
    scale = draw.uniform(*SIZES[size_name])
    size = tuple(round(extent * scale, 6) for extent in NOMINAL_SIZES[category])
    text, shows = '', ('', '')
    if category == 'sign':
        text = draw.choice(SIGN_TEXTS)
    elif category in LABELLED and draw.uniform() < LABEL_SHARE:
        text = draw.choice(LABEL_TEXTS)
    elif category == 'picture':
        shown = draw.choice([k for k in THINGS if k not in ('sign', 'picture')])
        shows = shown, _color(draw, shown)
    hot = category == 'pan' and draw.uniform() < HOT_SHARE
    material = draw.choice(MATERIALS[category])
    return DetailedObject(
        category,
        color,
        (0.0, 0.0, size[2] / 2),
        0.0,
        size,
        vary_color(draw, color),
        size_name,
        material,
        text=text,
        shows=shows,
        hot=hot,
    )


def vary_color(draw, color: str) -> tuple[float, float, float]:
    """Return the named colour, varied a little, as RGB in 0-1."""
    hue, saturation, value = HUE_SATURATION_VALUE[color]
    rgb = colorsys.hsv_to_rgb(
        (hue + draw.uniform(-0.009, 0.009)) % 1.0,
        saturation * draw.uniform(0.93, 1.0),
        min(value * draw.uniform(0.92, 1.05), 1.0),
    )
    return tuple(round(c, 6) for c in rgb)


def _piled(draw, group: Group) -> Group:
    """Perhaps put something on or in the group's lowest object (and on that, something more)."""
    base = group.things[0]
    if base.category in CONTAINERS and not base.hot and draw.uniform() < CONTENT_SHARE:
        _fill(draw, group, base)
    elif base.category in ('book', 'plate', 'block') and draw.uniform() < 2 * STACK_SHARE:
        _stack(draw, group)
    return group


def _fill(draw, group: Group, base: DetailedObject) -> None:
    opening = CONTAINERS[base.category] * base.size[0] / NOMINAL_SIZES[base.category][0]
    for category in draw.shuffled(SMALL_ENOUGH):
        item = sample_object(draw, category, _color(draw, category), 'small')
        if max(item.size[:2]) * 1.3 < opening:
            # Round-bottomed bowls hold objects a little higher than flat boxes.
            floor = base.bottom + {'bowl': 0.022, 'cup': 0.010}.get(base.category, 0.010)
            group.things.append(_raised(item, floor, 'in', base))
            return


def _stack(draw, group: Group) -> None:
    """Pile up to two objects on a flat one, each with room to stand."""
    for _ in range(1 + (draw.uniform() < 0.3)):
        base = group.things[-1]
        room = {'plate': 1.25}.get(base.category, 2.0) * min(base.size[:2]) / 2
        categories = ['block'] if base.category == 'block' else list(STANDING)
        for category in draw.shuffled(categories):
            item = sample_object(
                draw,
                category,
                _color(draw, category),
                draw.choice(('small', 'medium')) if category in SCALABLE else '',
            )
            if max(item.size[:2]) <= room or (
                category == base.category == 'book' and item.size[0] <= base.size[0]
            ):
                sunk = base.size[2] - 0.0055 if base.category == 'plate' else 0.0
                group.things.append(_raised(item, base.top - sunk, 'on', base))
                break
        if group.things[-1] is base or group.things[-1].category not in ('book', 'block'):
            return


def _raised(
    item: DetailedObject, height: float, relation: str, base: DetailedObject
) -> DetailedObject:
    position = (0.0, 0.0, round(height + item.size[2] / 2, 6))
    return dataclasses.replace(item, position=position, relation=relation)
