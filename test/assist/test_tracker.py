"""Following a textured square: it moves, grows, vanishes, and answers come late."""

import cv2
import numpy as np
import pytest

from kimi_ros.assist.tracker import Tracker, depth_of

SIZE = (200, 160)  # width, height


def picture(x, y, side, seed=1):
    """Return an image with a textured square, and the square's box."""
    rng = np.random.default_rng(seed)
    rgb = cv2.resize(rng.integers(0, 100, (20, 25, 3), np.uint8), SIZE)
    square = rng.integers(120, 255, (8, 8, 3), np.uint8)
    box = (x, y, x + side, y + side)
    rgb[y : y + side, x : x + side] = cv2.resize(
        square, (side, side), interpolation=cv2.INTER_NEAREST
    )
    return rgb, box


def test_box_follows_the_thing_and_grows_with_it():
    tracker = Tracker()
    rgb, box = picture(40, 50, 40)
    tracker.update(rgb, 0.0)
    assert tracker.start('a', box, 0.0) == box
    for i in range(1, 13):
        rgb, truth = picture(40 + 4 * i, 50 + i, 40 + i)
        tracker.update(rgb, 0.1 * i)
    assert tracker.boxes['a'] == pytest.approx(truth, abs=4)


def test_answer_about_an_old_image_is_followed_to_the_newest_one():
    tracker = Tracker()
    for i in range(8):
        rgb, truth = picture(40 + 5 * i, 50, 40)
        tracker.update(rgb, 0.1 * i)
    found = tracker.start('a', picture(45, 50, 40)[1], 0.1)
    assert found == pytest.approx(truth, abs=3) and tracker.boxes['a'] == found
    assert tracker.start('b', truth, 99.0) is None and 'b' not in tracker.boxes


def test_what_is_gone_is_not_followed():
    tracker = Tracker()
    rgb, box = picture(80, 50, 40)
    tracker.update(rgb, 0.0)
    tracker.start('a', box, 0.0)
    tracker.update(np.random.default_rng(5).integers(0, 255, rgb.shape, np.uint8), 0.1)
    assert 'a' not in tracker.boxes


@pytest.mark.parametrize('hold, kept', [(0.0, False), (1.0, True)])
def test_plain_thing_is_held_for_a_while_where_that_is_wanted(hold, kept):
    tracker = Tracker(hold)
    plain = np.full((160, 200, 3), 90, np.uint8)
    tracker.update(plain, 0.0)
    tracker.start('a', (80, 50, 120, 90), 0.0)
    tracker.update(plain, 0.5)
    assert ('a' in tracker.boxes) == kept
    tracker.update(plain, 2.0)
    assert 'a' not in tracker.boxes


def test_depth_is_the_median_of_what_is_valid():
    depth = np.full((100, 100), np.nan, np.float32)
    assert depth_of(depth, (10, 10, 50, 50)) is None
    depth[20:40, 20:40] = 2.0
    depth[30, 30] = 9.0
    assert depth_of(depth, (10, 10, 50, 50)) == 2.0
