"""A training example: an instruction, the skill catalogue and the reading."""

from __future__ import annotations

from typing import NamedTuple

from kimi_ros.reader.reading import Reading
from kimi_ros.reader.skill_card import Argument, SkillCard

__all__ = ['Argument', 'Example', 'SkillCard']


class Example(NamedTuple):
    """An instruction with its reading.

    :ivar lang: 'en' or 'zh'.
    :ivar history: the instructions before it, the newest first: turn n of a span is
        `history[n - 1]`.
    :ivar catalogue: the skills of the robot; the examples of one `generate` call share it.
    """

    lang: str
    text: str
    history: tuple[str, ...]
    catalogue: tuple[SkillCard, ...]
    reading: Reading
