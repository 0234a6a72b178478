"""The plan that waits for a person, and the decision about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Condition, Event

from kimi_ros.agent import Approval, Plan, approve
from kimi_ros.nodes.codes import Code, NodeError

_LOOK_AGAIN = 0.1  # seconds between looks at the clock and the cancel event
_ALIVE = (Approval.PENDING, Approval.GRANTED)


class Approvals:
    """Knows the newest plan; an older one can no longer be approved. Safe between threads."""

    def __init__(self, now: Callable[[], float], on_change: Callable[[Plan], None]):
        """Take the clock that `Plan.expires` is on, and what is told of every plan that changes.

        `on_change` hears of changes one after the other, in the order in which they happened.
        """
        self._now = now
        self._on_change = on_change
        self._changed = Condition()
        self._plan: Plan | None = None

    def present(self, plan: Plan) -> None:
        """Make this the plan that can be decided about; the one before it expires."""
        with self._changed:
            self._expire()
            self._change(plan)

    def decide(self, plan_id: str, plan_hash: str, agreed: bool) -> Plan:
        """Return the plan GRANTED or DENIED.

        Raises NodeError with NO_SUCH_PLAN, and HashMismatch, PlanExpired, NotPending of the agent.
        """
        with self._changed:
            if self._plan is None or self._plan.id != plan_id:
                raise NodeError(
                    Code.NO_SUCH_PLAN,
                    f'plan {plan_id!r} is not the newest one: look at ~/plan and decide about that',
                )
            self._change(approve(self._plan, plan_hash, agreed, self._now()))
            return self._plan

    def state(self, plan_id: str) -> Approval:
        """Return where the plan stands; an older one than the newest is EXPIRED."""
        with self._changed:
            known = self._plan is not None and self._plan.id == plan_id
            return self._plan.approval if known else Approval.EXPIRED

    def wait(self, plan: Plan, cancel: Event) -> Plan:
        """Return the plan once it was decided about, has expired, or `cancel` was set."""
        with self._changed:
            while True:
                self.look_at_clock()
                if self._plan is None or self._plan.id != plan.id:
                    return replace(plan, approval=Approval.EXPIRED)
                if self._plan.approval is not Approval.PENDING:
                    return self._plan
                if cancel.is_set():
                    self._expire()
                    return self._plan
                self._changed.wait(_LOOK_AGAIN)

    def look_at_clock(self) -> None:
        """Let the plan expire if its time is over, whether it was granted or still waits."""
        with self._changed:
            if self._plan is not None and self._now() > self._plan.expires:
                self._expire()

    def forget(self) -> None:
        """Drop the plan; it expires, whether it was granted or still waits."""
        with self._changed:
            self._expire()
            self._plan = None

    def _expire(self) -> None:
        if self._plan is not None and self._plan.approval in _ALIVE:
            self._change(replace(self._plan, approval=Approval.EXPIRED))

    def _change(self, plan: Plan) -> None:
        self._plan = plan
        self._on_change(plan)
        self._changed.notify_all()
