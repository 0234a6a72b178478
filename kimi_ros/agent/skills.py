"""The skills catalogue: what the robot can do, declared by the user in YAML.

The same file makes the prompt, the grammar, the validator and the behaviour tree's node model.
Predicates are names out of `PREDICATES`, never code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimi_ros.agent.errors import CatalogueError
from kimi_ros.agent.plan import Risk, hash_of
from kimi_ros.agent.yaml_schema import TEXT, load_yaml, validate, where

# What a skill can need or change, and about how many things it speaks.
PREDICATES = {
    'visible': 1,  # the camera sees it
    'positioned': 1,  # its position in metres is known
    'located': 1,  # a person has been shown where it is
    'holding': 1,  # the gripper holds it
    'hand_empty': 0,  # the gripper holds nothing
    'on': 2,  # the first lies on, or in, the second
    'described': 0,  # the view has been described: the model's words are the step's result
}
GROUNDED_TYPES = ('object', 'point', 'region')  # named by the model, then found in the image
ARGUMENT_TYPES = (*GROUNDED_TYPES, 'enum', 'number', 'string', 'bool')
LIMITS = ('timeout_s', 'reach_m')  # seconds a step may take; metres from the base's origin
APPROVALS = ('never', 'risky', 'always')
LANGUAGES = ('en', 'zh')
MAX_STRING = 60
_PREDICATE = re.compile(r'(not )?([a-z_]+)(?:\(([a-z0-9_, ]*)\))?')
# What an argument needs besides its name and type.
_NEEDS = {'enum': {'values'}, 'number': {'unit', 'minimum', 'maximum'}, 'string': {'max_length'}}
_NAME = {
    'type': 'string',
    'pattern': '^[a-z][a-z0-9_]{0,31}$',
    'description': 'a name of lower-case letters, digits and _, 1 to 32 of them',
}
_ARGUMENT = {
    'type': 'object',
    'properties': {
        'name': _NAME,
        'type': {'enum': list(ARGUMENT_TYPES)},
        'values': {
            'type': 'array',
            'items': TEXT,
            'minItems': 1,
            'uniqueItems': True,
            'description': 'a list of different words, at least one',
        },
        'unit': TEXT,
        'minimum': {'type': 'number'},
        'maximum': {'type': 'number'},
        'max_length': {'type': 'integer', 'minimum': 1, 'maximum': 500},
        'optional': {'type': 'boolean'},
    },
    'required': ['name', 'type'],
    'additionalProperties': False,
}
_SKILL = {
    'type': 'object',
    'properties': {
        'name': _NAME,
        'description': {
            'type': 'object',
            'properties': dict.fromkeys(LANGUAGES, TEXT),
            'required': list(LANGUAGES),
            'additionalProperties': False,
        },
        'arguments': {'type': 'array', 'items': _ARGUMENT},
        'preconditions': {'type': 'array', 'items': TEXT},
        'effects': {'type': 'array', 'items': TEXT},
        'limits': {
            'type': 'object',
            'properties': dict.fromkeys(
                LIMITS,
                {'type': 'number', 'exclusiveMinimum': 0, 'description': 'a number over 0'},
            ),
            'additionalProperties': False,
        },
        'risk': {'enum': [r.name.lower() for r in Risk]},
        'approval': {'enum': list(APPROVALS)},
        'node': TEXT,
        'action': TEXT,
    },
    'required': ['name', 'description', 'risk', 'approval'],
    'additionalProperties': False,
}
FILE_SCHEMA = {
    'type': 'object',
    'properties': {
        'skills': {
            'type': 'array',
            'items': _SKILL,
            'minItems': 1,
            'description': 'a list of at least one skill',
        }
    },
    'required': ['skills'],
    'additionalProperties': False,
    'description': 'a mapping with the one key "skills"',
}


@dataclass(frozen=True)
class Argument:
    """An argument of a skill.

    :ivar type: one of `ARGUMENT_TYPES`.
    :ivar values: what an enum allows.
    :ivar unit: of a number: 'm', 'deg'; minimum and maximum are in it.
    :ivar max_length: of a string, in characters.
    :ivar optional: a step may leave it out; any other must be said, or is asked for.
    """

    name: str
    type: str
    values: tuple[str, ...] = ()
    unit: str = ''
    minimum: float = 0.0
    maximum: float = 0.0
    max_length: int = MAX_STRING
    optional: bool = False

    @property
    def grounded(self) -> bool:
        """Tell whether the argument names something in the image."""
        return self.type in GROUNDED_TYPES


@dataclass(frozen=True)
class Predicate:
    """A predicate over a skill's arguments: holding(object), not hand_empty."""

    name: str
    terms: tuple[str, ...] = ()
    negated: bool = False

    def bind(self, names: dict[str, str]) -> Predicate:
        """Return the predicate with its arguments replaced by what they stand for."""
        return Predicate(self.name, tuple(names[t] for t in self.terms), self.negated)

    def __str__(self) -> str:
        """Return it as the file spells it."""
        terms = f'({", ".join(self.terms)})' if self.terms else ''
        return f'{"not " if self.negated else ""}{self.name}{terms}'


