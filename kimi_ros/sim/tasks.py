"""Requests about a table with the plan one would call right: for training and evaluation only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kimi_ros.sim.full.object_classes import (
    CATEGORIES,
    COLORS,
    CONTAINERS,
    FLAT_TOPS,
    PEOPLE,
    SCALABLE,
    SIZES,
    colors_of,
)
from kimi_ros.sim.language import add_politeness, preposition, requests, verbalize, with_article
from kimi_ros.sim.referring_expression import SUPERLATIVES, ReferringExpression, related
from kimi_ros.sim.truth import ObjectTruth

SKILLS = ('locate', 'pick', 'place', 'describe')
SHARES = (0.32, 0.32, 0.28, 0.08)
_JOINTS = {
    'en': ('{} and then {}', '{}, then {}', 'first {}, after that {}', '{}. when that is done, {}'),
    'zh': ('{}，然后{}', '先{}，再{}', '{}，接着{}', '{}。做完以后{}'),
}


@dataclass(frozen=True)
class Mix:
    """What descriptions are drawn from, in shares.

    :ivar absent: of things that are not there.
    :ivar duplicates: about things of which there are two alike, where there are such, beyond chance.
    :ivar category: by the kind alone; likewise color, sized (a size, with or without a colour),
        superlative, relation; the rest is by kind and colour.
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


@dataclass(frozen=True)
class Task:
    """A request and what is right.

    :ivar plan: {'status', 'say', 'steps'} in the form the model writes.
    :ivar referents: each object name of the request with the indices of the objects it means.
    :ivar expressions: the same things as descriptions.
    :ivar required_skills: all the skills that it takes in order, also where it cannot be done.
    """

    instruction: str
    language: str
    plan: dict
    referents: tuple[tuple[str, tuple[int, ...]], ...] = ()
    expressions: tuple[ReferringExpression, ...] = ()
    required_skills: tuple[str, ...] = ()

    @property
    def skill(self) -> str:
        """Return what is asked for, of several things the last."""
        return self.required_skills[-1]


def make_task(skill: str, objects: Sequence[ObjectTruth], expressions: Sequence[ReferringExpression], language: str,
              rng) -> Task:
    """Return a request for the skill about the things meant.

    :param objects: what of the scene can be seen.
    :param expressions: the object (and for 'place' the target); empty for 'describe'.
    :param rng: numpy Generator that chooses the words.
    """
    words = dict(zip(('object', 'target'), (verbalize(m, language, rng) for m in expressions),
                     strict=False))
    if skill == 'place':
        words['where'] = preposition(expressions[1], language)
    template = _choose(requests()[skill][language], rng)
    instruction = add_politeness(template.format(**words), language, rng)
    names = [m.name(language) for m in expressions]
    referents = tuple((n, tuple(m.matches(objects))) for n, m in zip(names, expressions, strict=True))
    plan = _trouble(referents, language) or _right(skill, expressions, names, language)
    required_skills = ('pick', 'place') if skill == 'place' else (skill,)
    return Task(instruction, language, plan, referents, tuple(expressions), required_skills)


def compound_task(first: Task, second: Task, rng) -> Task:
    """Return the request for one thing and then another; both in one language."""
    joint = _choose(_JOINTS[first.language], rng)
    one = first.instruction.rstrip('.?!。？！')
    both = dict([*first.referents, *second.referents])
    plan = _trouble(tuple(both.items()), first.language)
    if plan is None:
        between = ' ' if first.language == 'en' else ''
        plan = _ok(f'{first.plan["say"]}{between}{second.plan["say"]}',
                   first.plan['steps'] + second.plan['steps'])
    return Task(joint.format(one, second.instruction), first.language, plan, tuple(both.items()),
                first.expressions + second.expressions, first.required_skills + second.required_skills)


