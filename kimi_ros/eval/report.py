"""Reports: lines for the terminal, a JSON object, a Markdown page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kimi_ros.eval.metrics import Metric


def lines(about: Mapping, figures: Sequence[Metric]) -> list[str]:
    """Return one line a figure, for people."""
    return [
        f'{about["suite"]} {f.name} ({about["lang"]}): '
        + (
            'nothing to count in these scenes'
            if f.value is None
            else f'{f.value:.3f}   95 % [{f.low:.3f}, {f.high:.3f}] ({f.method}), '
            f'{f.questions} questions, scenes from {about["seed"]}'
        )
        for f in figures
    ]


def as_json(about: Mapping, figures: Sequence[Metric]) -> dict:
    """Return what was evaluated, each figure by its name, and the intervals beside."""
    values = {f.name: f.value for f in figures}
    intervals = {
        f.name: {'low': f.low, 'high': f.high, 'method': f.method, 'questions': f.questions}
        for f in figures
    }
    return {**about, **values, 'intervals': intervals}


def markdown(about: Mapping, figures: Sequence[Metric], sheet: str = '') -> str:
    """Return a page with a table.

    :param sheet: the contact sheet's file name, '' where nothing failed.
    """
    known = ', '.join(f'{key} {value}' for key, value in about.items() if key != 'suite')
    rows = [
        f'| {f.name} | nothing to count | | | 0 |'
        if f.value is None
        else f'| {f.name} | {f.value:.3f} | {f.low:.3f} to {f.high:.3f} | {f.method} '
        f'| {f.questions} |'
        for f in figures
    ]
    page = [
        f'# {about["suite"]}: {known}',
        '',
        '| figure | value | 95 % interval | method | questions |',
        '|---|---|---|---|---|',
        *rows,
    ]
    if sheet:
        page += ['', f'![failures: green is expected, red predicted]({sheet})']
    return '\n'.join(page) + '\n'
