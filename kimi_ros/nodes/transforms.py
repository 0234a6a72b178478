"""The pose of a camera: from the parameter `camera_pose`, or from TF where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time

from kimi_ros.nodes.poses import PoseError, from_quaternion, pose_matrix

try:
    import tf2_ros
except ImportError:  # not among the ROS wheels on PyPI
    tf2_ros = None

_TIMEOUT = 0.2  # seconds: a moving camera's transform arrives a little after its image


class CameraPoseLookup:
    """Looks up the pose of optical frames in the base frame."""

    def __init__(self, node: Node, base_frame: str):
        """Listen to TF, where it is installed, for the life of the node."""
        self._node = node
        self._base_frame = base_frame
        self._buffer: Any = None
        if tf2_ros is not None:
            self._buffer = tf2_ros.Buffer()
            self._listener = tf2_ros.TransformListener(self._buffer, node)

    def lookup(self, frame_id: str, stamp: int) -> np.ndarray | None:
        """Return optical frame -> base frame, float64 (4, 4), or None where it is unknown.

        :param stamp: nanoseconds.
        """
        parameter = self._node.get_parameter_or('camera_pose', None)
        if parameter is not None and parameter.value is not None:
            return pose_matrix(parameter.value)
        if frame_id == self._base_frame:
            return np.eye(4)
        if self._buffer is None or not frame_id:
            return None
        try:
            found = self._buffer.lookup_transform(
                self._base_frame,
                frame_id,
                Time(nanoseconds=stamp),
                timeout=Duration(seconds=_TIMEOUT),
            )
            translation, rotation = found.transform.translation, found.transform.rotation
            return from_quaternion(
                (translation.x, translation.y, translation.z),
                (rotation.x, rotation.y, rotation.z, rotation.w),
            )
        except (tf2_ros.TransformException, PoseError) as error:
            self._node.get_logger().warning(
                f'no transform from {frame_id} to {self._base_frame}: {error}',
                throttle_duration_sec=10.0,
            )
            return None


def publish_static(node: Node, pose: np.ndarray, frame_id: str, base_frame: str) -> Any:
    """Publish a camera's pose on /tf_static, if TF is installed.

    Returns the broadcaster, which the caller keeps.
    """
    if tf2_ros is None:
        return None
    from geometry_msgs.msg import TransformStamped

    from kimi_ros.nodes.poses import to_quaternion

    message = TransformStamped()
    message.header.stamp = node.get_clock().now().to_msg()
    message.header.frame_id, message.child_frame_id = base_frame, frame_id
    translation, rotation = message.transform.translation, message.transform.rotation
    translation.x, translation.y, translation.z = (float(v) for v in pose[:3, 3])
    rotation.x, rotation.y, rotation.z, rotation.w = to_quaternion(pose)
    broadcaster = tf2_ros.StaticTransformBroadcaster(node)
    broadcaster.sendTransform(message)
    return broadcaster
