"""What the reader learns from: an instruction under a catalogue, and its reading."""

from __future__ import annotations

from typing import NamedTuple

from kimi_ros.reader.reading import Reading

__all__ = ['Argument', 'Example', 'SkillCard']


class Argument(NamedTuple):
    """An argument of a skill, as its catalogue tells it.

    :ivar type: 'object', 'point', 'region', 'enum', 'number', 'string' or 'bool'.
    :ivar values: of an enum.
    :ivar unit: of a number: 'm', 'deg' ...; '' where it has none.
    :ivar minimum: of a number; None where it has no bound.
    :ivar maximum: of a number; None where it has no bound.
    """

    name: str
    type: str
    values: tuple[str, ...] = ()
    unit: str = ''
    minimum: float | None = None
    maximum: float | None = None


class SkillCard(NamedTuple):
    """A skill as the catalogue of a robot tells it.

    :ivar description: in either language, '' where the catalogue has none.
    """

    name: str
    description: str
    arguments: tuple[Argument, ...] = ()


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
