"""A contact sheet of failures: picture, question, expected answer and prediction."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from kimi_ros.agent.text_rendering import Color, TextRenderer, find_text_renderer, renderable_text
from kimi_ros.eval.outcome import Outcome, Place

MAX_FAILURES = 24  # failures on a sheet
_COLUMNS, _WIDTH, _HEIGHT = 4, 320, 240
_SIZE, _LINE, _LINES = 13, 18, 2  # of the text: height, with spacing, lines for each of the three
_EXPECTED, _PREDICTED = (0, 220, 120), (255, 80, 80)
_WHITE, _GREY = (235, 235, 235), (32, 32, 32)


def contact_sheet(failures: Sequence[tuple[int, np.ndarray, Outcome]]) -> np.ndarray:
    """Return one picture, uint8 (H, W, 3).

    The expected answer is green, the prediction red.

    :param failures: at least one and at most MAX_FAILURES: the scene's number, its picture uint8
        (h, w, 3), and the outcome of the question.
    """
    text_renderer = find_text_renderer()
    cells = [_cell(number, rgb, outcome, text_renderer) for number, rgb, outcome in failures]
    columns = min(_COLUMNS, len(cells))
    blank = np.full_like(cells[0], 0)
    cells += [blank] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return np.vstack(rows)


def _cell(
    number: int, rgb: np.ndarray, outcome: Outcome, text_renderer: TextRenderer
) -> np.ndarray:
    scale = min(_WIDTH / rgb.shape[1], _HEIGHT / rgb.shape[0])
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    picture = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    for places, color in ((outcome.expected_at, _EXPECTED), (outcome.predicted_at, _PREDICTED)):
        for place in places:
            _mark(picture, place, color)
    cell = np.full((_HEIGHT + 3 * _LINES * _LINE + 8, _WIDTH, 3), _GREY, np.uint8)
    cell[: size[1], : size[0]] = picture
    texts = (
        (f'{number}: {outcome.question}', _WHITE),
        (f'expected: {outcome.expected}', _EXPECTED),
        (f'predicted: {outcome.predicted or "nothing"}', _PREDICTED),
    )
    for i, (text, color) in enumerate(texts):
        shown = (
            renderable_text(text, text_renderer) or 'no font here has these letters: see the .jsonl'
        )
        for j, line in enumerate(_lines(shown, text_renderer)):
            top = _HEIGHT + 4 + (i * _LINES + j) * _LINE
            text_renderer.write(cell, line, 4, top, _SIZE, color)
    cell[:, -1] = cell[-1, :] = 0
    return cell


def _mark(picture: np.ndarray, place: Place, color: Color) -> None:
    height, width = picture.shape[:2]
    pixels = [round(v * (width, height)[i % 2]) for i, v in enumerate(place)]
    if len(pixels) == 4:
        cv2.rectangle(picture, pixels[:2], pixels[2:], color, 1)
    else:
        cv2.drawMarker(picture, pixels, color, cv2.MARKER_CROSS, 11, 2)


def _lines(text: str, text_renderer: TextRenderer) -> list[str]:
    """Break text into lines that fit; what is too long ends in dots."""
    lines, rest = [], text
    while rest and len(lines) < _LINES:
        end = len(rest)
        while text_renderer.width(rest[:end], _SIZE) > _WIDTH - 8:
            end -= 1
        lines.append(rest[:end])
        rest = rest[end:]
    return [*lines[:-1], f'{lines[-1][:-3]}...'] if rest else lines
