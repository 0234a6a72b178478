"""From a plan's steps to goals of the user's actions, by a YAML file (config/executor.yaml)."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geometry_msgs.msg import PoseStamped

from kimi_msgs.msg import GroundedObject, PlanStep
from kimi_ros.agent.yaml_schema import load_yaml, validate

_SCHEMA = {
    'type': 'object',
    'required': ['actions'],
    'additionalProperties': False,
    'properties': {
        'actions': {
            'type': 'object',
            'minProperties': 1,
            'description': 'a mapping of skills to actions',
            'additionalProperties': {
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
            },
        }
    },
}


class MappingError(ValueError):
    """An actions file that cannot be used, or a step that it cannot be used for."""


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

    def goal(self, step: PlanStep, things: Sequence[GroundedObject], stamp: Any) -> Any:
        """Return the goal for a step.

        :param things: its objects, in order.
        :param stamp: of the image that they were seen in, builtin_interfaces/Time.
        :raises MappingError: for a value that the step does not have, or a wrong type.
        """
        goal = self.kind.Goal()
        _fill(goal, self.fields, _Values(step, things, stamp))
        return goal


def load_actions(path: str | Path) -> dict[str, SkillAction]:
    """Read an actions file: what carries out each skill.

    :raises MappingError: naming the file, the entry and the fault.
    """
    data = load_yaml(path, MappingError)
    validate(data, _SCHEMA, str(path), MappingError)
    return {
        skill: SkillAction(
            _action_type(entry['type'], f'{path}: {skill}'), entry['name'], entry['goal']
        )
        for skill, entry in data['actions'].items()
    }


def _action_type(name: str, where: str) -> Any:
    package, _, kind = name.split('/')
    try:
        return getattr(importlib.import_module(f'{package}.action'), kind)
    except (ImportError, AttributeError):
        raise MappingError(
            f'{where}: there is no action type {name}: install and source the package {package}'
        ) from None


class _Values:
    """What a '$' value stands for."""

    def __init__(self, step: PlanStep, things: Sequence[GroundedObject], stamp: Any):
        self._step = step
        self._things = {thing.id: thing for thing in things}
        self._stamp = stamp

    def get(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.startswith('$'):
            return value
        step, things = self._step, list(self._things.values())
        name, _, part = value[1:].partition('.')
        arguments = json.loads(step.arguments_json)
        if not part and name in ('skill', 'arguments', 'labels', 'poses'):
            return {
                'skill': lambda: step.skill,
                'arguments': lambda: step.arguments_json,
                'labels': lambda: [thing.label for thing in things],
                'poses': lambda: [self._pose(thing) for thing in things],
            }[name]()
        if name not in arguments:
            raise MappingError(
                f'{value}: the step {step.skill} has no argument {name!r}, only '
                f'{", ".join(arguments) or "none"}'
            )
        if not part:
            return arguments[name]
        thing = self._things.get(arguments[name]) if isinstance(arguments[name], str) else None
        if thing is None or part not in ('pose', 'position', 'label'):
            raise MappingError(f'{value}: give .pose, .position or .label of an object argument')
        if part == 'label':
            return thing.label
        pose = self._pose(thing)
        return pose if part == 'pose' else pose.pose.position

    def _pose(self, thing: GroundedObject) -> PoseStamped:
        if not has_position(thing):
            raise MappingError(f'{thing.label}: its position is not known')
        pose = PoseStamped()
        pose.header.stamp, pose.header.frame_id = self._stamp, thing.position_frame
        pose.pose.position = thing.position
        pose.pose.orientation.w = 1.0
        return pose


def has_position(thing: GroundedObject) -> bool:
    """Tell whether an object's position is set."""
    return thing.depth_status in (thing.DEPTH_OK, thing.DEPTH_NO_TRANSFORM)


def _fill(message: Any, fields: Mapping[str, Any], values: _Values) -> None:
    for name, value in fields.items():
        if not hasattr(message, name):
            raise MappingError(f'{type(message).__name__} has no field {name!r}')
        if isinstance(value, Mapping):
            _fill(getattr(message, name), value, values)
            continue
        value = values.get(value)
        if isinstance(getattr(message, name), float) and isinstance(value, int):
            value = float(value)
        try:
            setattr(message, name, value)
        except (AssertionError, TypeError, AttributeError):
            raise MappingError(
                f'{type(message).__name__}.{name} cannot be {type(value).__name__}'
            ) from None
