"""The command `kimi`."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from kimi_ros.process import isolated
from kimi_ros.resources import ResourceNotFoundError, share

WAIT = 120


def kimi(*arguments, cwd=None):
    command = [sys.executable, '-m', 'kimi_ros.cli.main', *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env=isolated(os.environ),
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )


@pytest.fixture(scope='session')
def nano():
    try:
        share('models/nano')
    except ResourceNotFoundError:
        pytest.skip('models/nano is not in this checkout')


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'table.png'
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_help_lists_every_verb_and_loads_no_engine():
    done = kimi('--help')
    assert done.returncode == 0
    for verb in ('ask', 'demo', 'doctor', 'eval', 'up'):
        assert verb in done.stdout
    code = 'import sys; from kimi_ros.cli import ask, demo, up; print(sorted(sys.modules))'
    command = [sys.executable, '-c', code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 'onnxruntime' not in loaded.stdout


def test_unknown_verb_is_a_usage_error():
    done = kimi('drive')
    assert done.returncode == 2 and 'invalid choice' in done.stderr


@pytest.mark.parametrize(
    ('content', 'words'), [(None, 'does not exist'), (b'not an image', 'cannot be read')]
)
def test_ask_about_an_unreadable_file(tmp_path, content, words):
    path = tmp_path / 'table.jpg'
    if content is not None:
        path.write_bytes(content)
    done = kimi('ask', path, 'find the red cup')
    assert done.returncode == 1 and words in done.stderr and 'Traceback' not in done.stderr


def test_ask_a_model_without_the_plan_task(image, golden_folder):
    done = kimi('ask', image, 'find the red cup', '--model', golden_folder, '--planner', 'model')
    assert done.returncode == 1 and "does not support 'plan'" in done.stderr
    assert 'Traceback' not in done.stderr


def test_ask_without_a_model(image, tmp_path):
    done = kimi('ask', image, 'find the red cup', '--model', tmp_path / 'nowhere')
    assert done.returncode == 1 and 'nowhere' in done.stderr and 'Traceback' not in done.stderr
    done = kimi('ask', image, 'find the red cup', '--model', tmp_path / 'nowhere', '--out', 'plan')
    assert done.returncode == 1 and 'plan is not an image file name' in done.stderr


def test_ask_nano(nano, image, tmp_path):
    out = tmp_path / 'deep' / 'plan.jpg'
    done = kimi('ask', image, '找到红色的杯子', '--out', out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('kimi: ') and 'time: ' in done.stdout
    with Image.open(out) as drawn:
        assert drawn.size[0] == 64
    done = kimi('ask', image, 'find the red cup', '--json')
    assert json.loads(done.stdout)['instruction'] == 'find the red cup'
    done = kimi('ask', image, ' ')
    assert done.returncode == 1 and 'no words' in done.stderr


def test_demo(nano, tmp_path):
    pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')
    done = kimi('demo', '--seed', 7, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Scene 2000007' in done.stdout or 'Showing a recorded frame' in done.stdout
    asked = done.stdout.count('You:')
    assert asked in (2, 4)  # 4 where the shipped nano knows the things of the photograph
    assert done.stdout.count('right: ') + done.stdout.count('WRONG: ') == asked
    assert 'kimi ask PICTURE' in done.stdout
    images = sorted((tmp_path / 'out' / 'demo').glob('scene_*.jpg'))
    assert [p.stem[-2:] for p in images] == ['en', 'zh']
    for path in images:
        with Image.open(path) as drawn:
            assert drawn.size[0] == 640 and drawn.size[1] > 480


def test_demo_with_a_missing_model(tmp_path):
    pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')
    done = kimi('demo', '--model', tmp_path / 'nowhere', '--out', tmp_path / 'out')
    assert done.returncode == 1 and 'nowhere' in done.stderr and 'The logs are in' in done.stderr
    assert 'Traceback' not in done.stderr


def test_demo_rejects_a_negative_seed():
    done = kimi('demo', '--seed', '-1')
    assert done.returncode == 1 and '0 or more' in done.stderr


def test_up_starts_and_stops_both_processes(tmp_path):
    pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')
    log = tmp_path / 'log'
    command = [sys.executable, '-m', 'kimi_ros.cli.main', 'up', '--model', str(tmp_path)]
    with log.open('w') as stream:
        up = subprocess.Popen(command, env=isolated(os.environ), stdout=stream, stderr=stream)
    try:
        _until(lambda: 'could not be loaded' in log.read_text(), up, log)
        _until(lambda: 'publishing scene' in log.read_text(), up, log)
        up.send_signal(signal.SIGINT)
        assert up.wait(WAIT) == 0
    finally:
        up.kill()
        up.wait()
    assert 'Traceback' not in log.read_text()


def test_up_ends_when_a_process_ends(tmp_path):
    pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')
    done = kimi('up', '--no-camera', '--', '-p', 'queue_size:=1000')
    assert done.returncode == 1 and 'kimi_node has ended with status 2' in done.stderr


def _until(condition, process, log):
    deadline = time.monotonic() + WAIT
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
