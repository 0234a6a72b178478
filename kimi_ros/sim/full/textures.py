"""Images that surfaces carry: words, wood's grain and metal's sheen, drawn by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

TEXT_SIZE = (256, 128)
"""Width and height of a sign's face in pixels."""

STROKES = {
    '出': [
        [(50, 5), (50, 95)],
        [(22, 18), (22, 48), (78, 48), (78, 18)],
        [(12, 56), (12, 93), (88, 93), (88, 56)],
    ],
    '口': [[(18, 18), (82, 18), (82, 86), (18, 86), (18, 18)]],
    '小': [[(50, 5), (50, 90), (40, 84)], [(28, 34), (10, 68)], [(70, 34), (90, 68)]],
    '心': [
        [(14, 50), (8, 78)],
        [(30, 38), (32, 82), (44, 90), (72, 88), (74, 66)],
        [(46, 20), (56, 38)],
        [(80, 34), (92, 62)],
    ],
    '禁': [
        [(6, 16), (46, 16)],
        [(27, 3), (27, 44)],
        [(27, 18), (6, 38)],
        [(27, 18), (45, 34)],
        [(54, 16), (95, 16)],
        [(74, 3), (74, 44)],
        [(74, 18), (53, 38)],
        [(74, 18), (95, 36)],
        [(25, 53), (76, 53)],
        [(8, 67), (92, 67)],
        [(50, 67), (50, 96), (42, 92)],
        [(30, 75), (14, 92)],
        [(70, 75), (87, 92)],
    ],
    '止': [[(52, 6), (52, 90)], [(52, 44), (86, 44)], [(24, 36), (24, 90)], [(6, 90), (95, 90)]],
}
"""Chinese characters as polylines in a square of 100: OpenCV has no such letters."""


def text_image(text: str) -> np.ndarray:
    """Return black words on white, as large as they fit, uint8 (128, 256, 3)."""
    width, height = TEXT_SIZE
    image = np.full((height, width, 3), 250, np.uint8)
    if text[0] in STROKES:
        side = min(height - 24, (width - 24) // len(text))
        for number, letter in enumerate(text):
            x0 = (width - side * len(text)) // 2 + number * side
            for stroke in STROKES[letter]:
                points = np.array(stroke) * (side * 0.88 / 100) + (
                    x0 + side * 0.06,
                    (height - side * 0.88) / 2,
                )
                cv2.polylines(image, [points.astype(np.int32)], False, (15, 15, 15), 7, cv2.LINE_AA)
        return image
    lines = _lines(text)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, 6
    extents = [cv2.getTextSize(line, font, 1.0, 3)[0] for line in lines]
    scale = min(
        (width - 24) / max(w for w, _ in extents),
        (height - 16) / len(lines) / (extents[0][1] * 1.45),
    )
    step = height / len(lines)
    for number, line in enumerate(lines):
        (w, h), _ = cv2.getTextSize(line, font, scale, thick)
        origin = int((width - w) / 2), int(step * (number + 0.5) + h / 2)
        cv2.putText(image, line, origin, font, scale, (15, 15, 15), thick, cv2.LINE_AA)
    return image


def _lines(text: str) -> list[str]:
    words = text.split()
    if len(words) < 3:
        return words
    cut = min(
        range(1, len(words)), key=lambda i: max(len(' '.join(words[:i])), len(' '.join(words[i:])))
    )
    return [' '.join(words[:cut]), ' '.join(words[cut:])]


def grain(material: str) -> np.ndarray:
    """Return the six faces of a cube, one under another, that the colour is multiplied by."""
    side = 64
    v, u = np.mgrid[0:side, 0:side] / side
    if material == 'wood':
        rings = np.sin(38 * v + 3.0 * np.sin(5 * u) + 1.3 * np.sin(17 * u + 9 * v))
        level = 0.87 + 0.13 * rings
    else:  # metal: broad bands, as of a window and a dark room
        level = 0.78 + 0.22 * np.sin(9.0 * u + 4.0 * v) * np.cos(6.0 * v)
    face = (255 * np.clip(level, 0, 1)).astype(np.uint8)
    return np.repeat(np.tile(face, (6, 1))[..., None], 3, axis=2)
