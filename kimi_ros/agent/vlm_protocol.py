"""What the agent needs of a vision-language model: `kimi_ros.vlm`, or one that acts alike."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import Any, Protocol

import numpy as np


class Point(Protocol):
    """A place in the image, 0 to 1, x right, y down, with a score from 0 to 1."""

    x: float
    y: float
    score: float


class Box(Protocol):
    """A rectangle in the image, 0 to 1 but not clipped to it, with a score from 0 to 1."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float
    score: float

    def clip(self) -> Box:
        """Return the part inside the image."""


class Vlm(Protocol):
    """A model that looks, answers, points and boxes; every call ends early when `cancel` is set."""

    def require(self, task: str) -> None:
        """Raise a named error, saying what would help, unless the model was made for the task."""

    def encode_image(self, rgb: np.ndarray, *, cancel: Event | None = None) -> Any:
        """Encode uint8 (H, W, 3) RGB once for all the questions about it."""

    def query(
        self,
        image: Any,
        question: str,
        *,
        max_tokens: int,
        spatial_refs: Sequence[tuple[float, ...]] = (),
        grammar: dict[str, Any] | str | None = None,
        stream: bool = False,
        cancel: Event | None = None,
    ) -> Any:
        """Return an answer with `.text`; with `stream`, an iterator of pieces with `.result()`."""

    def point(
        self, image: Any, name: str, *, max_objects: int, cancel: Event | None = None
    ) -> Sequence[Point]:
        """Return a point on every object of this name."""

    def detect(
        self, image: Any, name: str, *, max_objects: int, cancel: Event | None = None
    ) -> Sequence[Box]:
        """Return a box around every object of this name."""
