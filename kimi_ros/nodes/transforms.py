"""The pose of a camera: from the parameter `camera_pose`, or from TF.

Where tf2_ros is installed it reads TF; elsewhere, as with the ROS wheels on PyPI, a small buffer of
this package does, which needs tf2_msgs only (built from source by `make setup`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import TransformStamped
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time

from kimi_ros.nodes import qos
from kimi_ros.nodes.camera_geometry import GeometryWarning
from kimi_ros.nodes.poses import PoseError, from_quaternion, pose_matrix, to_quaternion
from kimi_ros.nodes.transform_buffer import TransformBuffer, TransformError

try:
    import tf2_ros
except ImportError:
    tf2_ros = None
try:
    from tf2_msgs.msg import TFMessage
except ImportError:
    TFMessage = None

_TIMEOUT = 0.2  # seconds: a moving camera's transform arrives a little after its image
_QUICK_TIMEOUT = 0.03  # seconds: an overlay that waits for a transform is late
_REMEDY = 'publish it (robot_state_publisher, static_transform_publisher) or set camera_pose'


class CameraPoseLookup:
    """Looks up the pose of optical frames in the base frame."""

    def __init__(self, node: Node, base_frame: str):
        """Listen to TF for the life of the node."""
        self._node = node
        self._base_frame = base_frame
        self._listener: Any = None
        if tf2_ros is not None:
            self._listener = _Tf2Listener(node)
        elif TFMessage is not None:
            self._listener = _TopicListener(node)

    def lookup(
        self, frame_id: str, stamp: int, timeout: float = _TIMEOUT
    ) -> tuple[np.ndarray | None, GeometryWarning | None]:
        """Return optical frame -> base frame, float64 (4, 4), or None and the reason.

        :param stamp: nanoseconds.
        :param timeout: seconds to wait for the transform.
        """
        parameter = self._node.get_parameter_or('camera_pose', None)
        if parameter is not None and parameter.value is not None:
            return pose_matrix(parameter.value), None
        if frame_id == self._base_frame:
            return np.eye(4), None
        if not frame_id:
            return None, _missing('the images have no frame_id: set it in the camera driver')
        try:
            return self.transform(self._base_frame, frame_id, stamp, timeout), None
        except (TransformError, PoseError) as error:
            return None, _missing(
                f'no transform from {frame_id} to {self._base_frame}: {_REMEDY} ({error})'
            )

    def transform(self, target: str, source: str, stamp: int, timeout: float) -> np.ndarray:
        """Return the transform from `source` to `target`, float64 (4, 4).

        :param stamp: nanoseconds; 0 for the latest.
        :raises TransformError: if TF does not know it.
        """
        if self._listener is None:
            raise TransformError('neither tf2_ros nor tf2_msgs is installed')
        return np.asarray(self._listener.lookup(target, source, stamp, timeout))


class QuickPoseLookup(CameraPoseLookup):
    """Gives the newest pose where that of an image's time is not there yet."""

    def lookup(
        self, frame_id: str, stamp: int, timeout: float = _QUICK_TIMEOUT
    ) -> tuple[np.ndarray | None, GeometryWarning | None]:
        """See CameraPoseLookup."""
        pose, warning = super().lookup(frame_id, stamp, timeout)
        return (pose, warning) if warning is None else super().lookup(frame_id, 0, 0.0)

    def transform(self, target: str, source: str, stamp: int, timeout: float) -> np.ndarray:
        """See CameraPoseLookup."""
        return super().transform(target, source, stamp, min(timeout, _QUICK_TIMEOUT))


class _Tf2Listener:
    """Reads TF with tf2_ros."""

    def __init__(self, node: Node):
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)

    def lookup(self, target: str, source: str, stamp: int, timeout: float) -> np.ndarray:
        """Return the transform from `source` to `target`, (4, 4), or raise TransformError."""
        time, limit = Time(nanoseconds=stamp), Duration(seconds=timeout)
        try:
            found = self._buffer.lookup_transform(target, source, time, timeout=limit)
        except tf2_ros.TransformException as error:
            raise TransformError(str(error)) from None
        moved, turned = found.transform.translation, found.transform.rotation
        return from_quaternion(
            (moved.x, moved.y, moved.z), (turned.x, turned.y, turned.z, turned.w)
        )


class _TopicListener:
    """Reads TF with subscriptions of this package."""

    def __init__(self, node: Node):
        self._buffer = TransformBuffer()
        group = MutuallyExclusiveCallbackGroup()
        for topic, profile, static in (
            ('/tf', qos.TRANSFORMS, False),
            ('/tf_static', qos.STATIC_TRANSFORMS, True),
        ):
            node.create_subscription(
                TFMessage,
                topic,
                lambda message, static=static: self._buffer.put(message.transforms, static),
                profile,
                callback_group=group,
                qos_overriding_options=qos.overridable(),
            )

    def lookup(self, target: str, source: str, stamp: int, timeout: float) -> np.ndarray:
        """Return the transform from `source` to `target`, (4, 4), or raise TransformError."""
        return self._buffer.lookup(target, source, stamp, timeout)


def publish_static(node: Node, pose: np.ndarray, frame_id: str, base_frame: str) -> Any:
    """Publish a camera's pose on /tf_static.

    Returns the publisher, which the caller keeps; None where tf2_msgs is not installed.
    """
    message = transform_message(pose, frame_id, base_frame, node.get_clock().now().to_msg())
    if tf2_ros is not None:
        broadcaster = tf2_ros.StaticTransformBroadcaster(node)
        broadcaster.sendTransform(message)
        return broadcaster
    if TFMessage is None:
        return None
    publisher = node.create_publisher(
        TFMessage, '/tf_static', qos.LATCHED, qos_overriding_options=qos.overridable()
    )
    publisher.publish(TFMessage(transforms=[message]))
    return publisher


class MovingTransforms:
    """Publishes the poses of what moves on /tf; without tf2_msgs, nothing."""

    def __init__(self, node: Node, base_frame: str):
        """Create the publisher."""
        self._base_frame = base_frame
        self._publisher: Any = None
        if TFMessage is not None:
            self._publisher = node.create_publisher(
                TFMessage, '/tf', qos.TRANSFORMS, qos_overriding_options=qos.overridable()
            )

    def publish(self, poses: Mapping[str, np.ndarray], stamp: TimeMessage) -> None:
        """Publish poses, (4, 4), frame -> base frame, by the frames' names."""
        if self._publisher is not None:
            made = [transform_message(p, f, self._base_frame, stamp) for f, p in poses.items()]
            self._publisher.publish(TFMessage(transforms=made))


def transform_message(
    pose: np.ndarray, frame_id: str, base_frame: str, stamp: TimeMessage
) -> TransformStamped:
    """Return the message of a pose, (4, 4), `frame_id` -> `base_frame`, metres."""
    message = TransformStamped()
    message.header.stamp = stamp
    message.header.frame_id, message.child_frame_id = base_frame, frame_id
    moved, turned = message.transform.translation, message.transform.rotation
    moved.x, moved.y, moved.z = (float(v) for v in pose[:3, 3])
    turned.x, turned.y, turned.z, turned.w = to_quaternion(pose)
    return message


def _missing(message: str) -> GeometryWarning:
    return GeometryWarning('transform_missing', message)
