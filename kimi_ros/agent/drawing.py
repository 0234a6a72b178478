"""Drawing a plan on its image, for a person to check."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from kimi_ros.agent.plan import Approval, Plan, Status
from kimi_ros.agent.text_rendering import (
    Color,
    TextRenderer,
    find_text_renderer,
    renderable_text,
    wrap_text,
)

Rectangle = tuple[int, int, int, int]  # left, top, right, bottom

# Okabe and Ito's palette, safe for colour-blind readers; black text is legible on each.
_COLORS: tuple[Color, ...] = (
    (240, 228, 66),
    (86, 180, 233),
    (230, 159, 0),
    (0, 200, 140),
    (230, 140, 190),
    (255, 255, 255),
)
_STATUS: dict[Status, Color] = {
    Status.OK: (0, 200, 140),
    Status.NEEDS_CLARIFICATION: (240, 228, 66),
    Status.INFEASIBLE: (230, 159, 0),
    Status.REFUSED: (240, 110, 90),
    Status.ANSWER: (86, 180, 233),
}
_BLACK, _GREY, _WHITE = (0, 0, 0), (32, 32, 32), (255, 255, 255)
_LINE = 1.4  # height of a line of text, in font sizes


def draw_plan(rgb: np.ndarray, plan: Plan, text_renderer: TextRenderer | None = None) -> np.ndarray:
    """Return a copy of the image with the plan's objects marked and a status line added below it.

    Every object has its box, its point and its number, which options and steps refer to. Pixel
    coordinates stay valid: the status line is added below the image.

    :param rgb: uint8 (H, W, 3), the image that the plan was made for.
    :param text_renderer: for the text; None for the best one available.
    :return: uint8 (H + the status line's height, W, 3).
    """
    text_renderer = text_renderer or find_text_renderer()
    picture = np.ascontiguousarray(rgb).copy()
    height, width = picture.shape[:2]
    size = max(14, round(min(height, width) / 27))
    line = max(2, round(size / 8))
    taken: list[Rectangle] = []
    for number, item in enumerate(plan.objects):
        if item.box is not None:
            _outlined_box(picture, item.box, _COLORS[number % len(_COLORS)], line)
    for number, item in enumerate(plan.objects, 1):
        text = f'{number} {renderable_text(item.label, text_renderer)}'.strip()
        color = _COLORS[(number - 1) % len(_COLORS)]
        text = f'{text} {item.score:.2f}'
        _draw_label(picture, text, item.extent, color, size, text_renderer, taken)
    for number, item in enumerate(plan.objects):
        _outlined_point(picture, item.point, _COLORS[number % len(_COLORS)], 2 * line)
    return np.concatenate([picture, _status_line(plan, width, size, text_renderer)])


def _outlined_box(picture: np.ndarray, box: Sequence[float], color: Color, line: int) -> None:
    left, top, right, bottom = (round(v) for v in box)
    for shade, thickness in ((_BLACK, line + 2), (color, line)):
        cv2.rectangle(picture, (left, top), (right, bottom), shade, thickness, cv2.LINE_AA)


def _outlined_point(picture: np.ndarray, point: Sequence[float], color: Color, radius: int) -> None:
    center = round(point[0]), round(point[1])
    for shade, extra in ((_BLACK, 2), (_WHITE, 1), (color, -1)):
        cv2.circle(picture, center, radius + extra, shade, -1, cv2.LINE_AA)


def _draw_label(
    picture: np.ndarray,
    text: str,
    box: Sequence[float],
    color: Color,
    size: int,
    text_renderer: TextRenderer,
    taken: list[Rectangle],
) -> None:
    """Draw a label where it hides no other: above the box, below it, or as near as possible."""
    height, width = picture.shape[:2]
    chip_width, chip_height = text_renderer.width(text, size) + size // 2, round(_LINE * size)
    x = min(max(round(box[0]), 0), max(width - chip_width, 0))
    above, below = round(box[1]) - chip_height - 2, round(box[3]) + 3
    lowest = max(height - chip_height, 0)
    rows = [above, below, *(above - i * chip_height for i in range(1, 4)), *range(0, lowest, 4)]
    rows = [y for y in rows if 0 <= y <= lowest] or [0]
    free = (
        y
        for y in rows
        if not any(
            x < right and left < x + chip_width and y < bottom and top < y + chip_height
            for left, top, right, bottom in taken
        )
    )
    y = next(free, rows[0])
    end = x + chip_width, y + chip_height
    taken.append((x, y, *end))
    cv2.rectangle(picture, (x, y), end, color, -1)
    cv2.rectangle(picture, (x, y), end, _BLACK, 1)
    text_renderer.write(picture, text, x + size // 4, y, size, _BLACK)


def _status_line(plan: Plan, width: int, size: int, text_renderer: TextRenderer) -> np.ndarray:
    margin = size // 2
    color = _STATUS[plan.status]
    lines = []
    if asked := renderable_text(plan.instruction, text_renderer):
        lines += [
            (row, _WHITE)
            for row in wrap_text(f'> {asked}', width - 2 * margin, size, text_renderer, 2)
        ]
    text = plan.status.value.replace('_', ' ')
    if plan.approval is not Approval.NOT_NEEDED:
        text += f' (approval {plan.approval.value})'
    if steps := _steps(plan):
        text += f': {steps}'
    lines += [(row, color) for row in wrap_text(text, width - 2 * margin, size, text_renderer, 3)]
    if said := renderable_text(plan.say, text_renderer):
        lines += [
            (row, color) for row in wrap_text(said, width - 2 * margin, size, text_renderer, 4)
        ]
    step = round(_LINE * size)
    bar = np.full((step * len(lines) + 2 * (margin // 2), width, 3), _GREY, np.uint8)
    bar[:, : max(margin // 3, 2)] = color
    for number, (row, row_color) in enumerate(lines):
        text_renderer.write(bar, row, margin, margin // 2 + number * step, size, row_color)
    return bar


def _steps(plan: Plan) -> str:
    """Return the steps with objects by their numbers: pick(1), place(1, 2)."""
    numbers = {item.id: str(n) for n, item in enumerate(plan.objects, 1)}
    return ', '.join(
        f'{s.skill}({", ".join(numbers[i] for i in s.object_ids)})' for s in plan.steps
    )
