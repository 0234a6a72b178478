"""A plan as a behaviour tree in the XML of BehaviorTree.CPP 4."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from kimi_ros.agent.plan import Approval, GroundedObject, Plan, Status
from kimi_ros.agent.skills import Skill, SkillCatalogue

# Braces refer to the blackboard, a semicolon separates statements and vector elements.
_SCRIPT = re.compile(r'[{};]')
_OBJECT_PORTS = ('label', 'position', 'frame')


def to_behavior_tree(plan: Plan, catalogue: SkillCatalogue) -> str:
    """Return the plan as one Sequence with a node for each step, and the models of its nodes.

    A node's ID is the `node` of the skills file, or for a ROS `action` the skill's name in camel
    case with the port `action_name`. Every argument is a port. An object argument holds the
    object's id; beside it stand `ARGUMENT_label`, `ARGUMENT_position` ("x;y;z", metres) and
    `ARGUMENT_frame`; the last two are empty where no position is known.

    Raises ValueError for a plan that must not be executed: not OK, awaiting approval, denied,
    expired or made with another catalogue.
    """
    if plan.status is not Status.OK:
        raise ValueError(
            f'plan {plan.id} has nothing to execute: its status is {plan.status.value}'
        )
    if plan.approval not in (Approval.NOT_NEEDED, Approval.GRANTED):
        raise ValueError(f'plan {plan.id} must not be executed: it is {plan.approval.value}')
    if plan.catalogue_hash != catalogue.hash:
        raise ValueError(f'plan {plan.id} was made with another skills file')
    root = ElementTree.Element('root', BTCPP_format='4', main_tree_to_execute='Plan')
    tree = ElementTree.SubElement(root, 'BehaviorTree', ID='Plan')
    sequence = ElementTree.SubElement(tree, 'Sequence', name=_text(plan.instruction))
    for step in plan.steps:
        skill = catalogue[step.skill]
        ports = {'action_name': skill.action} if skill.action else {}
        for argument in skill.arguments:
            value = step.arguments.get(argument.name, '')
            ports[argument.name] = _text(value)
            if argument.grounded and value:
                ports |= _object_ports(argument.name, plan.object(value))
        ElementTree.SubElement(sequence, _node_id(skill), {'name': skill.name, **ports})
    root.append(_models([catalogue[name] for name in dict.fromkeys(s.skill for s in plan.steps)]))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding='unicode', xml_declaration=True) + '\n'


def node_models(catalogue: SkillCatalogue) -> str:
    """Return the catalogue as a TreeNodesModel, for Groot and for checking trees."""
    root = ElementTree.Element('root', BTCPP_format='4')
    root.append(_models(list(catalogue)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding='unicode', xml_declaration=True) + '\n'


def _object_ports(name: str, thing: GroundedObject) -> dict[str, str]:
    position = '' if thing.position is None else ';'.join(f'{v:.4f}' for v in thing.position)
    values = (_text(thing.label), position, thing.position_frame if position else '')
    return {f'{name}_{port}': value for port, value in zip(_OBJECT_PORTS, values, strict=True)}


def _models(skills: list[Skill]) -> ElementTree.Element:
    models = ElementTree.Element('TreeNodesModel')
    for skill in skills:
        model = ElementTree.SubElement(models, 'Action', ID=_node_id(skill))
        if skill.action:
            ElementTree.SubElement(model, 'input_port', name='action_name', default=skill.action)
        for argument in skill.arguments:
            ElementTree.SubElement(model, 'input_port', name=argument.name)
            if argument.grounded:
                for port in _OBJECT_PORTS:
                    ElementTree.SubElement(model, 'input_port', name=f'{argument.name}_{port}')
    return models


def _node_id(skill: Skill) -> str:
    return skill.node or ''.join(part.capitalize() for part in skill.name.split('_'))


def _text(value: object) -> str:
    """Return words as an attribute may hold them: nothing in them is a reference or a script."""
    if isinstance(value, bool):
        return str(value).lower()
    return ' '.join(_SCRIPT.sub(' ', str(value)).split())
