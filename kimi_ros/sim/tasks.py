"""Requests about a table with their correct plans: for training and evaluation only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kimi_ros.sim.expression_sampling import Mix, absent_expression, sample_expression
from kimi_ros.sim.full.object_classes import CONTAINERS, FLAT_TOPS, PEOPLE
from kimi_ros.sim.language import add_politeness, preposition, requests, verbalize, with_article
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.sim.truth import ObjectTruth

SKILLS = ('locate', 'pick', 'place', 'describe')
SKILL_SHARES = (0.32, 0.32, 0.28, 0.08)
TASK_MIX = Mix(absent=0.2)
_JOINTS = {
    'en': ('{} and then {}', '{}, then {}', 'first {}, after that {}', '{}. when that is done, {}'),
    'zh': ('{}，然后{}', '先{}，再{}', '{}，接着{}', '{}。做完以后{}'),
}


@dataclass(frozen=True)
class Task:
    """A request and what is right.

    :ivar plan: {'status', 'say', 'steps'} in the form the model writes.
    :ivar referents: each object name of the request with the indices of the objects it means.
    :ivar expressions: the same objects as descriptions.
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
        """Return what is asked for, of several objects the last."""
        return self.required_skills[-1]


def make_task(
    skill: str,
    objects: Sequence[ObjectTruth],
    expressions: Sequence[ReferringExpression],
    language: str,
    rng,
    wording: Callable[[ReferringExpression, str, np.random.Generator], str] = verbalize,
) -> Task:
    """Return a request for the skill about the objects meant.

    :param objects: what of the scene can be seen.
    :param expressions: the object (and for 'place' the target); empty for 'describe'.
    :param rng: numpy Generator that chooses the words.
    :param wording: how an object is called in a request.
    """
    words = dict(
        zip(('object', 'target'), (wording(m, language, rng) for m in expressions), strict=False)
    )
    if skill == 'place':
        words['where'] = preposition(expressions[1], language)
    template = _choose(requests()[skill][language], rng)
    instruction = add_politeness(template.format(**words), language, rng)
    names = [m.name(language) for m in expressions]
    referents = tuple(
        (n, tuple(m.matches(objects))) for n, m in zip(names, expressions, strict=True)
    )
    plan = _blocking_plan(referents, language) or _executable_plan(
        skill, expressions, names, language
    )
    required_skills = ('pick', 'place') if skill == 'place' else (skill,)
    return Task(instruction, language, plan, referents, tuple(expressions), required_skills)


def compound_task(first: Task, second: Task, rng) -> Task:
    """Return the request for one object and then another; both in one language."""
    joint = _choose(_JOINTS[first.language], rng)
    one = first.instruction.rstrip('.?!。？！')
    both = dict([*first.referents, *second.referents])
    plan = _blocking_plan(tuple(both.items()), first.language)
    if plan is None:
        between = ' ' if first.language == 'en' else ''
        plan = _ok(
            f'{first.plan["say"]}{between}{second.plan["say"]}',
            first.plan['steps'] + second.plan['steps'],
        )
    return Task(
        joint.format(one, second.instruction),
        first.language,
        plan,
        tuple(both.items()),
        first.expressions + second.expressions,
        first.required_skills + second.required_skills,
    )


def _executable_plan(
    skill: str, expressions: Sequence[ReferringExpression], names: Sequence[str], language: str
) -> dict:
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
    say = (
        f'我把{names[0]}放到{names[1]}{where}。'
        if zh
        else f'I will put the {names[0]} {where} the {names[1]}.'
    )
    return _ok(say, [pick, {'skill': 'place', 'object': names[0], 'target': names[1]}])


def _blocking_plan(referents, language: str) -> dict | None:
    """Say which object is missing or, all being there, which is more than one."""
    zh = language == 'zh'
    for name, found in referents:
        if not found:
            say = f'我没有看到{name}。' if zh else f'I do not see {with_article(name)}.'
            return {'status': 'infeasible', 'say': say, 'steps': []}
    for name, found in referents:
        if len(found) > 1:
            say = (
                f'我看到不止一个{name}，是哪一个？'
                if zh
                else f'I see more than one {name}. Which one?'
            )
            return {'status': 'needs_clarification', 'say': say, 'steps': []}
    return None


def _ok(say: str, steps: list[dict]) -> dict:
    return {'status': 'ok', 'say': say, 'steps': steps}


def sample_task(
    objects: Sequence[ObjectTruth],
    language: str,
    rng,
    mix: Mix = TASK_MIX,
    compound_share: float = 0.12,
) -> Task:
    """Return a request of any skill; many cannot be done, or not without asking.

    :param objects: what of the scene can be seen, at least one that is no person.
    :param compound_share: the share of requests for one object and then another.
    """
    # Words take draws, and not as many in every language: what follows is drawn before them.
    both, later = rng.random() < compound_share, np.random.default_rng(int(rng.integers(2**32)))
    task = _draw_task(objects, language, rng, mix)
    if task.skill == 'describe' or not both:
        return task
    more = _draw_task(objects, language, later, mix)
    held = task.skill == 'pick' and more.skill != 'locate'  # one hand, and it is full
    if more.skill == 'describe' or held or _share_a_thing(task, more, objects):
        return task
    return compound_task(task, more, later)


def _share_a_thing(one: Task, other: Task, objects: Sequence[ObjectTruth]) -> bool:
    """Return whether both speak of the same object, or use the same words.

    What an object stands by counts: it may have been moved by then.
    """
    names = [{name for name, _ in task.referents} for task in (one, other)]
    things = [
        {i for _, found in task.referents for i in found}
        | {i for what in task.expressions if what.other for i in what.other.matches(objects)}
        for task in (one, other)
    ]
    return bool(names[0] & names[1] or things[0] & things[1])


def _draw_task(objects: Sequence[ObjectTruth], language: str, rng, mix: Mix) -> Task:
    things = [o for o in objects if o.category not in PEOPLE]
    skill = SKILLS[int(rng.choice(len(SKILLS), p=SKILL_SHARES))]
    if skill == 'describe':
        return make_task(skill, objects, (), language, rng)
    expressions = [sample_expression(objects, rng, mix)]
    if skill == 'place':
        taken = [objects[i] for i in expressions[0].matches(objects)]
        places = [
            o
            for o in objects
            if o.category in (*CONTAINERS, *FLAT_TOPS)
            and not any(_lie_together(o, thing) for thing in taken)
        ]
        if not places or len(things) < 2:
            skill = 'pick'
        else:
            expressions.append(_target_expression(_choose(places, rng), objects, rng))
    return make_task(skill, objects, expressions, language, rng)


def _lie_together(place: ObjectTruth, thing: ObjectTruth) -> bool:
    """Return whether one is, lies on or lies in the other: nobody puts an object there."""
    return place is thing or thing.support == place.index or place.support == thing.index


def _target_expression(
    target: ObjectTruth, objects: Sequence[ObjectTruth], rng
) -> ReferringExpression:
    """Return a name for a place to put something; seldom one of what is not there."""
    plain = ReferringExpression(target.category, target.color)
    if rng.random() < 0.12:
        return absent_expression(plain, objects, rng)
    return ReferringExpression(target.category) if rng.random() < 0.15 else plain


def _choose(options, rng):
    return options[int(rng.integers(len(options)))]
