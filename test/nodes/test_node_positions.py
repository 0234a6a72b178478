"""Positions in metres: right, or missing with a reason that everybody is told."""

import threading
import time

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from geometry_msgs.msg import TransformStamped  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402

from kimi_ros.agent import DepthStatus  # noqa: E402
from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.client import KimiClient  # noqa: E402
from kimi_ros.nodes.images import fill_image  # noqa: E402
from kimi_ros.nodes.poses import from_quaternion  # noqa: E402

WAIT = 60.0
WIDTH, HEIGHT, DEPTH = 160, 120, 0.8
K = [150.0, 0, 80, 0, 150, 60, 0, 0, 1]
LENS = [-0.35, 0.12, 0.0, 0.0, 0.0]
PIXEL = (0.9 * WIDTH, 0.85 * HEIGHT)  # of the scripted model's blue cup
NAN = float('nan')


class RgbdCamera:
    """Publishes image, depth and camera_info of one time on the topics of a namespace."""

    def __init__(self, graph, namespace, depth=(Image, 'depth/image')):
        self._graph = graph
        rgb = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        self.image = fill_image(Image(), rgb, 'rgb8')
        self.depth = fill_image(Image(), np.full((HEIGHT, WIDTH), DEPTH, np.float32), '32FC1')
        self.info = CameraInfo()
        self.frame_id, self.depth_frame_id = 'measuring_optical', ''
        self._publishers = [
            graph.node.create_publisher(kind, f'/{namespace}/{topic}', qos.IMAGES)
            for kind, topic in (
                (CameraInfo, 'camera_info'),
                depth,
                (Image, 'image'),
            )
        ]
        for publisher in self._publishers:
            graph.until(publisher.get_subscription_count, publisher.topic_name)

    def send(self, **info):
        fields = {'width': WIDTH, 'height': HEIGHT, 'k': K, 'distortion_model': 'plumb_bob'}
        self.info = CameraInfo(**(fields | {'d': LENS} | info))
        stamp = self._graph.node.get_clock().now().to_msg()
        for publisher, message in zip(
            self._publishers, (self.info, self.depth, self.image), strict=True
        ):
            frame_id = self.frame_id
            if message is self.depth and self.depth_frame_id:
                frame_id = self.depth_frame_id
            message.header.stamp, message.header.frame_id = stamp, frame_id
            publisher.publish(message)


@pytest.fixture(scope='module')
def measuring(start_shared):
    """A node in a namespace, whose camera the tests are."""
    return start_shared(
        'scripted_node',
        {'frame_wait': 1.0, 'max_frame_age': 2.0},
        *('-r', '__ns:=/measuring'),
    )


@pytest.fixture(scope='module')
def kimi(measuring, environment):
    with KimiClient('measuring/kimi') as client:
        client.wait_until_ready(WAIT, measuring.check, components=('model',))
        yield client


@pytest.fixture
def camera(graph, kimi):
    return RgbdCamera(graph, 'measuring')


def locate(camera, client, good=lambda cup: True, **info):
    """Send frames and ask until the answer is about such a frame; returns plan and object."""
    deadline = time.monotonic() + WAIT
    while True:
        camera.send(**info)
        result = client.instruct('pick up the blue cup')
        if result.plan is not None and result.plan.objects and good(result.plan):
            return result.plan, result.plan.objects[0]
        assert time.monotonic() < deadline, result


def test_distorted_pixel_gives_the_right_position_in_the_optical_frame(camera, kimi):
    plan, cup = locate(
        camera, kimi, lambda p: p.objects[0].depth_status is DepthStatus.NO_TRANSFORM
    )
    ray = cv2.undistortPoints(
        np.array([[PIXEL]]), np.array(K).reshape(3, 3), np.array(LENS)
    ).ravel()
    np.testing.assert_allclose(cup.position, (*(ray * DEPTH), DEPTH), atol=2e-3)
    assert 'transform_missing' in plan.reason_codes
    straight = (np.array(PIXEL) - (80, 60)) / 150 * DEPTH
    assert np.linalg.norm(ray * DEPTH - straight) > 0.02


@pytest.mark.parametrize(
    ('info', 'code', 'remedy'),
    [
        ({'width': 320, 'height': 240}, 'camera_info_size', '320x240'),
        ({'k': [0.0] * 9}, 'camera_uncalibrated', 'calibrate the camera'),
        ({'k': [NAN] * 9}, 'camera_info_invalid', 'NaN'),
        ({'distortion_model': 'fov'}, 'distortion_unsupported', 'rectified images'),
    ],
)
def test_unusable_camera_info_is_said_in_plan_and_diagnostics(
    graph, camera, kimi, info, code, remedy
):
    plan, cup = locate(camera, kimi, lambda p: code in p.reason_codes, **info)
    assert cup.position is None and plan.steps
    assert plan.content_hash() == plan.hash
    reports = graph.subscribe(DiagnosticArray, '/diagnostics', qos.STATUS)

    def warned():
        camera.send(**info)
        graph.spin_once()
        return [
            s
            for array in reports
            for s in array.status
            if s.name == 'measuring/kimi: camera' and any(code in v.value.split() for v in s.values)
        ]

    (status, *_) = graph.until(warned, code)
    assert status.level == b'\1' and remedy in status.message


