"""A line of training data as the model sees it: the prompt, and the words and places to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kimi_ros.agent.prompts import detect_language

Place = tuple[float, ...]


class DataError(ValueError):
    """Training data are wrong; every line of the message names file, line and fault."""

    def __init__(self, faults: Sequence[str]):
        self.faults = tuple(faults)
        super().__init__('\n'.join(self.faults))


class SkillsFileError(ValueError):
    """A skills file that a line names is wrong."""

    def __init__(self, path: Path, fault: str):
        self.path = path
        super().__init__(fault)


@dataclass(frozen=True)
class Pointed:
    """A piece of a reasoning chain: words, and where in the image what they name is."""

    text: str
    points: tuple[Place, ...]


@dataclass(frozen=True)
class Sample:
    """One line: what the model is asked, word by word, and what it should answer.

    :ivar where: file:line, for messages.
    :ivar task: which of a model's tasks this is: query, caption, point, detect, plan.
    :ivar words: the question; the object's name of point and detect; the caption's length.
    :ivar places: the points (x, y) or boxes (x_min, y_min, x_max, y_max) of point and detect.
    """

    where: str
    image: Path | None
    task: str
    words: str
    answer: str = ''
    places: tuple[Place, ...] = ()
    spatial_refs: tuple[Place, ...] = ()
    history: tuple[tuple[str, str], ...] = ()
    reasoning: tuple[str | Pointed, ...] = ()

    @property
    def languages(self) -> set[str]:
        """The languages in which is asked and answered."""
        return {detect_language(self.words + self.answer)}
