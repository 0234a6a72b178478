"""Decisions about plans, bound to the plan that was shown and to its time."""

import threading
from dataclasses import replace

import pytest

from kimi_ros.agent import Approval, Plan, Status
from kimi_ros.agent.errors import HashMismatch, NotPending, PlanExpired
from kimi_ros.nodes.approvals import Approvals
from kimi_ros.nodes.codes import Code, NodeError


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def approvals(clock, told):
    return Approvals(clock, told.append)


def pending(name='p1'):
    plan = Plan(name, 'pick up the knife', 'en', Status.OK, 'I will.', expires=160.0)
    return replace(plan, approval=Approval.PENDING).sealed()


@pytest.mark.parametrize(('agreed', 'result'), [(True, Approval.GRANTED), (False, Approval.DENIED)])
def test_decision(approvals, told, agreed, result):
    plan = pending()
    approvals.present(plan)
    assert approvals.decide('p1', plan.hash, agreed).approval is result
    assert [p.approval for p in told] == [Approval.PENDING, result]
    assert approvals.state('p1') is result
    with pytest.raises(NotPending):
        approvals.decide('p1', plan.hash, agreed)


def test_wrong_id_hash_and_time(approvals, clock):
    plan = pending()
    with pytest.raises(NodeError) as caught:
        approvals.decide('p1', plan.hash, True)
    assert caught.value.code is Code.NO_SUCH_PLAN
    approvals.present(plan)
    with pytest.raises(HashMismatch):
        approvals.decide('p1', pending('p2').hash + 'x', True)
    clock.now = 161.0
    with pytest.raises(PlanExpired):
        approvals.decide('p1', plan.hash, True)


def test_waiting_ends_with_the_decision(approvals):
    plan = pending()
    approvals.present(plan)
    threading.Timer(0.05, approvals.decide, ('p1', plan.hash, True)).start()
    assert approvals.wait(plan, threading.Event()).approval is Approval.GRANTED


def test_waiting_ends_with_time_cancel_newer_plan_and_forgetting(approvals, clock, told):
    plan = pending()

    def waited(then=lambda: None, cancel=None):
        clock.now = 100.0
        approvals.present(plan)
        then()
        return approvals.wait(plan, cancel or threading.Event()).approval

    def late():
        clock.now = 161.0

    cancelled = threading.Event()
    cancelled.set()
    assert waited(late) is Approval.EXPIRED
    assert waited(cancel=cancelled) is Approval.EXPIRED
    assert waited(lambda: approvals.present(pending('p2'))) is Approval.EXPIRED
    assert waited(approvals.forget) is Approval.EXPIRED
    one_by_one = [p.approval for p in told if p.id == 'p1']
    assert one_by_one == [Approval.PENDING, Approval.EXPIRED] * 4


@pytest.mark.parametrize('end', ['forget', 'newer plan', 'time'])
def test_granted_plan_ends_and_that_is_told(approvals, clock, told, end):
    plan = pending()
    approvals.present(plan)
    approvals.decide('p1', plan.hash, True)
    if end == 'forget':
        approvals.forget()
    elif end == 'newer plan':
        approvals.present(pending('p2'))
    else:
        clock.now = 161.0
        approvals.look_at_clock()
    mine = [p.approval for p in told if p.id == 'p1']
    assert mine == [Approval.PENDING, Approval.GRANTED, Approval.EXPIRED]
    assert approvals.state('p1') is Approval.EXPIRED
