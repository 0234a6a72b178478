"""Approval of plans: those that wait for a person's decision, and how the waiting ends."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Event

from kimi_ros.agent import Approval, Plan, Reason, approve, expire, withdrawn
from kimi_ros.nodes.codes import ErrorCode, RequestError
from kimi_ros.nodes.waiting import wait_cancellable

_OPEN = (Approval.PENDING, Approval.GRANTED)
_MOST_WAITING = 32  # more pending plans than this nobody looks through: the oldest expire
_KEPT = 64  # plans that have ended, for those who still wait to hear of it


class ApprovalManager:
    """Holds the latest plan, and older ones that wait or were granted. Thread-safe.

    A new plan takes nothing from an older one that waits: it may be another client's.
    """

    def __init__(self, now: Callable[[], float], on_change: Callable[[Plan], None]):
        """Create a manager without a plan.

        :param now: seconds, on the clock of `Plan.expires`.
        :param on_change: called with every new plan, one that was granted, and the latest plan
            whenever its approval changed; one at a time and in order. Older plans that are denied
            or expire do not take the latest one's place.
        """
        self._now = now
        self._on_change = on_change
        self._changed = Condition()
        self._plans: dict[str, Plan] = {}  # by id, the latest last

    def set_plan(self, plan: Plan) -> None:
        """Take a new plan as the latest."""
        with self._changed:
            ended = [i for i, p in self._plans.items() if p.approval not in _OPEN]
            for old_id in ended[: max(0, len(ended) - _KEPT)]:
                del self._plans[old_id]
            waiting = self._waiting()
            for old in waiting[: max(0, len(waiting) + 1 - _MOST_WAITING)]:
                self._withdraw(old, Reason.EXPIRED)
            self._update(plan)

    def get(self, plan_id: str) -> Plan:
        """Return a plan; raises RequestError with NO_SUCH_PLAN."""
        with self._changed:
            if plan_id not in self._plans:
                raise RequestError(
                    ErrorCode.NO_SUCH_PLAN,
                    f'there is no plan {plan_id!r}: approve one that /diagnostics lists',
                )
            return self._plans[plan_id]

    def waiting(self) -> list[Plan]:
        """Return the plans that wait for a decision, the latest last."""
        with self._changed:
            return self._waiting()

    def decide(
        self, plan_id: str, plan_hash: str, approved: bool, voice: bool = False, read_back: str = ''
    ) -> Plan:
        """Return the plan, GRANTED or DENIED.

        :raises RequestError: with NO_SUCH_PLAN.
        :raises AgentError: as `kimi_ros.agent.approve` does.
        """
        with self._changed:
            plan = self.check(plan_id, plan_hash, approved, voice, read_back)
            self._update(plan)
            return plan

    def check(
        self, plan_id: str, plan_hash: str, approved: bool, voice: bool = False, read_back: str = ''
    ) -> Plan:
        """Return and raise what `decide` would, without deciding."""
        plan = self.get(plan_id)
        return approve(plan, plan_hash, approved, self._now(), voice=voice, read_back=read_back)

    def withdraw(self, plan_id: str, reason: str) -> None:
        """End a plan's waiting for a reason of `Reason`; nothing if it does not wait."""
        with self._changed:
            plan = self._plans.get(plan_id)
            if plan is not None and plan.approval is Approval.PENDING:
                self._withdraw(plan, reason)

    def state(self, plan_id: str) -> Approval:
        """Return a plan's approval state; a plan that is not known any more is EXPIRED."""
        with self._changed:
            plan = self._plans.get(plan_id)
            return plan.approval if plan else Approval.EXPIRED

    def wait(self, plan: Plan, cancel: Event) -> Plan:
        """Return the plan once it is decided, has expired, or `cancel` was set (EXPIRED)."""
        ended = plan

        def done() -> bool:
            nonlocal ended
            self.check_expiry()
            ended = self._plans.get(plan.id) or withdrawn(plan, Approval.EXPIRED, Reason.WITHDRAWN)
            return ended.approval is not Approval.PENDING

        with self._changed:
            try:
                wait_cancellable(self._changed, done, cancel)
            except RequestError:
                self.withdraw(plan.id, Reason.WITHDRAWN)
                done()
            return ended

    def check_expiry(self) -> None:
        """Expire the plans whose time to be decided about is over; granted ones stay granted."""
        with self._changed:
            for plan in self._waiting():
                if (now := expire(plan, self._now())) is not plan:
                    self._update(now)

    def clear(self) -> None:
        """Call off and drop all plans, whether they are granted or wait."""
        with self._changed:
            for plan in list(self._plans.values()):
                if plan.approval in _OPEN:
                    ended = withdrawn(plan, Approval.EXPIRED, Reason.WITHDRAWN)
                    self._plans[plan.id] = ended
                    self._on_change(ended)
            self._plans = {}
            self._changed.notify_all()

    def _waiting(self) -> list[Plan]:
        return [p for p in self._plans.values() if p.approval is Approval.PENDING]

    def _withdraw(self, plan: Plan, reason: str) -> None:
        self._update(withdrawn(plan, Approval.EXPIRED, reason))

    def _update(self, plan: Plan) -> None:
        is_new = plan.id not in self._plans
        self._plans[plan.id] = plan
        if is_new or plan.approval is Approval.GRANTED or plan.id == next(reversed(self._plans)):
            self._on_change(plan)
        self._changed.notify_all()
