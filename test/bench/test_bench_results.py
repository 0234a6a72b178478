"""Results, targets, the table and the report."""

import json

import pytest
from rich.console import Console

from bench.results import Results, ResultsError
from bench.table import amount, render
from bench.targets import TARGETS, Target, ceiling, target_result, target_results
from bench.timing import interleave


@pytest.fixture
def results():
    found = Results({'processor': 'a processor', 'repeats': 3, 'threads': 2})
    found.add('decode.800.int4', 'ours, context 800', 's', [0.05, 0.04, 0.06])
    found.add('decode.800.llama', 'llama.cpp, context 800', 's', [0.08, 0.07, 0.09])
    found.add('floor.800.int4', "the memory's limit", 's', [0.03, 0.03, 0.03])
    found.add('bytes.800.int4', 'a token reads', 'B', [1e9])
    found.add('bytes.800.llama', 'a token reads', 'B', [9e8])
    found.add('decode.bandwidth', 'reading', 'B/s', [3e10])
    found.add('memory.int4.answer', 'memory', 'B', [2.1e9], 'once')
    found.missing['decode.800.torch_fp32'] = 'PyTorch is not installed'
    found.runs['decode'] = {'started': '2026-11-24 01:00', 'load_before': 0.5}
    found.profiles['a step'] = {'MatMulNBits': 0.03, 'GroupQueryAttention': 0.01}
    return found


def by_label(results):
    return {target_result.target.label: target_result for target_result in target_results(results)}


def test_results_round_trip(results, tmp_path):
    file = tmp_path / 'sub' / 'bench.json'
    results.save(file)
    assert Results.load(file) == results


@pytest.mark.parametrize('text', ['', '[]', '{}', '{"format": 1}', '{"format": 2}'])
def test_invalid_file_is_refused(text, tmp_path):
    file = tmp_path / 'other.json'
    file.write_text(text)
    with pytest.raises(ResultsError, match='other.json'):
        Results.load(file)


def test_invalid_figure_is_refused(results, tmp_path):
    file = tmp_path / 'bench.json'
    results.save(file)
    data = json.loads(file.read_text())
    del data['figures'][0]['unit']
    file.write_text(json.dumps(data))
    with pytest.raises(ResultsError):
        Results.load(file)


def test_merge_clears_missing_figures(results):
    newer = Results({'load': 2}, {'memory': {'started': '2026-11-25 01:00', 'load_before': 0.1}})
    newer.add('decode.800.torch_fp32', 'PyTorch', 's', [0.4])
    results.merge(newer)
    assert results.missing == {}
    assert results.median('decode.800.torch_fp32') == 0.4
    assert results.machine == {'processor': 'a processor', 'repeats': 3, 'threads': 2, 'load': 2}
    assert list(results.runs) == ['decode', 'memory']


def test_ratio_target_uses_medians(results):
    found = by_label(results)['decode, int4, against llama.cpp Q4_0']
    assert found.found == pytest.approx(1.6)
    assert (
        found.reached and found.found_text() == '1.60x' and found.bound_text() == 'at least 1.50x'
    )


def test_share_target_is_formatted_in_percent(results):
    found = by_label(results)['decode, int4, of the bandwidth limit']
    assert found.found_text() == '60.0 %' and found.reached is False


def test_upper_bound_target(results):
    found = by_label(results)['2B int4, memory after one answer']
    assert found.found_text() == '2.10 GB' and found.reached is False


def test_unmeasured_target_has_a_reason(results):
    found = by_label(results)
    assert found['decode, int4, against PyTorch fp32'].reached is None
    assert found['decode, int4, against PyTorch fp32'].missing == 'PyTorch is not installed'
    assert found['nano, a token'].missing == 'not run'


def test_ratio_ceiling_from_memory_bandwidth(results):
    target = next(t for t in TARGETS if t.value == 'decode.800.llama' and t.ours == 'int4')
    assert ceiling(target, results) == pytest.approx(0.08 / 0.03)
    assert ceiling(Target('', 'memory.int4.answer', '', 'GB', 1.0), results) is None


def test_targets_have_different_labels():
    assert len({target.label for target in TARGETS}) == len(TARGETS)


def test_target_on_the_bound_is_reached():
    found = Results()
    found.add('x.y', 'x', 's', [1.0])
    assert target_result(Target('', 'x.y', '', 's', 1.0), found).reached
    assert target_result(Target('', 'x.y', '', 's', 1.0, at_least=False), found).reached


def test_table_shows_figures_gaps_and_targets(results):
    console = Console(width=140)
    with console.capture() as said:
        console.print(render(results))
    text = said.get()
    for part in ('a processor', '50.0 ms', 'PyTorch is not installed', 'not reached', '30.0 GB/s'):
        assert part in text


def test_amounts_have_units():
    assert amount(0.0123, 's') == '12.3 ms'
    assert amount(9.1234, 's') == '9.12 s'
    assert amount(1.5e9, 'B') == '1.500 GB'
    assert amount(87.25, '/s') == '87.2 /s'
    assert amount(1.5, 'x') == '1.50x'


def test_interleave_discards_the_warm_up_round():
    order = []

    def call(name):
        order.append(name)
        return float(len(order))

    found = interleave({'a': lambda: call('a'), 'b': lambda: call('b')}, 2)
    assert order == ['a', 'b'] * 3
    assert found == {'a': [3.0, 5.0], 'b': [4.0, 6.0]}


def test_report_page(results, tmp_path):
    pytest.importorskip('matplotlib')
    from bench.report import write

    page, *plots = write(results, tmp_path / 'docs' / 'benchmarks.md')
    text = page.read_text()
    for part in (
        'a processor',
        '| decode | 2026-11-24 01:00 | 0.5 |',
        '**not reached**',
        '| MatMulNBits | 30.00 | 75.0% |',
        '1.60x',
    ):
        assert part in text
    assert plots and all(f'plots/{plot.name}' in text for plot in plots)
