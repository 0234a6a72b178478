"""The end of the node: every accepted goal gets exactly one result."""

import os
import signal
import time

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from action_msgs.msg import GoalStatus  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402

from kimi_msgs.action import Instruct  # noqa: E402
from kimi_ros.nodes import qos  # noqa: E402

WAIT = 60.0
PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


class Ending:
    """A node of its own with a camera, and goals sent to it."""

    def __init__(self, graph, start, name):
        self.graph = graph
        self.process = start(
            'scripted_node',
            {'max_frame_age': 60.0, 'queue_size': 3},
            *('-r', f'__ns:=/{name}'),
        )
        self.client = ActionClient(
            graph.node,
            Instruct,
            f'/{name}/kimi/instruct',
            goal_service_qos_profile=qos.INSTRUCTIONS,
            result_service_qos_profile=qos.INSTRUCTIONS,
        )
        graph.until(self.client.server_is_ready, 'the action')
        self.camera = graph.camera(f'/{name}')
        self.states, self.results = [], []
        # The server may know the client a little later than the client it, and lose its reply.
        settled = time.monotonic() + 3
        graph.until(lambda: time.monotonic() > settled, 'discovery')

    def until_state(self, state):
        """Wait for a goal to reach a state, with a camera that goes on: an image may be lost."""

        def reached():
            self.camera.send(PICTURE)
            return state in self.states

        self.graph.until(reached, f'state {state}')

    def send(self, instruction):
        self.camera.send(PICTURE)
        future = self.client.send_goal_async(
            Instruct.Goal(instruction=instruction),
            lambda message: self.states.append(message.feedback.state),
        )
        handle = self.graph.result(future, 'acceptance')
        assert handle.accepted
        result = handle.get_result_async()
        result.add_done_callback(lambda f: self.results.append(f.result()))

    def end(self, number):
        os.kill(self.process.pid, number)
        self.graph.until(lambda: self.process.ended() is not None, 'the end of the node')
        return self.process.ended(), self.process.log.read_text()


@pytest.fixture
def ending(graph, start):
    return Ending(graph, start, f'ending_{time.monotonic_ns()}')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('goals', [1, 3])
def test_active_and_waiting_goals_get_one_result_each(ending, number, goals):
    for _ in range(goals):
        ending.send('slowly pick up the red cup')
    ending.until_state(Instruct.Feedback.THINKING)
    status, log = ending.end(number)
    ending.graph.until(lambda: len(ending.results) == goals, 'the results')
    for _ in range(5):
        ending.graph.spin_once()
    assert len(ending.results) == goals
    assert {r.status for r in ending.results} == {GoalStatus.STATUS_ABORTED}
    assert {r.result.error_code for r in ending.results} == {Instruct.Result.CANCELLED}
    assert status == 0 and 'Traceback' not in log, log


def test_goal_that_awaits_approval_gets_its_result(ending):
    ending.send('pick up the knife')
    waiting = Instruct.Feedback.AWAITING_APPROVAL
    ending.until_state(waiting)
    status, log = ending.end(signal.SIGINT)
    ending.graph.until(lambda: ending.results, 'the result')
    (result,) = ending.results
    assert result.result.error_code == Instruct.Result.CANCELLED
    assert status == 0 and 'Traceback' not in log, log


def test_idle_node_ends_at_once(ending):
    began = time.monotonic()
    status, log = ending.end(signal.SIGINT)
    assert status == 0 and 'Traceback' not in log, log
    assert time.monotonic() - began < 10
