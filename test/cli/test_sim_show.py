"""`kimi sim show`."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from kimi_ros.cli.main import main
from kimi_ros.sim import GLNotAvailable, Renderer, sample_scene

WAIT = 120
CELL = (400, 300)


def show(*arguments, **changed):
    command = [sys.executable, '-m', 'kimi_ros.cli.main', 'sim', 'show', *map(str, arguments)]
    return subprocess.run(
        command, env=os.environ | changed, capture_output=True, text=True, timeout=WAIT, check=False
    )


@pytest.fixture(scope='module')
def opengl():
    try:
        Renderer(64, 48).close()
    except GLNotAvailable as error:
        pytest.skip(str(error))


def cell(sheet, column, row):
    width, height = CELL
    return sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]


def test_png_with_the_requested_scenes(opengl, tmp_path):
    out = tmp_path / 'deep' / 'sheet.png'
    done = show('--seed', 2_000_020, '--n', 5, '--out', out)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f'{out}\n'
    assert 'Warning' not in done.stderr and 'WARN' not in done.stderr
    with Image.open(out) as image:
        assert image.format == 'PNG' and image.size == (4 * CELL[0], 2 * CELL[1])
        sheet = np.array(image)
    cells = [cell(sheet, i % 4, i // 4) for i in range(8)]
    assert all(c.std() > 10 for c in cells[:5]) and not any(c.any() for c in cells[5:])
    for i, one in enumerate(cells[:5]):
        assert all((one != other).mean() > 0.3 for other in cells[:i])


def test_single_scene_as_jpeg(opengl, tmp_path):
    out = tmp_path / 'sheet.JPG'
    done = show('--seed', 7, '--n', 1, '--table', 'small', '--out', out)
    assert done.returncode == 0, done.stderr
    with Image.open(out) as image:
        assert image.format == 'JPEG' and image.size == CELL
        drawn = np.array(image).astype(int)
    with Renderer(*CELL) as renderer:
        plain = renderer.render(sample_scene(7), depth=False).rgb.astype(int)
    marked = (np.abs(drawn - plain) > 40).any(-1).mean()
    assert 0.005 < marked < 0.2


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--seed', '-1'), '--seed is -1: use 0 or more'),
        (('--n', '0'), '--n is 0: use 1 to 100'),
        (('--n', '101'), '--n is 101: use 1 to 100'),
        (('--out', 'sheet.gif'), 'sheet.gif is not an image file name: use .png or .jpg'),
        (('--out', 'sheet'), 'use .png or .jpg'),
    ],
)
def test_invalid_values_are_rejected(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(['sim', 'show', '--out', 'sheet.png', *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith('kimi: ') and words in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ((), '--out'),
        (('--out', 'x.png', '--table', 'moon'), "'moon'"),
        (('--out', 'x.png', '--n', 'many'), "'many'"),
    ],
)
def test_invalid_arguments_are_usage_errors(capsys, arguments, words):
    with pytest.raises(SystemExit) as ended:
        main(['sim', 'show', *arguments])
    assert ended.value.code == 2 and words in capsys.readouterr().err


def test_unwritable_file_is_reported(opengl, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    assert main(['sim', 'show', '--n', '1', '--out', str(tmp_path / 'file' / 'sheet.png')]) == 1
    assert 'cannot create' in capsys.readouterr().err
    (tmp_path / 'sheet.png').mkdir()
    assert main(['sim', 'show', '--n', '1', '--out', str(tmp_path / 'sheet.png')]) == 1
    assert 'cannot be written' in capsys.readouterr().err


def test_missing_opengl_names_the_packages(tmp_path):
    done = show('--n', 1, '--out', tmp_path / 'sheet.png', MUJOCO_GL='nonsense')
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert 'apt-get install' in done.stderr or 'pip install' in done.stderr
