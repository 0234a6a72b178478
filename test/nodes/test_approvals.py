"""Approval of plans: decisions, hashes, expiry."""

import threading
from dataclasses import replace

import pytest

from kimi_ros.agent import Approval, Plan, Status
from kimi_ros.agent.errors import HashMismatchError, NotPendingError, PlanExpiredError
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


def pending(name='p1'):
    plan = Plan(name, 'pick up the knife', 'en', Status.OK, 'I will.', expires=160.0)
    return replace(plan, approval=Approval.PENDING).sealed()


@pytest.mark.parametrize(
    ('approved', 'result'), [(True, Approval.GRANTED), (False, Approval.DENIED)]
)
def test_decision(approvals, changes, approved, result):
    plan = pending()
    approvals.set_plan(plan)
    assert approvals.decide('p1', plan.hash, approved).approval is result
    assert [p.approval for p in changes] == [Approval.PENDING, result]
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


def test_wait_ends_on_expiry_cancel_newer_plan_and_clear(approvals, clock, changes):
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
    assert waited(lambda: approvals.set_plan(pending('p2'))) is Approval.EXPIRED
    assert waited(approvals.clear) is Approval.EXPIRED
    states = [p.approval for p in changes if p.id == 'p1']
    assert states == [Approval.PENDING, Approval.EXPIRED] * 4


@pytest.mark.parametrize('end', ['clear', 'newer plan', 'time'])
def test_granted_plan_expires_and_is_published(approvals, clock, changes, end):
    plan = pending()
    approvals.set_plan(plan)
    approvals.decide('p1', plan.hash, True)
    if end == 'clear':
        approvals.clear()
    elif end == 'newer plan':
        approvals.set_plan(pending('p2'))
    else:
        clock.now = 161.0
        approvals.check_expiry()
    states = [p.approval for p in changes if p.id == 'p1']
    assert states == [Approval.PENDING, Approval.GRANTED, Approval.EXPIRED]
    assert approvals.state('p1') is Approval.EXPIRED