def _right(skill: str, expressions: Sequence[ReferringExpression], names: Sequence[str], language: str) -> dict:
    zh = language == 'zh'
    if skill == 'describe':
        say = '我来描述一下。' if zh else 'I will describe what I see.'
        return _ok(say, [{'skill': skill}])
    if skill == 'locate':
        say = f'{names[0]}在这里。' if zh else f'Here is the {names[0]}.'
        return _ok(say, [{'skill': 'locate', 'object': names[0]}])
    pick = {'skill': 'pick', 'object': names[0]}
    if skill == 'pick':
        return _ok(f'我来拿{names[0]}。' if zh else f'I will pick up the {names[0]}.', [pick])
    where = preposition(expressions[1], language)
    say = (f'我把{names[0]}放到{names[1]}{where}。' if zh
           else f'I will put the {names[0]} {where} the {names[1]}.')
    return _ok(say, [pick, {'skill': 'place', 'object': names[0], 'target': names[1]}])


def _trouble(referents, language: str) -> dict | None:
    """Say which thing is missing or, all being there, which is more than one."""
    zh = language == 'zh'
    for name, found in referents:
        if not found:
            say = f'我没有看到{name}。' if zh else f'I do not see {with_article(name)}.'
            return {'status': 'infeasible', 'say': say, 'steps': []}
    for name, found in referents:
        if len(found) > 1:
            say = (f'我看到不止一个{name}，是哪一个？' if zh
                   else f'I see more than one {name}. Which one?')
            return {'status': 'needs_clarification', 'say': say, 'steps': []}
    return None


def _ok(say: str, steps: list[dict]) -> dict:
    return {'status': 'ok', 'say': say, 'steps': steps}


def sample_task(objects: Sequence[ObjectTruth], language: str, rng, mix: Mix = Mix(absent=0.2),
              compound_share: float = 0.12) -> Task:
    """Return a request of any skill; many cannot be done, or not without asking.

    :param objects: what of the scene can be seen, at least one that is no person.
    :param compound_share: the share of requests for one thing and then another.
    """
    # Words take draws, and not as many in every language: what follows is drawn before them.
    both, later = rng.random() < compound_share, np.random.default_rng(int(rng.integers(2**32)))
    task = _one_task(objects, language, rng, mix)
    if task.skill == 'describe' or not both:
        return task
    more = _one_task(objects, language, later, mix)
    held = task.skill == 'pick' and more.skill != 'locate'  # one hand, and it is full
    if more.skill == 'describe' or held or _share_a_thing(task, more, objects):
        return task
    return compound_task(task, more, later)


def _share_a_thing(one: Task, other: Task, objects: Sequence[ObjectTruth]) -> bool:
    """Return whether both speak of the same thing, or use the same words.

    What a thing stands by counts: it may have been moved by then.
    """
    names = [{name for name, _ in task.referents} for task in (one, other)]
    things = [
        {i for _, found in task.referents for i in found}
        | {i for what in task.expressions if what.other for i in what.other.matches(objects)}
        for task in (one, other)
    ]
    return bool(names[0] & names[1] or things[0] & things[1])


def _one_task(objects: Sequence[ObjectTruth], language: str, rng, mix: Mix) -> Task:
    things = [o for o in objects if o.category not in PEOPLE]
    skill = SKILLS[int(rng.choice(len(SKILLS), p=SHARES))]
    if skill == 'describe':
        return make_task(skill, objects, (), language, rng)
    expressions = [sample_expression(objects, rng, mix)]
    if skill == 'place':
        taken = [objects[i] for i in expressions[0].matches(objects)]
        places = [o for o in objects if o.category in (*CONTAINERS, *FLAT_TOPS)
                  and not any(_lie_together(o, thing) for thing in taken)]
        if not places or len(things) < 2:
            skill = 'pick'
        else:
            expressions.append(_place_of(_choose(places, rng), objects, rng))
    return make_task(skill, objects, expressions, language, rng)


def _lie_together(place: ObjectTruth, thing: ObjectTruth) -> bool:
    """Return whether one is, lies on or lies in the other: nobody puts a thing there."""
    return place is thing or thing.support == place.index or place.support == thing.index


