"""A camera that sends more than the node looks at: rates are true, and frames are new."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402

from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.client import KimiClient  # noqa: E402
from kimi_ros.nodes.codes import ErrorCode  # noqa: E402
from kimi_ros.process import NodeProcess  # noqa: E402

RATE = 90
WAIT = 60.0
NEW = 0.4  # seconds that a frame is old, on a busy machine; at 1 Hz most are older


@pytest.fixture
def stream():
    """Start a camera as a process."""
    cameras = []

    def start_camera(environment, *arguments):
        script = Path(__file__).with_name('rgbd_stream.py')
        command = [sys.executable, script, *map(str, arguments)]
        cameras.append(subprocess.Popen(command, env=environment))

    yield start_camera
    for camera in cameras:
        camera.kill()
        camera.wait()


def test_fast_camera_is_looked_at_when_an_image_is_wanted(graph, start, stream, environment):
    node = start('scripted_node', {}, '-r', '__ns:=/fast')
    stream(environment, 'fast', 64, 48, RATE)
    arrays = graph.subscribe(DiagnosticArray, '/diagnostics', qos.STATUS)

    def rates():
        node.check()
        found = [s for a in arrays for s in a.status if s.name == 'fast/kimi: camera']
        values = {v.key: v.value for v in found[-1].values} if found else {}
        return found, {k: float(values.get(k) or 0) for k in ('taken_hz', 'received_hz')}

    def few():
        return 0 < rates()[1]['taken_hz'] < 10 and rates()[1]['received_hz'] > 45

    graph.until(few, 'few images to be taken')
    report, _ = rates()
    assert 'images a second' not in report[-1].message  # none are lost
    with KimiClient('fast/kimi') as client:
        client.wait_until_ready(WAIT, node.check)
        for _ in range(5):
            asked = time.time()
            result = client.instruct('pick up the red cup')
            assert result.code is ErrorCode.NONE, result
            assert result.plan.stamp > asked - NEW
            time.sleep(0.35)


def test_images_that_the_middleware_loses_are_noticed(graph, environment, stream, tmp_path):
    """With the middleware's defaults, most raw images of this size are lost on the way."""
    defaults = {k: v for k, v in environment.items() if 'PROFILES_FILE' not in k}
    path = os.pathsep.join((str(Path(__file__).parent), environment.get('PYTHONPATH', '')))
    node = NodeProcess(
        'scripted_node',
        ['--ros-args', '-r', '__ns:=/lossy'],
        defaults | {'PYTHONPATH': path},
        tmp_path / 'node.log',
    )
    arrays = graph.subscribe(DiagnosticArray, '/diagnostics', qos.STATUS)
    try:
        stream(defaults, 'lossy', 1280, 720, 30)

        def noticed():
            node.check()
            return [
                s
                for a in arrays
                for s in a.status
                if s.name == 'lossy/kimi: camera' and 'Fast DDS loses raw images' in s.message
            ]

        (report, *_) = graph.until(noticed, 'the warning')
        values = {v.key: v.value for v in report.values}
        assert float(values['received_hz']) < float(values['published_hz']) / 2
        assert report.level == b'\1'
    finally:
        node.stop()
