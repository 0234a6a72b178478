"""Approval of the latest plan: waiting for a person's decision, and expiry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Condition, Event

from kimi_ros.agent import Approval, Plan, approve
from kimi_ros.nodes.codes import ErrorCode, RequestError
from kimi_ros.nodes.waiting import wait_cancellable

_OPEN = (Approval.PENDING, Approval.GRANTED)


class ApprovalManager:
    """Holds the latest plan; older plans can no longer be approved. Thread-safe."""

    def __init__(self, now: Callable[[], float], on_change: Callable[[Plan], None]):
        """Create a manager without a plan.

        :param now: seconds, on the clock of `Plan.expires`.
        :param on_change: called with every plan whose approval changed, one at a time and in
            order.
        """
        self._now = now
        self._on_change = on_change
        self._changed = Condition()
        self._plan: Plan | None = None

    def set_plan(self, plan: Plan) -> None:
        """Replace the latest plan; the previous one expires."""
        with self._changed:
            self._expire()
            self._update(plan)

    def decide(self, plan_id: str, plan_hash: str, approved: bool) -> Plan:
        """Return the plan, GRANTED or DENIED.

        :raises RequestError: with NO_SUCH_PLAN.
        :raises AgentError: HashMismatchError, PlanExpiredError or NotPendingError.
        """
        with self._changed:
            if self._plan is None or self._plan.id != plan_id:
                raise RequestError(
                    ErrorCode.NO_SUCH_PLAN,
                    f'plan {plan_id!r} is not the latest: approve the plan on ~/plan',
                )
            self._update(approve(self._plan, plan_hash, approved, self._now()))
            return self._plan

    def state(self, plan_id: str) -> Approval:
        """Return a plan's approval state; any but the latest plan is EXPIRED."""
        with self._changed:
            plan = self._plan
            return plan.approval if plan and plan.id == plan_id else Approval.EXPIRED

    def wait(self, plan: Plan, cancel: Event) -> Plan:
        """Return the plan once it is decided, has expired, or `cancel` was set (EXPIRED)."""

        def done() -> bool:
            self.check_expiry()
            return not self._is_pending(plan)

        with self._changed:
            try:
                wait_cancellable(self._changed, done, cancel)
            except RequestError:
                self._expire()
            if self._plan is None or self._plan.id != plan.id:
                return replace(plan, approval=Approval.EXPIRED)
            return self._plan

    def check_expiry(self) -> None:
        """Expire the plan if its time is over, whether it is granted or pending."""
        with self._changed:
            if self._plan is not None and self._now() > self._plan.expires:
                self._expire()

    def clear(self) -> None:
        """Drop the plan; it expires, whether it is granted or pending."""
        with self._changed:
            self._expire()
            self._plan = None

    def _is_pending(self, plan: Plan) -> bool:
        return (
            self._plan is not None
            and self._plan.id == plan.id
            and self._plan.approval is Approval.PENDING
        )

    def _expire(self) -> None:
        if self._plan is not None and self._plan.approval in _OPEN:
            self._update(replace(self._plan, approval=Approval.EXPIRED))

    def _update(self, plan: Plan) -> None:
        self._plan = plan
        self._on_change(plan)
        self._changed.notify_all()