def _place_of(target: ObjectTruth, objects: Sequence[ObjectTruth], rng) -> ReferringExpression:
    """Return a name for a place to put something; seldom one of what is not there."""
    plain = ReferringExpression(target.category, target.color)
    if rng.random() < 0.12:
        return _absent(plain, objects, rng)
    return ReferringExpression(target.category) if rng.random() < 0.15 else plain


def sample_expression(objects: Sequence[ObjectTruth], rng, mix: Mix = DEFAULT_MIX) -> ReferringExpression:
    """Return a description of something on the table or, in a share of the cases, not on it.

    Nobody would argue about what it means: `ReferringExpression.is_clear_cut`.
    """
    for _ in range(20):
        meaning = _some_meaning(objects, rng, mix)
        if meaning.is_clear_cut(objects):
            break
    return meaning


def refers_to_one(what: ReferringExpression, objects: Sequence[ObjectTruth]) -> bool:
    """Return whether a description means one thing, and nobody would argue."""
    return len(what.matches(objects)) == 1 and what.is_clear_cut(objects)


def sample_two_expressions(objects: Sequence[ObjectTruth], rng) -> list[ReferringExpression]:
    """Return descriptions of two things that mean one each, fewer where there are not two."""
    found: dict[int, ReferringExpression] = {}
    for _ in range(_TRIES):
        what = sample_expression(objects, rng, Mix(absent=0))
        if refers_to_one(what, objects):
            found.setdefault(what.matches(objects)[0], what)
        if len(found) == 2:
            break
    return list(found.values())


def _some_meaning(objects: Sequence[ObjectTruth], rng, mix: Mix) -> ReferringExpression:
    things = [o for o in objects if o.category not in PEOPLE]
    thing = _some_thing(things, rng, mix)
    missing = rng.random() < mix.absent
    plain = ReferringExpression(thing.category, thing.color)
    draw = rng.random()
    for form, share in ((_by_kind, mix.category), (_by_color, mix.color), (_by_size, mix.sized),
                        (_by_superlative, mix.superlative), (_by_relation, mix.relation)):
        if draw < share:
            return form(things, thing, missing, rng) or plain
        draw -= share
    return _absent(plain, objects, rng) if missing else plain


def _by_kind(things, thing, missing: bool, rng) -> ReferringExpression:
    there = {t.category for t in things}
    return ReferringExpression(_choose([k for k in CATEGORIES if k not in there and k not in PEOPLE], rng)
                   if missing else thing.category)


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
    """Of a kind of which there are several where there is one; seldom of all that has a colour."""
    superlatives = list(SUPERLATIVES)
    if not thing.size[0]:
        return None
    if missing:
        return replace(_absent(ReferringExpression(thing.category), things, rng),
                       superlative=_choose(superlatives, rng))
    if rng.random() < 0.12:  # Sizes of different kinds are hard to compare.
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
        pairs = [(t, r, o) for t in things for o in alone for r in relations
                 if t is not o and related(t, r, o)]
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
            ('on', 'in', 'next'), rng)
    anchor = ReferringExpression(other.category, other.color)
    if rng.random() < 0.3 and len(ReferringExpression(other.category).matches(things)) == 1:
        anchor = ReferringExpression(other.category)
    color = thing.color if rng.random() < 0.5 else ''
    return ReferringExpression(thing.category, color, relation=relation, other=anchor)


def _absent(plain: ReferringExpression, objects: Sequence[ObjectTruth], rng) -> ReferringExpression:
    """Return a description of nothing that is there, mostly a near miss."""
    for _ in range(30):
        other = perturbed(plain, rng)
        if not other.matches(objects):
            return other
    return other


def perturbed(true: ReferringExpression, rng) -> ReferringExpression:
    """Return the description with another kind, another colour or both."""
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


def _some_thing(things, rng, mix: Mix):
    duplicates = [t for t in things if not _is_unique(things, t)] if mix.duplicates else []
    return _choose(duplicates if duplicates and rng.random() < mix.duplicates else things, rng)


def _is_unique(things, thing) -> bool:
    return sum((t.category, t.color) == (thing.category, thing.color) for t in things) == 1


def _choose(options, rng):
    return options[int(rng.integers(len(options)))]
