"""Many clients at once: none may lose a response."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from kimi_ros.nodes.client import KimiClient  # noqa: E402
from kimi_ros.nodes.codes import ErrorCode  # noqa: E402

PROCESSES = [17, 17, 17, 17, 16, 16]
WAIT = 120.0


def test_hundred_clients_in_six_processes_all_get_results(start, graph, environment):
    node = start('scripted_node', {'max_frame_age': 60.0}, '-r', '__ns:=/burst')
    with KimiClient('burst/kimi') as client:
        client.wait_until_ready(WAIT, node.check, components=('model',))
        camera = graph.camera('/burst')
        camera.send()
        script = Path(__file__).with_name('goal_burst.py')
        begin = time.time() + 10.0
        command = [sys.executable, script, '/burst/kimi/instruct']
        processes = [
            subprocess.Popen(
                [*command, str(n), str(begin)], env=environment, stdout=subprocess.PIPE, text=True
            )
            for n in PROCESSES
        ]
        while time.time() < begin:
            camera.send()
            graph.spin_once()
        outputs = [p.communicate(timeout=WAIT)[0].splitlines() for p in processes]
        codes = [code for lines in outputs for code in json.loads(lines[-1])]
        assert len(codes) == sum(PROCESSES)
        assert set(codes) <= {ErrorCode.NONE, ErrorCode.BUSY} and ErrorCode.NONE in codes
        camera.send()
        assert client.instruct('pick up the red cup').code is ErrorCode.NONE
