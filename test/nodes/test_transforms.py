"""Camera poses, with a stand-in for tf2_ros, which the ROS wheels lack, and without it."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from rclpy.clock import Clock  # noqa: E402

from kimi_ros.nodes import transforms  # noqa: E402
from kimi_ros.nodes.poses import from_quaternion  # noqa: E402


class TransformException(Exception):
    pass


class Buffer:
    def __init__(self):
        self.looked_up = None

    def lookup_transform(self, target, source, time, timeout):
        self.looked_up = target, source, time.nanoseconds
        if source == 'unknown':
            raise TransformException('unknown is not in the tree')
        return self.sent.transform


class Broadcaster:
    def __init__(self, node):
        pass

    def sendTransform(self, message):  # noqa: N802
        Buffer.sent = SimpleNamespace(transform=message)


class FakeNode:
    def __init__(self, pose=None):
        self._pose = pose

    def get_parameter_or(self, name, default):
        return SimpleNamespace(value=self._pose)

    def get_clock(self):
        return Clock()


@pytest.fixture
def tf(monkeypatch):
    fake = SimpleNamespace(
        Buffer=Buffer,
        TransformListener=lambda buffer, node: None,
        TransformException=TransformException,
        StaticTransformBroadcaster=Broadcaster,
    )
    monkeypatch.setattr(transforms, 'tf2_ros', fake)


def test_published_pose_is_found(tf):
    pose = from_quaternion((0.1, 0.2, 0.3), (0.1, -0.4, 0.2, 0.8))
    node = FakeNode()
    assert transforms.publish_static(node, pose, 'camera_optical', 'base_link')
    source = transforms.CameraPoseLookup(node, 'base_link')
    found, warning = source.lookup('camera_optical', 5)
    np.testing.assert_allclose(found, pose, atol=1e-12)
    assert warning is None
    assert source._listener._buffer.looked_up == ('base_link', 'camera_optical', 5)


def test_missing_pose_comes_with_the_reason(tf):
    pose, warning = transforms.CameraPoseLookup(FakeNode(), 'base_link').lookup('unknown', 0)
    assert pose is None and warning.code == 'transform_missing'
    assert 'unknown is not in the tree' in warning.message and 'camera_pose' in warning.message


def test_parameter_overrides_tf(tf):
    source = transforms.CameraPoseLookup(FakeNode([1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0]), 'base_link')
    np.testing.assert_allclose(source.lookup('unknown', 0)[0][:3, 3], (1, 2, 3))


def test_without_tf_only_the_base_frame_is_known(monkeypatch):
    monkeypatch.setattr(transforms, 'tf2_ros', None)
    monkeypatch.setattr(transforms, 'TFMessage', None)
    source = transforms.CameraPoseLookup(FakeNode(), 'base_link')
    pose, warning = source.lookup('camera_optical', 0)
    assert pose is None and 'set camera_pose' in warning.message
    np.testing.assert_array_equal(source.lookup('base_link', 0)[0], np.eye(4))
    assert transforms.publish_static(FakeNode(), np.eye(4), 'a', 'b') is None
