"""Comparison of two runs."""

import pytest
from rich.console import Console

from bench.compare import changes, other_machine, render
from bench.results import Results


def run(machine='a', **figures):
    results = Results({'processor': machine})
    for key, (unit, values) in figures.items():
        results.add(key.replace('_', '.'), key, unit, values)
    return results


def words(before, after):
    return [change.word for change in changes(before, after)]


def test_slower_than_every_repeat_before_is_worse():
    assert words(run(x_y=('s', [1.0, 1.1, 0.9])), run(x_y=('s', [1.4, 1.3, 1.5]))) == ['worse']


def test_less_memory_is_better():
    assert words(run(x_y=('B', [2e9])), run(x_y=('B', [1e9]))) == ['better']


def test_more_bytes_a_second_is_better():
    assert words(run(x_y=('B/s', [1e10])), run(x_y=('B/s', [2e10]))) == ['better']


@pytest.mark.parametrize('unit', ['/s', 'x'])
def test_more_frames_a_second_is_better(unit):
    assert words(run(x_y=(unit, [80.0])), run(x_y=(unit, [90.0]))) == ['better']


def test_repeats_that_overlap_are_no_change():
    assert words(run(x_y=('s', [1.0, 1.5, 2.0])), run(x_y=('s', [1.9, 2.1, 2.2]))) == ['']


def test_under_five_percent_is_no_change():
    assert words(run(x_y=('s', [1.0])), run(x_y=('s', [1.04]))) == ['']


def test_figures_of_one_run_only_are_listed():
    before, after = run(x_y=('s', [1.0])), run(x_z=('s', [1.0]))
    assert changes(before, after) == []
    console = Console(width=100)
    with console.capture() as said:
        console.print(render(before, after))
    text = said.get()
    assert 'only before' in text and 'only after' in text


def test_different_machine_is_reported():
    assert other_machine(run('a'), run('a')) == []
    assert other_machine(run('a'), run('b')) == ['processor: a, then b']
