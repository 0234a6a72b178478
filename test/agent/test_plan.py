"""Plans as data: JSON there and back, and the hash."""

import json
import re
from dataclasses import replace

import pytest

from kimi_ros.agent import Approval, DepthStatus, GroundedObject, Plan, PlanStep, Risk, Status
from kimi_ros.agent.errors import PlanFormatError
from kimi_ros.agent.plan import Reason

PLAN = Plan(
    id='a1',
    instruction='拿起"红色的杯子"\n',
    language='zh',
    status=Status.OK,
    say='我来拿红色的杯子。',
    stamp=1700000000.123456,
    frame_id='camera',
    reason_codes=('sharp_or_hot',),
    objects=(
        GroundedObject(
            'o1',
            '红色的杯子',
            0.875,
            True,
            (320.5, 200.25),
            (300.0, 180.0, 340.0, 220.0),
            (0.1, 0.2, 0.3),
            'base_link',
            tuple(float(i) for i in range(9)),
            DepthStatus.OK,
        ),
        GroundedObject('o2', '盘子', 0.5, False, (1.0, 2.0), None),
    ),
    steps=(PlanStep('pick', ('o1',), '{"object": "o1"}', Risk.HIGH, True, 'holding(o1)'),),
    approval=Approval.PENDING,
    expires=1700000060.0,
).sealed()


def test_plan_json_round_trip():
    text = PLAN.to_json()
    assert Plan.from_json(text) == PLAN and '红色' in text and '\n' not in text
    data = json.loads(text)
    assert data['status'] == 'ok' and data['steps'][0]['risk'] == 'high'
    assert data['objects'][1]['box'] is None and data['objects'][0]['depth_status'] == 'ok'


@pytest.mark.parametrize(
    'change',
    [
        {'status': 'fine'},
        {'objects': [{}]},
        {'steps': None},
        {'extra': 1},
        {'say': 5},
        {'stamp': 'now'},
    ],
)
def test_plan_from_json_rejects_other_data(change):
    with pytest.raises(PlanFormatError):
        Plan.from_json(json.dumps({**PLAN.to_dict(), **change}))


def test_plan_from_json_rejects_broken_json():
    for text in ('', '{', '[]', '3', PLAN.to_json()[:-5]):
        with pytest.raises(PlanFormatError):
            Plan.from_json(text)


def test_content_hash_covers_what_is_approved():
    for change in (
        {'say': 'x'},
        {'instruction': 'x'},
        {'stamp': 1.0},
        {'steps': ()},
        {'objects': PLAN.objects[:1]},
        {'catalogue_hash': 'x'},
    ):
        assert replace(PLAN, **change).content_hash() != PLAN.hash
    for change in ({'id': 'b'}, {'approval': Approval.GRANTED}, {'expires': 0.0}, {'hash': ''}):
        assert replace(PLAN, **change).content_hash() == PLAN.hash


def test_enum_names_match_the_message_constants(kit):
    messages = kit.root / 'kimi_msgs' / 'msg'
    plan, item = (messages / 'Plan.msg').read_text(), (messages / 'GroundedObject.msg').read_text()
    step = (messages / 'PlanStep.msg').read_text()
    for prefix, names, text in (
        ('STATUS', Status, plan),
        ('APPROVAL', Approval, plan),
        ('DEPTH', DepthStatus, item),
        ('RISK', Risk, step),
    ):
        for member in names:
            assert f'uint8 {prefix}_{member.name} = ' in text


def test_message_comments_name_existing_reasons(kit):
    plan = (kit.root / 'kimi_msgs' / 'msg' / 'Plan.msg').read_text()
    assert all(f"'{r}'" in plan for r in (Reason.NOT_VISIBLE, Reason.AMBIGUOUS, Reason.DOUBTED))
    assert 'object_absent' not in plan


def test_describe_and_instruct_share_error_codes(kit):
    codes = [
        re.findall(r'^uint16 (\w+) = (\d+)', (kit.root / 'kimi_msgs' / path).read_text(), re.M)
        for path in ('action/Instruct.action', 'srv/Describe.srv')
    ]
    # Nothing that Describe does waits for an approval.
    assert [c for c in codes[0] if c[0] not in ('DENIED', 'EXPIRED')] == codes[1]
