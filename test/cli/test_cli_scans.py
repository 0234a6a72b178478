"""`kimi sim scans`."""

import json

import pytest
from scan_files import write_scans

from kimi_ros.cli.main import main


@pytest.fixture(scope='module')
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp('scans')
    write_scans(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        yield folder


def draw(scans, out, *more):
    things = str(scans / 'things.yaml')
    return main(
        ['sim', 'scans', 'draw', str(out), '--scans', str(scans), '--things', things, *more]
    )


def test_draw_writes_pictures_with_truth(scans, tmp_path, capsys):
    out = tmp_path / 'set'
    assert draw(scans, out, '--pictures', '2', '--size', '96x72', '--seed', '5') == 0
    assert capsys.readouterr().out.strip() == str(out)
    truth = json.loads((out / 'pictures' / '0000005.json').read_text())
    assert truth['seed'] == 5 and truth['size'] == [96, 72] and truth['setting']


@pytest.mark.parametrize(
    'options, said',
    [
        (('--size', '95x72'), '--size'),
        (('--pictures', '0'), '--pictures'),
        (('--effects', '2'), '--effects'),
        (('--pictures', '2', '--seed', '999999'), 'training'),
        (('--backdrops', '/nowhere'), '/nowhere'),
        (('--things', '/nowhere.yaml'), '/nowhere.yaml'),
    ],
)
def test_draw_says_what_is_wrong(scans, tmp_path, capsys, options, said):
    assert draw(scans, tmp_path / 'set', *options) != 0
    error = capsys.readouterr().err
    assert said in error and 'Traceback' not in error


def test_check_tells_sound_scans_from_broken_ones(scans, tmp_path, capsys):
    things, sheet = str(scans / 'things.yaml'), tmp_path / 'sheet.png'
    assert main(['sim', 'scans', 'check', str(scans), '--things', things, '--out', str(sheet)]) == 0
    assert 'beans: 7.0 x 7.0 x 10.0 cm\n' in capsys.readouterr().out
    assert sheet.stat().st_size > 1000
    broken = tmp_path / 'broken'
    write_scans(broken)
    (broken / 'beans' / 'label.jpg').unlink()
    assert main(['sim', 'scans', 'check', str(broken)]) != 0  # by the things.yaml in it
    captured = capsys.readouterr()
    assert 'beans: not loaded; ' in captured.out and 'label.jpg' in captured.out
    assert '1 of 3 things' in captured.err
