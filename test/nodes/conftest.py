"""Fixtures: real nodes in their own processes, in the ROS domain of this run."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from kimi_ros.process import NodeProcess, isolated, ros_arguments

WAIT = 60.0  # seconds, an upper bound for a loaded machine


@pytest.fixture(scope='session')
def environment():
    """Environment of a ROS graph that is isolated from other runs."""
    pytest.importorskip('rclpy', reason='no ROS here: make setup')
    pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')
    chosen = isolated(os.environ)
    os.environ.update(chosen)
    return chosen


class Graph:
    """A node of this process, with helpers to call, subscribe and wait."""

    def __init__(self):
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        self.context = rclpy.Context()
        self.context.init()
        name = f'test_{os.getpid()}_{time.monotonic_ns()}'
        self.node = rclpy.create_node(name, context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    def until(self, done, what, timeout=WAIT):
        """Spin until `done()` is true and return what it returned."""
        deadline = time.monotonic() + timeout
        while not (found := done()):
            assert time.monotonic() < deadline, f'waited {timeout} s for {what}'
            self.spin_once()
        return found

    def spin_once(self, timeout=0.05):
        """Process what was received, or is received within the seconds of the timeout."""
        self._executor.spin_once(timeout_sec=timeout)

    def result(self, future, what, timeout=WAIT):
        self.until(future.done, what, timeout)
        return future.result()

    def call(self, kind, name, request, resend=False):
        """Call a service.

        :param resend: ask again after five seconds; a reply to a client that the server has only
            just found can be lost, which does not matter where asking twice does no harm.
        """
        client = self.node.create_client(kind, name)
        try:
            self.until(client.service_is_ready, name)
            future = client.call_async(request)
            for _ in range(10 if resend else 0):
                end = time.monotonic() + 5.0
                while not future.done() and time.monotonic() < end:
                    self.spin_once()
                if future.done():
                    break
                future = client.call_async(request)
            return self.result(future, name)
        finally:
            self.node.destroy_client(client)

    def subscribe(self, kind, topic, qos):
        """Return a list that grows with every message on the topic."""
        messages = []
        self.node.create_subscription(kind, topic, messages.append, qos)
        return messages

    def camera(self, name):
        return TestCamera(self, name)


class TestCamera:
    """A camera that publishes what a test needs."""

    __test__ = False

    def __init__(self, graph, name):
        from sensor_msgs.msg import Image

        from kimi_ros.nodes import qos

        self._graph = graph
        self._publisher = graph.node.create_publisher(Image, f'{name}/image', qos.IMAGES)
        graph.until(lambda: self._publisher.get_subscription_count(), f'a subscriber of {name}')

    def send(self, pixels=None, encoding='rgb8', age=0.0, **fields):
        """Publish an image stamped `age` seconds ago, with these message fields changed."""
        from sensor_msgs.msg import Image

        from kimi_ros.nodes.images import fill_image
        from kimi_ros.nodes.messages import time_message

        if pixels is None:
            pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
        message = fill_image(Image(), pixels, encoding)
        now = self._graph.node.get_clock().now().nanoseconds
        message.header.stamp = time_message(now - round(age * 1e9))
        message.header.frame_id = 'odd_optical'
        for key, value in fields.items():
            setattr(message, key, value)
        self._publisher.publish(message)


@pytest.fixture
def graph(environment):
    graph = Graph()
    yield graph
    graph.close()


@pytest.fixture
def start(environment, tmp_path_factory):
    """Start modules or scripts of this folder as processes that are stopped after the test."""
    yield from _starter(environment, tmp_path_factory)


@pytest.fixture(scope='module')
def start_shared(environment, tmp_path_factory):
    """Start processes that are stopped after the module."""
    yield from _starter(environment, tmp_path_factory)


@pytest.fixture(scope='session')
def start_for_all(environment, tmp_path_factory):
    """Start processes that are stopped after the session: for what most modules need."""
    yield from _starter(environment, tmp_path_factory)


def _starter(environment, tmp_path_factory):
    processes = []

    def start_process(module, parameters, *remaps):
        log = tmp_path_factory.mktemp('log') / f'{module}.log'
        process = NodeProcess(
            module,
            [*ros_arguments(parameters), *remaps],
            environment | {'PYTHONPATH': _path(environment)},
            log,
        )
        processes.append(process)
        return process

    yield start_process
    for process in processes:
        process.stop()


def _path(environment):
    """PYTHONPATH that includes this folder."""
    return os.pathsep.join(
        p for p in (str(Path(__file__).parent), environment.get('PYTHONPATH', '')) if p
    )


@pytest.fixture(scope='session')
def scripted(start_for_all):
    """The node with a scripted model and three cameras, of which `none` never publishes."""
    return start_for_all(
        'scripted_node',
        {'cameras': ['front', 'odd', 'none'], 'frame_wait': 0.5, 'max_frame_age': 2.0},
    )


@pytest.fixture(scope='session')
def front(start_for_all):
    """A small simulated camera at 10 Hz on front/image."""
    return start_for_all(
        'kimi_ros.nodes.sim_camera', {'width': 160, 'height': 120}, '-r', '__ns:=/front'
    )


@pytest.fixture(scope='module')
def client(scripted, front, environment):
    from kimi_ros.nodes.client import KimiClient

    with KimiClient() as client:

        def alive():
            scripted.check()
            front.check()

        client.wait_until_ready(WAIT, alive, components=('model', 'camera front'))
        yield client
