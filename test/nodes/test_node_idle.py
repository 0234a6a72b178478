"""What an idle node costs beside a camera at 30 Hz."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')
pytest.importorskip('resource', reason='reads /proc')

from kimi_ros.nodes.client import KimiClient  # noqa: E402

WIDTH, HEIGHT = 1280, 720
SECONDS = 8.0
MAX_SHARE = 0.2  # of a core; 0.01 on a quiet machine, half a core if frames were decoded
MAX_MEMORY = 60  # MB: some frames of 4.4, and the shared memory of the publisher
WAIT = 60.0


def cpu_seconds(pid):
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def megabytes(pid):
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS'):
            return int(line.split()[1]) / 1024
    raise AssertionError(pid)


@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='reads /proc')
def test_idle_node_costs_little_more_than_a_bare_subscriber(graph, start, environment):
    node = start('scripted_node', {'max_frame_age': 5.0}, '-r', '__ns:=/idle')
    script = Path(__file__).with_name('rgbd_stream.py')
    processes = []
    try:
        with KimiClient('idle/kimi') as client:
            client.wait_until_ready(WAIT, node.check, components=('model',))
            before = megabytes(node.pid)
            for arguments in (('subscribe', 'idle'), ('publish', 'idle', str(WIDTH), str(HEIGHT))):
                command = [sys.executable, script, *arguments]
                processes.append(subprocess.Popen(command, env=environment))
            client.wait_until_ready(WAIT, node.check)
            pids = [node.pid, processes[0].pid]
            time.sleep(3)
            first = [cpu_seconds(pid) for pid in pids]
            time.sleep(SECONDS)
            ours, bare = ((cpu_seconds(p) - f) / SECONDS for p, f in zip(pids, first, strict=True))
            after = megabytes(node.pid)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    print(f'node {ours:.3f}, bare subscriber {bare:.3f} of a core; {after - before:.0f} MB more')
    assert bare > 0.01, 'no images arrived'
    assert ours - bare < MAX_SHARE
    assert after - before < MAX_MEMORY