@dataclass(frozen=True)
class Skill:
    """One thing that the robot can do.

    :ivar description: by language, 'en' and 'zh'.
    :ivar limits: by name, out of `LIMITS`.
    :ivar approval: 'never', 'risky' (asked from the policy's risk on) or 'always'.
    :ivar node: the behaviour-tree node that does it, or ''; then `action` is the ROS action.
    """

    name: str
    description: dict[str, str]
    arguments: tuple[Argument, ...]
    preconditions: tuple[Predicate, ...]
    effects: tuple[Predicate, ...]
    limits: dict[str, float]
    risk: Risk
    approval: str
    node: str = ''
    action: str = ''

    @property
    def text(self) -> str:
        """Return its name and its descriptions, in lower case."""
        return ' '.join((self.name, *self.description.values())).lower()

    @property
    def describes(self) -> bool:
        """Tell whether the skill's result is the model's description of the view."""
        return any(e.name == 'described' for e in self.effects)

    @property
    def locates(self) -> bool:
        """Tell whether the skill only shows where something is."""
        return bool(self.effects) and all(e.name == 'located' for e in self.effects)


@dataclass(frozen=True)
class SkillCatalogue:
    """The skills in the file's order; `hash` is of their content, not of the file's spelling."""

    skills: tuple[Skill, ...]
    hash: str

    @classmethod
    def load(cls, path: str | Path) -> SkillCatalogue:
        """Read a YAML file; raises CatalogueError, naming file, entry and fault."""
        return cls.from_data(load_yaml(path, CatalogueError), str(path))

    @classmethod
    def from_data(cls, data: Any, source: str = 'skills') -> SkillCatalogue:
        """Make a catalogue of what a YAML file holds: {'skills': [...]}."""
        validate(data, FILE_SCHEMA, source, CatalogueError)
        entries = data['skills']
        skills = tuple(
            _skill(entry, where(data, ('skills', i), source)) for i, entry in enumerate(entries)
        )
        names = [s.name for s in skills]
        for name in names:
            if names.count(name) > 1:
                raise CatalogueError(f'{source}: skill "{name}" occurs {names.count(name)} times')
        return cls(skills, hash_of(entries))

    def signatures(self) -> list[tuple[str, list[str]]]:
        """Return (name, argument names) of each skill, as the prompt lists them."""
        return [(s.name, [a.name for a in s.arguments]) for s in self.skills]

    def __getitem__(self, name: str) -> Skill:
        """Return the skill with this name."""
        return next(s for s in self.skills if s.name == name)

    def __iter__(self) -> Iterator[Skill]:
        """Go through the skills in the file's order."""
        return iter(self.skills)


def _skill(entry: dict[str, Any], place: str) -> Skill:
    """Return the skill of an entry that the schema allows, after what a schema cannot say."""
    arguments = tuple(
        _argument(a, where(entry, ('arguments', i), place))
        for i, a in enumerate(entry.get('arguments', ()))
    )
    names = [a.name for a in arguments]
    if len(set(names)) < len(names):
        raise CatalogueError(f'{place}: two arguments have the same name: {names}')
    if 'skill' in names:
        raise CatalogueError(f'{place}: an argument cannot be called "skill"')
    if ('node' in entry) == ('action' in entry):
        raise CatalogueError(
            f'{place}: needs either "node" (of the behaviour tree) or "action" (of ROS)'
        )
    grounded = [a.name for a in arguments if a.grounded and not a.optional]
    predicates = {
        key: tuple(
            _predicate(p, grounded, f'{place}: {key}[{i}]')
            for i, p in enumerate(entry.get(key, ()))
        )
        for key in ('preconditions', 'effects')
    }
    return Skill(
        entry['name'],
        entry['description'],
        arguments,
        limits=entry.get('limits', {}),
        risk=Risk[entry['risk'].upper()],
        approval=entry['approval'],
        node=entry.get('node', ''),
        action=entry.get('action', ''),
        **predicates,
    )


def _argument(entry: dict[str, Any], place: str) -> Argument:
    kind, given = entry['type'], set(entry) - {'name', 'type', 'optional'}
    needed = _NEEDS.get(kind, set())
    if given != needed:
        wanted = ', '.join(sorted(needed)) or 'nothing'
        raise CatalogueError(
            f'{place}: type {kind} needs {wanted} besides name and type, but has {sorted(given)}'
        )
    if kind == 'number' and entry['minimum'] >= entry['maximum']:
        raise CatalogueError(
            f'{place}: minimum {entry["minimum"]!r} is not below maximum {entry["maximum"]!r}'
        )
    return Argument(**{**entry, 'values': tuple(entry.get('values', ()))})


def _predicate(text: str, arguments: list[str], place: str) -> Predicate:
    match = _PREDICATE.fullmatch(text)
    if not match:
        raise CatalogueError(f'{place}: {text!r} is not like "holding(object)" or "not hand_empty"')
    negated, name, inside = match.groups()
    if name not in PREDICATES:
        raise CatalogueError(f'{place}: {name!r} is not one of {", ".join(PREDICATES)}')
    terms = tuple(t.strip() for t in (inside or '').split(',') if t.strip())
    if len(terms) != PREDICATES[name]:
        raise CatalogueError(
            f'{place}: {name} takes {PREDICATES[name]} arguments, not {len(terms)}'
        )
    for term in terms:
        if term not in arguments:
            raise CatalogueError(
                f'{place}: "{term}" is not an argument of the skill that is required and found in '
                'the image'
            )
    return Predicate(name, terms, bool(negated))
