"""Camera subscriptions, and how well their images are received."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from kimi_ros.nodes import qos
from kimi_ros.nodes.diagnostics import StatusReport, camera_report, frame_loss_warning
from kimi_ros.nodes.frame_buffer import FrameBuffer
from kimi_ros.nodes.frame_decoder import FrameDecoder
from kimi_ros.nodes.frame_rate import FrameRateMonitor
from kimi_ros.nodes.stamps import nanoseconds, seconds

_ACTIVE = 5.0  # seconds: a topic with a message in this time is active


class CameraSubscriptions:
    """Subscriptions to the cameras that the node's parameters name.

    :ivar buffers: by camera name.
    """

    def __init__(self, node: Node, callback_group: CallbackGroup):
        """Subscribe to `image` or `image/compressed`, `camera_info` and `depth/image` of each.

        :param callback_group: of all subscriptions; their callbacks only store the message.
        """
        self._node = node
        self.buffers: dict[str, FrameBuffer] = {}
        self._subscriptions: list[Subscription[Any]] = []
        self._monitors: dict[str, FrameRateMonitor] = {}
        self._received: dict[str, float] = {}  # monotonic seconds of the last message, by topic
        compressed = self._value('image_transport') == 'compressed'
        depth_kind, self._depth_topic = {
            'raw': (Image, 'depth/image'),
            'compressedDepth': (CompressedImage, 'depth/image/compressedDepth'),
        }[self._value('depth_transport')]
        for name in self._value('cameras'):
            prefix = f'{name}/' if name else ''
            image = f'{prefix}image/compressed' if compressed else f'{prefix}image'
            buffer = self.buffers[name] = FrameBuffer(
                name,
                node.resolve_topic_name(image),
                node.resolve_topic_name(f'{prefix}{self._depth_topic}'),
            )
            monitor = self._monitors[name] = FrameRateMonitor()
            for kind, topic, callback in (
                (CompressedImage if compressed else Image, image, self._on_image),
                (CameraInfo, f'{prefix}camera_info', self._on_info),
                (depth_kind, f'{prefix}{self._depth_topic}', self._on_depth),
                (CameraInfo, f'{prefix}depth/camera_info', self._on_depth_info),
            ):
                subscription = node.create_subscription(
                    kind,
                    topic,
                    partial(self._on_message, topic, partial(callback, buffer, monitor)),
                    qos.CAMERA,
                    callback_group=callback_group,
                    qos_overriding_options=qos.overridable(),
                )
                self._subscriptions.append(subscription)

    def destroy(self) -> None:
        """Unsubscribe and drop all images."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self.clear()

    def clear(self) -> None:
        """Drop all images."""
        for buffer in self.buffers.values():
            buffer.clear()

    def reports(self, decoder: FrameDecoder) -> list[StatusReport]:
        """Return one report per camera, and log a warning for those that lose images.

        :param decoder: checks the latest image of each.
        """
        return [self._report(name, decoder) for name in self.buffers]

    def _report(self, name: str, decoder: FrameDecoder) -> StatusReport:
        buffer, rate = self.buffers[name], self._monitors[name].rate()
        if rate.lossy:
            self._node.get_logger().warning(
                frame_loss_warning(name, rate), throttle_duration_sec=30.0
            )
        latest = buffer.latest()
        now = self._node.get_clock().now().nanoseconds
        age = None if latest is None else seconds(now - latest.stamp)
        error, warnings = decoder.check(latest, buffer) if latest else ('', [])
        max_age = self._value('max_frame_age')
        prefix = f'{name}/' if name else ''
        related = {
            topic: (self._node.resolve_topic_name(prefix + topic), self._is_active(prefix + topic))
            for topic in ('camera_info', self._depth_topic)
        }
        return camera_report(name, buffer.topic, age, max_age, rate, error, warnings, related)

    def _is_active(self, topic: str) -> bool:
        return time.monotonic() - self._received.get(topic, float('-inf')) < _ACTIVE

    def _on_message(self, topic: str, callback: Callable[[Any], None], message: Any) -> None:
        self._received[topic] = time.monotonic()
        callback(message)

    def _on_image(self, buffer: FrameBuffer, monitor: FrameRateMonitor, message: Any) -> None:
        stamp = nanoseconds(message.header.stamp)
        monitor.add_image(stamp)
        buffer.put_image(stamp, message.header.frame_id, message, self._value('depth_tolerance'))

    def _on_depth(self, buffer: FrameBuffer, _monitor: FrameRateMonitor, message: Any) -> None:
        stamp = nanoseconds(message.header.stamp)
        buffer.put_depth(stamp, message, self._value('depth_tolerance'))

    def _on_info(self, buffer: FrameBuffer, monitor: FrameRateMonitor, message: CameraInfo) -> None:
        monitor.add_info()
        buffer.put_info(message)

    def _on_depth_info(
        self, buffer: FrameBuffer, _monitor: FrameRateMonitor, message: CameraInfo
    ) -> None:
        buffer.put_depth_info(message)

    def _value(self, name: str) -> Any:
        return self._node.get_parameter(name).value
