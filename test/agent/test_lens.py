"""Lens distortion: rays of distorted pixels, against OpenCV's projection and rectification."""

import cv2
import numpy as np
import pytest

from kimi_ros.agent import DepthStatus, Frame
from kimi_ros.agent.errors import FrameError
from kimi_ros.agent.geometry import deproject, estimate_position
from kimi_ros.agent.lens import Distortion, pixels_of, ray_map, rays_of

K = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
MODELS = [
    Distortion('plumb_bob', np.array([-0.35, 0.12, 0.001, -0.0005, 0.0])),
    Distortion('plumb_bob', np.array([-0.1, 0.02, 0.0, 0.0])),
    Distortion('rational_polynomial', np.array([0.6, -0.2, 1e-4, 2e-4, 0.01, 0.9, -0.1, 0.02])),
    Distortion('equidistant', np.array([0.02, -0.01, 0.004, -0.001])),
]
CORNERS = np.array([(0.0, 0.0), (639, 0), (0, 479), (639, 479), (320, 240), (100, 400)])


def project(points, lens):
    """Project as a camera driver's calibration does."""
    function = cv2.fisheye.projectPoints if lens.model == 'equidistant' else cv2.projectPoints
    pixels, _ = function(points.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), K, lens.coefficients)
    return pixels.reshape(-1, 2)


@pytest.mark.parametrize('lens', MODELS, ids=lambda lens: lens.model)
def test_rays_lead_to_the_points_that_were_projected(lens):
    points = np.array([(0.3, 0.2, 0.8), (-0.35, -0.25, 0.8), (0.0, 0.0, 1.5), (0.2, -0.3, 0.9)])
    pixels = project(points, lens)
    np.testing.assert_allclose(rays_of(pixels, K, lens), points[:, :2] / points[:, 2:], atol=1e-5)
    np.testing.assert_allclose(pixels_of(points[:, :2] / points[:, 2:], K, lens), pixels)


@pytest.mark.parametrize('lens', [None, *MODELS], ids=lambda lens: getattr(lens, 'model', 'none'))
def test_ray_map_agrees_with_single_rays(lens):
    rays = ray_map((640, 480), K, lens)
    assert rays.shape == (480, 640, 2)
    x, y = CORNERS.astype(int).T
    np.testing.assert_allclose(rays[y, x], rays_of(CORNERS, K, lens), atol=3e-4)


def test_position_of_a_corner_is_right_within_a_millimetre():
    lens = MODELS[0]
    point = np.array([0.42, 0.31, 0.8])
    ((u, v),) = project(point[None], lens)
    assert 0 < u < 640 and 0 < v < 480
    frame = Frame(
        np.zeros((480, 640, 3), np.uint8),
        depth=np.full((480, 640), 0.8, np.float32),
        intrinsics=K,
        distortion=lens,
        camera_pose=np.eye(4),
    )
    found = estimate_position(frame, (u, v), None)
    assert found.status is DepthStatus.OK
    np.testing.assert_allclose(found.xyz, point, atol=1e-3)
    ignored = (np.array([u, v]) - K[:2, 2]) / 600 * 0.8
    assert np.linalg.norm(ignored - point[:2]) > 0.03  # what ignoring the lens costs here


def test_covariance_with_distortion_agrees_with_sampling():
    lens, sigmas = MODELS[0], (4.0, 2.0, 0.01)
    xyz, covariance = deproject((600, 440), 0.8, K, sigmas, lens)
    rng = np.random.default_rng(0)
    pixels = (600, 440) + rng.normal(size=(20_000, 2)) * sigmas[:2]
    depths = 0.8 + rng.normal(size=20_000) * sigmas[2]
    rays = rays_of(pixels, K, lens)
    samples = np.column_stack([rays, np.ones(len(rays))]) * depths[:, None]
    np.testing.assert_allclose(np.cov(samples.T), covariance, rtol=0.05, atol=2e-6)


def test_pixel_that_the_model_does_not_cover_has_no_position():
    # Its image of a plane ends at a circle: no ray is seen beyond it.
    lens = Distortion('plumb_bob', np.array([-0.9, 0.0, 0.0, 0.0, 0.0]))
    assert np.isnan(lens.undistort(np.array([(0.0, 0.0)]), K)).all()
    frame = Frame(
        np.zeros((480, 640, 3), np.uint8),
        depth=np.ones((480, 640), np.float32),
        intrinsics=K,
        distortion=lens,
    )
    assert estimate_position(frame, (2, 2), None).status is DepthStatus.OUT_OF_RANGE


@pytest.mark.parametrize(
    ('model', 'coefficients', 'words'),
    [
        ('fov', [0.9], 'rectified images'),
        ('plumb_bob', [0.1] * 3, '4 or 5 finite coefficients'),
        ('equidistant', [np.nan] * 4, 'finite'),
    ],
)
def test_invalid_distortion_is_reported(model, coefficients, words):
    with pytest.raises(FrameError, match=words):
        Distortion(model, np.array(coefficients))
