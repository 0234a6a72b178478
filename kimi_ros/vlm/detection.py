"""Decoding loops of point and detect: one object after another, until the model ends the list."""

from __future__ import annotations

import threading

import numpy as np

from .cancellation import raise_if_cancelled
from .coordinates import argmax_bin, bin_to_coordinate, bin_to_size, detection_score, softmax
from .engine import Engine
from .results import Box, Point


def detect_points(
    engine: Engine,
    hidden: np.ndarray,
    max_objects: int,
    *,
    stop_id: int | None,
    threshold: float | None = None,
    cancel: threading.Event | None = None,
) -> list[Point]:
    """Decode points, starting from the hidden state (dim,) after the prompt.

    The list is empty if the first object's presence is below `threshold`; None leaves it to the
    most probable token, which also ends the list. With `stop_id` None it ends only at max_objects.
    Scores: `coordinates.detection_score`.
    """
    points: list[Point] = []
    while len(points) < max_objects:
        presence = _presence(engine, hidden, stop_id, None if points else threshold)
        if not presence or _remaining_context(engine) < 1:
            break
        x, confidence_x, embedding = _decode_coordinate(engine, hidden)
        hidden = _step(engine, embedding, cancel)
        y, confidence_y, embedding = _decode_coordinate(engine, hidden)
        points.append(Point(x, y, detection_score(presence, (confidence_x, confidence_y))))
        if len(points) == max_objects or _remaining_context(engine) < 1:
            break
        hidden = _step(engine, embedding, cancel)
    return points


def detect_boxes(
    engine: Engine,
    hidden: np.ndarray,
    max_objects: int,
    *,
    stop_id: int | None,
    threshold: float | None = None,
    cancel: threading.Event | None = None,
) -> list[Box]:
    """Decode boxes, each as center, width and height; otherwise as `detect_points`."""
    boxes: list[Box] = []
    while len(boxes) < max_objects:
        presence = _presence(engine, hidden, stop_id, None if boxes else threshold)
        if not presence or _remaining_context(engine) < 2:
            break
        x, confidence_x, embedding = _decode_coordinate(engine, hidden)
        hidden = _step(engine, embedding, cancel)
        y, confidence_y, embedding = _decode_coordinate(engine, hidden)
        hidden = _step(engine, embedding, cancel)
        logits = engine.size_logits(hidden)
        log = engine.config.region.log_sizes
        (width, confidence_w), (height, confidence_h) = (_decode_size(x, log) for x in logits)
        boxes.append(
            Box(
                x - width / 2,
                y - height / 2,
                x + width / 2,
                y + height / 2,
                detection_score(presence, (confidence_x, confidence_y, confidence_w, confidence_h)),
            )
        )
        if len(boxes) == max_objects or _remaining_context(engine) < 1:
            break
        hidden = _step(engine, engine.embed_sizes([(width, height)]), cancel)
    return boxes


def probability_of_presence(logits: np.ndarray, stop_id: int) -> float:
    """Return the probability that there is another object: that the list does not end here."""
    return 1.0 - float(softmax(logits)[stop_id])


def _presence(
    engine: Engine, hidden: np.ndarray, stop_id: int | None, threshold: float | None
) -> float:
    """Return the probability that there is another object; 0 if there is none, most likely."""
    if stop_id is None:
        return 1.0
    logits = engine.logits(hidden)
    presence = probability_of_presence(logits, stop_id)
    there = int(np.argmax(logits)) != stop_id if threshold is None else presence >= threshold
    return presence if there else 0.0


def _decode_coordinate(engine: Engine, hidden: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Coordinate, its confidence, and its embedding (1, dim), the next step's input."""
    logits = engine.coordinate_logits(hidden)
    best, confidence = argmax_bin(logits)
    value = bin_to_coordinate(best, len(logits))
    return value, confidence, engine.embed_coordinates([value])


def _decode_size(logits: np.ndarray, log: bool) -> tuple[float, float]:
    best, confidence = argmax_bin(logits)
    return bin_to_size(best, len(logits), log), confidence


def _remaining_context(engine: Engine) -> int:
    return engine.config.text.max_context - engine.length


def _step(engine: Engine, embeds: np.ndarray, cancel: threading.Event | None) -> np.ndarray:
    raise_if_cancelled(cancel)
    return engine.step(embeds)
