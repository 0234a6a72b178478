"""Conversion between the agent's plans and kimi_msgs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeVar

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point

from kimi_msgs.msg import GroundedObject as GroundedObjectMessage
from kimi_msgs.msg import Plan as PlanMessage
from kimi_msgs.msg import PlanStep as PlanStepMessage
from kimi_ros.agent import Approval, DepthStatus, GroundedObject, Plan, PlanStep, Risk, Status
from kimi_ros.nodes.stamps import NANO, nanoseconds, seconds

_NAN = math.nan
_Kind = TypeVar('_Kind', bound=Enum)
_TEXTS = (
    'id', 'hash', 'catalogue_hash', 'policy_hash', 'instruction', 'language', 'say', 'model',
    'planner', 'question',
)  # fmt: skip


def time_message(nanoseconds: int) -> Time:
    """Return a builtin_interfaces/Time."""
    return Time(sec=nanoseconds // NANO, nanosec=nanoseconds % NANO)


def approval_number(approval: Approval) -> int:
    """Return the APPROVAL_ constant of kimi_msgs/Plan."""
    return _number(PlanMessage, 'APPROVAL', approval)


def plan_to_message(plan: Plan, stamp: int) -> PlanMessage:
    """Return a kimi_msgs/Plan.

    :param stamp: of the image, nanoseconds: `plan.stamp` is a float and cannot hold them exactly.
    """
    message = PlanMessage()
    message.header.stamp = time_message(stamp)
    message.header.frame_id = plan.frame_id
    for name in _TEXTS:
        setattr(message, name, getattr(plan, name))
    message.status = _number(message, 'STATUS', plan.status)
    message.reason_codes = list(plan.reason_codes)
    message.options = list(plan.options)
    message.seen_text = list(plan.seen_text)
    message.objects = [object_to_message(o) for o in plan.objects]
    message.steps = [_step_to_message(s) for s in plan.steps]
    message.approval = _number(message, 'APPROVAL', plan.approval)
    message.expires = time_message(round(plan.expires * NANO))
    return message


def plan_from_message(message: PlanMessage) -> Plan | None:
    """Return the plan, or None if the message holds none (STATUS_UNSET)."""
    if message.status == message.STATUS_UNSET:
        return None
    return Plan(
        id=message.id,
        instruction=message.instruction,
        language=message.language,
        status=_member(message, 'STATUS', Status, message.status),
        say=message.say,
        stamp=seconds(nanoseconds(message.header.stamp)),
        frame_id=message.header.frame_id,
        hash=message.hash,
        catalogue_hash=message.catalogue_hash,
        policy_hash=message.policy_hash,
        model=message.model,
        planner=message.planner,
        reason_codes=tuple(message.reason_codes),
        question=message.question,
        options=tuple(message.options),
        seen_text=tuple(message.seen_text),
        objects=tuple(object_from_message(o) for o in message.objects),
        steps=tuple(_step_from_message(s) for s in message.steps),
        approval=_member(message, 'APPROVAL', Approval, message.approval),
        expires=seconds(nanoseconds(message.expires)),
    )


def object_to_message(item: GroundedObject) -> GroundedObjectMessage:
    """Return a kimi_msgs/GroundedObject."""
    message = GroundedObjectMessage()
    message.id, message.label = item.id, item.label
    message.score, message.verified = float(item.score), item.verified
    message.point = [float(v) for v in item.point]
    message.box = [float(v) for v in item.box or (_NAN,) * 4]
    x, y, z = item.position or (_NAN,) * 3
    message.position = Point(x=float(x), y=float(y), z=float(z))
    message.position_frame = item.position_frame
    message.covariance = [float(v) for v in item.covariance or (_NAN,) * 9]
    message.depth_status = _number(message, 'DEPTH', item.depth_status)
    return message


def object_from_message(message: GroundedObjectMessage) -> GroundedObject:
    """Return an object of a plan."""
    position = message.position
    return GroundedObject(
        id=message.id,
        label=message.label,
        score=message.score,
        verified=message.verified,
        point=(float(message.point[0]), float(message.point[1])),
        box=_known(message.box),
        position=_known((position.x, position.y, position.z)),
        position_frame=message.position_frame,
        covariance=_known(message.covariance),
        depth_status=_member(message, 'DEPTH', DepthStatus, message.depth_status),
    )


def _step_to_message(step: PlanStep) -> PlanStepMessage:
    message = PlanStepMessage()
    message.skill = step.skill
    message.object_ids = list(step.object_ids)
    message.arguments_json = step.arguments_json
    message.risk = _number(message, 'RISK', step.risk)
    message.needs_approval = step.needs_approval
    message.expected_effect = step.expected_effect
    return message


def _step_from_message(message: PlanStepMessage) -> PlanStep:
    return PlanStep(
        skill=message.skill,
        object_ids=tuple(message.object_ids),
        arguments_json=message.arguments_json,
        risk=Risk(message.risk),
        needs_approval=message.needs_approval,
        expected_effect=message.expected_effect,
    )


def _number(message: Any, prefix: str, member: Enum) -> int:
    """Return the message's constant with the name of the enum's member."""
    return int(getattr(message, f'{prefix}_{member.name}'))


def _member(message: Any, prefix: str, kind: type[_Kind], number: int) -> _Kind:
    return next(m for m in kind if _number(message, prefix, m) == number)


def _known(values: Iterable[float]) -> Any:
    """Return a tuple, or None for unknown values, which are NaN in messages."""
    numbers = tuple(float(v) for v in values)
    return None if any(math.isnan(v) for v in numbers) else numbers
