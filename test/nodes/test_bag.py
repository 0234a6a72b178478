"""Bags are read without ROS; MCAP and sqlite3, made by the script that makes the demo's."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='pip install rosbags')

from kimi_ros.nodes.bag import Bag, BagError, BagTopics
from kimi_ros.sim import recorded_frames

SCRIPT = Path(__file__).parents[2] / 'scripts' / 'make_bag.py'
FRAMES = [one.frame for one in recorded_frames()[:3]]


@pytest.fixture(scope='module')
def script():
    spec = importlib.util.spec_from_file_location('make_bag', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def bags(script, tmp_path_factory):
    """Three frames, half a second apart, by storage."""
    folder = tmp_path_factory.mktemp('bags')
    for storage in ('mcap', 'sqlite3'):
        script.write_bag(folder / storage, FRAMES, 2.0, storage)
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_newest_frame_of_each_moment_comes_with_depth_and_pose(bags, storage):
    with Bag(bags[storage]) as bag:
        assert bag.topics.image == '/camera/image' and bag.topics.depth == '/camera/depth/image'
        assert bag.topics.camera_info == '/camera/camera_info' and not bag.topics.depth_info
        assert not bag.is_compressed
        assert bag.seconds == pytest.approx(1.0, abs=1e-6)
        read = list(bag.frames([0.0, 0.4, 0.5, 5.0]))
    assert [w for _, warnings in read for w in warnings] == []
    for (frame, _), index in zip(read, (0, 0, 1, 2), strict=True):
        real = FRAMES[index]
        assert (frame.rgb == real.rgb).all()
        assert np.allclose(frame.depth, real.depth, equal_nan=True)
        assert np.allclose(frame.intrinsics, real.intrinsics)
        assert frame.position_frame == 'base_link'
        # The pose on /tf_static is that of the first frame.
        assert np.allclose(frame.camera_pose, FRAMES[0].camera_pose, atol=1e-6)


def test_file_alone_is_a_bag(bags):
    (file,) = bags['mcap'].glob('*.mcap')
    with Bag(file) as bag:
        assert len(list(bag.frames([0.5]))) == 1


def test_topic_that_is_not_there_and_no_bag_are_named(bags, tmp_path):
    with pytest.raises(BagError, match='has no topic /front.*/camera/image'):
        Bag(bags['mcap'], BagTopics(image='/front'))
    (tmp_path / 'bag.mcap').write_bytes(b'not a bag')
    with pytest.raises(BagError, match='cannot be read as a bag'):
        Bag(tmp_path / 'bag.mcap')


def test_questions_about_a_bag_are_judged(bags, tmp_path, capsys, monkeypatch):
    from kimi_ros.cli.main import main

    truth = recorded_frames()[0].truth
    names = [f'{t.color} {t.category}' for t in truth]
    alone = next(t for t, n in zip(truth, names, strict=True) if names.count(n) == 1)
    box = [float(v) for v in alone.box]
    name = f'{alone.color} {alone.category}'
    lines = [
        {'at': 0.1, 'instruction': f'pick up the {name}', 'status': 'ok', 'skills': ['pick'],
         'boxes': [box]},
        {'at': 0.1, 'instruction': 'pick up the pink elephant', 'status': 'ok'},
    ]  # fmt: skip
    file = tmp_path / 'questions.jsonl'
    file.write_text('\n'.join(map(json.dumps, lines)))
    assert main(['eval', 'bag', str(bags['mcap']), str(file), '--json']) == 0
    told = capsys.readouterr().out.splitlines()
    figures = json.loads(told[-1])
    assert figures['n'] == 2 and figures['status_right'] == 0.5
    assert figures['skills_right'] == 1.0 and figures['points_right'] == 1.0
    assert any('pink elephant' in line and 'instead of ok' in line for line in told)


def test_wrong_line_is_named(tmp_path):
    from kimi_ros.cli.errors import CommandError
    from kimi_ros.cli.eval_bag import read_questions

    file = tmp_path / 'questions.jsonl'
    file.write_text('{"at": 1, "instruction": "go"}\n{"at": -1, "instruction": "go"}')
    with pytest.raises(CommandError, match=r'questions.jsonl, line 2: -1 is less than'):
        read_questions(file)
