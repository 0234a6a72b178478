"""What a robot did, as a strip of pictures and as a video."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from kimi_ros.agent.text_rendering import find_text_renderer, renderable_text
from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.pictures import write_picture

RATE = 10.0
"""Pictures a second of the video."""

_STILL = 15  # pictures of the video for which what does not move is shown
_BAR, _SIZE, _MARGIN = 28, 16, 6  # pixels, of the line of text below a picture
_DARK, _LIGHT = 32, (235, 235, 235)
_COLUMNS = 3
_WIDTH = 480  # pixels of a picture on the strip


class Film:
    """Pictures, uint8 (H, W, 3), with a line of text below each; the smaller ones get a margin.

    Pictures that repeat the one before are left out: time in which nothing moves is not shown.
    """

    def __init__(self) -> None:
        self._pictures: list[tuple[np.ndarray, str]] = []

    def __len__(self) -> int:
        return len(self._pictures)

    def add(self, rgb: np.ndarray, text: str) -> None:
        """Add what was seen, and what was being done."""
        if not self._pictures or not np.array_equal(self._pictures[-1][0], rgb):
            self._pictures.append((rgb, text))

    def insert(self, number: int, rgb: np.ndarray, text: str) -> None:
        """Put a picture before the one of a number, from 0."""
        self._pictures.insert(number, (rgb, text))

    def write_strip(self, path: Path) -> None:
        """Write the first picture and, of each text after it, one from its middle and its last."""
        texts = [text for _, text in self._pictures]
        chosen = [0]
        begin = 1
        for end in range(2, len(texts) + 1):
            if end == len(texts) or texts[end] != texts[begin]:
                chosen += sorted({(begin + end) // 2, end - 1})
                begin = end
        columns = min(_COLUMNS, len(chosen))
        rows = [chosen[i : i + columns] for i in range(0, len(chosen), columns)]
        write_picture(path, np.vstack([self._row(row, columns) for row in rows]))

    def write_video(self, path: Path) -> None:
        """Write an MP4 in which the first and the last picture stay for a while."""
        size = _size(rgb for rgb, _ in self._pictures)
        code = cv2.VideoWriter_fourcc(*'mp4v')
        video = cv2.VideoWriter(str(path), code, RATE, size)
        if not video.isOpened():
            raise CommandError(f'{path} cannot be written: this OpenCV writes no such video')
        try:
            for number, (rgb, text) in enumerate(self._pictures):
                bgr = cv2.cvtColor(_captioned(rgb, text, size), cv2.COLOR_RGB2BGR)
                stays = number in (0, len(self._pictures) - 1)
                for _ in range(_STILL if stays else 1):
                    video.write(bgr)
        finally:
            video.release()

    def _row(self, numbers: Sequence[int], columns: int) -> np.ndarray:
        """Return a row of the strip: the pictures of these numbers, then empty ones."""
        size = _size(self._pictures[i][0] for i in numbers)
        cells = [_small(_captioned(*self._pictures[i], size)) for i in numbers]
        return np.hstack([*cells, *[np.full_like(cells[0], _DARK)] * (columns - len(cells))])


def _size(pictures: Iterable[np.ndarray]) -> tuple[int, int]:
    """Return the width and height for all pictures with their text: even, as videos want it."""
    heights, widths = zip(*(rgb.shape[:2] for rgb in pictures), strict=True)
    width, height = max(widths), max(heights) + _BAR
    return width + width % 2, height + height % 2


def _captioned(rgb: np.ndarray, text: str, size: tuple[int, int]) -> np.ndarray:
    """Return a picture of a size, (width, height), with a line of text below what it shows."""
    height, width = rgb.shape[:2]
    picture = np.full((size[1], size[0], 3), _DARK, np.uint8)
    picture[:height, :width] = rgb
    renderer = find_text_renderer()
    # Where no font has Chinese letters, the first word, the skill, is left.
    line = renderable_text(text, renderer) or renderable_text(text.partition(' ')[0], renderer)
    renderer.write(picture, line, _MARGIN, height + 3, _SIZE, _LIGHT)
    return picture


def _small(picture: np.ndarray) -> np.ndarray:
    height = round(picture.shape[0] * _WIDTH / picture.shape[1])
    return cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA)
