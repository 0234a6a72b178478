"""Plans as poses."""

import math

import pytest

pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')

from kimi_msgs.msg import GroundedObject, Plan, PlanStep  # noqa: E402
from kimi_ros.nodes.targets import all_targets, first_target  # noqa: E402


def thing(name, x=math.nan, frame='base_link', status=GroundedObject.DEPTH_OK):
    item = GroundedObject(id=name, position_frame=frame, depth_status=status)
    item.position.x = x
    return item


def plan(*objects, first='o1'):
    message = Plan(objects=list(objects), steps=[PlanStep(object_ids=[first])])
    message.header.stamp.sec, message.header.frame_id = 7, 'optical'
    return message


def test_first_target_is_the_object_of_the_first_step():
    found = first_target(plan(thing('o1', 1.0), thing('o2', 2.0), first='o2'))
    assert (found.pose.position.x, found.header.frame_id) == (2.0, 'base_link')
    assert found.header.stamp.sec == 7 and found.pose.orientation.w == 1.0


def test_object_without_position_is_no_target():
    hole = thing('o1', status=GroundedObject.DEPTH_HOLE)
    assert first_target(plan(hole)) is None and first_target(Plan()) is None
    assert not all_targets(plan(hole)).poses


def test_all_targets_share_a_frame():
    optical = thing('o3', 3.0, 'optical', GroundedObject.DEPTH_NO_TRANSFORM)
    found = all_targets(plan(thing('o1', 1.0), thing('o2', 2.0), optical))
    assert found.header.frame_id == 'base_link'
    assert [p.position.x for p in found.poses] == [1.0, 2.0]
