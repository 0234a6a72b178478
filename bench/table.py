"""Results as tables on a terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table

from .results import Figure, Results
from .targets import target_results

_UNITS = {
    's': (1e3, ' ms', 1),
    'B': (1e-9, ' GB', 3),
    'B/s': (1e-9, ' GB/s', 1),
    '/s': (1, ' /s', 1),
    'x': (1, 'x', 2),
}


def amount(value: float, unit: str) -> str:
    """Format a number with a readable unit."""
    if unit == 's' and value >= 1:
        return f'{value:,.2f} s'
    scale, name, digits = _UNITS[unit]
    return f'{value * scale:,.{digits}f}{name}'


def spread(figure: Figure) -> str:
    """Range of the repeats, '' if there is only one."""
    if len(figure.values) < 2:
        return ''
    low, high = (amount(pick(figure.values), figure.unit) for pick in (min, max))
    return f'{low} to {high}'


def machine_line(results: Results) -> str:
    """Description of the machine in one line."""
    return ', '.join(f'{key} {value}' for key, value in results.machine.items())


def render(results: Results) -> Group:
    """A table of figures and a table of targets."""
    figures = Table('figure', 'median', 'repeats', 'from ... to', '', title=machine_line(results))
    part, order = None, list(dict.fromkeys(figure.part for figure in results.figures.values()))
    for figure in sorted(results.figures.values(), key=lambda figure: order.index(figure.part)):
        if part not in (None, figure.part):
            figures.add_section()
        part = figure.part
        figures.add_row(
            figure.label,
            amount(figure.median, figure.unit),
            str(len(figure.values)),
            spread(figure),
            figure.note,
        )
    for key, reason in results.missing.items():
        figures.add_row(key, 'missing', '', '', reason)
    targets = Table('target', 'bound', 'found', '')
    for target_result in target_results(results):
        state = {True: 'reached', False: 'not reached', None: target_result.missing}[
            target_result.reached
        ]
        targets.add_row(
            target_result.target.label,
            target_result.bound_text(),
            target_result.found_text(),
            state,
        )
    return Group(figures, targets)
