"""Results of the model's calls: plain, immutable data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """An encoded image; encode it once and reuse it for every question about it.

    embeds: f32 (patches, dim), the projected embeddings, owned by this object; height, width:
    pixels of the source image; tiling: (rows, columns) of its local crops; model: an identity of
    the loaded model that encoded it.
    """

    embeds: np.ndarray
    height: int
    width: int
    tiling: tuple[int, int]
    model: object = field(repr=False)


@dataclass(frozen=True)
class Point:
    """A point in the image: x to the right, y down, both 0-1; score 0-1."""

    x: float
    y: float
    score: float


@dataclass(frozen=True)
class Box:
    """A box in image coordinates, 0-1, as decoded: it may exceed the image; score 0-1."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float

    def clip(self) -> Box:
        """The part of the box within the image."""
        return Box(
            min(max(self.x_min, 0.0), 1.0),
            min(max(self.y_min, 0.0), 1.0),
            min(max(self.x_max, 0.0), 1.0),
            min(max(self.y_max, 0.0), 1.0),
            self.score,
        )


@dataclass(frozen=True)
class Grounding:
    """Points that a segment of reasoning refers to: characters [start, end) and (x, y), 0-1."""

    start: int
    end: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Reasoning:
    """The text that the model generated before its answer."""

    text: str
    grounding: tuple[Grounding, ...]


@dataclass(frozen=True)
class Answer:
    """A generated text.

    finish: 'stop' if the model (or the grammar) ended the text, 'length' if max_tokens or the
    context did. prompt_ids: token ids after the image; ids: those of the text.
    """

    text: str
    finish: str
    ids: tuple[int, ...]
    prompt_ids: tuple[int, ...]
    reasoning: Reasoning | None = None
