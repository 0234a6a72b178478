"""A robot's skills, as input of the reader."""

from __future__ import annotations

import re
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

    @property
    def grounded(self) -> tuple[str, ...]:
        """Return the names of the arguments that are located in the image, in their order."""
        return tuple(a.name for a in self.arguments if a.type in GROUNDED_TYPES)

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the name as words, and the description in each language."""
        described = self.description
        texts = (described,) if isinstance(described, str) else described.values()
        return (re.sub('[_-]+', ' ', self.name), *texts)

    def description_in(self, language: str) -> str:
        """Return the description in the language, or in any other."""
        if isinstance(self.description, str):
            return self.description
        texts = [self.description.get(language), *self.description.values()]
        return next((text for text in texts if text), '')
