"""Conversion between plans and messages."""

import json
import math
import random
from dataclasses import replace

import pytest

pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')

from kimi_msgs.msg import Plan as PlanMessage  # noqa: E402
from kimi_ros.agent import (  # noqa: E402
    Approval,
    DepthStatus,
    GroundedObject,
    Plan,
    PlanStep,
    Risk,
    Status,
)
from kimi_ros.nodes.markers import plan_markers  # noqa: E402
from kimi_ros.nodes.messages import (  # noqa: E402
    nanoseconds,
    plan_from_message,
    plan_to_message,
    seconds,
    time_message,
)

STAMP = 1_795_470_000_123_456_789
CUP = GroundedObject(
    id='o1',
    label='红色的杯子',
    score=0.75,
    verified=True,
    point=(312.5, 204.25),
    box=(300.0, 190.0, 330.0, 220.0),
    position=(0.5, -0.25, 0.125),
    position_frame='base_link',
    covariance=tuple(float(v) for v in range(9)),
    depth_status=DepthStatus.OK,
)
TABLE = GroundedObject('o2', 'table', 0.5, False, (1.0, 2.0), None, depth_status=DepthStatus.HOLE)
PLAN = Plan(
    id='p1',
    instruction='拿起红色的杯子',
    language='zh',
    status=Status.OK,
    say='我来拿。',
    stamp=STAMP / 1e9,
    frame_id='camera_optical',
    catalogue_hash='c',
    model='nano',
    reason_codes=('sharp_or_hot',),
    objects=(CUP, TABLE),
    steps=(
        PlanStep('pick', ('o1',), json.dumps({'object': 'o1'}), Risk.HIGH, True, 'holding(o1)'),
    ),
    approval=Approval.PENDING,
    expires=1_795_470_060.5,
).sealed()


def test_plan_round_trip():
    message = plan_to_message(PLAN, STAMP)
    assert nanoseconds(message.header.stamp) == STAMP
    assert message.status == PlanMessage.STATUS_OK
    assert message.approval == PlanMessage.APPROVAL_PENDING
    assert math.isnan(message.objects[1].position.x) and math.isnan(message.objects[1].box[0])
    found = plan_from_message(message)
    assert found == PLAN and found.content_hash() == message.hash


def test_empty_message_gives_no_plan():
    assert plan_from_message(PlanMessage()) is None


@pytest.mark.parametrize('kind', [Status, Approval])
def test_every_state_round_trip(kind):
    for member in kind:
        name = kind.__name__.lower()
        plan = replace(PLAN, **{name: member})
        assert getattr(plan_from_message(plan_to_message(plan, STAMP)), name) is member


def test_hash_can_be_checked_by_every_subscriber():
    rng = random.Random(0)
    for _ in range(500):
        stamp = rng.randrange(1_700_000_000_000_000_000, 1_900_000_000_000_000_000)
        plan = replace(PLAN, stamp=seconds(stamp)).sealed()
        found = plan_from_message(plan_to_message(plan, stamp))
        assert found.content_hash() == plan.hash, stamp


def test_nanoseconds_round_trip():
    assert nanoseconds(time_message(STAMP)) == STAMP


def test_markers_only_for_objects_with_position():
    array = plan_markers(plan_to_message(PLAN, STAMP))
    assert array.markers[0].action == array.markers[0].DELETEALL
    markers = array.markers[1:]
    assert [m.text for m in markers] == ['', 'o1 红色的杯子']
    assert {m.header.frame_id for m in markers} == {'base_link'}
    assert markers[0].pose.position.x == 0.5
