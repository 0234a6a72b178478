"""Conversion of poses."""

import math

import numpy as np
import pytest

from kimi_ros.nodes.poses import PoseError, from_quaternion, pose_matrix, to_quaternion


def test_quarter_turn_about_z():
    half = math.sqrt(0.5)
    pose = pose_matrix([1, 2, 3, 0, 0, half, half])
    np.testing.assert_allclose(pose @ (1, 0, 0, 1), (1, 3, 3, 1), atol=1e-12)


def test_matrix_round_trip():
    random = np.random.default_rng(0)
    for _ in range(200):
        quaternion = random.normal(size=4)
        quaternion *= math.copysign(1, quaternion[3]) / np.linalg.norm(quaternion)
        pose = from_quaternion(random.normal(size=3), quaternion)
        np.testing.assert_allclose(to_quaternion(pose), quaternion, atol=1e-9)
        np.testing.assert_allclose(pose_matrix(pose.ravel().tolist()), pose)


@pytest.mark.parametrize('axis', range(3))
def test_half_turns(axis):
    quaternion = np.eye(4)[axis]
    pose = from_quaternion((0, 0, 0), quaternion)
    found = from_quaternion((0, 0, 0), to_quaternion(pose))
    np.testing.assert_allclose(found, pose, atol=1e-9)


@pytest.mark.parametrize(
    ('numbers', 'words'),
    [
        ([], '16 numbers'),
        ([1.0] * 6, '16 numbers'),
        ([math.nan] * 7, 'finite'),
        ([0.0] * 7, 'quaternion of a pose is zero'),
        ([2.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], 'not a rotation'),
        (np.diag([1.0, 1, -1, 1]).ravel(), 'not a rotation'),
        (np.ones(16), 'last row'),
    ],
)
def test_invalid_pose_is_reported(numbers, words):
    with pytest.raises(PoseError, match=words):
        pose_matrix(numbers)
