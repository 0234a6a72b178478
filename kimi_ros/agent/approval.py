"""A person's decision about a plan, bound to the plan's hash and its expiry time."""

from __future__ import annotations

from dataclasses import replace

from kimi_ros.agent import phrases
from kimi_ros.agent.errors import (
    HashMismatchError,
    NotPendingError,
    PlanExpiredError,
    VoiceNotEnoughError,
)
from kimi_ros.agent.noun_matching import normalize_text
from kimi_ros.agent.plan import Approval, Plan, Reason, Risk, Status

ID_LENGTH = 8  # characters of a plan's id that a person types


def approve(
    plan: Plan,
    plan_hash: str,
    approved: bool,
    now: float,
    *,
    voice: bool = False,
    read_back: str = '',
) -> Plan:
    """Return the plan GRANTED, or as `withdrawn` returns it: DENIED.

    Raises PlanExpiredError, whether or not the plan was already marked EXPIRED; NotPendingError;
    HashMismatchError if the hash is not the plan's, or the plan was changed after it was sealed;
    VoiceNotEnoughError. A voice may always deny.

    :param plan_hash: the hash of the plan that the person was shown.
    :param now: seconds, on the clock that `Plan.expires` is on.
    :param voice: the decision was spoken. A recogniser can mishear, so it approves only plans of
        low risk, and only after their sentence was read aloud.
    :param read_back: what was read aloud.
    """
    if expire(plan, now).approval is Approval.EXPIRED:
        raise PlanExpiredError(f'plan {plan.id} has expired: give the instruction again')
    if plan.approval is not Approval.PENDING:
        raise NotPendingError(
            f'plan {plan.id} does not wait for a decision: it is {plan.approval.value}'
        )
    if plan_hash != plan.hash or plan.hash != plan.content_hash():
        raise HashMismatchError(f'plan {plan.id} is not the one that was shown: look at it again')
    if not approved:
        return withdrawn(plan, Approval.DENIED, Reason.DENIED)
    if voice:
        _check_voice(plan, read_back)
    return replace(plan, approval=Approval.GRANTED)


def expire(plan: Plan, now: float) -> Plan:
    """Return the plan, withdrawn as EXPIRED if it waited for a decision beyond its time."""
    if plan.approval is Approval.PENDING and now > plan.expires:
        return withdrawn(plan, Approval.EXPIRED, Reason.EXPIRED)
    return plan


def withdrawn(plan: Plan, approval: Approval, reason: str) -> Plan:
    """Return what is left of a plan that will not be approved.

    It has another status than OK and no steps, so that whoever looks at one of its fields only
    does not act, and its own hash.

    :param approval: DENIED or EXPIRED.
    :param reason: a code of `Reason`, which `phrases` has a sentence for.
    """
    return replace(
        plan,
        status=Status.REFUSED if approval is Approval.DENIED else Status.INFEASIBLE,
        say=phrases.say(reason, plan.language),
        reason_codes=(*plan.reason_codes, reason),
        steps=(),
        approval=approval,
    ).sealed()


def request_for_approval(plan: Plan) -> str:
    """Return what a person is told of a plan that waits: what to type."""
    return phrases.say('awaiting_approval', plan.language, plan.id[:ID_LENGTH])


def _check_voice(plan: Plan, read_back: str) -> None:
    if max((step.risk for step in plan.steps), default=Risk.NONE) > Risk.LOW:
        raise VoiceNotEnoughError(
            f'plan {plan.id} is too risky for a spoken approval: '
            f'type kimi approve {plan.id[:ID_LENGTH]}'
        )
    if normalize_text(plan.say) not in normalize_text(read_back) or not plan.say:
        raise VoiceNotEnoughError(
            f'plan {plan.id} was not read back: read its sentence aloud, then ask again'
        )
