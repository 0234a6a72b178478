"""A stream of images and depth, as a process.

Usage: rgbd_stream.py NAMESPACE WIDTH HEIGHT [RATE].
"""

import array
import sys
import time

import rclpy
from sensor_msgs.msg import CameraInfo, Image

from kimi_ros.nodes import qos

TOPICS = ((Image, 'image'), (Image, 'depth/image'), (CameraInfo, 'camera_info'))


def publish(node, namespace, width, height, rate=30):
    image = Image(width=width, height=height, encoding='rgb8', step=3 * width)
    image.data = array.array('B', bytes(range(256)) * (3 * width * height // 256 + 1))[
        : 3 * width * height
    ]
    depth = Image(width=width, height=height, encoding='16UC1', step=2 * width)
    depth.data = array.array('B', b'\x20\x03' * (width * height))
    info = CameraInfo(width=width, height=height, k=[600.0, 0, 320, 0, 600, 240, 0, 0, 1])
    messages = image, depth, info
    publishers = [
        node.create_publisher(kind, f'/{namespace}/{topic}', qos.IMAGES) for kind, topic in TOPICS
    ]
    began, count = time.monotonic(), 0
    while True:
        stamp = node.get_clock().now().to_msg()
        for publisher, message in zip(publishers, messages, strict=True):
            message.header.stamp, message.header.frame_id = stamp, 'camera_optical'
            publisher.publish(message)
        count += 1
        time.sleep(max(0.0, began + count / rate - time.monotonic()))


if __name__ == '__main__':
    rclpy.init()
    this = rclpy.create_node(f'publish_{time.monotonic_ns()}')
    publish(this, sys.argv[1], *map(int, sys.argv[2:]))
