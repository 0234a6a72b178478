"""Telling whoever started an export how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

_Value = TypeVar('_Value')


class Progress:
    """Says nothing."""

    def say(self, line: str) -> None:
        """A line worth reading."""

    def over(self, what: str, parts: Mapping[str, _Value]) -> Iterator[tuple[str, _Value]]:
        """Yield the parts of a piece of work, one after another."""
        yield from parts.items()


class Lines(Progress):
    """One line for each part."""

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, flush=True)

    def over(self, what: str, parts: Mapping[str, _Value]) -> Iterator[tuple[str, _Value]]:
        """Print each part's name before it is worked on."""
        for name, part in parts.items():
            self.say(f'{what} {name}')
            yield name, part
