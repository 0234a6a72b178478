import dataclasses
import json
import xml.etree.ElementTree as ElementTree

import pytest

from kimi_ros.agent import Plan, SkillCatalogue
from kimi_ros.agent.behavior_tree import node_models, to_behavior_tree
from kimi_ros.agent.plan import Approval, GroundedObject, PlanStep, Status

from .conftest import ROOT

CATALOGUE = SkillCatalogue.load(ROOT / 'config' / 'skills.yaml')


def plan(**changes):
    cup = GroundedObject(
        'o1', 'red {cup};', 0.9, True, (3.0, 4.0), None, (0.5, -0.25, 1.0), 'base_link'
    )
    plate = GroundedObject('o2', 'plate', 0.9, True, (9.0, 9.0), None)
    steps = (
        PlanStep('pick', ('o1',), json.dumps({'object': 'o1'})),
        PlanStep('place', ('o1', 'o2'), json.dumps({'object': 'o1', 'target': 'o2'})),
    )
    return dataclasses.replace(
        Plan('p', 'put {it}; there <now>', 'en', Status.OK, 'ok', catalogue_hash=CATALOGUE.hash),
        objects=(cup, plate),
        steps=steps,
        **changes,
    )


def test_steps_become_nodes_in_order_with_objects_and_positions_as_ports():
    root = ElementTree.fromstring(to_behavior_tree(plan(), CATALOGUE).encode())
    assert root.get('BTCPP_format') == '4'
    pick, place = root.find("BehaviorTree[@ID='Plan']/Sequence")
    assert (pick.tag, place.tag) == ('PickObject', 'PlaceObject')
    assert pick.get('object') == 'o1'
    assert pick.get('object_position') == '0.5000;-0.2500;1.0000'
    assert place.get('target_label') == 'plate'
    assert place.get('target_position') == place.get('target_frame') == ''


def test_words_of_people_are_never_references_or_scripts():
    root = ElementTree.fromstring(to_behavior_tree(plan(), CATALOGUE).encode())
    sequence = root.find('BehaviorTree/Sequence')
    assert sequence.get('name') == 'put it there <now>'
    assert sequence[0].get('object_label') == 'red cup'


def test_every_port_that_is_used_is_declared():
    root = ElementTree.fromstring(to_behavior_tree(plan(), CATALOGUE).encode())
    declared = {
        model.get('ID'): {port.get('name') for port in model}
        for model in root.find('TreeNodesModel')
    }
    for node in root.find('BehaviorTree/Sequence'):
        assert set(node.attrib) - {'name'} <= declared[node.tag]


@pytest.mark.parametrize(
    ('changes', 'why'),
    [
        ({'status': Status.REFUSED}, 'refused'),
        ({'approval': Approval.PENDING}, 'pending'),
        ({'approval': Approval.DENIED}, 'denied'),
        ({'catalogue_hash': 'other'}, 'another skills file'),
    ],
)
def test_what_must_not_be_executed_becomes_no_tree(changes, why):
    with pytest.raises(ValueError, match=why):
        to_behavior_tree(dataclasses.replace(plan(), **changes), CATALOGUE)


def test_actions_of_ros_are_named_after_their_skill():
    catalogue = SkillCatalogue.from_data(
        {
            'skills': [
                {
                    'name': 'go_to',
                    'description': {'en': 'Drive to a thing.', 'zh': '开到一个物体旁。'},
                    'arguments': [{'name': 'target', 'type': 'object'}],
                    'risk': 'low',
                    'approval': 'never',
                    'action': '/navigate_to_pose',
                }
            ]
        }
    )
    (model,) = ElementTree.fromstring(node_models(catalogue).encode()).find('TreeNodesModel')
    assert model.get('ID') == 'GoTo'
    ports = {port.get('name'): port.get('default') for port in model}
    assert ports['action_name'] == '/navigate_to_pose'
    assert 'target_position' in ports
