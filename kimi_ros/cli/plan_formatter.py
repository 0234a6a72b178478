"""Formatting plans for the terminal."""

from __future__ import annotations

from kimi_ros.agent import Approval, DepthStatus, GroundedObject, Plan, Status

_NEGLIGIBLE = 0.005  # metres


def plan_lines(plan: Plan) -> list[str]:
    """Return the spoken sentence, the steps with their objects, and the positions of these."""
    planner = [f'planner: {plan.planner}, model: {plan.model}'] if plan.planner else []
    lines = [f'kimi: {plan.say}']
    if plan.status is Status.ANSWER:
        return [*lines, *(f'  {object_line(item)}' for item in plan.objects), *planner]
    if plan.status is not Status.OK:
        reasons = ', '.join(plan.reason_codes)
        lines.append(f'no plan: {plan.status.value.replace("_", " ")} ({reasons})')
        lines += [f'  {option}' for option in plan.options]
        return lines + planner
    for number, step in enumerate(plan.steps, 1):
        objects = [plan.object(i) for i in step.object_ids]
        named = ' -> '.join(item.label for item in objects)
        waits = ', needs approval' if step.needs_approval else ''
        lines.append(f'step {number}: {step.skill} {named}'.rstrip() + waits)
    lines += [f'  {object_line(item)}' for item in plan.objects]
    lines += [f'text in view: {text}' for text in plan.seen_text]
    if plan.reason_codes:
        lines.append(f'notes: {", ".join(plan.reason_codes)}')
    if plan.approval is not Approval.NOT_NEEDED:
        lines.append(f'approval: {plan.approval.value}')
    return lines + planner


def object_line(item: GroundedObject) -> str:
    """Return an object's pixel, position, score and verification."""
    x, y = item.point
    verification = 'verified' if item.verified else 'not verified'
    return (
        f'{item.label}: pixel ({x:.0f}, {y:.0f}), {position_text(item)}, '
        f'score {item.score:.2f}, {verification}'
    )


def position_text(item: GroundedObject) -> str:
    """Return a position in words and metres, or why there is none."""
    if item.position is None:
        return f'no position (depth: {item.depth_status.value.replace("_", " ")})'
    x, y, z = item.position
    if item.depth_status is DepthStatus.NO_TRANSFORM:
        return f'{z:.2f} m from the camera'
    parts = [
        _along(x, 'ahead', 'behind'),
        _along(y, 'left', 'right'),
        _along(z, 'up', 'down'),
    ]
    return ', '.join(p for p in parts if p) + f' of {item.position_frame}'


def _along(metres: float, positive: str, negative: str) -> str:
    if abs(metres) < _NEGLIGIBLE:
        return ''
    return f'{abs(metres):.2f} m {positive if metres > 0 else negative}'
