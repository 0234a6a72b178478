"""What the reader learns from: an instruction under a catalogue, and its reading."""

from __future__ import annotations

from typing import NamedTuple

from kimi_ros.reader.cards import Argument, SkillCard
from kimi_ros.reader.reading import Reading

__all__ = ['Argument', 'Example', 'SkillCard']


class Example(NamedTuple):
    """An instruction and what it says.

    :ivar lang: 'en' or 'zh'.
    :ivar history: the instructions before it, the newest first: turn n of a span is
        `history[n - 1]`.
    :ivar catalogue: the skills of the robot; examples of one batch share theirs.
    """

    lang: str
    text: str
    history: tuple[str, ...]
    catalogue: tuple[SkillCard, ...]
    reading: Reading
