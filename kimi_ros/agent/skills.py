"""The skills catalogue: what the robot can do, declared by the user in YAML.

The same file makes the prompt, the grammar, the validator and the behaviour tree's node model.
Predicates are names out of `PREDICATES`, never code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from kimi_ros.agent.errors import CatalogueError
from kimi_ros.agent.plan import Risk, hash_of

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
_NAME = re.compile(r'[a-z][a-z0-9_]{0,31}')
_PREDICATE = re.compile(r'(not )?([a-z_]+)(?:\(([a-z0-9_, ]*)\))?')
_REQUIRED = ('name', 'description', 'risk', 'approval')
_OPTIONAL = ('arguments', 'preconditions', 'effects', 'limits', 'node', 'action')


@dataclass(frozen=True)
class Argument:
    """An argument of a skill.

    :ivar type: one of `ARGUMENT_TYPES`.
    :ivar values: what an enum allows.
    :ivar unit: of a number: 'm', 'deg'; minimum and maximum are in it.
    :ivar max_length: of a string, in characters.
    """

    name: str
    type: str
    values: tuple[str, ...] = ()
    unit: str = ''
    minimum: float = 0.0
    maximum: float = 0.0
    max_length: int = MAX_STRING

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

    def bound(self, names: dict[str, str]) -> Predicate:
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
    def describes(self) -> bool:
        """Tell whether the skill's result is the model's description of the view."""
        return any(e.name == 'described' for e in self.effects)


@dataclass(frozen=True)
class SkillCatalogue:
    """The skills in the file's order; `hash` is of their content, not of the file's spelling."""

    skills: tuple[Skill, ...]
    hash: str

    @classmethod
    def load(cls, path: str | Path) -> SkillCatalogue:
        """Read a YAML file; a wrong one is a CatalogueError that names file, entry and fault."""
        try:
            data = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
        except OSError as error:
            raise CatalogueError(f'{path}: cannot be read: {error.strerror}') from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CatalogueError(f'{path}: not YAML: {error}') from error
        return cls.from_data(data, str(path))

    @classmethod
    def from_data(cls, data, source: str = 'skills') -> SkillCatalogue:
        """Make a catalogue of what a YAML file holds: {'skills': [...]}."""
        if not isinstance(data, dict) or set(data) != {'skills'}:
            raise CatalogueError(f'{source}: must hold the one key "skills"')
        entries = data['skills']
        if not isinstance(entries, list) or not entries:
            raise CatalogueError(f'{source}: "skills" must be a list of at least one skill')
        skills = tuple(_skill(e, f'{source}: skills[{i}]') for i, e in enumerate(entries))
        names = [s.name for s in skills]
        for name in names:
            if names.count(name) > 1:
                raise CatalogueError(f'{source}: skill "{name}" is there {names.count(name)} times')
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


def _skill(entry, where: str) -> Skill:
    entry = _mapping(entry, where, _REQUIRED, _OPTIONAL)
    name = _name(entry['name'], where)
    where = f'{where} "{name}"'
    description = _mapping(entry['description'], f'{where}: description', LANGUAGES)
    for language, text in description.items():
        _text(text, f'{where}: description.{language}')
    arguments = tuple(
        _argument(a, f'{where}: arguments[{i}]')
        for i, a in enumerate(_list(entry.get('arguments', []), f'{where}: arguments'))
    )
    names = [a.name for a in arguments]
    if len(set(names)) < len(names):
        raise CatalogueError(f'{where}: two arguments have the same name: {names}')
    if 'skill' in names:
        raise CatalogueError(f'{where}: an argument cannot be called "skill"')
    grounded = [a.name for a in arguments if a.grounded]
    predicates = {
        key: tuple(
            _predicate(p, grounded, f'{where}: {key}[{i}]')
            for i, p in enumerate(_list(entry.get(key, []), f'{where}: {key}'))
        )
        for key in ('preconditions', 'effects')
    }
    limits = _mapping(entry.get('limits', {}), f'{where}: limits', (), LIMITS)
    for key, value in limits.items():
        if not _is_number(value) or value <= 0:
            raise CatalogueError(f'{where}: limits.{key} is {value!r}, not a number over 0')
    risk = _one_of(entry['risk'], [r.name.lower() for r in Risk], f'{where}: risk')
    approval = _one_of(entry['approval'], APPROVALS, f'{where}: approval')
    if ('node' in entry) == ('action' in entry):
        raise CatalogueError(
            f'{where}: needs either "node" (of the behaviour tree) or "action" (of ROS)'
        )
    does = 'node' if 'node' in entry else 'action'
    _text(entry[does], f'{where}: {does}')
    return Skill(
        name,
        description,
        arguments,
        limits=limits,
        risk=Risk[risk.upper()],
        approval=approval,
        **predicates,
        **{does: entry[does]},
    )


def _argument(entry, where: str) -> Argument:
    entry = _mapping(
        entry,
        where,
        ('name', 'type'),
        ('values', 'unit', 'minimum', 'maximum', 'max_length'),
    )
    name = _name(entry['name'], where)
    where = f'{where} "{name}"'
    kind = _one_of(entry['type'], ARGUMENT_TYPES, f'{where}: type')
    needed = {
        'enum': {'values'},
        'number': {'unit', 'minimum', 'maximum'},
        'string': {'max_length'},
    }
    rest = set(entry) - {'name', 'type'}
    if rest != needed.get(kind, set()):
        wanted = ', '.join(sorted(needed.get(kind, ()))) or 'nothing'
        raise CatalogueError(
            f'{where}: type {kind} needs {wanted} besides name and type, but has {sorted(rest)}'
        )
    if kind == 'enum':
        values = _list(entry['values'], f'{where}: values')
        for value in values:
            _text(value, f'{where}: values')
        if not values or len(set(values)) < len(values):
            raise CatalogueError(f'{where}: values must be different words, at least one')
        return Argument(name, kind, values=tuple(values))
    if kind == 'number':
        low, high = entry['minimum'], entry['maximum']
        if not _is_number(low) or not _is_number(high) or low >= high:
            raise CatalogueError(f'{where}: minimum {low!r} and maximum {high!r} are no range')
        return Argument(
            name, kind, unit=_text(entry['unit'], f'{where}: unit'), minimum=low, maximum=high
        )
    if kind == 'string':
        length = entry['max_length']
        if not isinstance(length, int) or isinstance(length, bool) or not 1 <= length <= 500:
            raise CatalogueError(f'{where}: max_length is {length!r}, not 1 to 500')
        return Argument(name, kind, max_length=length)
    return Argument(name, kind)


def _predicate(text, arguments: list[str], where: str) -> Predicate:
    match = _PREDICATE.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise CatalogueError(f'{where}: {text!r} is not like "holding(object)" or "not hand_empty"')
    negated, name, inside = match.groups()
    _one_of(name, tuple(PREDICATES), where)
    terms = tuple(t.strip() for t in (inside or '').split(',') if t.strip())
    if len(terms) != PREDICATES[name]:
        raise CatalogueError(
            f'{where}: {name} takes {PREDICATES[name]} arguments, not {len(terms)}'
        )
    for term in terms:
        if term not in arguments:
            raise CatalogueError(
                f'{where}: "{term}" is not an argument of the skill that is found in the image'
            )
    return Predicate(name, terms, bool(negated))


def _mapping(entry, where: str, required, optional=()) -> dict:
    if not isinstance(entry, dict):
        raise CatalogueError(f'{where}: must be a mapping, not {entry!r}')
    for key in required:
        if key not in entry:
            raise CatalogueError(f'{where}: "{key}" is missing')
    for key in entry:
        if key not in (*required, *optional):
            allowed = ', '.join((*required, *optional))
            raise CatalogueError(f'{where}: unknown key {key!r}; there are {allowed}')
    return entry


def _list(value, where: str) -> list:
    if not isinstance(value, list):
        raise CatalogueError(f'{where}: must be a list, not {value!r}')
    return value


def _text(value, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise CatalogueError(f'{where}: must be words, not {value!r}')
    return value


def _name(value, where: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise CatalogueError(
            f'{where}: name {value!r} must be lower-case letters, digits and _, 1 to 32 of them'
        )
    return value


def _one_of(value, allowed, where: str) -> str:
    if value not in allowed:
        raise CatalogueError(f'{where}: {value!r} is not one of {", ".join(allowed)}')
    return value


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
