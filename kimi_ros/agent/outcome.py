"""How a planning run ends: the fields of a plan that the run decides."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from kimi_ros.agent.plan import Approval, GroundedObject, Plan, PlanStep, Status


@dataclass(frozen=True)
class PlanOutcome:
    """The result of a planning run; fields as in `Plan`."""

    status: Status
    say: str
    reason_codes: tuple[str, ...] = ()
    question: str = ''
    options: tuple[str, ...] = ()
    objects: tuple[GroundedObject, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    approval: Approval = Approval.NOT_NEEDED
    expires: float = 0.0
    seen_text: tuple[str, ...] = ()

    @classmethod
    def without_steps(
        cls,
        status: Status,
        reason: str,
        say: str,
        objects: tuple[GroundedObject, ...] = (),
        options: tuple[str, ...] = (),
    ) -> PlanOutcome:
        """Return the end of a run that leads to no steps; a clarification asks what it says."""
        question = say if status is Status.NEEDS_CLARIFICATION else ''
        return cls(status, say, (reason,), question, options, objects)

    def applied_to(self, plan: Plan) -> Plan:
        """Return the plan with these fields."""
        return replace(plan, **{f.name: getattr(self, f.name) for f in fields(self)})
