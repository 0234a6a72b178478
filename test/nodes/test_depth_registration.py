"""Depth of one camera in the image of another."""

import numpy as np
import pytest

from kimi_ros.agent.lens import Distortion
from kimi_ros.nodes.depth_registration import register_depth

DEPTH_K = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])
K = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
LENS = Distortion('plumb_bob', np.array([-0.2, 0.05, 0.0, 0.0, 0.0]))
SIZE = (640, 480)
SHIFTED = np.eye(4)
SHIFTED[0, 3] = 0.05  # the colour camera is 5 cm left of the depth camera


def plane(z):
    return np.full((240, 320), z, np.float32)


@pytest.mark.parametrize('lens', [None, LENS])
def test_same_camera_of_twice_the_resolution_has_the_same_depth(lens):
    found = register_depth(plane(1.0), DEPTH_K, lens, np.eye(4), SIZE, K, lens)
    assert found.dtype == np.float32 and found.shape == (480, 640)
    middle = found[40:-40, 40:-40]
    assert (middle > 0).mean() > 0.95
    np.testing.assert_allclose(middle[middle > 0], 1.0, atol=1e-5)


def test_a_thing_moves_by_the_parallax_and_hides_what_is_behind():
    depth = plane(2.0)
    depth[110:130, 150:170] = 0.5
    found = register_depth(depth, DEPTH_K, None, SHIFTED, SIZE, K, None)
    near = np.argwhere((found > 0.4) & (found < 0.6))
    # Its centre (160, 120) is seen 600 * 0.05 / 0.5 = 60 pixels further right.
    np.testing.assert_allclose(near.mean(axis=0), (240, 320 + 60), atol=2)
    assert found[240, 380] == pytest.approx(0.5)


def test_depth_is_along_the_axis_of_the_colour_camera():
    back = np.eye(4)
    back[2, 3] = 0.3
    found = register_depth(plane(1.0), DEPTH_K, None, back, SIZE, K, None)
    assert found[240, 320] == pytest.approx(1.3)


def test_invalid_depth_is_left_out():
    depth = plane(np.nan)
    assert not register_depth(depth, DEPTH_K, None, np.eye(4), SIZE, K, None).any()
    behind = np.diag([1.0, -1, -1, 1])
    assert not register_depth(plane(1.0), DEPTH_K, None, behind, SIZE, K, None).any()
