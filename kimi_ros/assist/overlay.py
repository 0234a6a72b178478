"""Drawing what is followed on the camera's image, for a phone or glasses to show."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from kimi_ros.agent.text_rendering import find_text_renderer, renderable_text, wrap_text
from kimi_ros.assist.sight import Sight

_COLOR, _BLACK, _WHITE = (240, 228, 66), (0, 0, 0), (255, 255, 255)
_LINE = 1.4  # height of a line of text, in font sizes


def draw_sight(rgb: np.ndarray, sight: Sight, sentence: str) -> np.ndarray:
    """Return a copy of the image with the things marked, and the newest sentence over its foot.

    :param rgb: uint8 (H, W, 3).
    :return: the same shape: pixel coordinates stay valid.
    """
    picture = np.ascontiguousarray(rgb).copy()
    height, width = picture.shape[:2]
    size = max(14, round(min(height, width) / 27))
    for thing in sight.things:
        x0, y0, x1, y1 = (round(v) for v in thing.box)
        for color, thickness in ((_BLACK, 5), (_COLOR, 2)):
            cv2.rectangle(picture, (x0, y0), (x1, y1), color, thickness, cv2.LINE_AA)
        label = thing.label
        if thing.xyz is not None:
            label += f' {float(np.linalg.norm(thing.xyz)):.1f} m'
        _paste(picture, _chip(label, width, size, 1), x0, y0 - round(_LINE * size))
    if sentence:
        chip = _chip(sentence, width, size, 2)
        _paste(picture, chip, 0, height - chip.shape[0])
    return picture


@functools.lru_cache(64)
def _chip(text: str, width: int, size: int, lines: int) -> np.ndarray:
    """Return text on black; kept, as drawing it costs more than the rest of the overlay."""
    renderer = _renderer()
    shown = wrap_text(renderable_text(text, renderer), width - size, size, renderer, lines)
    row = round(_LINE * size)
    longest = max((renderer.width(line, size) for line in shown), default=0)
    chip = np.zeros((row * max(len(shown), 1), min(longest + size, width), 3), np.uint8)
    for number, line in enumerate(shown):
        renderer.write(chip, line, size // 2, number * row, size, _WHITE)
    return chip


@functools.lru_cache(1)
def _renderer():  # type: ignore[no-untyped-def]  # a Protocol of another package
    return find_text_renderer()


def _paste(picture: np.ndarray, chip: np.ndarray, x: int, y: int) -> None:
    height, width = picture.shape[:2]
    x = min(max(x, 0), max(width - chip.shape[1], 0))
    y = min(max(y, 0), max(height - chip.shape[0], 0))
    target = picture[y : y + chip.shape[0], x : x + chip.shape[1]]
    target[:] = chip[: target.shape[0], : target.shape[1]]
