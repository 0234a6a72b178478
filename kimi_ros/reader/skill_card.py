"""A robot's skills, as input of the reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

GROUNDED_TYPES = ('object', 'point', 'region')  # argument types that are located in the image


class Argument(NamedTuple):
    """An argument of a skill.

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
    """A skill of a robot's catalogue.

    :ivar description: a text, or texts by language ('en', 'zh').
    """

    name: str
    description: str | Mapping[str, str] = ''
    arguments: tuple[Argument, ...] = ()

    def description_in(self, language: str) -> str:
        """Return the description in the language, or in any other."""
        if isinstance(self.description, str):
            return self.description
        texts = [self.description.get(language), *self.description.values()]
        return next((text for text in texts if text), '')
