"""What the model's calls return: plain, immutable data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """An image as the text model sees it; make it once, ask about it often.

    embeds: f32 (patches, dim), the projected embeddings, owned by this object; height, width:
    pixels of the source image; tiling: (rows, columns) of its local crops; encoder: which loaded
    model it belongs to.
    """

    embeds: np.ndarray
    height: int
    width: int
    tiling: tuple[int, int]
    encoder: object = field(repr=False)


@dataclass(frozen=True)
class Point:
    """A place in the image: x to the right, y down, both 0-1; score 0-1."""

    x: float
    y: float
    score: float


@dataclass(frozen=True)
class Box:
    """A box in the image, 0-1, as the model drew it: it may reach beyond the edges; score 0-1."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float

    def clip(self) -> Box:
        """The part that lies within the image."""
        return Box(
            min(max(self.x_min, 0.0), 1.0),
            min(max(self.y_min, 0.0), 1.0),
            min(max(self.x_max, 0.0), 1.0),
            min(max(self.y_max, 0.0), 1.0),
            self.score,
        )


@dataclass(frozen=True)
class Grounding:
    """Places that a stretch of reasoning is about: characters [start, end) and (x, y), 0-1."""

    start: int
    end: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Reasoning:
    """What the model wrote before it answered."""

    text: str
    grounding: tuple[Grounding, ...]


@dataclass(frozen=True)
class Answer:
    """Words of the model.

    finish is 'stop' when the model (or the grammar) ended the text and 'length' when max_tokens or
    the context did. prompt_ids are the ids after the image, ids those of the text.
    """

    text: str
    finish: str
    ids: tuple[int, ...]
    prompt_ids: tuple[int, ...]
    reasoning: Reasoning | None = None
