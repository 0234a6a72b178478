"""What the server is told: the task, the skills, the form of the answer."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from kimi_ros.agent.plan import Status
from kimi_ros.agent.planners.protocol import PlanRequest
from kimi_ros.agent.schema import MAX_SAY, MAX_STEPS, plan_schema
from kimi_ros.agent.skills import Argument, Skill, SkillCatalogue

STATUSES = (
    Status.OK,
    Status.ANSWER,
    Status.NEEDS_CLARIFICATION,
    Status.INFEASIBLE,
    Status.REFUSED,
)
_JPEG_QUALITY = 85
_RULES = """\
You plan for a robot. You get one instruction and answer with one JSON object:
{{"status": STATUS, "say": "one short sentence to the person", "steps": [STEP, ...]}}

STATUS is one of
"ok": the robot can do it with its skills; 1 to {most} steps in the order of execution
"answer": a question about what is in view, not a request; no steps
"needs_clarification": something is missing, and "say" asks for it; no steps
"infeasible": no skill does what is asked, and "say" tells which part; no steps
"refused": it would hurt somebody; no steps

STEP is {{"skill": NAME, ARGUMENT: VALUE, ...}} with every argument
of the skill that is not optional.
Names of things are noun phrases made of the instruction's own words and no others: not "mug" where
"cup" was said. A place relative to a thing is "left of the bowl".
Whether a thing is in view is checked later: do not doubt it. Leave out no part of the instruction.
Write "say" in {language}.

Skills:
{skills}
"""
_LANGUAGE_NAMES = {'en': 'English', 'zh': 'Chinese'}
_TYPES = {
    'object': 'a thing',
    'point': 'a thing or place',
    'region': 'a place',
    'bool': 'a boolean',
}


def system_prompt(skills: SkillCatalogue, language: str, described_in: str) -> str:
    """Return the instructions for the server's model.

    :param language: of what is said to the person.
    :param described_in: language of the skills' descriptions.
    """
    lines = '\n'.join(_skill_line(skill, described_in) for skill in skills)
    return _RULES.format(most=MAX_STEPS, language=_LANGUAGE_NAMES[language], skills=lines)


def messages(
    request: PlanRequest, skills: SkillCatalogue, described_in: str, image_url: str = ''
) -> list[dict[str, Any]]:
    """Return the messages of the first attempt.

    :param image_url: data URL of the camera image; '' sends none.
    """
    told: list[dict[str, Any]] = [
        {'role': 'system', 'content': system_prompt(skills, request.language, described_in)}
    ]
    for instruction, said in request.history:
        told.append({'role': 'user', 'content': instruction})
        told.append({'role': 'assistant', 'content': said})
    content: Any = request.words
    if image_url:
        content = [
            {'type': 'image_url', 'image_url': {'url': image_url}},
            {'type': 'text', 'text': request.words},
        ]
    told.append({'role': 'user', 'content': content})
    return told


def correction(answer: str, fault: str) -> list[dict[str, Any]]:
    """Return what is added to the messages after an answer that was no valid plan."""
    return [
        {'role': 'assistant', 'content': answer[:2000]},
        {'role': 'user', 'content': f'Not valid: {fault}. Answer again with the JSON object only.'},
    ]


def response_formats(skills: SkillCatalogue, names: str) -> list[dict[str, Any] | None]:
    """Return the forms in which an answer can be asked for, the strictest first.

    Servers differ: some know no regular expressions, some no schema; the last is plain text.

    :param names: a regular expression of the names that things may have.
    """
    strict = _flat_schema(skills, names)
    plain = _without_patterns(strict)
    return [
        _json_schema(strict),
        _json_schema(plain),
        {'type': 'json_object', 'schema': plain},  # as llama.cpp spells it
        {'type': 'json_object'},
        None,
    ]


def image_data_url(rgb: np.ndarray, longest_side: int) -> str:
    """Return an image, uint8 (H, W, 3), as the data URL of a JPEG of at most that many pixels."""
    from PIL import Image

    image = Image.fromarray(rgb)
    image.thumbnail((longest_side, longest_side))
    buffer = io.BytesIO()
    image.save(buffer, 'JPEG', quality=_JPEG_QUALITY)
    return f'data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}'


def _skill_line(skill: Skill, language: str) -> str:
    arguments = ', '.join(
        f'{a.name}: {_argument_type(a)}{", optional" if a.optional else ""}'
        for a in skill.arguments
    )
    needs = ', '.join(str(p) for p in skill.preconditions)
    return f'- {skill.name}({arguments}): {skill.description[language]}' + (
        f' Before: {needs}.' if needs else ''
    )


def _argument_type(argument: Argument) -> str:
    if argument.type == 'enum':
        return ' | '.join(json.dumps(v, ensure_ascii=False) for v in argument.values)
    if argument.type == 'number':
        return f'a number from {argument.minimum:g} to {argument.maximum:g} {argument.unit}'
    if argument.type == 'string':
        return f'a string of at most {argument.max_length} characters'
    return _TYPES[argument.type]


def _flat_schema(skills: Iterable[Skill], names: str) -> dict[str, Any]:
    """Return the agent's schema with one object at its root, as strict servers want it."""
    ok, others = plan_schema(skills, STATUSES, names)['anyOf']
    properties = dict(ok['properties'])
    statuses = [ok['properties']['status']['const'], *others['properties']['status']['enum']]
    properties['status'] = {'type': 'string', 'enum': statuses}
    # That there are no steps but with "ok" is checked when the answer is read.
    properties['steps'] = {**properties['steps'], 'minItems': 0}
    schema: dict[str, Any] = _typed({**ok, 'properties': properties})
    return schema


def _without_patterns(schema: Any) -> Any:
    """Return a schema whose strings may hold anything."""
    if isinstance(schema, list):
        return [_without_patterns(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_patterns(value)
        for key, value in schema.items()
        if not (key == 'pattern' and isinstance(value, str))
    }


def _typed(schema: Any) -> Any:
    """Return a schema that says of constants, too, that they are strings: some servers insist."""
    if isinstance(schema, list):
        return [_typed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    typed = {key: _typed(value) for key, value in schema.items()}
    if isinstance(schema.get('const'), str) or isinstance(schema.get('enum'), list):
        typed['type'] = 'string'
    return typed


def _json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        'type': 'json_schema',
        'json_schema': {'name': 'plan', 'strict': True, 'schema': schema},
    }


def shorten(say: str) -> str:
    """Return a sentence as plans hold it: one line of at most MAX_SAY characters."""
    line = ' '.join(say.replace('"', "'").replace('\\', '/').split())
    return line if len(line) <= MAX_SAY else f'{line[: MAX_SAY - 1]}…'
