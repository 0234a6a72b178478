"""A node in simulated time: stamps, ages and diagnostics are of the clock on /clock."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from kimi_ros.nodes import qos  # noqa: E402
from kimi_ros.nodes.client import KimiClient  # noqa: E402
from kimi_ros.nodes.codes import ErrorCode  # noqa: E402
from kimi_ros.nodes.images import fill_image  # noqa: E402
from kimi_ros.nodes.messages import time_message  # noqa: E402

START, SPEED, PERIOD = 100.0, 2.0, 0.05
MAX_AGE = 5.0  # simulated seconds
NAME = 'simulated/kimi'
GOOD = (DiagnosticStatus.OK, DiagnosticStatus.WARN)


class Simulation:
    """Publishes a clock that runs at twice the speed, and a camera's images until they stop."""

    def __init__(self, graph):
        self.now, self.camera_runs, self._ended = START, True, threading.Event()
        node = graph.node
        self._clock = node.create_publisher(Clock, '/simulated/clock', 1)
        self._camera = node.create_publisher(Image, '/simulated/image', qos.IMAGES)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        image = fill_image(Image(), np.full((48, 64, 3), 90, np.uint8), 'rgb8')
        while not self._ended.wait(PERIOD):
            self.now += SPEED * PERIOD
            stamp = time_message(round(self.now * 1e9))
            self._clock.publish(Clock(clock=stamp))
            image.header.stamp = stamp
            if self.camera_runs:
                self._camera.publish(image)

    def end(self):
        self._ended.set()
        self._thread.join()


@pytest.fixture
def simulation(graph):
    simulation = Simulation(graph)
    yield simulation
    simulation.end()


def test_plans_and_diagnostics_are_of_simulated_time(graph, start, simulation):
    node = start(
        'scripted_node',
        {'use_sim_time': True, 'max_frame_age': MAX_AGE, 'frame_wait': 0.5},
        *('-r', '__ns:=/simulated', '-r', '/clock:=/simulated/clock'),
    )
    arrays = graph.subscribe(DiagnosticArray, '/diagnostics', qos.STATUS)

    def camera():
        node.check()
        found = [(a, s) for a in arrays for s in a.status if s.name == f'{NAME}: camera']
        return found[-1] if found else (None, None)

    with KimiClient(NAME) as client:
        client.wait_until_ready(60.0, node.check)
        result = client.instruct('pick up the red cup')
        assert result.code is ErrorCode.NONE, result
        assert START < result.plan.stamp < simulation.now
        # A report from before the first image may still come.
        graph.until(lambda: camera()[1] and camera()[1].level in GOOD, 'a report of the images')
        assert camera()[0].header.stamp.sec < time.time() / 2
        simulation.camera_runs = False
        graph.until(lambda: camera()[1].level == DiagnosticStatus.STALE, 'the image to be old')
        result = client.instruct('pick up the red cup')
        assert result.code is ErrorCode.STALE_FRAME, result
