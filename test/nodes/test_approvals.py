"""Approval of plans: decisions, hashes, expiry."""

import threading
from dataclasses import replace

import pytest

from kimi_ros.agent import Approval, Plan, PlanStep, Risk, Status
from kimi_ros.agent.errors import (
    HashMismatchError,
    NotPendingError,
    PlanExpiredError,
    VoiceNotEnoughError,
)
from kimi_ros.nodes.approvals import ApprovalManager
from kimi_ros.nodes.codes import ErrorCode, RequestError


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def changes():
    return []


@pytest.fixture
def approvals(clock, changes):
    return ApprovalManager(clock, changes.append)


def pending(name='p1', risk=Risk.HIGH):
    step = PlanStep('pick', risk=risk, needs_approval=True)
    plan = Plan(name, 'get the knife', 'en', Status.OK, 'I will.', steps=(step,), expires=160.0)
    return replace(plan, approval=Approval.PENDING).sealed()


@pytest.mark.parametrize(
    ('approved', 'result'), [(True, Approval.GRANTED), (False, Approval.DENIED)]
)
def test_decision(approvals, changes, approved, result):
    plan = pending()
    approvals.set_plan(plan)
    assert approvals.decide('p1', plan.hash, approved).approval is result
    assert [p.approval for p in changes] == [Approval.PENDING, result]
    assert (changes[-1].status is Status.OK and bool(changes[-1].steps)) is approved
    assert approvals.state('p1') is result
    with pytest.raises(NotPendingError):
        approvals.decide('p1', plan.hash, approved)


def test_wrong_id_hash_and_time(approvals, clock):
    plan = pending()
    with pytest.raises(RequestError) as caught:
        approvals.decide('p1', plan.hash, True)
    assert caught.value.code is ErrorCode.NO_SUCH_PLAN
    approvals.set_plan(plan)
    with pytest.raises(HashMismatchError):
        approvals.decide('p1', pending('p2').hash + 'x', True)
    clock.now = 161.0
    with pytest.raises(PlanExpiredError):
        approvals.decide('p1', plan.hash, True)


def test_wait_ends_with_the_decision(approvals):
    plan = pending()
    approvals.set_plan(plan)
    threading.Timer(0.05, approvals.decide, ('p1', plan.hash, True)).start()
    assert approvals.wait(plan, threading.Event()).approval is Approval.GRANTED


def test_wait_ends_on_expiry_cancel_and_clear(approvals, clock, changes):
    plan = pending()

    def waited(then=lambda: None, cancel=None):
        clock.now = 100.0
        approvals.set_plan(plan)
        then()
        return approvals.wait(plan, cancel or threading.Event()).approval

    def late():
        clock.now = 161.0

    cancelled = threading.Event()
    cancelled.set()
    assert waited(late) is Approval.EXPIRED
    assert waited(cancel=cancelled) is Approval.EXPIRED
    assert waited(approvals.clear) is Approval.EXPIRED
    states = [p.approval for p in changes if p.id == 'p1']
    assert states == [Approval.PENDING, Approval.EXPIRED] * 3
    ends = [p for p in changes if p.approval is Approval.EXPIRED]
    assert all(p.status is not Status.OK and not p.steps for p in ends)
    assert [p.reason_codes[-1] for p in ends] == [
        'approval_expired',
        'approval_withdrawn',
        'approval_withdrawn',
    ]


def test_granted_plan_stays_granted_until_all_is_called_off(approvals, clock, changes):
    plan = pending()
    approvals.set_plan(plan)
    approvals.decide('p1', plan.hash, True)
    clock.now = 161.0
    approvals.check_expiry()
    approvals.set_plan(pending('p2'))
    assert approvals.state('p1') is Approval.GRANTED
    approvals.clear()
    states = [p.approval for p in changes if p.id == 'p1']
    assert states == [Approval.PENDING, Approval.GRANTED, Approval.EXPIRED]
    assert approvals.state('p1') is Approval.EXPIRED and not approvals.waiting()


def test_newer_plan_leaves_the_older_one_waiting(approvals, clock, changes):
    older, newer = pending('p1'), pending('p2')
    approvals.set_plan(older)
    approvals.set_plan(newer)
    assert approvals.waiting() == [older, newer]
    assert approvals.decide('p1', older.hash, True).approval is Approval.GRANTED
    assert changes[-1].id == 'p1' and approvals.waiting() == [newer]


def test_end_of_an_older_plan_does_not_hide_the_latest(approvals, clock, changes):
    older = pending('p1')
    approvals.set_plan(older)
    approvals.set_plan(replace(pending('p2'), expires=300.0).sealed())
    clock.now = 200.0
    approvals.check_expiry()
    assert approvals.state('p1') is Approval.EXPIRED
    assert changes[-1].id == 'p2' and changes[-1].approval is Approval.PENDING
    assert approvals.wait(older, threading.Event()).reason_codes == ('approval_expired',)


def test_a_decision_reaches_its_waiter_past_newer_plans(approvals):
    plan = pending()
    approvals.set_plan(plan)
    approvals.decide('p1', plan.hash, False)
    for number in range(20):
        approvals.set_plan(replace(pending(f'q{number}'), approval=Approval.NOT_NEEDED))
    assert approvals.wait(plan, threading.Event()).approval is Approval.DENIED


def test_plans_that_wait_are_limited(approvals):
    for number in range(40):
        approvals.set_plan(pending(f'p{number}'))
    waiting = approvals.waiting()
    assert len(waiting) == 32 and waiting[-1].id == 'p39'
    assert approvals.state('p0') is Approval.EXPIRED


@pytest.mark.parametrize(
    ('risk', 'read_back', 'enough'),
    [
        (Risk.LOW, 'You said: I will.', True),
        (Risk.LOW, '', False),
        (Risk.LOW, 'Something else.', False),
        (Risk.MEDIUM, 'I will.', False),
        (Risk.HIGH, 'I will.', False),
    ],
)
def test_voice_approves_only_low_risk_that_was_read_back(approvals, risk, read_back, enough):
    plan = pending(risk=risk)
    approvals.set_plan(plan)
    if enough:
        granted = approvals.decide('p1', plan.hash, True, voice=True, read_back=read_back)
        assert granted.approval is Approval.GRANTED
        return
    with pytest.raises(VoiceNotEnoughError):
        approvals.decide('p1', plan.hash, True, voice=True, read_back=read_back)
    assert approvals.state('p1') is Approval.PENDING
    assert approvals.decide('p1', plan.hash, False, voice=True).approval is Approval.DENIED


def test_withdrawn_plan_ends_with_its_reason(approvals, changes):
    plan = pending()
    approvals.set_plan(plan)
    approvals.withdraw('p1', 'scene_changed')
    ended = approvals.wait(plan, threading.Event())
    assert ended.approval is Approval.EXPIRED and ended.reason_codes == ('scene_changed',)
    assert 'moved' in ended.say and ended.hash == ended.content_hash() != plan.hash
