"""The JSON schema, made from the catalogue, that a model writes plans under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kimi_ros.agent.plan import Status
from kimi_ros.agent.skills import MAX_STRING, Argument, Skill

MAX_STEPS = 10
MAX_SAY = 240
# What a model writes; an answer is no plan of its own.
MODEL_STATUSES = (
    Status.OK,
    Status.NEEDS_CLARIFICATION,
    Status.INFEASIBLE,
    Status.REFUSED,
)
# Words for people and names of things: any script, but nothing that JSON would have to escape, and
# nothing that means something in a behaviour tree's attributes or in a prompt.
_SAY = r'[^"\\\x00-\x1f\x7f]'
_WORDS = r'[^"\\\x00-\x1f\x7f{}<>;$|&]'
# A grammar without white space is the form that models are trained to write.
_COMPACT = {'whitespace_flexible': False, 'item_separator': ',', 'key_separator': ':'}


def plan_schema(
    catalogue: Iterable[Skill],
    statuses: Iterable[Status] = MODEL_STATUSES,
    names: str = f'{_WORDS}{{1,{MAX_STRING}}}',
) -> dict[str, Any]:
    """Return the schema of {"status", "say", "steps"}, keys in this order, without white space.

    With status ok there are 1 to 10 steps, each of a known skill with its arguments in order; with
    any other status there are none.

    :param statuses: the ones that may be written.
    :param names: a regular expression of the names that things may have.
    """
    statuses = list(statuses)
    forms = []
    if Status.OK in statuses:
        steps = {
            'type': 'array',
            'minItems': 1,
            'maxItems': MAX_STEPS,
            'items': {'anyOf': [_step(s, names) for s in catalogue]},
        }
        forms.append(_form({'const': Status.OK.value}, steps))
    others = [s.value for s in statuses if s is not Status.OK]
    if others:
        forms.append(_form({'enum': others}, {'type': 'array', 'maxItems': 0}))
    return {'x-guidance': _COMPACT, 'anyOf': forms}


def _form(status: dict[str, Any], steps: dict[str, Any]) -> dict[str, Any]:
    return _object({'status': status, 'say': _string(_SAY, 0, MAX_SAY), 'steps': steps})


def _step(skill: Skill, names: str) -> dict[str, Any]:
    arguments = {a.name: _value(a, names) for a in skill.arguments}
    optional = [a.name for a in skill.arguments if a.optional]
    return _object({'skill': {'const': skill.name}, **arguments}, optional)


def _value(argument: Argument, names: str) -> dict[str, Any]:
    if argument.type == 'enum':
        return {'enum': list(argument.values)}
    if argument.type == 'number':
        return {'type': 'number', 'minimum': argument.minimum, 'maximum': argument.maximum}
    if argument.type == 'bool':
        return {'type': 'boolean'}
    if argument.type == 'string':
        return _string(_WORDS, 0, argument.max_length)
    return {'type': 'string', 'pattern': f'^{names}$'}


def _string(character: str, shortest: int, longest: int) -> dict[str, Any]:
    # The length is in the pattern: one expression to compile, not an intersection of two.
    return {'type': 'string', 'pattern': f'^{character}{{{shortest},{longest}}}$'}


def _object(properties: dict[str, Any], optional: Sequence[str] = ()) -> dict[str, Any]:
    return {
        'type': 'object',
        'properties': properties,
        'required': [name for name in properties if name not in optional],
        'additionalProperties': False,
    }
