"""Questions through the whole agent: the answer must be right and nothing moved."""

from __future__ import annotations

from dataclasses import dataclass

from kimi_ros.agent import Plan, Status
from kimi_ros.agent.answers import Verdict, parse_yes_no
from kimi_ros.eval.held_out_scenes import HeldOutScene
from kimi_ros.eval.outcome import Outcome, binary
from kimi_ros.eval.planning import outcome_of
from kimi_ros.eval.questions import parse_number
from kimi_ros.eval.system import System
from kimi_ros.sim.expression_sampling import PRESENCE_MIX, sample_expression
from kimi_ros.sim.facts import sample_attribute, sample_count, sample_relation
from kimi_ros.sim.language import with_article
from kimi_ros.sim.referring_expression import ReferringExpression, attribute_name, relation_name
from kimi_ros.sim.tasks import Task

_TEMPLATES = {
    'presence': {
        'en': ('is there {a} on the table?', 'do you see {a} anywhere?', 'can you see {a}?'),
        'zh': ('桌上有{a}吗？', '你看得到{a}吗', '有没有{a}？'),
    },
    'attribute': {
        'en': ('is {the} {what}?', 'tell me, is {the} {what}?'),
        'zh': ('{the}是{what}的吗？', '{the}是不是{what}的'),
    },
    'relation': {
        'en': ('is {the} {where} {other}?', "I can't see it: is {the} {where} {other}?"),
        'zh': ('{the}在{other}{where}吗？', '{the}是不是在{other}{where}'),
    },
    'count': {
        'en': ('how many {many} are there?', 'how many {many} do you see?', 'count the {many}'),
        'zh': ('有几个{a}？', '一共有多少个{a}', '数一下有几个{a}'),
    },
}


@dataclass(frozen=True)
class _Asked:
    kind: str
    sentence: str
    expected: bool | int
    about: tuple[int, ...] = ()


def ask(system: System, world: HeldOutScene, language: str) -> list[Outcome]:
    """Ask whether something is there, what it is like, where it stands, and how many there are."""
    asks = (_presence, _attribute, _relation, _count)
    asked = [question for make in asks if (question := make(world, language)) is not None]
    return [_outcome(system, world, language, question) for question in asked]


def is_right(plan: Plan | None, expected: bool | int, language: str) -> bool:
    """Tell whether a plan only answers, and says what is expected."""
    if plan is None or plan.status not in (Status.ANSWER, Status.OK):
        return False
    if any(step.skill not in ('describe', 'locate') for step in plan.steps):
        return False
    if isinstance(expected, bool):
        return parse_yes_no(plan.say, language) is (Verdict.YES if expected else Verdict.NO)
    return parse_number(plan.say) == expected


def _outcome(system: System, world: HeldOutScene, language: str, asked: _Asked) -> Outcome:
    task = Task(asked.sentence, language, {'status': Status.ANSWER.value, 'say': '', 'steps': []})
    plan = system.plan(world.frame, task.instruction)
    right = is_right(plan, asked.expected, language)
    counts = {'exact': binary(right), asked.kind: binary(right)}
    said = 'no plan' if plan is None else f'{plan.status.value}: {plan.say}'
    outcome = outcome_of(plan, task, world, counts, correct=right, predicted=said)
    return Outcome(
        outcome.question,
        str(asked.expected),
        said,
        right,
        counts,
        world.normalized_boxes(asked.about),
        outcome.predicted_at,
    )


def _presence(world: HeldOutScene, language: str) -> _Asked:
    rng = world.rng('ask presence')
    there = bool(rng.integers(2))
    for _ in range(1000):
        what = sample_expression(world.objects, rng, PRESENCE_MIX)
        if bool(what.matches(world.objects)) == there:
            break
    found = tuple(what.matches(world.objects))
    name = what.name(language)
    words = {'a': with_article(name) if language == 'en' else name}
    return _Asked('presence', _say('presence', language, rng, words), bool(found), found)


def _attribute(world: HeldOutScene, language: str) -> _Asked | None:
    rng = world.rng('ask attribute')
    sampled = sample_attribute(world.objects, rng)
    if sampled is None:
        return None
    what, index, attribute, expected = sampled
    words = {'the': _the(what, language), 'what': attribute_name(attribute, language)}
    return _Asked('attribute', _say('attribute', language, rng, words), expected, (index,))


def _relation(world: HeldOutScene, language: str) -> _Asked | None:
    rng = world.rng('ask relation')
    sampled = sample_relation(world.objects, rng)
    if sampled is None:
        return None
    i, relation, j, expected = sampled
    one, other = (
        ReferringExpression(world.objects[k].category, world.objects[k].color) for k in (i, j)
    )
    words = {
        'the': _the(one, language),
        'other': _the(other, language),
        'where': relation_name(relation, language),
    }
    return _Asked('relation', _say('relation', language, rng, words), expected, (i, j))


def _count(world: HeldOutScene, language: str) -> _Asked:
    rng = world.rng('ask count')
    what, found = sample_count(world.objects, rng)
    name = what.name(language)
    words = {'a': name, 'many': _plural(name)}
    return _Asked('count', _say('count', language, rng, words), len(found), tuple(found))


def _say(kind: str, language: str, rng, words: dict[str, str]) -> str:
    templates = _TEMPLATES[kind][language]
    return templates[int(rng.integers(len(templates)))].format(**words)


def _the(what: ReferringExpression, language: str) -> str:
    name = what.name(language)
    return f'the {name}' if language == 'en' else name


def _plural(name: str) -> str:
    if name.endswith(('knife', 'scissors')):
        return name.replace('knife', 'knives')
    return f'{name}es' if name.endswith(('s', 'x', 'ch', 'sh')) else f'{name}s'
