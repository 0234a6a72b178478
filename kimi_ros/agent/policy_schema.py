"""What a policy file may hold, as a JSON schema."""

from __future__ import annotations

from typing import Any

from kimi_ros.agent.plan import Risk
from kimi_ros.agent.schema import MAX_STEPS
from kimi_ros.agent.skills import LANGUAGES
from kimi_ros.agent.yaml_schema import TEXT

ACTIONS = ('refuse', 'defer', 'ask_approval')
ANY = 'any'
ROLES = ('object', 'target')
# What an example of a rule must come to: the rule acts, or no rule does.
EXAMPLES = ('acts', 'allow')
_RISK = {'enum': [r.name.lower() for r in Risk]}
_WORDS = {'type': 'array', 'items': TEXT, 'description': 'a list of words'}
_PATTERNS = {'type': 'array', 'items': TEXT, 'description': 'a list of patterns'}
_NOUNS = {
    'type': 'object',
    'properties': {
        'words': {**_WORDS, 'minItems': 1, 'description': 'a list of at least one word'},
        'except': _WORDS,
    },
    'required': ['words'],
    'additionalProperties': False,
}
_LIST_NAME = '^[a-z][a-z_]*$'
_WORD_LIST = {
    'type': 'object',
    'properties': {
        **dict.fromkeys(LANGUAGES, _PATTERNS),
        'except': _PATTERNS,
        'not_before': _PATTERNS,
        'refers': {'type': 'boolean', 'description': 'true or false'},
    },
    'additionalProperties': False,
}
_RULE = {
    'type': 'object',
    'properties': {
        'id': {
            'type': 'string',
            'pattern': '^[a-z][a-z0-9_.]*$',
            'description': 'lower-case letters, digits, _ and .',
        },
        'action': {'enum': list(ACTIONS)},
        'say': {
            'type': 'object',
            'properties': dict.fromkeys(LANGUAGES, TEXT),
            'required': list(LANGUAGES),
            'additionalProperties': False,
        },
        'patterns': _WORDS,
        'intents': {
            'type': 'object',
            'properties': dict.fromkeys(LANGUAGES, _PATTERNS),
            'additionalProperties': False,
            'description': 'lists of patterns by language',
        },
        'unless': _PATTERNS,
        'arguments': {
            'type': 'object',
            'properties': dict.fromkeys((ANY, *ROLES), _NOUNS),
            'additionalProperties': False,
        },
        'unless_skill': _WORDS,
        'giving_skill': _WORDS,
        'beside': {'type': 'boolean', 'description': 'true or false'},
        'min_risk': _RISK,
        'risk': _RISK,
        'examples': {
            'type': 'object',
            'properties': dict.fromkeys(
                EXAMPLES,
                {
                    'type': 'array',
                    'items': {'anyOf': [TEXT, {'type': 'array', 'items': TEXT, 'minItems': 1}]},
                    'description': 'a list of instructions, or of conversations',
                },
            ),
            'additionalProperties': False,
        },
    },
    'required': ['id', 'action', 'say'],
    'additionalProperties': False,
}
FILE_SCHEMA: dict[str, Any] = {
    'type': 'object',
    'properties': {
        'extends': {'enum': ['default']},
        'max_steps': {
            'type': 'integer',
            'minimum': 1,
            'maximum': MAX_STEPS,
            'description': f'a whole number from 1 to {MAX_STEPS}',
        },
        'min_score': {
            'type': 'number',
            'minimum': 0,
            'maximum': 1,
            'description': 'a number from 0 to 1',
        },
        'min_approval_risk': _RISK,
        'approval_seconds': {
            'type': 'number',
            'minimum': 1,
            'maximum': 86400,
            'description': 'a number from 1 to 86400',
        },
        'max_move': {
            'type': 'number',
            'minimum': 0.001,
            'maximum': 10,
            'description': 'a number from 0.001 to 10',
        },
        'near': {
            'type': 'object',
            'properties': {
                'people': _WORDS,
                'hazards': _WORDS,
                'metres': {
                    'type': 'number',
                    'minimum': 0.01,
                    'maximum': 10,
                    'description': 'a number from 0.01 to 10',
                },
                'risk': _RISK,
            },
            'required': ['people', 'hazards', 'metres', 'risk'],
            'additionalProperties': False,
        },
        'words': {
            'type': 'object',
            'propertyNames': {'pattern': _LIST_NAME, 'description': 'lower-case letters and _'},
            'additionalProperties': _WORD_LIST,
            'description': 'a mapping of names to lists of words',
        },
        'rules': {'type': 'array', 'items': _RULE, 'description': 'a list of rules'},
    },
    'required': ['max_steps', 'min_score', 'min_approval_risk', 'approval_seconds', 'rules'],
    'additionalProperties': False,
    'description': 'a mapping with the keys of docs/how_to/policy.md',
}
