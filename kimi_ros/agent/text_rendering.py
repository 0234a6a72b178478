"""Rendering text into images, Chinese included where a font is available."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]

# Basic Latin and its accents; then general and Chinese punctuation, ideographs, full-width forms.
_LATIN = ((0x20, 0x7E), (0xA0, 0x17F))
_CHINESE = (*_LATIN, (0x2010, 0x2027), (0x3000, 0x3017), (0x4E00, 0x9FA5), (0xFF01, 0xFF5E))
_FOLDERS = ('/usr/share/fonts', '/usr/local/share/fonts', '~/.fonts', '~/.local/share/fonts')
_FILES = (
    'NotoSansCJK-Regular.*',
    'NotoSansSC-Regular.*',
    'SourceHanSans*Regular.*',
    'wqy-microhei.*',
    'wqy-zenhei.*',
    'DroidSansFallback*.*',
    'uming.*',
)


class TextRenderer(Protocol):
    """Writes lines of text into an RGB image."""

    chinese: bool

    def width(self, text: str, size: int) -> int:
        """Return the width of a line in pixels; `size` is the height of the font in pixels."""

    def write(self, rgb: np.ndarray, text: str, x: int, y: int, size: int, color: Color) -> None:
        """Write a line whose upper left corner is at x, y; it is 1.4 times `size` high."""


class OpenCvTextRenderer:
    """Renders with the Unicode font that is part of OpenCV 5."""

    chinese = True

    def __init__(self) -> None:
        self._font = cv2.FontFace('uni')

    def width(self, text: str, size: int) -> int:
        """Return the width of a line in pixels."""
        # The size of the canvas only matters for wrapping, which a huge one keeps away.
        x, _, width, _ = cv2.getTextSize((1 << 20, 1 << 10), text, (0, 0), self._font, size, 500)
        return x + width

    def write(self, rgb: np.ndarray, text: str, x: int, y: int, size: int, color: Color) -> None:
        """Write a line into uint8 (H, W, 3)."""
        cv2.putText(rgb, text, (x, y + round(1.06 * size)), color, self._font, size, 500)


class PillowTextRenderer:
    """Renders with a font file, or with Pillow's built-in font, which lacks Chinese."""

    def __init__(self, path: str = '') -> None:
        """Take a font file; '' is Pillow's own. Raises OSError for a file that is no font."""
        self.chinese = bool(path)
        self._path = path
        self._font(16)

    def width(self, text: str, size: int) -> int:
        """Return the width of a line in pixels."""
        return int(round(self._font(size).getlength(text)))

    def write(self, rgb: np.ndarray, text: str, x: int, y: int, size: int, color: Color) -> None:
        """Write a line into uint8 (H, W, 3)."""
        top, left = max(y, 0), max(x, 0)
        part = rgb[top : max(y + 2 * size, 0), left : max(x + self.width(text, size) + size, 0)]
        if part.size:
            picture = Image.fromarray(part)
            place = (x - left, y - top + round(1.06 * size))
            ImageDraw.Draw(picture).text(place, text, color, self._font(size), anchor='ls')
            part[:] = np.asarray(picture)

    @lru_cache(maxsize=8)  # noqa: B019 - renderers live as long as the process
    def _font(self, size: int) -> Any:
        if self._path:
            return ImageFont.truetype(self._path, size)
        return ImageFont.load_default(size)


@lru_cache(maxsize=1)
def find_text_renderer() -> TextRenderer:
    """Return the best text renderer that this machine has."""
    if hasattr(cv2, 'FontFace'):
        try:
            return OpenCvTextRenderer()
        except cv2.error:
            pass  # a build without the Unicode font
    for folder in _FOLDERS:
        for pattern in _FILES:
            for path in sorted(Path(folder).expanduser().rglob(pattern)):
                try:
                    return PillowTextRenderer(str(path))
                except OSError:
                    continue
    return PillowTextRenderer()


def renderable_text(text: str, text_renderer: TextRenderer) -> str:
    """Return the part of the text that the renderer can write.

    Unsupported symbols are left out. If a letter or an ideograph is not supported, the result is
    empty, because the rest would be misread.
    """
    ranges = _CHINESE if text_renderer.chinese else _LATIN
    kept = [c for c in text if any(a <= ord(c) <= b for a, b in ranges)]
    lost = [c for c in text if c not in kept and c.isalnum()]
    return '' if lost else ''.join(kept).strip()


def wrap_text(
    text: str, width: int, size: int, text_renderer: TextRenderer, most: int
) -> list[str]:
    """Wrap text into at most `most` lines, at spaces if possible; the rest becomes an ellipsis."""
    lines: list[str] = []
    rest = text
    while rest:
        end = len(rest)
        if text_renderer.width(rest, size) > width:
            low, high = 1, end
            while low < high:
                middle = (low + high + 1) // 2
                fits = text_renderer.width(rest[:middle], size) <= width
                low, high = (middle, high) if fits else (low, middle - 1)
            end = rest.rfind(' ', 0, low + 1)
            end = end if end > low // 2 else low
        if len(lines) == most - 1 and end < len(rest):
            return [*lines, f'{rest[: max(end - 3, 1)].rstrip()}...']
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return lines
