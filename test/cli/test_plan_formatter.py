"""Formatting plans for the terminal."""

import pytest

from kimi_ros.agent import Approval, DepthStatus, GroundedObject, Plan, PlanStep, Status
from kimi_ros.cli.plan_formatter import plan_lines, position_text


def thing(**known):
    return GroundedObject('o1', 'red cup', 0.914, True, (312.4, 204.0), (0, 0, 1, 1), **known)


@pytest.mark.parametrize(
    ('item', 'text'),
    [
        (
            thing(
                position=(0.521, -0.114, 0.001),
                position_frame='base_link',
                depth_status=DepthStatus.OK,
            ),
            '0.52 m ahead, 0.11 m right of base_link',
        ),
        (
            thing(position=(0.1, 0.2, 0.8), depth_status=DepthStatus.NO_TRANSFORM),
            '0.80 m from the camera',
        ),
        (thing(depth_status=DepthStatus.HOLE), 'no position (depth: hole)'),
    ],
)
def test_positions(item, text):
    assert position_text(item, 'en') == text


def test_plan_with_steps():
    plan = Plan(
        'p',
        'pick up the red cup',
        'en',
        Status.OK,
        'I will pick up the red cup.',
        objects=(thing(),),
        steps=(PlanStep('pick', ('o1',), needs_approval=True),),
        approval=Approval.PENDING,
        planner='reader',
        model='nano',
        reason_codes=('sharp_or_hot',),
    )
    assert plan_lines(plan) == [
        'kimi: I will pick up the red cup.',
        'step 1: pick red cup, needs approval',
        '  red cup: pixel (312, 204), no position (depth: none), score 0.91, verified',
        'notes: sharp_or_hot',
        'approval: pending',
        'planner: reader, model: nano',
    ]


def test_plan_that_asks():
    plan = Plan(
        'p',
        'pick up the cup',
        'en',
        Status.NEEDS_CLARIFICATION,
        'Which one?',
        reason_codes=('ambiguous_object',),
        options=('1. the left one', '2. the right one'),
    )
    assert plan_lines(plan) == [
        'kimi: Which one?',
        'no plan: needs clarification (ambiguous_object)',
        '  1. the left one',
        '  2. the right one',
    ]


def test_answer_with_the_things_that_it_is_about():
    plan = Plan('p', 'is there a cup?', 'en', Status.ANSWER, 'Yes.', objects=(thing(),))
    assert plan_lines(plan) == [
        'kimi: Yes.',
        '  red cup: pixel (312, 204), no position (depth: none), score 0.91, verified',
    ]


def test_a_chinese_plan_is_shown_in_chinese():
    cup = thing(
        position=(0.521, -0.114, -0.2),
        position_frame='base_link',
        depth_status=DepthStatus.OK,
    )
    plan = Plan(
        'p',
        '拿起红色的杯子',
        'zh',
        Status.OK,
        '我来拿起红色的杯子。',
        objects=(cup,),
        steps=(PlanStep('pick', ('o1',), needs_approval=True),),
        approval=Approval.PENDING,
    )
    assert plan_lines(plan) == [
        'kimi: 我来拿起红色的杯子。',
        '第 1 步：pick red cup，需要批准',
        '  red cup：像素 (312, 204)，'
        'base_link 前方 0.52 米、右侧 0.11 米、下方 0.20 米，得分 0.91，已核实',
        '批准：pending',
    ]
