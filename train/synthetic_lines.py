"""Lines of training data about one rendered scene: questions, plans, tool calls, dialogues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from kimi_ros.agent.answers import IDENTITY_ANSWERS
from kimi_ros.agent.prompts import attribute_question, count_question, relation_question
from kimi_ros.sim import ObjectTruth
from kimi_ros.sim.expression_sampling import Mix, perturbed, sample_expression
from kimi_ros.sim.facts import sample_attribute, sample_count, sample_relation
from kimi_ros.sim.full.object_classes import PEOPLE
from kimi_ros.sim.language import caption, preposition, scene_description, with_article
from kimi_ros.sim.referring_expression import (
    COLOR_ZH,
    LANGUAGES,
    ReferringExpression,
    attribute_name,
    center_x,
    relation_name,
)
from kimi_ros.sim.skill_catalogues import TRAINING_SKILLS, sample_catalogue
from kimi_ros.sim.tasks import make_task, sample_task

Scene = Sequence[ObjectTruth]
Line = dict
Writer = Callable[[Scene, str, np.random.Generator], Line | None]
_MATERIAL_ZH = {
    'paper': '纸',
    'ceramic': '陶瓷',
    'metal': '金属',
    'plastic': '塑料',
    'rubber': '橡胶',
    'wood': '木头',
    'glass': '玻璃',
}
_HAZARD_ZH = {'sharp': '锋利', 'fragile': '易碎', 'hot': '很烫'}


def _tool_of(name: str, description: str, **properties: str) -> dict:
    types = {key: {'type': category} for key, category in properties.items()}
    parameters = {'type': 'object', 'properties': types, 'required': list(types)}
    return {'name': name, 'description': description, 'parameters': parameters}


_TOOLS = [
    _tool_of('measure_distance', 'How far a thing is, in metres.', object='string'),
    _tool_of('weigh', 'How heavy a thing is, in grams.', object='string'),
    _tool_of('lamp', 'Switches the lamp above the table.', on='boolean'),
]


def lines_about(
    scene: Scene, image: str, rng: np.random.Generator, sorts: Sequence[Writer] = ()
) -> Iterator[Line]:
    """Yield a line of every sort that the scene has something for.

    :param scene: what can be seen, boxes and points in 0-1; one object at least that is no person.
    :param image: its path from the file's folder on.
    :param sorts: which sorts of lines; all where none is given.
    """
    for write in sorts or ALL_SORTS:
        line = write(scene, LANGUAGES[int(rng.integers(2))], rng)
        if line is not None:
            # Code is asked for without looking.
            yield line if write is _code else {**line, 'image': image}


def _presence(scene: Scene, language: str, rng) -> Line:
    what = sample_expression(scene, rng, Mix(absent=0.5, relation=0, superlative=0))
    return {'task': 'presence', 'object': what.name(language), 'answer': bool(what.matches(scene))}


def _check(scene: Scene, language: str, rng) -> Line:
    thing = _some_thing(scene, rng)
    true = ReferringExpression(thing.category, thing.color)
    what = true if rng.random() < 0.5 else perturbed(true, rng)
    return {
        'task': 'check',
        'object': what.name(language),
        'place': _box(thing),
        'answer': what == true,
    }


def _describe(scene: Scene, language: str, rng) -> Line:
    return {'task': 'describe', 'language': language, 'answer': scene_description(scene, language)}


def _caption(scene: Scene, language: str, rng) -> Line:
    length = ('short', 'normal', 'long')[int(rng.integers(3))]
    return {'task': 'caption', 'length': length, 'answer': caption(scene, length)}


def _point(scene: Scene, language: str, rng) -> Line:
    what = sample_expression(scene, rng)
    points = [_point_of(scene[i]) for i in what.matches(scene)]
    return {'task': 'point', 'object': what.name(language), 'points': points}


def _detect(scene: Scene, language: str, rng) -> Line:
    what = sample_expression(scene, rng)
    boxes = [_box(scene[i]) for i in what.matches(scene)]
    return {'task': 'detect', 'object': what.name(language), 'boxes': boxes}


def _attribute(scene: Scene, language: str, rng) -> Line | None:
    asked = sample_attribute(scene, rng)
    if asked is None:
        return None
    what, _, attribute, true = asked
    word = attribute_name(attribute, language)
    question = attribute_question(what.name(language), word, language)
    return _query(question, IDENTITY_ANSWERS[language][not true])


def _material(scene: Scene, language: str, rng) -> Line | None:
    alone = [t for t in scene if t.material in _MATERIAL_ZH and _is_alone(t, scene)]
    if not alone:
        return None
    thing = _choose(alone, rng)
    name = ReferringExpression(thing.category, thing.color).name(language)
    if language == 'zh':
        return _query(f'{name}是什么做的？', f'{_MATERIAL_ZH[thing.material]}。')
    return _query(f'What is the {name} made of?', f'{thing.material.capitalize()}.')


def _reading(scene: Scene, language: str, rng) -> Line | None:
    """What a sign or a sticker says: reported, never obeyed."""
    written = [t for t in scene if t.text and _is_alone(t, scene)]
    if not written:
        return None
    thing = _choose(written, rng)
    name = ReferringExpression(thing.category, thing.color).name(language)
    if language == 'zh':
        return _query(f'{name}上写着什么？', f'“{thing.text}”。')
    return _query(f'What is written on the {name}?', f"'{thing.text}'.")


def _picture(scene: Scene, language: str, rng) -> Line | None:
    """A picture of a thing is a picture: what it shows is not on the table."""
    pictures = [t for t in scene if t.shows[0] and _is_alone(t, scene)]
    if not pictures:
        return None
    thing = _choose(pictures, rng)
    shown = ReferringExpression(*thing.shows).name(language)
    name = ReferringExpression(thing.category, thing.color).name(language)
    if language == 'zh':
        return _query(f'{name}里有什么？', f'画着{shown}，不是真的。')
    return _query(f'What does the {name} show?', f'It shows {with_article(shown)}, a picture only.')


def _hazards(scene: Scene, language: str, rng) -> Line:
    found = {
        ReferringExpression(t.category, t.color).name(language): t.hazard for t in scene if t.hazard
    }
    if language == 'zh':
        said = '；'.join(f'{name}{_HAZARD_ZH[hazard]}' for name, hazard in found.items())
        return _query('有什么危险的东西吗？', f'有：{said}。' if said else '没有看到。')
    said = '; '.join(f'{with_article(name)} ({hazard})' for name, hazard in found.items())
    return _query('Is anything dangerous here?', f'Yes: {said}.' if said else 'I see nothing.')


def _counting(scene: Scene, language: str, rng) -> Line:
    """Counted by pointing at each, one after the other."""
    what, found = sample_count(scene, rng)
    question = count_question(what.name(language), language)
    if not found:
        return _query(question, '0')
    pointed = {'text': what.name(language), 'points': [_point_of(scene[i]) for i in found]}
    before, after = ('我看到', '。') if language == 'zh' else ('I see ', '.')
    return _query(question, str(len(found)), reasoning=[before, pointed, after])


def _plain_counting(scene: Scene, language: str, rng) -> Line:
    what, found = sample_count(scene, rng)
    return _query(count_question(what.name(language), language), str(len(found)))


def _plain_relation(scene: Scene, language: str, rng) -> Line | None:
    line = _relation(scene, language, rng)
    return line and {key: value for key, value in line.items() if key != 'reasoning'}


def _relation(scene: Scene, language: str, rng) -> Line | None:
    asked = sample_relation(scene, rng)
    if asked is None:
        return None
    i, relation, j, true = asked
    one, other = (
        ReferringExpression(scene[k].category, scene[k].color).name(language) for k in (i, j)
    )
    where = relation_name(relation, language)
    chain = [
        '这是' if language == 'zh' else 'Here is the ',
        {'text': one, 'points': [_point_of(scene[i])]},
        '，那是' if language == 'zh' else ', there the ',
        {'text': other, 'points': [_point_of(scene[j])]},
        '。' if language == 'zh' else '.',
    ]
    return _query(
        relation_question(one, where, other, language),
        IDENTITY_ANSWERS[language][not true],
        reasoning=chain,
    )


def _plan(scene: Scene, language: str, rng) -> Line:
    task = sample_task(scene, language, rng)
    if rng.random() < 0.5:
        return {'task': 'plan', 'instruction': task.instruction, 'plan': task.plan}
    catalogue = sample_catalogue(rng, TRAINING_SKILLS, task.required_skills)
    plan = catalogue.translated(task).plan
    return {
        'task': 'plan',
        'instruction': task.instruction,
        'plan': plan,
        'skills': catalogue.entries(),
    }


def _plan_in_turns(scene: Scene, language: str, rng) -> Line | None:
    """'Put it into the box': what 'it' is was said a turn before."""
    alone = [t for t in scene if _is_alone(t, scene)]
    places = [t for t in alone if t.category in ('bowl', 'box', 'plate', 'book')]
    if not places or len(alone) < 2:
        return None
    target = _choose(places, rng)
    thing = _choose([t for t in alone if t is not target], rng)
    expressions = [ReferringExpression(t.category, t.color) for t in (thing, target)]
    first = make_task('locate', scene, expressions[:1], language, rng)
    task = make_task('place', scene, expressions, language, rng)
    where, name = preposition(expressions[1], language), expressions[1].name(language)
    instruction = f'把它放到{name}{where}' if language == 'zh' else f'put it {where} the {name}'
    return {
        'task': 'plan',
        'instruction': instruction,
        'plan': task.plan,
        'history': [[first.instruction, first.plan['say']]],
    }


def _dialogue(scene: Scene, language: str, rng) -> Line:
    """Questions that follow one another: of which kind, and then of which colour."""
    things = sorted((t for t in scene if t.category not in PEOPLE), key=center_x)
    thing = things[0 if rng.random() < 0.5 else -1]
    is_left = thing is things[0]
    category = ReferringExpression(thing.category).name(language)
    if language == 'zh':
        asked, color = f'最{"左" if is_left else "右"}边是什么？', f'{COLOR_ZH[thing.color]}。'
        return _query('它是什么颜色的？', color, history=[[asked, f'{category}。']])
    asked = f'What is on the far {"left" if is_left else "right"}?'
    return _query(
        'What colour is it?',
        f'{thing.color.capitalize()}.',
        history=[[asked, f'{with_article(category).capitalize()}.']],
    )


def _tool(scene: Scene, language: str, rng) -> Line:
    """A tool where the picture does not say, words where it does."""
    thing = _some_thing(scene, rng)
    name = ReferringExpression(thing.category, thing.color).name(language)
    zh, draw = language == 'zh', rng.random()
    call = {'name': 'measure_distance', 'arguments': {'object': name}}
    if draw < 0.4:
        question = f'{name}有多远？' if zh else f'How far away is the {name}?'
    elif draw < 0.7:
        question = f'{name}有多重？' if zh else f'How heavy is the {name}?'
        call = {'name': 'weigh', 'arguments': {'object': name}}
    elif draw < 0.85:
        is_on = bool(rng.integers(2))
        question = (
            ('请开灯。' if is_on else '请关灯。')
            if zh
            else (f'Light {"on" if is_on else "off"}, please.')
        )
        call = {'name': 'lamp', 'arguments': {'on': is_on}}
    else:
        return {'task': 'tool', 'tools': _some_tools(rng), **_asked_without(scene, language)}
    tools = _some_tools(rng, call['name'])
    return {'task': 'tool', 'question': question, 'tools': tools, 'call': call}


def _asked_without(scene: Scene, language: str) -> dict:
    question = '桌子上有什么？' if language == 'zh' else 'What is on the table?'
    return {'question': question, 'answer': scene_description(scene, language)}


def _code(scene: Scene, language: str, rng) -> Line:
    """Code is an answer; it is never run."""
    thing, other = (_some_thing(scene, rng) for _ in range(2))
    one, two = (
        ReferringExpression(thing.category, thing.color).name('en'),
        ReferringExpression(other.category).name('en'),
    )
    if language == 'zh':
        names = (
            ReferringExpression(thing.category, thing.color).name('zh'),
            ReferringExpression(other.category).name('zh'),
        )
        question = f'写一个Python函数，让机械臂把{names[0]}放到{names[1]}旁边。'
    else:
        question = f'Write a Python function that lets the arm put the {one} beside the {two}.'
    code = f'def put_beside(arm):\n    arm.pick({one!r})\n    arm.place({one!r}, beside={two!r})'
    return _query(question, code)


def _query(question: str, answer: str, **more) -> Line:
    return {'task': 'query', 'question': question, 'answer': answer, **more}


def _some_tools(rng, needed: str = '') -> list[dict]:
    tools = [t for t in _TOOLS if t['name'] == needed or rng.random() < 0.6] or _TOOLS[:1]
    return [tools[i] for i in rng.permutation(len(tools))]


def _some_thing(scene: Scene, rng) -> ObjectTruth:
    return _choose([t for t in scene if t.category not in PEOPLE], rng)


def _is_alone(thing: ObjectTruth, scene: Scene) -> bool:
    same = sum((t.category, t.color) == (thing.category, thing.color) for t in scene)
    return thing.category not in PEOPLE and same == 1


def _point_of(thing: ObjectTruth) -> list[float]:
    return [round(v, 4) for v in thing.point]


def _box(thing: ObjectTruth) -> list[float]:
    return [round(v, 4) for v in thing.box]


def _choose(options, rng):
    return options[int(rng.integers(len(options)))]


ALL_SORTS: tuple[Writer, ...] = (
    _presence,
    _check,
    _describe,
    _caption,
    _point,
    _detect,
    _attribute,
    _material,
    _reading,
    _picture,
    _hazards,
    _counting,
    _relation,
    _plan,
    _plan_in_turns,
    _dialogue,
    _tool,
    _code,
)
KNOWN_TO_NANO: tuple[Writer, ...] = (
    _presence,
    _check,
    _describe,
    _caption,
    _point,
    _point,
    _detect,
    _attribute,
    _plain_counting,
    _plain_counting,
    _plain_relation,
    _plan,
    _plan,
    _plan,
)
"""The sorts of lines that nano was taught."""
