"""Pointing and drawing boxes: one object after the other, until the model ends the list."""

from __future__ import annotations

import threading

import numpy as np

from .decoding import raise_if_cancelled
from .engine import Engine
from .region import best_bin, coordinate_of_bin, score_of, size_of_bin, softmax
from .results import Box, Point


def find_points(
    engine: Engine,
    hidden: np.ndarray,
    max_objects: int,
    *,
    stop_id: int | None,
    cancel: threading.Event | None = None,
) -> list[Point]:
    """Read points, beginning at the hidden state (dim,) that follows the prompt.

    With `stop_id` None the list never ends by itself. Scores: `region.score_of`.
    """
    points: list[Point] = []
    while len(points) < max_objects:
        presence = _presence(engine, hidden, stop_id)
        if not presence or _room(engine) < 1:
            break
        x, sure_x, following = _coordinate(engine, hidden)
        hidden = _step(engine, following, cancel)
        y, sure_y, following = _coordinate(engine, hidden)
        points.append(Point(x, y, score_of(presence, (sure_x, sure_y))))
        if len(points) == max_objects or _room(engine) < 1:
            break
        hidden = _step(engine, following, cancel)
    return points


def find_boxes(
    engine: Engine,
    hidden: np.ndarray,
    max_objects: int,
    *,
    stop_id: int | None,
    cancel: threading.Event | None = None,
) -> list[Box]:
    """Read boxes, middle first and then width and height; otherwise as `find_points`."""
    boxes: list[Box] = []
    while len(boxes) < max_objects:
        presence = _presence(engine, hidden, stop_id)
        if not presence or _room(engine) < 2:
            break
        x, sure_x, following = _coordinate(engine, hidden)
        hidden = _step(engine, following, cancel)
        y, sure_y, following = _coordinate(engine, hidden)
        hidden = _step(engine, following, cancel)
        logits = engine.size_logits(hidden)
        (width, sure_w), (height, sure_h) = (_size(of_side) for of_side in logits)
        boxes.append(
            Box(
                x - width / 2,
                y - height / 2,
                x + width / 2,
                y + height / 2,
                score_of(presence, (sure_x, sure_y, sure_w, sure_h)),
            )
        )
        if len(boxes) == max_objects or _room(engine) < 1:
            break
        hidden = _step(engine, engine.embed_sizes([(width, height)]), cancel)
    return boxes


def _presence(engine: Engine, hidden: np.ndarray, stop_id: int | None) -> float:
    """Probability that there is another object; 0 when the model would rather stop."""
    if stop_id is None:
        return 1.0
    logits = engine.logits(hidden)
    if int(np.argmax(logits)) == stop_id:
        return 0.0
    return 1.0 - float(softmax(logits)[stop_id])


def _coordinate(engine: Engine, hidden: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Coordinate, how sure it is, and the embedding that says so to the model."""
    logits = engine.coordinate_logits(hidden)
    best, sureness = best_bin(logits)
    value = coordinate_of_bin(best, len(logits))
    return value, sureness, engine.embed_coordinates([value])


def _size(logits: np.ndarray) -> tuple[float, float]:
    best, sureness = best_bin(logits)
    return size_of_bin(best, len(logits)), sureness


def _room(engine: Engine) -> int:
    return engine.config.text.max_context - engine.length


def _step(engine: Engine, embeds: np.ndarray, cancel: threading.Event | None) -> np.ndarray:
    raise_if_cancelled(cancel)
    return engine.step(embeds)