def test_depth_of_another_size_is_said(camera, kimi):
    camera.depth = fill_image(Image(), np.full((60, 80), DEPTH, np.float32), '32FC1')
    plan, cup = locate(camera, kimi, lambda p: 'depth_size' in p.reason_codes)
    assert cup.position is None


def test_compressed_depth_gives_positions(graph, start):
    node = start(
        'scripted_node',
        {'depth_transport': 'compressedDepth', 'max_frame_age': 60.0},
        *('-r', '__ns:=/packed'),
    )
    with KimiClient('packed/kimi') as client:
        client.wait_until_ready(WAIT, node.check, components=('model',))
        camera = RgbdCamera(graph, 'packed', (CompressedImage, 'depth/image/compressedDepth'))
        _, png = cv2.imencode('.png', np.full((HEIGHT, WIDTH), 1000 * DEPTH, np.uint16))
        content = bytes(12) + png.tobytes()  # the header is for 32FC1
        camera.depth = CompressedImage(format='16UC1; compressedDepth png', data=content)
        _, cup = locate(camera, client, lambda plan: plan.objects[0].position is not None)
    assert cup.position[2] == pytest.approx(DEPTH)


def test_depth_of_another_camera_without_calibration_is_said(camera, kimi):
    camera.depth_frame_id = 'depth_optical'
    plan, cup = locate(camera, kimi, lambda p: 'depth_unregistered' in p.reason_codes)
    assert cup.position is None


def test_depth_of_another_camera_is_registered(graph, camera, kimi):
    TFMessage = pytest.importorskip('tf2_msgs.msg', reason='make setup').TFMessage
    shift = TransformStamped()
    shift.header.frame_id, shift.child_frame_id = 'measuring_optical', 'other_optical'
    shift.transform.translation.x, shift.transform.rotation.w = 0.05, 1.0
    static = graph.node.create_publisher(TFMessage, '/tf_static', qos.LATCHED)
    static.publish(TFMessage(transforms=[shift]))
    infos = graph.node.create_publisher(CameraInfo, '/measuring/depth/camera_info', qos.STATUS)
    graph.until(infos.get_subscription_count, 'the node')
    camera.depth_frame_id = 'other_optical'
    # A wall whose left half, as the depth camera sees it, is nearer.
    wall = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    wall[:, : round(PIXEL[0])] = 1.0
    camera.depth = fill_image(Image(), wall, '32FC1')

    def registered(plan):
        infos.publish(CameraInfo(width=WIDTH, height=HEIGHT, k=K))  # the first may be lost
        return plan.objects[0].position is not None

    plan, cup = locate(camera, kimi, registered, distortion_model='', d=[])
    # In the image the edge is 150 * 0.05 / 1.0 pixels further right: the cup is on the near part.
    assert cup.position[2] == pytest.approx(1.0)


def test_tf_gives_positions_in_the_base_frame(graph, camera, kimi):
    TFMessage = pytest.importorskip('tf2_msgs.msg', reason='make setup').TFMessage
    half = np.sqrt(0.5)

    def transform(parent, child, xyz, quaternion):
        message = TransformStamped()
        message.header.frame_id, message.child_frame_id = parent, child
        message.header.stamp = graph.node.get_clock().now().to_msg()
        moved, turned = message.transform.translation, message.transform.rotation
        moved.x, moved.y, moved.z = xyz
        turned.x, turned.y, turned.z, turned.w = quaternion
        return message

    neck, head = ((0.0, 0.0, 1.0), (0.0, 0.0, half, half)), ((0.1, 0.0, 0.2), (0.0, 0.0, 0.0, 1.0))
    static = graph.node.create_publisher(TFMessage, '/tf_static', qos.LATCHED)
    static.publish(TFMessage(transforms=[transform('neck', 'head_optical', *head)]))
    moving = graph.node.create_publisher(TFMessage, '/tf', 10)
    graph.until(moving.get_subscription_count, 'the node on /tf')
    timer = graph.node.create_timer(
        0.02,
        lambda: moving.publish(TFMessage(transforms=[transform('base_link', 'neck', *neck)])),
    )
    camera.frame_id = 'head_optical'

    spinning = threading.Event()

    def spin():
        while not spinning.is_set():
            graph.spin_once()

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        plan, cup = locate(camera, kimi, lambda p: p.objects[0].depth_status is DepthStatus.OK)
    finally:
        spinning.set()
        thread.join()
        graph.node.destroy_timer(timer)
    ray = cv2.undistortPoints(
        np.array([[PIXEL]]), np.array(K).reshape(3, 3), np.array(LENS)
    ).ravel()
    optical = np.array((*(ray * DEPTH), DEPTH, 1.0))
    expected = from_quaternion(*neck) @ from_quaternion(*head) @ optical
    assert cup.position_frame == 'base_link'
    np.testing.assert_allclose(cup.position, expected[:3], atol=2e-3)
    assert not set(plan.reason_codes) & {'transform_missing', 'camera_info_missing'}
