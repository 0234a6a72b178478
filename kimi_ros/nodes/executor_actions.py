"""From a plan's steps to goals of the robot's actions, by a YAML file (config/executor.yaml)."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped

from kimi_msgs.msg import GroundedObject, PlanStep
from kimi_ros.agent import SkillCatalogue
from kimi_ros.agent.yaml_schema import load_yaml, validate
from kimi_ros.nodes.targets import has_position, target_of

_ACTION = {
    'type': 'object',
    'required': ['type', 'name', 'goal'],
    'additionalProperties': False,
    'description': 'a mapping with type, name and goal',
    'properties': {
        'type': {
            'type': 'string',
            'pattern': '^[a-z][a-z0-9_]*/action/[A-Z][A-Za-z0-9]*$',
            'description': "package/action/Name: 'nav2_msgs/action/NavigateToPose'",
        },
        'name': {'type': 'string', 'minLength': 1, 'description': "the action's name"},
        'goal': {'type': 'object', 'description': 'a mapping of fields to values'},
    },
}
_SCHEMA = {
    'type': 'object',
    'required': ['actions'],
    'additionalProperties': False,
    'properties': {
        'actions': {
            'type': 'object',
            'minProperties': 1,
            'description': 'a mapping of skills to actions',
            'additionalProperties': _ACTION,
        }
    },
}
_OF_STEP = ('skill', 'arguments', 'poses', 'labels', 'boxes')
_OF_OBJECT = ('pose', 'position', 'label')


class ActionsError(ValueError):
    """An actions file that cannot be used, or a step that no goal can be made of."""


@dataclass(frozen=True)
class SkillAction:
    """What carries out a skill.

    :ivar kind: the action's type, generated from its definition.
    :ivar name: of the action.
    :ivar fields: of its goal, by name; values as in the file.
    """

    kind: Any
    name: str
    fields: Mapping[str, Any]

    def goal(
        self, step: PlanStep, objects: Sequence[GroundedObject], stamps: Mapping[str, Time]
    ) -> Any:
        """Return the goal for a step.

        :param objects: of the step, in order.
        :param stamps: by object, of the images that they were seen in.
        :raises ActionsError: for a position that is not known, or a value of a wrong type.
        """
        goal = self.kind.Goal()
        _fill(goal, self.fields, _Values(step, objects, stamps))
        return goal


def load_actions(path: str | Path, catalogue: SkillCatalogue) -> dict[str, SkillAction]:
    """Read an actions file: what carries out each skill of a catalogue.

    :raises ActionsError: naming the file, the entry and the fault.
    """
    data = load_yaml(path, ActionsError)
    validate(data, _SCHEMA, str(path), ActionsError)
    actions = {}
    known_skills = {skill.name for skill in catalogue.skills}
    for skill, entry in data['actions'].items():
        where = f'{path}: {skill}'
        if skill not in known_skills:
            raise ActionsError(f'{where}: the skills file has no such skill')
        kind = _action_type(entry['type'], where)
        known = (*_OF_STEP, *(argument.name for argument in catalogue[skill].arguments))
        _check(kind.Goal(), entry['goal'], known, where)
        actions[skill] = SkillAction(kind, entry['name'], entry['goal'])
    return actions


def _action_type(name: str, where: str) -> Any:
    package, _, kind = name.split('/')
    try:
        return getattr(importlib.import_module(f'{package}.action'), kind)
    except (ImportError, AttributeError):
        raise ActionsError(
            f'{where}: there is no action type {name}: install and source the package {package}'
        ) from None


def _check(message: Any, fields: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Check names of fields and of values, so that nothing is found out while a robot moves."""
    for field, value in fields.items():
        if not hasattr(message, field):
            raise ActionsError(f'{where}: {type(message).__name__} has no field {field!r}')
        if isinstance(value, Mapping):
            _check(getattr(message, field), value, known, where)
        elif isinstance(value, str) and value.startswith('$'):
            name, _, part = value[1:].partition('.')
            if name not in known or (part and (name in _OF_STEP or part not in _OF_OBJECT)):
                raise ActionsError(
                    f'{where}: {value} stands for nothing: use ${", $".join(known)}, or .pose, '
                    '.position or .label of an object'
                )


class _Values:
    """What a '$' value stands for."""

    def __init__(
        self, step: PlanStep, objects: Sequence[GroundedObject], stamps: Mapping[str, Time]
    ):
        self._step = step
        self._objects = objects
        self._stamps = stamps
        self._arguments = json.loads(step.arguments_json)

    def get(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.startswith('$'):
            return value
        name, _, part = value[1:].partition('.')
        if name == 'skill':
            return self._step.skill
        if name == 'arguments':
            return self._step.arguments_json
        if name == 'labels':
            return [item.label for item in self._objects]
        if name == 'boxes':
            return [float(side) for item in self._objects for side in item.box]
        if name == 'poses':
            return [self._pose(item) for item in self._objects]
        if name not in self._arguments:
            raise ActionsError(f'{value}: this {self._step.skill} leaves the argument {name} out')
        if not part:
            return self._arguments[name]
        item = next((o for o in self._objects if o.id == self._arguments[name]), None)
        if item is None:
            raise ActionsError(f'{value}: the argument {name} is not an object')
        if part == 'label':
            return item.label
        pose = self._pose(item)
        return pose if part == 'pose' else pose.pose.position

    def _pose(self, item: GroundedObject) -> PoseStamped:
        if not has_position(item):
            raise ActionsError(f'the position of {item.label} is not known')
        return target_of(item, self._stamps[item.id])


def _fill(message: Any, fields: Mapping[str, Any], values: _Values) -> None:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            _fill(getattr(message, name), value, values)
            continue
        value = values.get(value)
        if isinstance(getattr(message, name), float) and type(value) is int:
            value = float(value)
        # Messages check types only when told to, in versions of ROS that can leave it out.
        checked = {'check_fields': True} if hasattr(message, '_check_fields') else {}
        try:
            type(message)(**{name: value}, **checked)
        except (AssertionError, TypeError):
            raise ActionsError(
                f'{type(message).__name__}.{name} cannot be {type(value).__name__}'
            ) from None
        setattr(message, name, value)
