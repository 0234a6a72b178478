"""Requests about a scene with the plan one would call right: for training and evaluation only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kimi_ros.sim.catalogue import COLORS, KINDS
from kimi_ros.sim.language import (
    DESCRIBE,
    LOCATE,
    PICK,
    PLACE,
    Description,
    center_x,
    preposition,
    spoken,
    with_article,
)

SKILLS = ('locate', 'pick', 'place', 'describe')
SHARES = (0.33, 0.33, 0.26, 0.08)


@dataclass(frozen=True)
class Mix:
    """What descriptions are drawn from, in shares.

    :ivar absent: of things that are not there.
    :ivar sides: by a place left or right of another thing.
    :ivar twins: about things of which there are two alike, where there are such, beyond chance.
    """

    absent: float = 0.25
    sides: float = 0.14
    twins: float = 0.0


EVERYDAY = Mix()


@dataclass(frozen=True)
class Task:
    """A request and what is right.

    :ivar plan: {'status', 'say', 'steps'} in the form the model writes.
    :ivar referents: each object name of the request with the indices of the objects it means.
    :ivar meant: the same things as descriptions.
    :ivar skill: what is asked for, also where it cannot be done.
    """

    instruction: str
    language: str
    plan: dict
    referents: tuple[tuple[str, tuple[int, ...]], ...] = ()
    meant: tuple[Description, ...] = ()
    skill: str = ''


def make_task(
    skill: str, objects: Sequence, meant: Sequence[Description], language: str, rng
) -> Task:
    """Return a request for the skill about the things meant.

    :param objects: the scene's visible objects, with `kind`, `color`, `box`.
    :param meant: the object (and for 'place' the target); empty for 'describe'.
    :param rng: numpy Generator that chooses the words.
    """
    names = [m.name(language) for m in meant]
    referents = tuple((n, tuple(m.matches(objects))) for n, m in zip(names, meant, strict=True))
    if skill == 'describe':
        say = '我来描述一下。' if language == 'zh' else 'I will describe what I see.'
        plan = _ok(say, [{'skill': skill}])
        return Task(_choose(DESCRIBE[language], rng), language, plan, skill=skill)
    words = [spoken(m, language, rng) for m in meant]
    if skill == 'place':
        where = preposition(meant[1], language)
        instruction = _choose(PLACE[language], rng).format(words[0], where, words[1])
    else:
        instruction = _choose((LOCATE if skill == 'locate' else PICK)[language], rng).format(
            words[0]
        )
    plan = _trouble(referents, language) or _right(skill, meant, names, language)
    return Task(instruction, language, plan, referents, tuple(meant), skill)


def _right(skill: str, meant, names: list[str], language: str) -> dict:
    zh = language == 'zh'
    if skill == 'locate':
        say = f'{names[0]}在这里。' if zh else f'Here is the {names[0]}.'
        return _ok(say, [{'skill': 'locate', 'object': names[0]}])
    pick = {'skill': 'pick', 'object': names[0]}
    if skill == 'pick':
        return _ok(f'我来拿{names[0]}。' if zh else f'I will pick up the {names[0]}.', [pick])
    where = preposition(meant[1], language)
    say = (
        f'我把{names[0]}放到{names[1]}{where}。'
        if zh
        else f'I will put the {names[0]} {where} the {names[1]}.'
    )
    return _ok(say, [pick, {'skill': 'place', 'object': names[0], 'target': names[1]}])


def _trouble(referents, language: str) -> dict | None:
    """Say which thing is missing or, all being there, which is more than one."""
    for name, found in referents:
        if not found:
            say = (
                f'我没有看到{name}。' if language == 'zh' else f'I do not see {with_article(name)}.'
            )
            return {'status': 'infeasible', 'say': say, 'steps': []}
    for name, found in referents:
        if len(found) > 1:
            say = (
                f'我看到不止一个{name}，是哪一个？'
                if language == 'zh'
                else f'I see more than one {name}. Which one?'
            )
            return {'status': 'needs_clarification', 'say': say, 'steps': []}
    return None


def _ok(say: str, steps: list[dict]) -> dict:
    return {'status': 'ok', 'say': say, 'steps': steps}


def some_task(objects: Sequence, language: str, rng, mix: Mix = Mix(absent=0.2)) -> Task:
    """Return a request of any skill about the scene; many cannot be done, or not without asking."""
    skill = SKILLS[int(rng.choice(len(SKILLS), p=SHARES))]
    meant = [] if skill == 'describe' else [some_description(objects, rng, mix)]
    if skill == 'place':
        meant.append(_other(objects, meant[0], rng, mix))
    return make_task(skill, objects, meant, language, rng)


def some_description(scene: Sequence, rng, mix: Mix = EVERYDAY) -> Description:
    """Return a description of something in the scene or, in a share of the cases, not in it."""
    draw = rng.random()
    missing = rng.random() < mix.absent
    thing = _some_thing(scene, rng, mix)
    true = Description(thing.kind, thing.color)
    if draw < 0.12:
        kinds = {t.kind for t in scene}
        return Description(kind=_choose([k for k in KINDS if (k not in kinds) == missing], rng))
    if draw < 0.2:
        colors = {t.color for t in scene}
        return Description(color=_choose([c for c in COLORS if (c not in colors) == missing], rng))
    if draw < 0.2 + mix.sides:
        unique = [t for t in scene if t is not thing and _unique(scene, t)]
        if unique:
            other = _choose(unique, rng)
            side = 'left' if (center_x(thing) < center_x(other)) != missing else 'right'
            color = thing.color if rng.random() < 0.5 else ''
            return Description(thing.kind, color, side, Description(other.kind, other.color))
    if missing:
        for _ in range(20):
            true = wrong(true, rng)
            if not true.matches(scene):
                break
    return true


def wrong(true: Description, rng) -> Description:
    """Return the description with another kind, another colour or both."""
    draw = rng.random()
    kind = _choose([k for k in KINDS if k != true.kind], rng) if draw > 0.45 else true.kind
    color = _choose([c for c in COLORS if c != true.color], rng) if draw < 0.55 else true.color
    return Description(kind, color)


def _other(scene, first: Description, rng, mix: Mix) -> Description:
    """Return a place to put the first thing: another object, seldom one that is not there."""
    taken = first.matches(scene)
    free = [t for i, t in enumerate(scene) if i not in taken]
    if free and rng.random() > 0.12:
        thing = _some_thing(free, rng, mix)
        return Description(thing.kind, thing.color)
    plain = Description(first.kind or KINDS[0], first.color or COLORS[0])
    return wrong(plain, rng)


def _some_thing(scene, rng, mix: Mix):
    twins = [t for t in scene if not _unique(scene, t)] if mix.twins else []
    return _choose(twins if twins and rng.random() < mix.twins else scene, rng)


def _unique(scene, thing) -> bool:
    return sum((t.kind, t.color) == (thing.kind, thing.color) for t in scene) == 1


def _choose(options, rng):
    return options[int(rng.integers(len(options)))]
