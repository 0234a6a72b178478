"""The topics of a simulated camera: image, image/compressed, camera_info and depth/image."""

from __future__ import annotations

import array
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.timer import Timer
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from kimi_ros.nodes import qos
from kimi_ros.nodes.images import encode_jpeg, fill_image

if TYPE_CHECKING:
    from kimi_ros.sim import RenderedFrame

_TOPICS = {
    'image': Image,
    'image/compressed': CompressedImage,
    'camera_info': CameraInfo,
    'depth/image': Image,
}
_JPEG_QUALITY = 90
_NANO = 10**9


class CameraTopics:
    """Publishes what one camera sees; before the first `show` there is nothing to publish.

    As with a camera's driver, what nobody subscribes to is neither encoded nor sent. Thread-safe.
    """

    def __init__(self, node: Node, frame_id: str, depth: bool = True, prefix: str = ''):
        """Create the publishers.

        :param frame_id: optical frame of the images.
        :param depth: publish depth/image, too.
        :param prefix: of the topics: 'wrist/'.
        """
        self._frame_id = frame_id
        self._lock = Lock()
        self._messages: Mapping[str, Any] | None = None
        self._publishers = {
            topic: node.create_publisher(
                kind, f'{prefix}{topic}', qos.IMAGES, qos_overriding_options=qos.overridable()
            )
            for topic, kind in _TOPICS.items()
            if depth or topic != 'depth/image'
        }

    def wanted(self) -> bool:
        """Tell whether anybody subscribes."""
        return any(publisher.get_subscription_count() for publisher in self._publishers.values())

    def show(self, frame: RenderedFrame) -> None:
        """Take what the camera sees from now on."""
        with self._lock:
            self._messages = _Messages(frame, self._frame_id)

    def publish(self, stamp: Time) -> None:
        """Publish what the camera sees, with this stamp."""
        with self._lock:
            if (messages := self._messages) is None:
                return
            for topic, publisher in self._publishers.items():
                if publisher.get_subscription_count():
                    messages[topic].header.stamp = stamp
                    publisher.publish(messages[topic])


class _Messages(dict[str, Any]):
    """Messages that show a frame, by topic: each is made when it is first asked for."""

    def __init__(self, frame: RenderedFrame, frame_id: str) -> None:
        super().__init__()
        self._frame, self._frame_id = frame, frame_id

    def __missing__(self, topic: str) -> Any:
        message = self[topic] = self._message(topic)
        message.header.frame_id = self._frame_id
        return message

    def _message(self, topic: str) -> Any:
        frame = self._frame
        if topic == 'image':
            return fill_image(Image(), frame.rgb, 'rgb8')
        if topic == 'image/compressed':
            jpeg = array.array('B', encode_jpeg(frame.rgb, _JPEG_QUALITY))
            return CompressedImage(format='jpeg', data=jpeg)
        if topic == 'depth/image':
            return fill_image(Image(), np.asarray(frame.depth, np.float32), '32FC1')
        return camera_info(frame.intrinsics, *frame.rgb.shape[1::-1])


def camera_info(intrinsics: np.ndarray, width: int, height: int) -> CameraInfo:
    """Return the CameraInfo of a camera without distortion; the header is left empty."""
    info = CameraInfo(width=width, height=height, distortion_model='plumb_bob', d=[0.0] * 5)
    info.k = intrinsics.astype(float).ravel().tolist()
    info.r = np.eye(3).ravel().tolist()
    info.p = np.hstack([intrinsics.astype(float), np.zeros((3, 1))]).ravel().tolist()
    return info


def keep_rate(timer: Timer, rate: float) -> None:
    """Let a timer have the rate that its parameter has now, calls a second."""
    period = round(_NANO / rate)
    if period != timer.timer_period_ns:
        timer.timer_period_ns = period
