import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from kimi_ros.nodes import camera_topics, qos
from kimi_ros.nodes.camera_topics import CameraTopics
from kimi_ros.nodes.images import to_depth
from kimi_ros.sim.rendered_frame import RenderedFrame

STAMP = Time(sec=7)
K = np.array([[50.0, 0, 32], [0, 50, 24], [0, 0, 1]])
FRAME = RenderedFrame(np.zeros((48, 64, 3), np.uint8), np.full((48, 64), 1.5), None, K, np.eye(4))


def test_what_nobody_subscribes_to_is_neither_encoded_nor_sent(graph, monkeypatch):
    encoded = []
    monkeypatch.setattr(camera_topics, 'encode_jpeg', lambda *_: encoded.append(1) or b'jpeg')
    camera = CameraTopics(graph.node, 'optical', prefix='wrist/')
    assert not camera.wanted()

    def received(kind, topic):
        messages = graph.subscribe(kind, f'/wrist/{topic}', qos.STATUS)
        return graph.until(lambda: camera.publish(STAMP) or messages, topic)[0]

    depths = graph.subscribe(Image, '/wrist/depth/image', qos.STATUS)
    graph.until(camera.wanted, 'a subscription')
    camera.publish(STAMP)  # there is nothing to show yet
    camera.show(FRAME)
    info = received(CameraInfo, 'camera_info')
    assert (info.width, info.height, list(info.k)) == (64, 48, K.ravel().tolist())
    assert (info.header.frame_id, info.header.stamp) == ('optical', STAMP)
    assert to_depth(depths[0]) == pytest.approx(1.5)
    assert not encoded
    assert bytes(received(CompressedImage, 'image/compressed').data) == b'jpeg'
    camera.publish(STAMP)
    assert len(encoded) == 1  # of a frame that stays


def test_camera_without_depth_has_no_topic_for_it(graph):
    CameraTopics(graph.node, 'optical', depth=False, prefix='plain/')
    names = {name for name, _ in graph.node.get_topic_names_and_types()}
    assert '/plain/image' in names and '/plain/depth/image' not in names
