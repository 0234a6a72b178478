"""An idle node beside a camera at 30 Hz keeps the latest frames, not all."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from kimi_ros.nodes.client import KimiClient  # noqa: E402

WIDTH, HEIGHT = 1280, 720
SECONDS = 8.0
MAX_MEMORY = 80  # MB: some frames of 4.4, and the shared memory of the publisher
WAIT = 60.0


def megabytes(pid):
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS'):
            return int(line.split()[1]) / 1024
    raise AssertionError(pid)


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='reads /proc')
def test_idle_node_keeps_few_frames(start, environment):
    node = start('scripted_node', {'max_frame_age': 5.0}, '-r', '__ns:=/idle')
    script = Path(__file__).with_name('rgbd_stream.py')
    with KimiClient('idle/kimi') as client:
        client.wait_until_ready(WAIT, node.check, components=('model',))
        before = megabytes(node.pid)
        command = [sys.executable, script, 'idle', str(WIDTH), str(HEIGHT)]
        camera = subprocess.Popen(command, env=environment)
        try:
            client.wait_until_ready(WAIT, node.check)  # it has frames
            time.sleep(SECONDS)
            after = megabytes(node.pid)
        finally:
            camera.kill()
            camera.wait()
    assert after - before < MAX_MEMORY
