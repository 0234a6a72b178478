"""Points and boxes on a user's own pictures, checked line by line."""

import json

import numpy as np
import pytest
from PIL import Image

from kimi_ros.cli.main import main
from kimi_ros.vlm.fake import ScriptedOutput


@pytest.fixture
def folder(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(rgb).save(tmp_path / 'a.jpg')
    mask = np.zeros((48, 64), np.uint8)
    mask[12:36, 16:48] = 255
    Image.fromarray(mask).save(tmp_path / 'a_cup.png')
    Image.fromarray(mask[:40]).save(tmp_path / 'small.png')
    Image.fromarray(mask * 0).save(tmp_path / 'black.png')
    return tmp_path


def write(folder, *lines):
    text = '\n'.join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / 'things.jsonl').write_text(text, encoding='utf-8')


def said(capsys, *words):
    assert main(['eval', *words, '--json']) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


LINE = {'image': 'a.jpg', 'object': {'en': 'cup', 'zh': '杯子'}, 'mask': 'a_cup.png'}


def test_points_and_boxes_are_held_against_masks_and_boxes(folder, model_saying, capsys):
    boxed = {'image': 'a.jpg', 'object': 'cup', 'box': [0.25, 0.25, 0.75, 0.75]}
    # x and y in the middle of 1024 bins, one point, then the end; a size of about a half.
    model_saying([ScriptedOutput(5, bin=512), ScriptedOutput(bin=512), ScriptedOutput(0)])
    write(folder, LINE, '', LINE)
    points = said(capsys, 'points', '--data', str(folder), '--lang', 'zh')
    assert points['in_mask'] == 1 and points['n'] == 2 and 'table' not in points
    assert points['in_mask_kind'] is None  # nobody knows what its names use
    model_saying(
        [
            ScriptedOutput(5, bin=512),
            ScriptedOutput(bin=512),
            ScriptedOutput(size=(920, 920)),
            ScriptedOutput(0),
        ]
    )
    write(folder, LINE, boxed)
    boxes = said(capsys, 'boxes', '--data', str(folder), '--out', str(folder / 'report'))
    assert boxes['iou50'] == 1 and boxes['mean_iou'] > 0.9
    assert (folder / 'report.md').is_file()


def test_photos_count_points_boxes_and_what_is_not_there(folder, model_saying, capsys):
    boxed = {'image': 'a.jpg', 'object': 'cup', 'box': [0.25, 0.25, 0.75, 0.75]}
    absent = {'image': 'a.jpg', 'object': {'en': 'giraffe', 'zh': '长颈鹿'}, 'absent': True}
    write(folder, boxed, absent)
    # In the middle, half as large: right for the thing, a false alarm for what is not there. A
    # point ends with the token beside which a box has its size.
    middle = [ScriptedOutput(5, bin=512), ScriptedOutput(bin=512)]
    model_saying([*middle, ScriptedOutput(0, size=(920, 920)), ScriptedOutput(0)])
    report = said(capsys, 'photos', '--data', str(folder))
    assert [report[n] for n in ('in_box', 'iou50', 'found', 'false_alarms')] == [1, 1, 1, 1]
    model_saying([ScriptedOutput(0)])
    report = said(capsys, 'photos', '--data', str(folder))
    assert [report[n] for n in ('in_box', 'iou50', 'found', 'false_alarms')] == [0, 0, 0, 0]


def test_other_suites_leave_absent_names_out(folder, model_saying, capsys):
    model_saying([ScriptedOutput(5, bin=512), ScriptedOutput(bin=512), ScriptedOutput(0)])
    write(folder, LINE, {'image': 'a.jpg', 'object': 'giraffe', 'absent': True})
    assert said(capsys, 'points', '--data', str(folder))['n'] == 1
    write(folder, {'image': 'a.jpg', 'object': 'giraffe', 'absent': True})
    assert main(['eval', 'points', '--data', str(folder)]) == 1
    assert 'every line says "absent"' in capsys.readouterr().err


@pytest.mark.parametrize(
    'line, fault',
    [
        ('{', 'not JSON'),
        ({'image': 'a.jpg'}, "'object' is a required property"),
        ({**LINE, 'colour': 1}, 'colour'),
        ({**LINE, 'image': 'gone.jpg'}, 'gone.jpg does not exist'),
        ({**LINE, 'image': 'things.jsonl'}, 'cannot be read'),
        ({**LINE, 'mask': 'small.png'}, '64x40, its image 64x48'),
        ({**LINE, 'mask': 'black.png'}, 'all black'),
        ({**LINE, 'box': [0.5, 0, 0.5, 1]}, 'x_min'),
        ({**LINE, 'object': {'zh': '杯子'}}, "no name in 'en'"),
        ({'image': 'a.jpg', 'object': 'cup'}, 'points needs "mask"'),
        ({**LINE, 'absent': True}, 'leave out "box" and "mask"'),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(line, fault, folder, capsys):
    write(folder, LINE, line)
    assert main(['eval', 'points', '--data', str(folder)]) == 1
    error = capsys.readouterr().err
    assert 'things.jsonl:2: ' in error and fault in error


def test_a_folder_without_lines_and_other_suites_are_refused(folder, capsys):
    assert main(['eval', 'points', '--data', str(folder)]) == 1
    assert 'things.jsonl' in capsys.readouterr().err
    for words in (['plans', '--data', str(folder)], ['photos']):
        with pytest.raises(SystemExit):
            main(['eval', *words])
        assert '--data' in capsys.readouterr().err
    assert main(['eval', 'points', '--data', str(folder), '--table', 'small']) == 1
    assert '--table is for rendered scenes' in capsys.readouterr().err
