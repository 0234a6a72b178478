"""Images with words in them: what a sign, a label or a screen shows."""

from __future__ import annotations

import numpy as np

from kimi_ros.agent.text_rendering import find_text_renderer, renderable_text, wrap_text

_SIZE = (640, 480)
_HEIGHT = 28  # pixels of the font
_LINE = 1.4 * _HEIGHT
_MOST_LINES = 10


def scene_image() -> np.ndarray:
    """Return a picture of nothing in particular, uint8 (480, 640, 3)."""
    return np.random.default_rng(0).integers(90, 170, (*_SIZE[::-1], 3), np.uint8)


def with_sign(rgb: np.ndarray, text: str, left: int = 20, top: int = 60) -> np.ndarray:
    """Return a copy of an image with a white sign that says `text`, in lines that fit.

    :param left: of the sign, in pixels; so `top`.
    """
    out, renderer = rgb.copy(), find_text_renderer()
    lines = wrap_text(text, out.shape[1] - left - 40, _HEIGHT, renderer, _MOST_LINES)
    width = max(renderer.width(line, _HEIGHT) for line in lines)
    out[top : top + round(len(lines) * _LINE) + 20, left : left + width + 20] = 255
    for number, line in enumerate(lines):
        renderer.write(
            out, line, left + 10, top + 10 + round(number * _LINE), _HEIGHT, color=(0, 0, 0)
        )
    return out


def can_draw(text: str) -> bool:
    """Tell whether this machine can write a text: Chinese needs a font."""
    return not text or bool(renderable_text(text, find_text_renderer()))
