"""What the executor carries out, and what it makes of what it sees afterwards."""

from dataclasses import replace

import pytest

from kimi_ros.agent import Approval, Plan, PlanStep, Risk, Status
from kimi_ros.nodes.executor_checks import held_after, put_on, refusal, unseen_effect

SKILLS = ('pick', 'place')


def plan(**changes):
    made = Plan(
        id='1', instruction='pick up the cup', language='en', status=Status.OK, say='',
        stamp=100.0, frame_id='camera', catalogue_hash='c',
        steps=(PlanStep('pick', ('o1',), '{"object": "o1"}', Risk.LOW, False, 'holding(o1)'),),
    )  # fmt: skip
    return replace(made, **changes).sealed()


def why(made, now=101.0, catalogue='c', skills=SKILLS):
    return refusal(made, catalogue, skills, now, 30.0)


def test_plan_that_needs_no_approval_is_carried_out():
    assert why(plan()) == ''


def test_granted_plan_is_carried_out_until_it_expires():
    granted = plan(approval=Approval.GRANTED, expires=200.0)
    assert why(granted, 199.0) == '' and 'expired' in why(granted, 201.0)


@pytest.mark.parametrize('approval', [Approval.PENDING, Approval.DENIED, Approval.EXPIRED])
def test_plan_that_is_not_approved_is_not_carried_out(approval):
    assert 'not approved' in why(plan(approval=approval, expires=200.0))


def test_step_that_needs_approval_needs_it():
    step = replace(plan().steps[0], needs_approval=True)
    assert 'approval' in why(plan(steps=(step,)))


def test_changed_plan_is_not_carried_out():
    assert 'hash' in why(replace(plan(), instruction='pick up the knife'))
    assert 'hash' in why(replace(plan(), hash='0' * 64))


def test_other_skills_file_old_plan_and_unknown_skill_are_named():
    assert 'skills file' in why(plan(), catalogue='d')
    assert why(plan(), 131.0) == 'it is 31 s old'
    assert why(plan(), skills=('place',)) == 'no action carries out pick'
    assert why(plan(status=Status.REFUSED)) == 'its status is refused'


CUP, BOWL = (0.5, 0.1, 0.05), (0.6, -0.1, 0.02)


@pytest.mark.parametrize(
    ('effect', 'after', 'wrong'),
    [
        ('holding(o1), not hand_empty', {'o1': CUP}, 'holding(o1): it is where it was'),
        ('holding(o1)', {}, ''),
        ('holding(o1)', {'o1': (0.5, 0.1, 0.25)}, ''),
        ('on(o1, o2), hand_empty', {'o1': (0.6, -0.1, 0.05), 'o2': BOWL}, ''),
        ('on(o1, o2)', {'o1': CUP, 'o2': BOWL}, 'on(o1, o2): they are 0.22 m apart'),
        ('on(o1, o2)', {'o2': BOWL}, ''),
        ('located(o1)', {'o1': CUP}, ''),
        ('not holding(o1)', {'o1': CUP}, ''),
    ],
)
def test_only_what_the_camera_contradicts_is_wrong(effect, after, wrong):
    assert unseen_effect(effect, {'o1': CUP, 'o2': BOWL}, after) == wrong


def test_what_the_hand_holds_follows_from_the_effects():
    effects = ['holding(o1), not hand_empty']
    assert held_after(effects) == {'o1'}
    assert held_after([*effects, 'on(o1, o2), hand_empty, not holding(o1)']) == set()


def test_what_was_put_somewhere_is_expected_there():
    assert put_on('on(o1, o2), hand_empty', {'o2': BOWL}) == {'o1': BOWL}
    assert put_on('on(o1, o2)', {}) == {} and put_on('holding(o1)', {'o1': CUP}) == {}
