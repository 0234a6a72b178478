"""A camera with faults of every kind, one after another, each for some seconds."""

import random
import sys

import cv2
import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String

from kimi_ros.nodes import qos
from kimi_ros.nodes.camera_topics import camera_info
from kimi_ros.nodes.images import fill_image
from kimi_ros.nodes.messages import time_message
from kimi_ros.nodes.runner import run_node

WIDTH, HEIGHT, RATE = 160, 120, 5.0
HEALTHY_SHARE = 0.5
# What may be wrong, by what is changed.
FAULTS = (
    'silent', 'black', 'blank', 'stale', 'future', 'no stamp', 'no frame', 'size changes', 'burst',
    'depth missing', 'depth holes', 'depth stale', 'depth of another size', 'depth encoding',
    'info missing', 'info of another size', 'info zero', 'info NaN',
)  # fmt: skip
RAW_FAULTS = ('encoding', 'empty', 'cut short', 'step', 'zero size', 'huge size', 'bayer', 'nv12')
COMPRESSED_FAULTS = ('cut short', 'zeroed', 'garbage', 'empty', 'not a JPEG', 'png')


class FaultyCamera(Node):
    """Publishes image or image/compressed, camera_info and depth/image, and `fault`."""

    def __init__(self):
        super().__init__('faulty_camera')
        self.declare_parameter('seed', 0)
        self.declare_parameter('compressed', False)
        self._random = random.Random(self.get_parameter('seed').value)
        self._compressed = self.get_parameter('compressed').value
        kind = CompressedImage if self._compressed else Image
        name = 'image/compressed' if self._compressed else 'image'
        self._image = self.create_publisher(kind, name, qos.IMAGES)
        self._info = self.create_publisher(CameraInfo, 'camera_info', qos.IMAGES)
        self._depth = self.create_publisher(Image, 'depth/image', qos.IMAGES)
        self._told = self.create_publisher(String, 'fault', qos.STATUS)
        self._faults = FAULTS + (COMPRESSED_FAULTS if self._compressed else RAW_FAULTS)
        self._fault, self._left = '', 0
        self.create_timer(1.0 / RATE, self._tick)

    def _tick(self):
        self._left -= 1
        if self._left < 0:
            healthy = self._random.random() < HEALTHY_SHARE
            self._fault = '' if healthy else self._random.choice(self._faults)
            self._left = self._random.randint(10, 40)
            self._told.publish(String(data=self._fault))
        if self._fault != 'silent':
            for _ in range(10 if self._fault == 'burst' else 1):
                self._publish(self._fault)

    def _publish(self, fault):
        width, height = WIDTH, HEIGHT
        if fault == 'size changes':
            width, height = self._random.choice([(64, 48), (320, 240), (161, 121)])
        stamp = self.get_clock().now().nanoseconds
        stamp = {'stale': stamp - 10**10, 'future': stamp + 10**10, 'no stamp': 0}.get(fault, stamp)
        rgb = np.random.default_rng(self._random.getrandbits(32)).integers(
            60, 200, (height, width, 3), np.uint8
        )
        if fault in ('black', 'blank'):
            rgb[:] = 0 if fault == 'black' else 128
        image = self._jpeg(rgb, fault) if self._compressed else self._raw(rgb, fault)
        self._send(self._image, image, stamp, '' if fault == 'no frame' else 'camera')
        if fault != 'info missing':
            self._send(self._info, self._intrinsics(width, height, fault), stamp, 'camera')
        if fault != 'depth missing':
            late = stamp - 10**9 if fault == 'depth stale' else stamp
            self._send(self._depth, self._depth_image(width, height, fault), late, 'camera')

    @staticmethod
    def _send(publisher, message, stamp, frame_id):
        message.header.stamp, message.header.frame_id = time_message(max(stamp, 0)), frame_id
        publisher.publish(message)

    def _raw(self, rgb, fault):
        message = fill_image(Image(), rgb, 'rgb8')
        if fault == 'encoding':
            message.encoding = 'cmyk16'
        elif fault == 'empty':
            message.data = b''
        elif fault == 'cut short':
            message.data = message.data[: len(message.data) // 2]
        elif fault == 'step':
            message.step = 7
        elif fault == 'zero size':
            message.width = message.height = 0
        elif fault == 'huge size':
            message.width = message.height = 2**31
        elif fault == 'bayer':
            message = fill_image(Image(), np.ascontiguousarray(rgb[..., 0]), 'mono8')
            message.encoding = 'bayer_rggb8'
        elif fault == 'nv12':
            message.encoding = 'nv12'
        return message

    def _jpeg(self, rgb, fault):
        _, jpeg = cv2.imencode('.png' if fault == 'png' else '.jpg', rgb[..., ::-1])
        data = bytearray(jpeg.tobytes())
        if fault == 'cut short':
            data = data[: len(data) // 2]
        elif fault == 'zeroed':
            half = len(data) // 2
            data[half:-2] = bytes(len(data) - 2 - half)
        elif fault == 'garbage':
            data = bytearray(self._random.randbytes(500))
        elif fault == 'empty':
            data = bytearray()
        elif fault == 'not a JPEG':
            data = bytearray(b'hello')
        return CompressedImage(format='jpeg', data=bytes(data))

    @staticmethod
    def _intrinsics(width, height, fault):
        k = np.array([[150.0, 0, width / 2], [0, 150.0, height / 2], [0, 0, 1]])
        info = camera_info(k, width, height)
        if fault == 'info of another size':
            info.width, info.height = 2 * width, height
        elif fault == 'info zero':
            info.k = [0.0] * 9
        elif fault == 'info NaN':
            info.k = [float('nan')] * 9
        return info

    @staticmethod
    def _depth_image(width, height, fault):
        if fault == 'depth of another size':
            width //= 2
        depth = np.full((height, width), 0.8, np.float32)
        if fault == 'depth holes':
            depth[::2] = 0
            depth[1::2] = np.nan
        message = fill_image(Image(), depth, '32FC1')
        if fault == 'depth encoding':
            message.encoding = '8UC3'
        return message


if __name__ == '__main__':
    sys.exit(run_node(FaultyCamera, lambda _: SingleThreadedExecutor()))
