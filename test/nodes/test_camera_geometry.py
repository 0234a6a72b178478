"""Intrinsics from camera_info, and warnings about depth."""

from types import SimpleNamespace

import numpy as np
import pytest

from kimi_ros.nodes.camera_geometry import depth_warning, intrinsics_of, is_rectified

K = [600.0, 0, 320, 0, 610, 240, 0, 0, 1]
P = [500.0, 0, 310, 0, 0, 505, 230, 0, 0, 0, 1, 0]


def camera_info(**changes):
    roi = SimpleNamespace(width=0, height=0, x_offset=0, y_offset=0)
    fields = {'width': 640, 'height': 480, 'k': K, 'p': P, 'd': [], 'distortion_model': ''}
    fields |= {'binning_x': 0, 'binning_y': 0, 'roi': roi}
    return SimpleNamespace(**(fields | changes))


def found(info, rectified=False, width=640, height=480):
    return intrinsics_of(info, width, height, rectified)


def test_raw_image_has_camera_matrix_and_distortion():
    info = camera_info(distortion_model='plumb_bob', d=[-0.35, 0.12, 0, 0, 0])
    intrinsics = found(info)
    np.testing.assert_array_equal(intrinsics.matrix.ravel(), K)
    assert intrinsics.distortion.model == 'plumb_bob' and intrinsics.warning is None


def test_rectified_image_has_the_projection_matrix():
    info = camera_info(distortion_model='plumb_bob', d=[-0.35, 0.12, 0, 0, 0])
    intrinsics = found(info, rectified=True)
    assert intrinsics.matrix.ravel().tolist() == [500, 0, 310, 0, 505, 230, 0, 0, 1]
    assert intrinsics.distortion is None
    assert found(camera_info(p=[0.0] * 12), rectified=True).matrix.ravel().tolist() == K


@pytest.mark.parametrize(
    ('topic', 'mode', 'rectified'),
    [
        ('/camera/image_raw', 'auto', False),
        ('/camera/image_rect', 'auto', True),
        ('/camera/image_rect_color/compressed', 'auto', True),
        ('/camera/image_raw', 'ignore', True),
        ('/camera/image_rect', 'apply', False),
    ],
)
def test_rectified_topics(topic, mode, rectified):
    assert is_rectified(topic, mode) is rectified


def test_binning_and_region_of_interest():
    roi = SimpleNamespace(width=320, height=240, x_offset=100, y_offset=50)
    intrinsics = found(camera_info(binning_x=2, binning_y=2), width=320, height=240)
    assert intrinsics.matrix.ravel().tolist() == [300, 0, 160, 0, 305, 120, 0, 0, 1]
    intrinsics = found(camera_info(roi=roi), width=320, height=240)
    assert intrinsics.matrix.ravel().tolist() == [600, 0, 220, 0, 610, 190, 0, 0, 1]


@pytest.mark.parametrize('d', [[], [0.0] * 5, [0.0] * 8])
def test_zero_coefficients_are_no_distortion(d):
    assert found(camera_info(distortion_model='plumb_bob', d=d)).distortion is None


def test_padded_coefficients_are_read():
    info = camera_info(distortion_model='plumb_bob', d=[-0.3, 0.1, 0, 0, 0, 0, 0, 0])
    assert found(info).distortion.coefficients.tolist() == [-0.3, 0.1, 0, 0, 0]


@pytest.mark.parametrize(
    ('info', 'code', 'remedy'),
    [
        (None, 'camera_info_missing', 'remap camera_info'),
        (camera_info(width=1280, height=720), 'camera_info_size', '1280x720'),
        (camera_info(k=[0.0] * 9), 'camera_uncalibrated', 'calibrate'),
        (camera_info(k=[float('nan'), *K[1:]]), 'camera_info_invalid', 'NaN'),
        (camera_info(distortion_model='fov', d=[0.9]), 'distortion_unsupported', 'to ignore'),
        (camera_info(distortion_model='plumb_bob', d=[0.1]), 'distortion_unsupported', '4 or 5'),
        (
            camera_info(distortion_model='equidistant', d=[float('nan')] * 4),
            'distortion_unsupported',
            'finite',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
def test_unusable_camera_info_is_a_warning_with_the_remedy(info, code, remedy):
    intrinsics = found(info)
    assert intrinsics.matrix is None and intrinsics.distortion is None
    assert intrinsics.warning.code == code and remedy in intrinsics.warning.message


def test_depth_of_another_size_is_a_warning():
    depth = SimpleNamespace(width=320, height=240)
    assert depth_warning(depth, 320, 240) is None
    warning = depth_warning(depth, 640, 480)
    assert warning.code == 'depth_size' and 'registers' in warning.message
