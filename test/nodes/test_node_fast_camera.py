"""A camera that sends more than the node looks at: rates are true, and frames are new."""

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

RATE = 90
WAIT = 60.0
NEW = 0.4  # seconds that a frame is old, on a busy machine; at 1 Hz most are older


@pytest.fixture
def fast(environment):
    script = Path(__file__).with_name('rgbd_stream.py')
    camera = subprocess.Popen(
        [sys.executable, script, 'fast', '64', '48', str(RATE)], env=environment
    )
    yield camera
    camera.kill()
    camera.wait()


def test_fast_camera_is_looked_at_when_an_image_is_wanted(graph, start, fast):
    node = start('scripted_node', {}, '-r', '__ns:=/fast')
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
