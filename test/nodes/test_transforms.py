"""Where a camera is, with a TF that is made up: the ROS wheels have none."""

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
        self.asked = None

    def lookup_transform(self, target, source, time, timeout):
        self.asked = target, source, time.nanoseconds
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
        self.warnings = []

    def get_parameter_or(self, name, default):
        return SimpleNamespace(value=self._pose)

    def get_clock(self):
        return Clock()

    def get_logger(self):
        return SimpleNamespace(warning=lambda text, **_: self.warnings.append(text))


@pytest.fixture
def tf(monkeypatch):
    fake = SimpleNamespace(
        Buffer=Buffer,
        TransformListener=lambda buffer, node: None,
        TransformException=TransformException,
        StaticTransformBroadcaster=Broadcaster,
    )
    monkeypatch.setattr(transforms, 'tf2_ros', fake)


def test_pose_that_was_published_is_found(tf):
    pose = from_quaternion((0.1, 0.2, 0.3), (0.1, -0.4, 0.2, 0.8))
    node = FakeNode()
    assert transforms.publish_static(node, pose, 'camera_optical', 'base_link')
    source = transforms.PoseSource(node, 'base_link')
    np.testing.assert_allclose(source.pose('camera_optical', 5), pose, atol=1e-12)
    assert source._buffer.asked == ('base_link', 'camera_optical', 5)


def test_pose_that_is_missing_is_warned_of(tf):
    node = FakeNode()
    assert transforms.PoseSource(node, 'base_link').pose('unknown', 0) is None
    assert 'unknown is not in the tree' in node.warnings[0]


def test_parameter_comes_first(tf):
    source = transforms.PoseSource(FakeNode([1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0]), 'base_link')
    np.testing.assert_allclose(source.pose('unknown', 0)[:3, 3], (1, 2, 3))


def test_without_tf_nothing_is_known_but_the_base_itself(monkeypatch):
    monkeypatch.setattr(transforms, 'tf2_ros', None)
    source = transforms.PoseSource(FakeNode(), 'base_link')
    assert source.pose('camera_optical', 0) is None
    np.testing.assert_array_equal(source.pose('base_link', 0), np.eye(4))
    assert transforms.publish_static(FakeNode(), np.eye(4), 'a', 'b') is None
