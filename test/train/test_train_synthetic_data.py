"""Synthetic data hold lines of every sort, which pass the checks and are true."""

import json

import pytest

from kimi_ros.sim import HeldOutSeedError
from kimi_train.cli import main
from kimi_train.synthetic_data import write_synthetic_data
from kimi_train.tune.data_schema import LINES
from kimi_train.tune.dataset import read_samples


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    pytest.importorskip('mujoco')
    folder = tmp_path_factory.mktemp('synthesize')
    assert main(['synthesize', str(folder), '--first', '3', '--count', '12']) == 0
    lines = [json.loads(line) for line in (folder / 'table.jsonl').read_text().splitlines()]
    return folder / 'table.jsonl', lines


def test_every_sort_of_line_is_there_and_passes_the_check(written, capsys):
    path, lines = written
    assert {line['task'] for line in lines} == set(LINES)
    assert main(['check', str(path)]) == 0
    assert f'{len(lines)} lines' in capsys.readouterr().out
    assert {language for sample in read_samples([path]) for language in sample.languages} == {
        'en',
        'zh',
    }
    queries = [line for line in lines if line['task'] == 'query']
    assert any('reasoning' in line for line in queries)
    assert any('history' in line for line in queries)
    assert any(line['answer'].startswith('def ') and 'image' not in line for line in queries)
    plans = [line for line in lines if line['task'] == 'plan']
    assert any('history' in line for line in plans)
    assert len({json.dumps(line.get('skills')) for line in plans}) > 3


def test_what_is_counted_is_pointed_at(written):
    counted = [line for line in written[1] if str(line.get('answer')).isdigit()]
    assert counted
    for line in counted:
        points = [
            p
            for piece in line.get('reasoning', ())
            if not isinstance(piece, str)
            for p in piece['points']
        ]
        assert len(points) == int(line['answer'])


def test_a_seed_gives_the_same_lines(written, tmp_path):
    again = write_synthetic_data(tmp_path, range(3, 5))
    lines = again.read_text().splitlines()
    assert lines == written[0].read_text().splitlines()[: len(lines)]


def test_evaluation_seeds_are_refused(tmp_path):
    with pytest.raises(HeldOutSeedError, match='evaluation'):
        write_synthetic_data(tmp_path, range(2_000_000, 2_000_001))
