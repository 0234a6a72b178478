"""A person's decision about a plan, bound to the plan's hash and its expiry time."""

from __future__ import annotations

from dataclasses import replace

from kimi_ros.agent.errors import HashMismatchError, NotPendingError, PlanExpiredError
from kimi_ros.agent.plan import Approval, Plan


def approve(plan: Plan, plan_hash: str, approved: bool, now: float) -> Plan:
    """Return the plan GRANTED or DENIED.

    Raises PlanExpiredError, whether or not the plan was already marked EXPIRED; NotPendingError;
    HashMismatchError if the hash is not the plan's, or the plan was changed after it was sealed.

    :param plan_hash: the hash of the plan that the person was shown.
    :param now: seconds, on the clock that `Plan.expires` is on.
    """
    if expire(plan, now).approval is Approval.EXPIRED:
        raise PlanExpiredError(f'plan {plan.id} has expired: give the instruction again')
    if plan.approval is not Approval.PENDING:
        raise NotPendingError(
            f'plan {plan.id} does not wait for a decision: it is {plan.approval.value}'
        )
    if plan_hash != plan.hash or plan.hash != plan.content_hash():
        raise HashMismatchError(f'plan {plan.id} is not the one that was shown: look at it again')
    return replace(plan, approval=Approval.GRANTED if approved else Approval.DENIED)


def expire(plan: Plan, now: float) -> Plan:
    """Return the plan, EXPIRED if it waited for a decision beyond its time."""
    if plan.approval is Approval.PENDING and now > plan.expires:
        return replace(plan, approval=Approval.EXPIRED)
    return plan
