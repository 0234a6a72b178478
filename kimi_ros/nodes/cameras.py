"""Camera subscriptions, and how well their images are received."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from kimi_ros.nodes import qos
from kimi_ros.nodes.camera_intake import Intake, IntakeGroup, LossCounter, is_fast
from kimi_ros.nodes.diagnostics import StatusReport, camera_report, frame_loss_warning
from kimi_ros.nodes.frame_buffer import FrameBuffer
from kimi_ros.nodes.frame_decoder import FrameDecoder
from kimi_ros.nodes.frame_rate import FrameRateMonitor
from kimi_ros.nodes.stamps import nanoseconds, seconds

_ACTIVE = 5.0  # seconds: a topic with a message in this time is active
_LOOK_PERIOD = 0.5  # seconds, at least, between looks at a camera of which nobody wants images


class CameraSubscriptions:
    """Subscriptions to the cameras that the node's parameters name.

    Of a fast camera, messages are taken only when a request wants them, and when `look` is called.

    :ivar buffers: by camera name.
    """

    def __init__(self, node: Node, callback_group: IntakeGroup):
        """Subscribe to `image` or `image/compressed`, `camera_info` and `depth/image` of each.

        :param callback_group: of all subscriptions; their callbacks only store the message.
        """
        self._node = node
        self.buffers: dict[str, FrameBuffer] = {}
        self._intakes: dict[str, Intake] = {}
        self._losses: dict[str, LossCounter] = {}  # of images
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
            intake = self._intakes[name] = Intake(node, callback_group)
            self.buffers[name] = FrameBuffer(
                name,
                node.resolve_topic_name(image),
                node.resolve_topic_name(f'{prefix}{self._depth_topic}'),
                intake.wanted,
            )
            self._monitors[name] = FrameRateMonitor()
            for kind, topic, callback in (
                (CompressedImage if compressed else Image, image, self._on_image),
                (CameraInfo, f'{prefix}camera_info', self._on_info),
                (depth_kind, f'{prefix}{self._depth_topic}', self._on_depth),
                (CameraInfo, f'{prefix}depth/camera_info', self._on_depth_info),
            ):
                received = partial(self._on_message, topic, partial(callback, name))
                subscription = node.create_subscription(
                    kind,
                    topic,
                    received,
                    qos.CAMERA,
                    callback_group=callback_group,
                    qos_overriding_options=qos.overridable(),
                )
                intake.add(subscription, received)
                if topic == image:
                    self._losses[name] = LossCounter(node, subscription)

    def destroy(self) -> None:
        """Unsubscribe and drop all images."""
        for name, intake in self._intakes.items():
            self._losses[name].destroy()
            intake.destroy()
        self.clear()

    def clear(self) -> None:
        """Drop all images."""
        for buffer in self.buffers.values():
            buffer.clear()

    def look(self) -> None:
        """Look at the cameras of which nobody has wanted an image lately; to be called at 1 Hz.

        And find out which are fast: of these, messages are taken only when they are wanted.
        """
        for name, buffer in self.buffers.items():
            intake, monitor = self._intakes[name], self._monitors[name]
            if intake.idle_for(min(_LOOK_PERIOD, self._value('max_frame_age') / 2)):
                buffer.settle()
            monitor.add_lost(self._losses[name].take())
            if (latest := buffer.latest()) is None:
                continue
            size = sum(len(message.data) for message in (latest.image, latest.depth) if message)
            known = monitor.numbered and self._losses[name].supported
            intake.pace(known and is_fast(monitor.rate().published, size))

    def reports(self, decoder: FrameDecoder) -> list[StatusReport]:
        """Return one report per camera, and log a warning for those that lose images.

        :param decoder: checks the latest image of each.
        """
        self.look()
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

    def _on_message(
        self, topic: str, callback: Callable[[Any, Any], None], message: Any, info: Any
    ) -> None:
        self._received[topic] = time.monotonic()
        callback(message, info)

    def _on_image(self, name: str, message: Any, info: Any) -> None:
        stamp = nanoseconds(message.header.stamp)
        counter = self._losses.get(name)  # None while subscribing
        reported = counter is not None and counter.supported
        self._monitors[name].add_image(stamp, *_numbered(info), losses_reported=reported)
        self.buffers[name].put_image(
            stamp, message.header.frame_id, message, self._value('depth_tolerance')
        )

    def _on_depth(self, name: str, message: Any, _info: Any) -> None:
        stamp = nanoseconds(message.header.stamp)
        self.buffers[name].put_depth(stamp, message, self._value('depth_tolerance'))

    def _on_info(self, name: str, message: CameraInfo, info: Any) -> None:
        self._monitors[name].add_info(*_numbered(info))
        self.buffers[name].put_info(message)

    def _on_depth_info(self, name: str, message: CameraInfo, _info: Any) -> None:
        self.buffers[name].put_depth_info(message)

    def _value(self, name: str) -> Any:
        return self._node.get_parameter(name).value


def _numbered(info: Any) -> tuple[int | None, bytes]:
    """Return a message's number among its publisher's, and the publisher, as far as known."""
    publisher = info.get('publisher_gid') or {}
    return info.get('publication_sequence_number'), publisher.get('data', b'')
