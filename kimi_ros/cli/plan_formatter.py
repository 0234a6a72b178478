"""Formatting plans for the terminal, in the language of the plan."""

from __future__ import annotations

from kimi_ros.agent import Approval, DepthStatus, GroundedObject, Plan, Status

_NEGLIGIBLE = 0.005  # metres

# English and Chinese. Names of skills, frames, reasons and states stay as they are in messages.
_TEXTS = {
    'step': ('step {}: {}', '第 {} 步：{}'),
    'needs_approval': (', needs approval', '，需要批准'),
    'no_plan': ('no plan: {} ({})', '没有计划：{}（{}）'),
    'text_in_view': ('text in view: {}', '画面中的文字：{}'),
    'notes': ('notes: {}', '备注：{}'),
    'approval': ('approval: {}', '批准：{}'),
    'planner': ('planner: {}, model: {}', '规划：{}，模型：{}'),
    'object': (
        '{}: pixel ({:.0f}, {:.0f}), {}, score {:.2f}, {}',
        '{}：像素 ({:.0f}, {:.0f})，{}，得分 {:.2f}，{}',
    ),
    'verified': ('verified', '已核实'),
    'not_verified': ('not verified', '未核实'),
    'no_position': ('no position (depth: {})', '没有位置（深度：{}）'),
    'from_camera': ('{:.2f} m from the camera', '离相机 {:.2f} 米'),
    'position': ('{1} of {0}', '{0} {1}'),
    'between': (', ', '、'),
    'ahead': ('{:.2f} m ahead', '前方 {:.2f} 米'),
    'behind': ('{:.2f} m behind', '后方 {:.2f} 米'),
    'left': ('{:.2f} m left', '左侧 {:.2f} 米'),
    'right': ('{:.2f} m right', '右侧 {:.2f} 米'),
    'up': ('{:.2f} m up', '上方 {:.2f} 米'),
    'down': ('{:.2f} m down', '下方 {:.2f} 米'),
}


def plan_lines(plan: Plan) -> list[str]:
    """Return the spoken sentence, the steps with their objects, and the positions of these."""

    def line(key: str, *values: object) -> str:
        return _text(key, plan.language, *values)

    planner = [line('planner', plan.planner, plan.model)] if plan.planner else []
    objects = [f'  {object_line(item, plan.language)}' for item in plan.objects]
    lines = [f'kimi: {plan.say}']
    if plan.status is Status.ANSWER:
        return [*lines, *objects, *planner]
    if plan.status is not Status.OK:
        status = plan.status.value.replace('_', ' ')
        lines.append(line('no_plan', status, ', '.join(plan.reason_codes)))
        lines += [f'  {option}' for option in plan.options]
        return lines + planner
    for number, step in enumerate(plan.steps, 1):
        named = ' -> '.join(plan.object(i).label for i in step.object_ids)
        waits = line('needs_approval') if step.needs_approval else ''
        lines.append(line('step', number, f'{step.skill} {named}'.rstrip()) + waits)
    lines += objects
    lines += [line('text_in_view', text) for text in plan.seen_text]
    if plan.reason_codes:
        lines.append(line('notes', ', '.join(plan.reason_codes)))
    if plan.approval is not Approval.NOT_NEEDED:
        lines.append(line('approval', plan.approval.value))
    return lines + planner


def object_line(item: GroundedObject, language: str) -> str:
    """Return an object's pixel, position, score and verification."""
    verified = _text('verified' if item.verified else 'not_verified', language)
    position = position_text(item, language)
    return _text('object', language, item.label, *item.point, position, item.score, verified)


def position_text(item: GroundedObject, language: str) -> str:
    """Return a position in words and metres, or why there is none."""
    if item.position is None:
        return _text('no_position', language, item.depth_status.value.replace('_', ' '))
    if item.depth_status is DepthStatus.NO_TRANSFORM:
        return _text('from_camera', language, item.position[2])
    sides = (('ahead', 'behind'), ('left', 'right'), ('up', 'down'))
    parts = [
        _text(sides[axis][metres < 0], language, abs(metres))
        for axis, metres in enumerate(item.position)
        if abs(metres) >= _NEGLIGIBLE
    ]
    between = _text('between', language)
    return _text('position', language, item.position_frame, between.join(parts))


def _text(key: str, language: str, *values: object) -> str:
    return _TEXTS[key][language == 'zh'].format(*values)
