"""Subscribing to cameras, and how well their pictures arrive."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from kimi_ros.nodes import qos
from kimi_ros.nodes.diagnostics import Report, camera_report, loss_warning
from kimi_ros.nodes.frames import CameraSlot
from kimi_ros.nodes.messages import nanoseconds
from kimi_ros.nodes.rates import RateMonitor

_RECENT = 5.0  # seconds: a topic on which something came since then arrives


class Cameras:
    """The cameras that the node's parameters name.

    :ivar slots: by the cameras' names.
    """

    def __init__(self, node: Node):
        """Subscribe to `image` or `image/compressed`, `camera_info` and `depth/image` of each."""
        self._node = node
        self.slots: dict[str, CameraSlot] = {}
        self._monitors: dict[str, RateMonitor] = {}
        self._came: dict[str, float] = {}  # monotonic seconds, by topic
        compressed = self._value('image_transport') == 'compressed'
        for name in self._value('cameras'):
            prefix = f'{name}/' if name else ''
            image = f'{prefix}image/compressed' if compressed else f'{prefix}image'
            slot = self.slots[name] = CameraSlot(name, node.resolve_topic_name(image))
            monitor = self._monitors[name] = RateMonitor()
            for kind, topic, callback in (
                (CompressedImage if compressed else Image, image, self._on_image),
                (CameraInfo, f'{prefix}camera_info', self._on_info),
                (Image, f'{prefix}depth/image', self._on_depth),
            ):
                node.create_subscription(
                    kind,
                    topic,
                    partial(self._on_message, topic, partial(callback, slot, monitor)),
                    qos.CAMERA,
                    callback_group=MutuallyExclusiveCallbackGroup(),
                    qos_overriding_options=qos.overridable(),
                )

    def clear(self) -> None:
        """Forget all pictures."""
        for slot in self.slots.values():
            slot.clear()

    def reports(self, trouble: Mapping[str, str]) -> list[Report]:
        """Return one report a camera, warning in the log of those that lose pictures.

        :param trouble: what was wrong with each camera's last picture, or ''.
        """
        return [self._report(name, trouble[name]) for name in self.slots]

    def _report(self, name: str, trouble: str) -> Report:
        slot, rate = self.slots[name], self._monitors[name].rate()
        if rate.lossy:
            self._node.get_logger().warning(loss_warning(name, rate), throttle_duration_sec=30.0)
        newest = slot.newest()
        now = self._node.get_clock().now().nanoseconds
        age = None if newest is None else (now - newest.stamp) / 1e9
        limit = self._value('max_frame_age')
        prefix = f'{name}/' if name else ''
        beside = {
            part: (self._node.resolve_topic_name(prefix + part), self._arrives(prefix + part))
            for part in ('camera_info', 'depth/image')
        }
        return camera_report(name, slot.topic, age, limit, rate, trouble, beside)

    def _arrives(self, topic: str) -> bool:
        return time.monotonic() - self._came.get(topic, float('-inf')) < _RECENT

    def _on_message(self, topic: str, callback, message) -> None:
        self._came[topic] = time.monotonic()
        callback(message)

    def _on_image(self, slot: CameraSlot, monitor: RateMonitor, message) -> None:
        stamp = nanoseconds(message.header.stamp)
        monitor.image(stamp)
        slot.put_image(stamp, message.header.frame_id, message, self._value('depth_tolerance'))

    def _on_depth(self, slot: CameraSlot, _monitor: RateMonitor, message: Image) -> None:
        slot.put_depth(nanoseconds(message.header.stamp), message, self._value('depth_tolerance'))

    def _on_info(self, slot: CameraSlot, monitor: RateMonitor, message: CameraInfo) -> None:
        monitor.info()
        slot.put_info(message)

    def _value(self, name: str):
        return self._node.get_parameter(name).value
