"""Cameras and nodes that come and go."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from rcl_interfaces.srv import SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402

from kimi_msgs.msg import Plan as PlanMessage  # noqa: E402
from kimi_ros.agent import DepthStatus  # noqa: E402
from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.client import KimiClient, NoAnswer  # noqa: E402
from kimi_ros.nodes.codes import Code  # noqa: E402
from kimi_ros.nodes.images import encode_jpeg, to_depth, to_rgb  # noqa: E402
from kimi_ros.nodes.messages import nanoseconds  # noqa: E402
from kimi_ros.nodes.sim_camera import look  # noqa: E402

PICK = 'pick up the red cup'
WAIT = 60.0
SEED = 2_000_005
SMALL = {'seed': SEED, 'width': 160, 'height': 120}


def _in(namespace):
    return '-r', f'__ns:=/{namespace}'


def test_camera_publishes_what_was_rendered_and_stays_where_it_is(graph, start):
    start('kimi_ros.nodes.sim_camera', SMALL, *_in('sim'))
    images = graph.heard(Image, '/sim/image', qos.CAMERA)
    depths = graph.heard(Image, '/sim/depth/image', qos.CAMERA)
    infos = graph.heard(CameraInfo, '/sim/camera_info', qos.CAMERA)
    graph.until(lambda: len(images) > 2 and depths and infos, 'pictures')
    view = look(SEED, 160, 120)
    assert np.array_equal(to_rgb(images[-1]), view.frame.rgb)
    np.testing.assert_allclose(to_depth(depths[-1]), view.frame.depth, atol=1e-6)
    assert infos[-1].k.reshape(3, 3) == pytest.approx(view.frame.intrinsics)
    stamps = [nanoseconds(m.header.stamp) for m in images]
    assert sorted(set(stamps)) == stamps
    request = SetParameters.Request(
        parameters=[Parameter('seed', value=SEED + 1).to_parameter_msg()]
    )
    (result,) = graph.call(SetParameters, '/sim/sim_camera/set_parameters', request).results
    assert not result.successful and 'read-only' in result.reason


def test_camera_without_opengl_shows_a_recorded_frame(graph, environment, start, monkeypatch):
    monkeypatch.setitem(environment, 'MUJOCO_GL', 'none')
    camera = start('kimi_ros.nodes.sim_camera', {'seed': SEED}, *_in('recorded'))
    images = graph.heard(Image, '/recorded/image', qos.CAMERA)
    graph.until(lambda: images, 'pictures')
    assert to_rgb(images[-1]).shape == (480, 640, 3)
    graph.until(lambda: 'recorded frame' in camera.log.read_text(), 'the reason in the log')


def test_camera_stops_and_starts_and_node_dies_and_comes_back(start):
    view = look(SEED, 160, 120)
    remap = '-r', 'image:=/life/image', '-r', 'camera_info:=/life/camera_info'
    remap = *remap, '-r', 'depth/image:=/life/depth/image', '-r', '__node:=mortal'
    parameters = {
        'frame_wait': 0.5,
        'max_frame_age': 2.0,
        'camera_pose': view.frame.camera_pose.ravel().tolist(),
    }
    camera = start('kimi_ros.nodes.sim_camera', SMALL, *_in('life'))
    node = start('scripted_node', parameters, *remap)
    with KimiClient('mortal') as client:
        client.wait_ready(WAIT, node.check)
        (cup,) = client.instruct(PICK).plan.objects
        assert cup.depth_status is DepthStatus.OK and cup.position_frame == 'base_link'

        camera.stop()
        while (reply := client.instruct(PICK)).code is Code.NONE:
            pass  # the last picture is still fresh
        assert reply.code is Code.STALE_FRAME and '/life/image' in reply.message
        start('kimi_ros.nodes.sim_camera', SMALL, *_in('life'))
        client.wait_ready(WAIT, node.check)
        while (reply := client.instruct(PICK)).code is Code.STALE_FRAME:
            node.check()
        assert reply.code is Code.NONE

        os.kill(node.pid, signal.SIGKILL)
    node = start('scripted_node', parameters, *remap)
    with KimiClient('mortal') as client:
        client.wait_ready(WAIT, node.check)
        assert client.instruct(PICK).code is Code.NONE


def test_compressed_pictures_and_a_broken_one(graph, start):
    node = start(
        'scripted_node',
        {'image_transport': 'compressed', 'frame_wait': 0.5},
        *('-r', '__node:=squeezed', '-r', 'image/compressed:=/jpeg/image/compressed'),
    )
    publisher = graph.node.create_publisher(CompressedImage, '/jpeg/image/compressed', 1)
    graph.until(publisher.get_subscription_count, 'the node')
    pixels = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    data = encode_jpeg(pixels, 90)

    def send(content):
        message = CompressedImage(format='jpeg', data=content)
        message.header.stamp = graph.node.get_clock().now().to_msg()
        publisher.publish(message)

    with KimiClient('squeezed') as client:
        client.wait_ready(WAIT, node.check, parts=('model',))
        for content, code in ((data, Code.NONE), (data[: len(data) // 2], Code.NO_FRAME)):
            deadline = time.monotonic() + WAIT
            send(content)
            while (reply := client.instruct(PICK)).code is not code:
                assert time.monotonic() < deadline, reply
                send(content)
        assert 'cut short' in reply.message


@pytest.mark.parametrize(
    ('parameter', 'words'),
    [
        ('max_frame_age:=100.0', 'max_frame_age'),
        ('image_transport:=theora', 'raw, compressed'),
        ('camera_pose:=[1.0, 2.0]', 'quaternion'),
        ('cameras:=["a b"]', 'cannot begin a topic'),
        ('queue_size:=many', 'queue_size'),
    ],
)
def test_wrong_parameter_at_the_start_is_said_in_one_line(environment, parameter, words):
    command = [sys.executable, '-m', 'kimi_ros.nodes.kimi_node', '--ros-args', '-p', parameter]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=WAIT, check=False
    )
    assert done.returncode == 2 and words in done.stderr and 'Traceback' not in done.stderr


def test_missing_model_is_an_answer_and_no_crash(start, client, front):
    node = start(
        'kimi_ros.nodes.kimi_node',
        {'model': '/nowhere/model', 'cameras': ['front']},
        *('-r', '__node:=modelless'),
    )
    with KimiClient('modelless') as other:
        with pytest.raises(NoAnswer, match='/nowhere/model'):
            other.wait_ready(WAIT, node.check, parts=('model',))
        reply = other.instruct(PICK)
        while reply.code in (Code.NO_FRAME, Code.STALE_FRAME):  # the camera is just being found
            reply = other.instruct(PICK)
        assert reply.code is Code.MODEL_FAILED and '/nowhere/model' in reply.message


def test_plan_message_constants_are_those_of_the_agent():
    from kimi_ros.agent import Approval, Risk, Status

    for status in Status:
        assert getattr(PlanMessage, f'STATUS_{status.name}')
    assert {getattr(PlanMessage, f'APPROVAL_{a.name}') for a in Approval} == set(range(5))
    assert [r.value for r in Risk] == [0, 1, 2, 3]
