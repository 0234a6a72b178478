"""Text that an OCR engine reads in the image: data to show, never an instruction.

Nothing read here enters a prompt, a name or what is said. It is shown on the plan, and a label that
contradicts what the thing looks like makes the agent ask.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from kimi_ros.agent.grounding import box_iou
from kimi_ros.agent.intent_language import Matcher, Text
from kimi_ros.agent.noun_matching import normalize_text
from kimi_ros.agent.perception import Perception
from kimi_ros.agent.plan import GroundedObject
from kimi_ros.agent.policy import Policy

MAX_TEXTS = 20
_LONGEST = 120  # characters of one text that are shown
_MIN_SCORE = 0.5
_OVERLAP = 0.3  # IoU with a hazard above which a thing may be that hazard
_DANGEROUS = 'dangerous'  # the policy's list of words that a label warns with


@dataclass(frozen=True)
class SeenText:
    """A line of text in the image.

    :ivar box: x_min, y_min, x_max, y_max in pixels.
    """

    text: str
    box: tuple[float, float, float, float]


class TextReader(Protocol):
    """Reads text in images."""

    def read(self, rgb: np.ndarray) -> list[SeenText]:
        """Return the lines of text in uint8 (H, W, 3), from top to bottom."""


class RapidOcrReader:
    """Reads English and Chinese with PP-OCR in onnxruntime; the weights are in rapidocr's wheel."""

    def __init__(self) -> None:
        """Load the models; raises ImportError where the extra `ocr` is not installed."""
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise ImportError(
                f'reading text needs the extra ocr: pip install kimi_ros[ocr] ({error})'
            ) from error

        self._engine: Any = RapidOCR(params={'Global.log_level': 'error'})

    def read(self, rgb: np.ndarray) -> list[SeenText]:
        """Return the lines of text in uint8 (H, W, 3), from top to bottom."""
        found = self._engine(rgb[..., ::-1], use_cls=False)
        if found.boxes is None:
            return []
        seen = []
        for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
            shown = printable(str(text))
            if score >= _MIN_SCORE and shown:
                (x_min, y_min), (x_max, y_max) = np.min(corners, 0), np.max(corners, 0)
                box = float(x_min), float(y_min), float(x_max), float(y_max)
                seen.append(SeenText(shown, box))
        return sorted(seen, key=lambda s: (s.box[1], s.box[0]))[:MAX_TEXTS]


def printable(text: str) -> str:
    """Return a text as it may be shown: on one line, without control characters, shortened."""
    plain = ''.join(' ' if unicodedata.category(c)[0] in 'CZ' else c for c in text)
    return ' '.join(plain.split())[:_LONGEST]


def contradicted(
    objects: Sequence[GroundedObject],
    texts: Sequence[SeenText],
    perception: Perception,
    policy: Policy,
) -> GroundedObject | None:
    """Return the first object whose label contradicts its name or its look, or None.

    A label that warns of something dangerous that the name does not speak of; or one that says the
    name, on what looks like a hazard: "apple" on a knife.
    """
    hazards = policy.near.hazards if policy.near else ()
    for item in objects:
        for seen in texts:
            if item.box is None or not _inside(seen.box, item.box):
                continue
            if _warns(seen.text, policy) and not _warns(item.label, policy):
                return item
            if _says(seen.text, item.label) and any(
                found.box is not None and box_iou(found.box, item.box) > _OVERLAP
                for name in hazards
                if not _says(item.label, name)
                for found in perception.boxes(name)
            ):
                return item
    return None


def _warns(text: str, policy: Policy) -> bool:
    if _DANGEROUS not in policy.lexicon.lists:
        return False
    return any(True for _ in Matcher(policy.lexicon, Text.of(text)).listed_spans(_DANGEROUS))


def _says(text: str, name: str) -> bool:
    words = normalize_text(name).split()
    return bool(words) and words[-1] in normalize_text(text)


def _inside(box: Sequence[float], outer: Sequence[float]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]
