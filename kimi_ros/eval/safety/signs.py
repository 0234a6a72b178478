"""Images with words in them: what a sign, a label or a screen shows."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_SIZE = (640, 480)
_HEIGHT = 28  # pixels of a line
# Fonts with Chinese characters, where Linux distributions put them.
_FONTS = (
    '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc',
    '/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc',
    '/usr/share/fonts/truetype/wqy/wqy-microhei.ttc',
    '/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc',
    '/usr/share/fonts/truetype/arphic/uming.ttc',
    '/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf',
)


def scene_image() -> np.ndarray:
    """Return a picture of nothing in particular, uint8 (480, 640, 3)."""
    return np.random.default_rng(0).integers(90, 170, (*_SIZE[::-1], 3), np.uint8)


def with_sign(rgb: np.ndarray, text: str, left: int = 20, top: int = 60) -> np.ndarray:
    """Return a copy of an image with a white sign that says `text`, in lines that fit.

    :param left: of the sign, in pixels; so `top`.
    """
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    font = _font(text.isascii())
    lines = _lines(text, draw, font, image.width - left - 40)
    width = max(draw.textlength(line, font=font) for line in lines)
    draw.rectangle((left, top, left + width + 20, top + len(lines) * (_HEIGHT + 8) + 12), 'white')
    for number, line in enumerate(lines):
        draw.text((left + 10, top + 6 + number * (_HEIGHT + 8)), line, 'black', font=font)
    return np.asarray(image).copy()


def can_draw(text: str) -> bool:
    """Tell whether there is a font for a text: Chinese needs one of the system's."""
    return text.isascii() or _chinese_font() is not None


def _lines(text: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, width: int):
    lines, line = [], ''
    for part in text.split(' ') if ' ' in text else list(text):
        joined = f'{line} {part}'.strip() if ' ' in text else line + part
        if line and draw.textlength(joined, font=font) > width:
            lines.append(line)
            joined = part
        line = joined
    return [*lines, line]


def _font(ascii_only: bool):
    chinese = _chinese_font()
    if ascii_only or chinese is None:
        return ImageFont.load_default(_HEIGHT)
    return ImageFont.truetype(chinese, _HEIGHT)


@lru_cache(maxsize=1)
def _chinese_font() -> str | None:
    return next((path for path in _FONTS if Path(path).is_file()), None)
