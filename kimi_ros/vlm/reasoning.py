"""Reasoning mode: the model thinks in words, and points while it does, before it answers."""

from __future__ import annotations

import threading

import numpy as np

from .decoding import Chooser, raise_if_cancelled
from .engine import Engine
from .region import coordinate_of_bin
from .results import Grounding, Reasoning
from .tokenizer import TextTokenizer


def reason(
    engine: Engine,
    tokenizer: TextTokenizer,
    embeds: np.ndarray,
    choose: Chooser,
    max_tokens: int,
    *,
    can_point: bool,
    cancel: threading.Event | None = None,
) -> Reasoning:
    """Feed the prompt (t, dim) and let the model think until it wants to answer.

    Every token is fed, so that the answer's suffix can follow; room for that is left. A coordinate
    token is fed as the embedding of the coordinate that the region head reads from the state before
    it. A grounding token, opening or closing, begins a new stretch of text; a stretch with at least
    one pair of coordinates gives a Grounding.
    """
    special = engine.config.tokenizer
    borders = (special.start_ground_points_id, special.end_ground_id)
    reserve = len(special.templates.query.suffix)
    never = [] if can_point else [special.coord_id]
    later = [*never, special.eos_id, special.size_id]
    stretches: list[tuple[list[int], list[float]]] = [([], [])]
    banned = never
    raise_if_cancelled(cancel)
    hidden = engine.step(embeds)
    for _ in range(max_tokens):
        if engine.length + 1 + reserve > engine.config.text.max_context:
            break
        logits = engine.logits(hidden)
        logits[banned] = -np.inf
        banned = later
        token = choose(logits)
        if token == special.answer_id:
            break
        if token in borders:
            stretches.append(([], []))
        ids, coordinates = stretches[-1]
        ids.append(token)
        if token == special.coord_id:
            bins = engine.coordinate_logits(hidden)
            coordinates.append(coordinate_of_bin(int(np.argmax(bins)), len(bins)))
            following = engine.embed_coordinates(coordinates[-1:])
        else:
            following = engine.embed_tokens([token])
        raise_if_cancelled(cancel)
        hidden = engine.step(following)
    return _gather(tokenizer, stretches)


def _gather(tokenizer: TextTokenizer, stretches: list[tuple[list[int], list[float]]]) -> Reasoning:
    text, grounding = '', []
    for ids, coordinates in stretches:
        start = len(text)
        text += tokenizer.decode(ids)
        # An odd coordinate at the end has no partner.
        points = tuple(zip(coordinates[::2], coordinates[1::2], strict=False))
        if points:
            grounding.append(Grounding(start, len(text), points))
    return Reasoning(text, tuple(grounding))
