"""Parsing a line's JSON into a sample, with the prompts that the agent uses."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema

from kimi_ros.agent.answers import IDENTITY_ANSWERS, PRESENCE_ANSWERS
from kimi_ros.agent.errors import AgentError
from kimi_ros.agent.instruction import validate_instruction
from kimi_ros.agent.plan import Status
from kimi_ros.agent.prompts import (
    check_question,
    describe_question,
    detect_language,
    plan_prompt,
    presence_question,
    tool_prompt,
)
from kimi_ros.agent.schema import plan_schema
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.resources import share
from kimi_train.tune.data_schema import LINES, PLAN, POINTED
from kimi_train.tune.samples import Place, Pointed, Sample, SkillsFileError

_Validator = jsonschema.Draft202012Validator


def parse_sample(data: dict[str, Any], where: str, folder: Path) -> Sample:
    """Return the sample of a line; `folder` is where its image and its skills lie.

    Raises ValueError or AgentError, which say what is wrong.
    """
    task = data.get('task')
    if not isinstance(task, str) or task not in LINES:
        raise ValueError(f'"task" is {task!r}, not one of {", ".join(LINES)}')
    _check(data, LINES[task])
    image = folder / data['image'] if 'image' in data else None
    return _MAKERS[task](data, {'where': where, 'image': image}, folder)


def _check(data: Any, schema: dict, prefix: str = '') -> None:
    error = jsonschema.exceptions.best_match(_Validator(schema).iter_errors(data))
    if error is None:
        return
    path = (prefix + error.json_path.removeprefix('$').removeprefix('.')).rstrip('.')
    if error.validator == 'pattern' and error.schema.get('pattern') == r'\S':
        fault = 'is empty'
    elif error.validator in ('minimum', 'maximum'):
        fault = (
            f'{error.instance} is not a share of the image, 0 to 1: divide pixels by its width or '
            'height'
        )
    else:
        fault = error.message if len(error.message) < 200 else f'{error.message[:200]}...'
    raise ValueError(f'{path}: {fault}' if path else fault)


def _query(data: dict, common: dict, folder: Path) -> Sample:
    reasoning = data.get('reasoning', ())
    for index, piece in enumerate(reasoning):
        if not isinstance(piece, str):
            _check(piece, POINTED, f'reasoning[{index}].')
        elif not piece:
            raise ValueError(f'reasoning[{index}]: is empty')
    points = any(not isinstance(piece, str) for piece in reasoning)
    if common['image'] is None and (points or data.get('spatial_refs')):
        raise ValueError('spatial_refs and points need an image')
    return Sample(
        **common,
        task='query',
        words=data['question'],
        answer=data['answer'],
        spatial_refs=tuple(
            _place(ref, f'spatial_refs[{i}]') for i, ref in enumerate(data.get('spatial_refs', ()))
        ),
        history=_history(data),
        reasoning=tuple(
            piece
            if isinstance(piece, str)
            else Pointed(piece['text'], tuple(map(tuple, piece['points'])))
            for piece in reasoning
        ),
    )


def _describe(data: dict, common: dict, folder: Path) -> Sample:
    words = describe_question(data['language'])
    return Sample(**common, task='query', words=words, answer=data['answer'])


def _presence(data: dict, common: dict, folder: Path) -> Sample:
    language = detect_language(data['object'])
    words = presence_question(data['object'], language)
    return Sample(
        **common,
        task='query',
        words=words,
        answer=PRESENCE_ANSWERS[language][0 if data['answer'] else 1],
    )


def _look(data: dict, common: dict, folder: Path) -> Sample:
    language = detect_language(data['object'])
    return Sample(
        **common,
        task='query',
        words=check_question(data['object'], language),
        answer=IDENTITY_ANSWERS[language][0 if data['answer'] else 1],
        spatial_refs=(_place(data['place'], 'place'),),
    )


def _caption(data: dict, common: dict, folder: Path) -> Sample:
    return Sample(**common, task='caption', words=data['length'], answer=data['answer'])


def _point(data: dict, common: dict, folder: Path) -> Sample:
    places = tuple(_place(p, f'points[{i}]') for i, p in enumerate(data['points']))
    return Sample(**common, task='point', words=data['object'], places=places)


def _detect(data: dict, common: dict, folder: Path) -> Sample:
    places = tuple(_place(b, f'boxes[{i}]') for i, b in enumerate(data['boxes']))
    return Sample(**common, task='detect', words=data['object'], places=places)


def _plan(data: dict, common: dict, folder: Path) -> Sample:
    catalogue = _catalogue(data.get('skills'), folder)
    plan = data['plan']
    _check_plan(plan, catalogue)
    steps = [
        {'skill': step['skill']}
        | {a.name: step[a.name] for a in catalogue[step['skill']].arguments}
        for step in plan['steps']
    ]
    words = plan_prompt(
        validate_instruction(data['instruction']), catalogue.signatures(), _history(data)
    )
    # In the order of the grammar under which plans are written.
    answer = _written({'status': plan['status'], 'say': plan['say'], 'steps': steps})
    return Sample(**common, task='plan', words=words, answer=answer)


def _check_plan(plan: dict[str, Any], catalogue: SkillCatalogue) -> None:
    """Check a plan as its grammar would, with messages that say what to change."""
    _check(plan, PLAN, 'plan.')
    status, steps = Status(plan['status']), plan['steps']
    if (status is Status.OK) != bool(steps):
        wanted = 'needs steps' if status is Status.OK else 'has no steps'
        raise ValueError(f'plan.steps: a plan with status {status.value} {wanted}')
    known = {skill.name: skill for skill in catalogue}
    for index, step in enumerate(steps):
        where, name = f'plan.steps[{index}]', step['skill']
        if name not in known:
            raise ValueError(f'{where}: {name!r} is not one of the skills {", ".join(known)}')
        names = [argument.name for argument in known[name].arguments]
        if set(step) != {'skill', *names}:
            given = ', '.join(key for key in step if key != 'skill') or 'nothing'
            raise ValueError(f'{where}: {name} takes {", ".join(names) or "nothing"}, not {given}')
        try:
            alone = {'status': 'ok', 'say': '', 'steps': [step]}
            _check(alone, plan_schema([known[name]], [Status.OK]), 'plan.')
        except ValueError as error:
            raise ValueError(str(error).replace('plan.steps[0]', where, 1)) from None
    _check(plan, plan_schema(catalogue, [status]), 'plan.')


def _tool(data: dict, common: dict, folder: Path) -> Sample:
    if ('call' in data) == ('answer' in data):
        raise ValueError('needs either "call" or, where no tool helps, "answer"')
    tools = {tool['name']: tool['parameters'] for tool in data['tools']}
    for name, parameters in tools.items():
        try:
            _Validator.check_schema(parameters)
        except jsonschema.SchemaError as error:
            fault = f'the parameters of {name} are no JSON schema: {error.message}'
            raise ValueError(fault) from None
    answer = data.get('answer', '')
    if 'call' in data:
        call = data['call']
        if call['name'] not in tools:
            raise ValueError(f'call.name: {call["name"]!r} is not one of {", ".join(tools)}')
        _check(call['arguments'], tools[call['name']], 'call.arguments.')
        answer = _written({'name': call['name'], 'arguments': call['arguments']})
    signatures = [(name, list(p.get('properties', {}))) for name, p in tools.items()]
    words = tool_prompt(data['question'], signatures)
    return Sample(**common, task='query', words=words, answer=answer, history=_history(data))


_MAKERS = {
    'query': _query,
    'describe': _describe,
    'presence': _presence,
    'check': _look,
    'caption': _caption,
    'point': _point,
    'detect': _detect,
    'plan': _plan,
    'tool': _tool,
}


def _history(data: dict) -> tuple[tuple[str, str], ...]:
    return tuple((asked, answered) for asked, answered in data.get('history', ()))


def _place(values: list[float], where: str) -> Place:
    if len(values) == 3:
        raise ValueError(f'{where}: {values} is neither [x, y] nor [x_min, y_min, x_max, y_max]')
    if len(values) == 4 and not (values[0] < values[2] and values[1] < values[3]):
        raise ValueError(f'{where}: {values} is not [x_min, y_min, x_max, y_max]')
    return tuple(map(float, values))


def _catalogue(skills: str | list | None, folder: Path) -> SkillCatalogue:
    if isinstance(skills, list):
        return SkillCatalogue.from_data({'skills': skills})
    path = folder / skills if skills else share('config/skills.yaml')
    catalogue = _loaded(path)
    if isinstance(catalogue, str):
        raise SkillsFileError(path, catalogue)
    return catalogue


@lru_cache(maxsize=64)
def _loaded(path: Path) -> SkillCatalogue | str:
    """Return the catalogue, or what is wrong with its file."""
    try:
        return SkillCatalogue.load(path)
    except AgentError as error:
        return str(error)


def _written(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(',', ':'))
