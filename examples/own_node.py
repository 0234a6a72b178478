#!/usr/bin/env python3
"""A node of your own with the Python API: it counts the things named by the parameter `name`.

Subscribes `image` (sensor_msgs/Image, rgb8) and publishes `count` (std_msgs/Int32) for every image
that it had time for.
"""

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Int32

from kimi_ros import VisionLanguageModel


class Counter(Node):
    """Counts what the model detects; boxes are shares of the image, x right, y down."""

    def __init__(self) -> None:
        super().__init__('counter')
        self._name = self.declare_parameter('name', 'red cup').value
        self._model = VisionLanguageModel.load(self.declare_parameter('model', 'nano').value)
        self._count = self.create_publisher(Int32, 'count', 1)
        self.create_subscription(Image, 'image', self._on_image, qos_profile_sensor_data)

    def _on_image(self, message: Image) -> None:
        if message.encoding != 'rgb8':
            self.get_logger().error(f'encoding {message.encoding}: this example reads rgb8 only')
            return
        rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
        rgb = rows[:, : message.width * 3].reshape(message.height, message.width, 3)
        image = self._model.encode_image(rgb)
        boxes = self._model.detect(image, self._name)
        self._count.publish(Int32(data=len(boxes)))


def main() -> None:
    rclpy.init()
    node = Counter()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
