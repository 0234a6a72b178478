"""The node `bag_player`: a recorded camera and its transforms, on the topics of a real one.

Stamps are moved to the time of playing, so that everything works as with a camera; the bag starts
again at its end.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from kimi_ros.nodes import qos
from kimi_ros.nodes.bag import TRANSFORMS, Bag, BagError, BagTopics, is_static
from kimi_ros.nodes.messages import time_message
from kimi_ros.nodes.parameters import BAG_PARAMETERS, declare_parameters
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.stamps import NANO, nanoseconds, seconds

_PAUSE = 1.0  # seconds between two rounds


class BagPlayer(Node):
    """Plays image, camera_info and depth/image, and /tf."""

    def __init__(self) -> None:
        """Open the bag.

        :raises ValueError: if it cannot be read.
        """
        super().__init__('bag_player')
        declare_parameters(self, BAG_PARAMETERS)
        given = {name: self._value(name) for name in ('image', 'camera_info', 'depth')}
        try:
            self._bag = Bag(self._value('path'), BagTopics(**given))
        except BagError as error:
            raise ValueError(str(error)) from None
        topics = self._bag.topics
        image = 'image/compressed' if self._bag.is_compressed else 'image'
        self._names = {
            topics.image: image,
            topics.camera_info: 'camera_info',
            topics.depth: 'depth/image',
            topics.depth_info: 'depth/camera_info',
        }
        self._senders: dict[str, Any] = {}
        self._end = Event()
        self._thread = Thread(target=self._play, daemon=True)
        self._thread.start()

    def drain(self, timeout: float) -> None:
        """Stop playing; `timeout` in seconds."""
        self._end.set()
        self._thread.join(timeout)

    def _play(self) -> None:
        self.get_logger().info(f'playing {self._value("path")}, {self._bag.seconds:.1f} s')
        while not self._end.is_set():
            began = self.get_clock().now().nanoseconds
            shift = None
            for time, topic, kind, data in self._bag.messages():
                wait = time - seconds(self.get_clock().now().nanoseconds - began)
                if self._end.wait(max(wait, 0.0)):
                    return
                transforms = kind == TRANSFORMS
                if shift is None and transforms and not is_static(topic):
                    continue  # their times mean nothing before that of an image is known
                message = deserialize_message(data, _type(kind))
                for header in _headers(message):
                    stamp = nanoseconds(header.stamp)
                    # Static transforms may be stamped long before the recording.
                    if shift is None and stamp and not transforms:
                        shift = began + round(time * NANO) - stamp
                    header.stamp = time_message(max(stamp + (shift or 0), 0))
                self._sender(topic, kind).publish(message)
            if not self._value('loop'):
                return
            self._end.wait(_PAUSE)

    def _sender(self, topic: str, kind: str) -> Any:
        if topic not in self._senders:
            of_transforms = qos.STATIC_TRANSFORMS if is_static(topic) else qos.TRANSFORMS
            profile = of_transforms if kind == TRANSFORMS else qos.IMAGES
            name = self._names.get(topic, topic)
            self._senders[topic] = self.create_publisher(
                _type(kind), name, profile, qos_overriding_options=qos.overridable()
            )
        return self._senders[topic]

    def _value(self, name: str) -> Any:
        return self.get_parameter(name).value


def _headers(message: Any) -> list[Any]:
    if hasattr(message, 'transforms'):
        return [transform.header for transform in message.transforms]
    return [message.header]


def _type(kind: str) -> Any:
    package, _, name = kind.split('/')
    return getattr(importlib.import_module(f'{package}.msg'), name)


def main(args: Sequence[str] | None = None) -> int:
    """Play until interrupted."""
    return run_node(BagPlayer, lambda _: SingleThreadedExecutor(), args)


if __name__ == '__main__':
    sys.exit(main())
