"""Conversion between the agent's plans and kimi_msgs."""

from __future__ import annotations

import math

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point

from kimi_msgs import msg as kimi_msgs
from kimi_ros.agent import Approval, DepthStatus, GroundedObject, Plan, PlanStep, Risk, Status

_NAN = math.nan
_NANO = 1_000_000_000
_TEXTS = (
    'id', 'hash', 'catalogue_hash', 'instruction', 'language', 'say', 'model', 'planner', 'question'
)  # fmt: skip


def time_message(nanoseconds: int) -> Time:
    """Return a builtin_interfaces/Time."""
    return Time(sec=nanoseconds // _NANO, nanosec=nanoseconds % _NANO)


def nanoseconds(message: Time) -> int:
    """Return a builtin_interfaces/Time as nanoseconds."""
    return message.sec * _NANO + message.nanosec


def approval_number(approval: Approval) -> int:
    """Return the APPROVAL_ constant of kimi_msgs/Plan."""
    return _number(kimi_msgs.Plan, 'APPROVAL', approval)


def plan_to_message(plan: Plan, stamp: int) -> kimi_msgs.Plan:
    """Return a kimi_msgs/Plan.

    :param stamp: of the image, nanoseconds: `plan.stamp` is a float and cannot hold them exactly.
    """
    message = kimi_msgs.Plan()
    message.header.stamp = time_message(stamp)
    message.header.frame_id = plan.frame_id
    for name in _TEXTS:
        setattr(message, name, getattr(plan, name))
    message.status = _number(message, 'STATUS', plan.status)
    message.reason_codes = list(plan.reason_codes)
    message.options = list(plan.options)
    message.objects = [_object_to_message(o) for o in plan.objects]
    message.steps = [_step_to_message(s) for s in plan.steps]
    message.approval = _number(message, 'APPROVAL', plan.approval)
    message.expires = time_message(round(plan.expires * _NANO))
    return message


def plan_from_message(message: kimi_msgs.Plan) -> Plan | None:
    """Return the plan, or None if the message holds none (STATUS_UNSET)."""
    if message.status == message.STATUS_UNSET:
        return None
    return Plan(
        id=message.id,
        instruction=message.instruction,
        language=message.language,
        status=_member(message, 'STATUS', Status, message.status),
        say=message.say,
        stamp=nanoseconds(message.header.stamp) / _NANO,
        frame_id=message.header.frame_id,
        hash=message.hash,
        catalogue_hash=message.catalogue_hash,
        model=message.model,
        planner=message.planner,
        reason_codes=tuple(message.reason_codes),
        question=message.question,
        options=tuple(message.options),
        objects=tuple(_object_from_message(o) for o in message.objects),
        steps=tuple(_step_from_message(s) for s in message.steps),
        approval=_member(message, 'APPROVAL', Approval, message.approval),
        expires=nanoseconds(message.expires) / _NANO,
    )


def _object_to_message(item: GroundedObject) -> kimi_msgs.GroundedObject:
    message = kimi_msgs.GroundedObject()
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


def _object_from_message(message: kimi_msgs.GroundedObject) -> GroundedObject:
    position = message.position
    return GroundedObject(
        id=message.id,
        label=message.label,
        score=message.score,
        verified=message.verified,
        point=_numbers(message.point),
        box=_known(_numbers(message.box)),
        position=_known((position.x, position.y, position.z)),
        position_frame=message.position_frame,
        covariance=_known(_numbers(message.covariance)),
        depth_status=_member(message, 'DEPTH', DepthStatus, message.depth_status),
    )


def _step_to_message(step: PlanStep) -> kimi_msgs.PlanStep:
    message = kimi_msgs.PlanStep()
    message.skill = step.skill
    message.object_ids = list(step.object_ids)
    message.arguments_json = step.arguments_json
    message.risk = _number(message, 'RISK', step.risk)
    message.needs_approval = step.needs_approval
    message.expected_effect = step.expected_effect
    return message


def _step_from_message(message: kimi_msgs.PlanStep) -> PlanStep:
    return PlanStep(
        skill=message.skill,
        object_ids=tuple(message.object_ids),
        arguments_json=message.arguments_json,
        risk=Risk(message.risk),
        needs_approval=message.needs_approval,
        expected_effect=message.expected_effect,
    )


def _number(message, prefix: str, member) -> int:
    """Return the message's constant with the name of the enum's member."""
    return getattr(message, f'{prefix}_{member.name}')


def _member(message, prefix: str, kind, number: int):
    return next(m for m in kind if _number(message, prefix, m) == number)


def _numbers(values) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _known(values: tuple[float, ...]) -> tuple[float, ...] | None:
    """Return None for unknown values, which are NaN in messages."""
    return None if any(math.isnan(v) for v in values) else values
