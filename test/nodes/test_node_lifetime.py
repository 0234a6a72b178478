"""CameraSubscriptions and nodes that come and go."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from rcl_interfaces.srv import ListParameters, SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from rclpy.qos import DurabilityPolicy  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402

from kimi_msgs.msg import Plan as PlanMessage  # noqa: E402
from kimi_ros.agent import DepthStatus  # noqa: E402
from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.client import KimiClient, NoResponseError  # noqa: E402
from kimi_ros.nodes.codes import ErrorCode  # noqa: E402
from kimi_ros.nodes.images import decode_compressed, encode_jpeg, to_depth, to_rgb  # noqa: E402
from kimi_ros.nodes.messages import nanoseconds  # noqa: E402
from kimi_ros.nodes.sim_camera import render_scene  # noqa: E402

PICK = 'pick up the red cup'
WAIT = 60.0
SEED = 2_000_005
# Topics that rclpy makes.
OF_EVERY_NODE = {'/rosout', '/parameter_events'}
OF_ROS = ('transition_event', 'instruct/_action/status', 'instruct/_action/feedback')
SMALL = {'seed': SEED, 'width': 160, 'height': 120}


def _in(namespace):
    return '-r', f'__ns:=/{namespace}'


def test_sim_camera_publishes_the_rendered_scene(graph, start):
    start('kimi_ros.nodes.sim_camera', SMALL, *_in('sim'))
    images = graph.subscribe(Image, '/sim/image', qos.CAMERA)
    depths = graph.subscribe(Image, '/sim/depth/image', qos.CAMERA)
    infos = graph.subscribe(CameraInfo, '/sim/camera_info', qos.CAMERA)
    graph.until(lambda: len(images) > 2 and depths and infos, 'images')
    view = render_scene(SEED, 160, 120)
    assert np.array_equal(to_rgb(images[-1]), view.frame.rgb)
    np.testing.assert_allclose(to_depth(depths[-1]), view.frame.depth, atol=1e-6)
    assert infos[-1].k.reshape(3, 3) == pytest.approx(view.frame.intrinsics)
    compressed = graph.subscribe(CompressedImage, '/sim/image/compressed', qos.CAMERA)
    graph.until(lambda: compressed, 'a compressed image')
    shown = decode_compressed(compressed[-1])
    assert np.abs(shown.astype(int) - view.frame.rgb).mean() < 5

    def stamps():
        return [nanoseconds(m.header.stamp) for m in images]

    assert sorted(set(stamps())) == stamps()
    request = SetParameters.Request(parameters=[Parameter('rate', value=1.0).to_parameter_msg()])
    (result,) = graph.call(SetParameters, '/sim/sim_camera/set_parameters', request).results
    assert result.successful
    graph.until(lambda: np.diff(stamps()[-3:]).min() > 0.9e9, 'an image a second')
    request = SetParameters.Request(
        parameters=[Parameter('seed', value=SEED + 1).to_parameter_msg()]
    )
    (result,) = graph.call(SetParameters, '/sim/sim_camera/set_parameters', request).results
    assert not result.successful and 'read-only' in result.reason


def test_sim_camera_without_opengl_publishes_a_recorded_frame(
    graph, environment, start, monkeypatch
):
    monkeypatch.setitem(environment, 'MUJOCO_GL', 'none')
    camera = start('kimi_ros.nodes.sim_camera', {'seed': SEED}, *_in('recorded'))
    images = graph.subscribe(Image, '/recorded/image', qos.CAMERA)
    graph.until(lambda: images, 'images')
    assert to_rgb(images[-1]).shape == (480, 640, 3)
    graph.until(lambda: 'recorded frame' in camera.log.read_text(), 'the reason in the log')


def test_camera_restart_and_node_restart(start):
    view = render_scene(SEED, 160, 120)
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
        client.wait_until_ready(WAIT, node.check)
        (cup,) = client.instruct(PICK).plan.objects
        assert cup.depth_status is DepthStatus.OK and cup.position_frame == 'base_link'

        camera.stop()
        while (result := client.instruct(PICK)).code is ErrorCode.NONE:
            pass  # the last image is still fresh
        assert result.code is ErrorCode.STALE_FRAME and '/life/image' in result.message
        start('kimi_ros.nodes.sim_camera', SMALL, *_in('life'))
        client.wait_until_ready(WAIT, node.check)
        while (result := client.instruct(PICK)).code is ErrorCode.STALE_FRAME:
            node.check()
        assert result.code is ErrorCode.NONE

        os.kill(node.pid, signal.SIGKILL)
    node = start('scripted_node', parameters, *remap)
    with KimiClient('mortal') as client:
        client.wait_until_ready(WAIT, node.check)
        assert client.instruct(PICK).code is ErrorCode.NONE


def test_compressed_images_valid_and_truncated(graph, start):
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
        client.wait_until_ready(WAIT, node.check, components=('model',))
        for content, code in ((data, ErrorCode.NONE), (data[: len(data) // 2], ErrorCode.NO_FRAME)):
            deadline = time.monotonic() + WAIT
            send(content)
            while (result := client.instruct(PICK)).code is not code:
                assert time.monotonic() < deadline, result
                send(content)
        assert 'truncated' in result.message


@pytest.mark.parametrize(
    ('parameter', 'words'),
    [
        ('max_frame_age:=100.0', 'max_frame_age'),
        ('image_transport:=theora', 'raw, compressed'),
        ('camera_pose:=[1.0, 2.0]', 'quaternion'),
        ('cameras:=["a b"]', 'not a valid topic prefix'),
        ('queue_size:=many', 'queue_size'),
    ],
)
def test_invalid_initial_parameter_is_reported_in_one_line(environment, parameter, words):
    command = [sys.executable, '-m', 'kimi_ros.nodes.kimi_node', '--ros-args', '-p', parameter]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=WAIT, check=False
    )
    assert done.returncode == 2 and words in done.stderr and 'Traceback' not in done.stderr


def test_missing_model_is_reported(start, client, front):
    node = start(
        'kimi_ros.nodes.kimi_node',
        {'model': '/nowhere/model', 'cameras': ['front']},
        *('-r', '__node:=modelless'),
    )
    with KimiClient('modelless') as other:
        with pytest.raises(NoResponseError, match='/nowhere/model'):
            other.wait_until_ready(WAIT, node.check, components=('model',))
        result = other.instruct(PICK)
        while result.code in (
            ErrorCode.NO_FRAME,
            ErrorCode.STALE_FRAME,
        ):  # the camera is just being found
            result = other.instruct(PICK)
        assert result.code is ErrorCode.MODEL_FAILED and '/nowhere/model' in result.message


def test_plan_message_constants_match_the_agent():
    from kimi_ros.agent import Approval, Risk, Status

    for status in Status:
        assert getattr(PlanMessage, f'STATUS_{status.name}')
    assert {getattr(PlanMessage, f'APPROVAL_{a.name}') for a in Approval} == set(range(5))
    assert [r.value for r in Risk] == [0, 1, 2, 3]


def test_every_topic_takes_qos_overrides(graph, start):
    node = start(
        'scripted_node',
        {'qos_overrides./qos/kimi/plan.publisher.durability': 'volatile'},
        *('-r', '__ns:=/qos'),
    )
    request = ListParameters.Request(prefixes=['qos_overrides'], depth=0)
    name = '/qos/kimi/list_parameters'
    listed = graph.call(ListParameters, name, request, resend=True).result.names
    topics = {name.split('.')[1] for name in listed if name.endswith('.durability')}
    node_names = 'kimi', '/qos'
    used = {
        topic
        for topic, _ in (
            *graph.node.get_publisher_names_and_types_by_node(*node_names),
            *graph.node.get_subscriber_names_and_types_by_node(*node_names),
        )
    }
    assert {'/qos/image', '/qos/depth/image', '/qos/instruction', '/qos/kimi/plan'} <= used
    assert used - topics == OF_EVERY_NODE | {f'/qos/kimi/{name}' for name in OF_ROS}
    (info,) = graph.node.get_publishers_info_by_topic('/qos/kimi/plan')
    assert info.qos_profile.durability is DurabilityPolicy.VOLATILE
    node.check()
