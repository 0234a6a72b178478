"""Results of a run: figures with all repeats, and reasons for missing rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

FORMAT = 2


class ResultsError(Exception):
    """The file is not a result of this program."""


@dataclass(frozen=True)
class Figure:
    """One measurement.

    :ivar key: part, conditions and system: 'decode.800.int4'.
    :ivar label: its name in tables.
    :ivar unit: 's', 'B', 'B/s', '/s' or 'x' (a ratio).
    :ivar values: one per repeat.
    :ivar note: a remark, or ''.
    """

    key: str
    label: str
    unit: str
    values: tuple[float, ...]
    note: str = ''

    @property
    def median(self) -> float:
        """Median of the repeats."""
        return median(self.values)

    @property
    def part(self) -> str:
        """The part of the benchmark: 'decode'."""
        return self.key.partition('.')[0]


@dataclass
class Results:
    """One run on one machine.

    :ivar runs: start time and load average of each part.
    :ivar missing: reasons for figures that could not be measured.
    :ivar profiles: for each graph, the time of each operator type.
    """

    machine: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, key: str, label: str, unit: str, values: Iterable[float], note: str = '') -> None:
        """Add a figure, or replace the one with the same key."""
        self.figures[key] = Figure(key, label, unit, tuple(values), note)
        self.missing.pop(key, None)

    def median(self, key: str) -> float | None:
        """Median of a figure, or None if it was not measured."""
        figure = self.figures.get(key)
        return None if figure is None else figure.median

    def merge(self, newer: Results) -> None:
        """Update with the results of a newer run on this machine."""
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
        """Read a file written by `save`. Raises ResultsError."""
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
            raise ResultsError(f'{path} is not a result of python -m bench: {error!r}') from error
