"""What a run found: figures with all their repeats, and why a row is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

FORMAT = 2


class ResultsError(Exception):
    """A file that is no result of this program."""


@dataclass(frozen=True)
class Figure:
    """One thing measured.

    :ivar key: part, circumstances and contender: 'decode.800.int4'.
    :ivar label: what a table calls it.
    :ivar unit: 's', 'B', 'B/s', '/s' (of what the label counts) or 'x', a ratio.
    :ivar values: one for each repeat.
    :ivar note: what else one should know, '' for nothing.
    """

    key: str
    label: str
    unit: str
    values: tuple[float, ...]
    note: str = ''

    @property
    def median(self) -> float:
        """The middle of the repeats."""
        return median(self.values)

    @property
    def part(self) -> str:
        """What it belongs to: 'decode'."""
        return self.key.partition('.')[0]


@dataclass
class Results:
    """One run on one machine.

    :ivar runs: of each part, when it began and what else the machine was doing then.
    :ivar missing: what could not be measured, and why.
    :ivar profiles: of a graph, the share of its time that each kind of operator takes.
    """

    machine: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, key: str, label: str, unit: str, values: Iterable[float], note: str = '') -> None:
        """Keep a figure; one of the same key is replaced."""
        self.figures[key] = Figure(key, label, unit, tuple(values), note)
        self.missing.pop(key, None)

    def median(self, key: str) -> float | None:
        """The median of a figure, or None where it was not measured."""
        figure = self.figures.get(key)
        return None if figure is None else figure.median

    def merge(self, newer: Results) -> None:
        """Take over what a newer run on this machine measured."""
        self.machine |= newer.machine
        self.runs |= newer.runs
        self.figures |= newer.figures
        self.profiles |= newer.profiles
        self.missing = {k: v for k, v in self.missing.items() if k not in newer.figures}
        self.missing |= newer.missing

    def save(self, path: Path) -> None:
        """Write JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        data = {
            'format': FORMAT,
            'machine': self.machine,
            'runs': self.runs,
            'figures': [asdict(figure) for figure in self.figures.values()],
            'missing': self.missing,
            'profiles': self.profiles,
        }
        path.write_text(json.dumps(data, indent=1) + '\n', encoding='utf-8')

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read what `save` wrote. Raises ResultsError."""
        try:
            data = json.loads(path.read_text(encoding='utf-8'))
            if data['format'] != FORMAT:
                raise ResultsError(f'{path} has the format {data["format"]}, not {FORMAT}')
            figures = [
                Figure(**entry | {'values': tuple(entry['values'])}) for entry in data['figures']
            ]
            return cls(
                data['machine'],
                data.get('runs', {}),
                {figure.key: figure for figure in figures},
                data['missing'],
                data['profiles'],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultsError(f'{path} is no result of python -m bench: {error!r}') from error
