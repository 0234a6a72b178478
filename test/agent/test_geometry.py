"""Pixels become metres, or say why not."""

import numpy as np
import pytest

from kimi_ros.agent import DepthStatus, Frame
from kimi_ros.agent.errors import FrameError
from kimi_ros.agent.geometry import deproject, estimate_position

K = np.array([[600.0, 0, 320], [0, 600.0, 240], [0, 0, 1]])
BOX, POINT = (300.0, 200.0, 360.0, 280.0), (330.0, 240.0)


def frame(depth, **more):
    rgb = np.zeros((480, 640, 3), np.uint8)
    return Frame(rgb, depth=depth, **{'intrinsics': K, 'camera_pose': np.eye(4), **more})


def flat(value=1.2):
    return np.full((480, 640), value, np.float32)


def test_position_is_the_pixels_ray_at_median_depth():
    depth = flat()
    depth[235:238, 325:335] = 9.0  # a few outliers
    found = estimate_position(frame(depth), POINT, BOX)
    assert found.status is DepthStatus.OK and found.frame == 'base_link'
    assert found.xyz == pytest.approx((0.02, 0.0, 1.2), abs=1e-6) and found.valid_fraction == 1


def test_camera_pose_transforms_position_and_covariance():
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]  # an optical frame looking along x
    pose[:3, 3] = 0.1, 0.2, 0.3
    found = estimate_position(frame(flat(), camera_pose=pose), POINT, BOX)
    assert found.xyz == pytest.approx((1.3, 0.18, 0.3), abs=1e-6)
    covariance = np.reshape(found.covariance, (3, 3))
    optical = np.reshape(estimate_position(frame(flat()), POINT, BOX).covariance, (3, 3))
    assert np.allclose(covariance, pose[:3, :3] @ optical @ pose[:3, :3].T)
    assert np.all(np.linalg.eigvalsh(covariance) > 0)


@pytest.mark.parametrize('value', [0.0, np.nan, np.inf])
def test_missing_depth_is_a_hole(value):
    found = estimate_position(frame(flat(value)), POINT, BOX)
    assert found.status is DepthStatus.HOLE and found.xyz is None and found.covariance is None


def test_hole_at_the_point_uses_the_rest_of_the_box():
    depth = flat()
    depth[232:249, 322:339] = 0
    found = estimate_position(frame(depth), POINT, BOX)
    assert found.status is DepthStatus.OK and 0.25 < found.valid_fraction < 1


def test_sparse_depth_is_a_hole():
    depth = flat(0)
    depth[::5, ::5] = 1.2
    assert estimate_position(frame(depth), POINT, BOX).status is DepthStatus.HOLE


def test_depth_out_of_range_is_rejected():
    assert estimate_position(frame(flat(60.0)), POINT, BOX).status is DepthStatus.OUT_OF_RANGE


def test_missing_inputs_set_the_depth_status():
    assert estimate_position(frame(None), POINT, BOX).status is DepthStatus.NONE
    assert (
        estimate_position(frame(None, no_depth=DepthStatus.STALE), POINT, BOX).status
        is DepthStatus.STALE
    )
    assert estimate_position(frame(flat(), intrinsics=None), POINT, BOX).status is DepthStatus.NONE
    found = estimate_position(frame(flat(), camera_pose=None), POINT, BOX)
    assert found.status is DepthStatus.NO_TRANSFORM and found.frame == 'camera_optical_frame'
    assert found.xyz is not None


def test_point_in_the_corner_without_a_box_is_deprojected():
    assert estimate_position(frame(flat()), (639.0, 479.0), None).status is DepthStatus.OK


def test_covariance_agrees_with_monte_carlo():
    rng = np.random.default_rng(1)
    sigmas = (3.0, 2.0, 0.01)
    _, covariance = deproject((400, 100), 1.5, K, sigmas)
    u, v, z = (
        m + s * rng.standard_normal(200_000) for m, s in zip((400, 100, 1.5), sigmas, strict=True)
    )
    sampled = np.cov(np.stack([(u - 320) * z / 600, (v - 240) * z / 600, z]))
    assert np.allclose(covariance, sampled, rtol=0.05, atol=2e-7)


@pytest.mark.parametrize(
    ('parts', 'message'),
    [
        ({'rgb': np.zeros((4, 4), np.uint8)}, 'uint8 array'),
        ({'rgb': np.zeros((4, 4, 3))}, 'uint8 array'),
        ({'rgb': np.zeros((0, 4, 3), np.uint8)}, 'shape'),
        ({'depth': np.zeros((480, 640), np.uint16)}, 'millimetres'),
        ({'depth': np.zeros((240, 320), np.float32)}, 'registers'),
        ({'intrinsics': np.zeros((3, 3))}, 'not calibrated'),
        ({'camera_pose': np.ones((4, 4))}, 'rotation'),
        ({'camera_pose': np.full((4, 4), np.nan)}, 'finite'),
    ],
)
def test_inconsistent_frame_raises(parts, message):
    with pytest.raises(FrameError, match=message):
        Frame(**{'rgb': np.zeros((480, 640, 3), np.uint8), **parts})
