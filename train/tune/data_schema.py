"""The JSON schemas of training data, one for each task; docs/training.md describes them."""

from __future__ import annotations

from kimi_ros.agent.plan import Status
from kimi_ros.agent.schema import MAX_STEPS

_TEXT = {'type': 'string', 'pattern': r'\S'}
_SHARE = {'type': 'number', 'minimum': 0, 'maximum': 1}
_POINT = {'type': 'array', 'items': _SHARE, 'minItems': 2, 'maxItems': 2}
_BOX = {'type': 'array', 'items': _SHARE, 'minItems': 4, 'maxItems': 4}
_REFERENCE = {'type': 'array', 'items': _SHARE, 'minItems': 2, 'maxItems': 4}
_TURN = {'type': 'array', 'items': _TEXT, 'minItems': 2, 'maxItems': 2}
POINTED = {  # a piece of a reasoning chain that points while it speaks
    'type': 'object',
    'properties': {
        'text': _TEXT,
        'points': {'type': 'array', 'items': _POINT, 'minItems': 1},
    },
    'required': ['text', 'points'],
    'additionalProperties': False,
}
PLAN = {  # what every plan is; its steps are checked against the skills
    'type': 'object',
    'properties': {
        'status': {'enum': [status.value for status in Status]},
        'say': {'type': 'string'},
        'steps': {
            'type': 'array',
            'items': {
                'type': 'object',
                'properties': {'skill': {'type': 'string'}},
                'required': ['skill'],
            },
            'maxItems': MAX_STEPS,
        },
    },
    'required': ['status', 'say', 'steps'],
    'additionalProperties': False,
}
_REFERENCES = {'type': 'array', 'items': _REFERENCE}
_HISTORY = {'type': 'array', 'items': _TURN}
_TOOL = {
    'type': 'object',
    'properties': {
        'name': {'type': 'string', 'pattern': '^[A-Za-z_][A-Za-z0-9_.-]*$'},
        'description': {'type': 'string'},
        'parameters': {'type': 'object'},
    },
    'required': ['name', 'parameters'],
    'additionalProperties': False,
}
_CALL = {
    'type': 'object',
    'properties': {'name': _TEXT, 'arguments': {'type': 'object'}},
    'required': ['name', 'arguments'],
    'additionalProperties': False,
}


def _line(required: dict, optional: dict | None = None, image: bool = True) -> dict:
    properties = {'task': {}, 'image': _TEXT, **required, **(optional or {})}
    return {
        'type': 'object',
        'properties': properties,
        'required': ['task', *(['image'] if image else []), *required],
        'additionalProperties': False,
    }


LINES = {
    'query': _line(
        {'question': _TEXT, 'answer': _TEXT},
        {
            'history': _HISTORY,
            'spatial_refs': _REFERENCES,
            'reasoning': {'type': 'array', 'items': {}, 'minItems': 1},
        },
        image=False,
    ),
    'describe': _line({'language': {'enum': ['en', 'zh']}, 'answer': _TEXT}),
    'presence': _line({'object': _TEXT, 'answer': {'type': 'boolean'}}),
    'check': _line({'object': _TEXT, 'place': _REFERENCE, 'answer': {'type': 'boolean'}}),
    'caption': _line({'length': {'enum': ['short', 'normal', 'long']}, 'answer': _TEXT}),
    'point': _line({'object': _TEXT, 'points': {'type': 'array', 'items': _POINT}}),
    'detect': _line({'object': _TEXT, 'boxes': {'type': 'array', 'items': _BOX}}),
    'plan': _line(
        {'instruction': _TEXT, 'plan': {'type': 'object'}},
        {'skills': {'type': ['string', 'array']}, 'history': _HISTORY},
    ),
    'tool': _line(
        {'question': _TEXT, 'tools': {'type': 'array', 'items': _TOOL, 'minItems': 1}},
        {'call': _CALL, 'answer': _TEXT, 'history': _HISTORY},
        image=False,
    ),
}
