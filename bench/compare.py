"""Compare two runs: what became slower, faster, larger or smaller."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from .results import Figure, Results
from .table import amount, machine_line

_NOTABLE = 0.05
_RATES = ('B/s', '/s', 'x')
"""Units for which more is better."""


@dataclass(frozen=True)
class Change:
    """One figure in both runs."""

    before: Figure
    after: Figure

    @property
    def ratio(self) -> float:
        """After by before."""
        return self.after.median / self.before.median if self.before.median else float('nan')

    @property
    def notable(self) -> bool:
        """Whether it exceeds 5 % and the ranges of the two runs' repeats do not overlap."""
        apart = min(self.after.values) > max(self.before.values) or max(self.after.values) < min(
            self.before.values
        )
        return apart and abs(self.ratio - 1) > _NOTABLE

    @property
    def word(self) -> str:
        """'better' or 'worse', '' if the change is not notable."""
        if not self.notable:
            return ''
        good = (self.ratio > 1) == (self.after.unit in _RATES)
        return 'better' if good else 'worse'


def changes(before: Results, after: Results) -> list[Change]:
    """The figures of both runs, in the order of the later one."""
    return [
        Change(before.figures[key], figure)
        for key, figure in after.figures.items()
        if key in before.figures
    ]


def other_machine(before: Results, after: Results) -> list[str]:
    """Differences between the machines, 'name: a, then b'."""
    return [
        f'{key}: {before.machine.get(key)}, then {value}'
        for key, value in after.machine.items()
        if before.machine.get(key) != value
    ]


def render(before: Results, after: Results) -> Table:
    """The comparison as a table."""
    table = Table('figure', 'before', 'after', 'after / before', '', title=machine_line(after))
    for change in changes(before, after):
        table.add_row(
            change.after.label,
            amount(change.before.median, change.before.unit),
            amount(change.after.median, change.after.unit),
            f'{change.ratio:.2f}',
            change.word,
        )
    for keys, word in (
        (before.figures.keys() - after.figures.keys(), 'only before'),
        (after.figures.keys() - before.figures.keys(), 'only after'),
    ):
        for key in sorted(keys):
            table.add_row(key, '', '', '', word)
    return table
