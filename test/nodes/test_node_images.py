"""What the node says about images, in /diagnostics and in its log."""

import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from sensor_msgs.msg import CompressedImage  # noqa: E402

from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.client import KimiClient  # noqa: E402
from kimi_ros.nodes.codes import ErrorCode  # noqa: E402
from kimi_ros.nodes.images import encode_jpeg  # noqa: E402

PICK = 'pick up the red cup'
WAIT = 60.0


@pytest.fixture
def status(graph, scripted):
    """Return the function that gives the latest status of a component."""
    arrays = graph.subscribe(DiagnosticArray, '/diagnostics', qos.STATUS)

    def latest(name):
        found = [s for array in arrays for s in array.status if s.name == name]
        return found[-1] if found else None

    return latest


def test_bad_encoding_is_reported_without_a_goal_and_cleared_when_mended(graph, client, status):
    camera = graph.camera('odd')

    def until(good, what, **fields):
        def ready():
            camera.send(**fields)
            time.sleep(0.05)
            found = status('kimi: camera odd')
            return found is not None and good(found)

        graph.until(ready, what)

    until(lambda s: s.level == b'\2' and "'nv99' is not" in s.message, 'an ERROR', encoding='nv99')
    until(lambda s: s.level in (b'\0', b'\1') and 'nv99' not in s.message, 'the end of it')


def test_half_zeroed_jpeg_is_rejected(graph, start):
    node = start(
        'scripted_node',
        {'image_transport': 'compressed', 'frame_wait': 0.5},
        *('-r', '__ns:=/zeroed'),
    )
    publisher = graph.node.create_publisher(CompressedImage, '/zeroed/image/compressed', 1)
    graph.until(publisher.get_subscription_count, 'the node')
    pixels = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    whole = encode_jpeg(pixels, 90)
    half = len(whole) // 2
    zeroed = whole[:half] + bytes(len(whole) - half - 2) + whole[-2:]

    def send(content):
        message = CompressedImage(format='jpeg', data=content)
        message.header.stamp = graph.node.get_clock().now().to_msg()
        publisher.publish(message)

    with KimiClient('zeroed/kimi') as client:
        client.wait_until_ready(WAIT, node.check, components=('model',))
        for content, code in ((whole, ErrorCode.NONE), (zeroed, ErrorCode.NO_FRAME)):
            deadline = time.monotonic() + WAIT
            send(content)
            while (result := client.instruct(PICK)).code is not code:
                assert time.monotonic() < deadline, result
                send(content)
        assert 'zero bytes in place of pixels' in result.message


def test_every_kind_of_failure_is_logged(client, scripted):
    for number in range(16):
        assert client.instruct(PICK, camera=f'unknown{number}').code is ErrorCode.NO_FRAME
    log = scripted.log.read_text()
    assert all(f"no camera 'unknown{number}'" in log for number in range(16))


def test_pause_of_a_camera_raises_no_alarm(graph, scripted, client):
    camera = graph.camera('odd')

    def stream(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            camera.send()
            time.sleep(0.05)

    time.sleep(6)  # the node forgets what other tests have sent, at odd times, after five seconds
    before = len(scripted.log.read_text())
    stream(4)
    time.sleep(4)
    stream(4)
    assert 'camera odd publishes' not in scripted.log.read_text()[before:]
