"""Requests about the full table with the plan one would call right: to train and to examine."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_ros.sim.full.catalogue import CONTAINERS, FLAT_TOPS, PEOPLE, SIZES, THINGS, colors_of
from kimi_ros.sim.full.thing import ThingTruth
from kimi_ros.sim.full.words import RELATIONS, SUPERLATIVES, Meaning, preposition, spoken
from kimi_ros.sim.language import DESCRIBE, LOCATE, PICK, PLACE, with_article
from kimi_ros.sim.tasks import SHARES, SKILLS, Task

ABSENT_SHARE = 0.2


def make_task(skill: str, objects: Sequence[ThingTruth], meant: Sequence[Meaning], language: str,
              rng) -> Task:
    """Return a request for the skill about the things meant, in the form of the small table's.

    :param meant: the object (and for 'place' the target); empty for 'describe'.
    :param rng: numpy Generator that chooses the words.
    """
    zh = language == 'zh'
    if skill == 'describe':
        say = '我来描述一下。' if zh else 'I will describe what I see.'
        return Task(_choose(DESCRIBE[language], rng), language, _ok(say, [{'skill': skill}]))
    names = [m.name(language) for m in meant]
    referents = tuple((n, tuple(m.matches(objects))) for n, m in zip(names, meant, strict=True))
    words = [spoken(m, language, rng) for m in meant]
    pick = {'skill': 'pick', 'object': names[0]}
    if skill == 'place':
        where = preposition(meant[1], language)
        instruction = _choose(PLACE[language], rng).format(words[0], where, words[1])
        say = (f'我把{names[0]}放到{names[1]}{where}。' if zh
               else f'I will put the {names[0]} {where} the {names[1]}.')
        plan = _ok(say, [pick, {'skill': 'place', 'object': names[0], 'target': names[1]}])
    elif skill == 'pick':
        instruction = _choose(PICK[language], rng).format(words[0])
        plan = _ok(f'我来拿{names[0]}。' if zh else f'I will pick up the {names[0]}.', [pick])
    else:
        instruction = _choose(LOCATE[language], rng).format(words[0])
        plan = _ok(f'{names[0]}在这里。' if zh else f'Here is the {names[0]}.',
                   [{'skill': 'locate', 'object': names[0]}])
    return Task(instruction, language, _trouble(referents, zh) or plan, referents, tuple(meant))


def some_task(objects: Sequence[ThingTruth], language: str, rng) -> Task:
    """Return a request of any skill; some cannot be done, or not without asking.

    :param objects: at least one that is no person.
    """
    things = [o for o in objects if o.kind not in PEOPLE]
    skill = SKILLS[int(rng.choice(len(SKILLS), p=SHARES))]
    places = [o for o in things if o.kind in (*CONTAINERS, *FLAT_TOPS)]
    if skill == 'place' and (not places or len(things) < 2):
        skill = 'pick'
    if skill == 'describe':
        return make_task(skill, objects, (), language, rng)
    target = _choose(places, rng) if skill == 'place' else None
    thing = _choose([o for o in things if o is not target], rng)
    meant = [some_meaning(objects, thing, rng)]
    if target is not None:
        meant.append(Meaning(target.kind, target.color))
    return make_task(skill, objects, meant, language, rng)


def some_meaning(objects: Sequence[ThingTruth], thing: ThingTruth, rng) -> Meaning:
    """Return a description of the thing or, in a fifth of the cases, of none that is there."""
    plain = Meaning(thing.kind, thing.color)
    if rng.random() < ABSENT_SHARE:
        for _ in range(20):
            kind = _choose(THINGS, rng)
            other = Meaning(kind, _choose(colors_of(kind), rng))
            if not other.matches(objects):
                return other
    place = next(i for i, o in enumerate(objects) if o is thing)
    ways = [plain, plain, Meaning(thing.kind)]
    for extra in _true_ways(objects, thing):
        if extra.matches(objects) == [place]:
            ways.append(extra)
    return _choose(ways, rng)


def _true_ways(objects: Sequence[ThingTruth], thing: ThingTruth) -> list[Meaning]:
    """Descriptions by size, superlative and relation, some of which mean this thing alone."""
    same = [o for o in objects if o.kind == thing.kind]
    ways = [Meaning(thing.kind, thing.color, size) for size in SIZES if size != 'medium']
    if len(same) > 1:
        ways += [Meaning(thing.kind, superlative=s) for s in SUPERLATIVES]
    for other in objects:
        if other is not thing and other.kind not in PEOPLE:
            ways += [Meaning(thing.kind, relation=r, other=Meaning(other.kind, other.color))
                     for r in RELATIONS]
    return ways


def _trouble(referents, zh: bool) -> dict | None:
    """Say which thing is missing or, all being there, which is more than one."""
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


def _choose(options, rng):
    return options[int(rng.integers(len(options)))]
