"""Reasoning mode: the model generates reasoning text, with grounded points, before it answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from .cancellation import raise_if_cancelled
from .coordinates import bin_to_coordinate
from .engine import Engine
from .results import Grounding, Reasoning
from .sampling import Sampler
from .tokenizer import TextTokenizer


def generate_reasoning(
    engine: Engine,
    tokenizer: TextTokenizer,
    embeds: np.ndarray,
    sampler: Sampler,
    max_tokens: int,
    suffix: Sequence[int],
    *,
    can_point: bool,
    cancel: threading.Event | None = None,
) -> Reasoning:
    """Prefill the prompt (t, dim) and generate reasoning until the model emits the answer id.

    Every token is fed back, since `suffix` follows before the answer; context for it is reserved. A
    coordinate token is fed as the embedding of the coordinate that the region head decodes from the
    hidden state before it. A grounding token, opening or closing, starts a new segment of text; a
    segment with at least one pair of coordinates becomes a Grounding.
    """
    special = engine.config.tokenizer
    grounding_ids = (special.start_ground_points_id, special.end_ground_id)

    suppressed = [] if can_point or special.coord_id is None else [special.coord_id]
    size = [] if special.size_id is None else [special.size_id]
    suppressed_after_first = [*suppressed, special.eos_id, *size]
    segments: list[tuple[list[int], list[float]]] = [([], [])]
    raise_if_cancelled(cancel)
    hidden = engine.step(embeds)
    for _ in range(max_tokens):
        if engine.length + 1 + len(suffix) > engine.config.text.max_context:
            break
        logits = engine.logits(hidden)
        logits[suppressed] = -np.inf
        suppressed = suppressed_after_first
        token = sampler(logits)
        if token == special.answer_id:
            break
        if token in grounding_ids:
            segments.append(([], []))
        ids, coordinates = segments[-1]
        ids.append(token)
        if token == special.coord_id:
            bins = engine.coordinate_logits(hidden)
            coordinates.append(bin_to_coordinate(int(np.argmax(bins)), len(bins)))
            embeds = engine.embed_coordinates(coordinates[-1:])
        else:
            embeds = engine.embed_tokens([token])
        raise_if_cancelled(cancel)
        hidden = engine.step(embeds)
    return _to_reasoning(tokenizer, segments)


def _to_reasoning(
    tokenizer: TextTokenizer, segments: list[tuple[list[int], list[float]]]
) -> Reasoning:
    text, grounding = '', []
    for ids, coordinates in segments:
        start = len(text)
        text += tokenizer.decode(ids)
        # A last x without its y is dropped.
        points = tuple(zip(coordinates[::2], coordinates[1::2], strict=False))
        if points:
            grounding.append(Grounding(start, len(text), points))
    return Reasoning(text, tuple(grounding))
