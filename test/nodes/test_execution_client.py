import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')
pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import Image

from kimi_msgs.msg import ExecutionStatus
from kimi_ros.nodes import qos
from kimi_ros.nodes.client_node import NoResponseError
from kimi_ros.nodes.execution_client import ExecutionClient
from kimi_ros.nodes.images import fill_image

WAIT = 60.0  # seconds, an upper bound for a loaded machine


class ScriptedExecutor:
    """Publishes what the node `executor` and a camera would."""

    def __init__(self, graph):
        make = graph.node.create_publisher
        self._status = make(ExecutionStatus, '/executor/status', qos.LATCHED)
        self._reports = make(DiagnosticArray, '/diagnostics', qos.STATUS)
        self._images = make(Image, '/image', qos.IMAGES)
        self.script = []  # plan, state and text; None: only an image

    def report(self, level):
        status = DiagnosticStatus(name='executor: plan', level=level)
        self._reports.publish(DiagnosticArray(status=[status]))

    def go_on(self):
        if self.script and (said := self.script.pop(0)):
            plan, state, text = said
            self._status.publish(ExecutionStatus(plan_id=plan, state=state, text=text))
        self._images.publish(fill_image(Image(), np.zeros((48, 64, 3), np.uint8), 'rgb8'))

    def is_heard(self):
        return self._status.get_subscription_count() and self._images.get_subscription_count()


@pytest.fixture
def executor(graph):
    return ScriptedExecutor(graph)


@pytest.fixture
def shown():
    return []


@pytest.fixture
def client(graph, executor, shown):
    with ExecutionClient(lambda rgb, step: shown.append((rgb.shape, step))) as client:
        graph.until(executor.is_heard, 'the client')
        yield client


def test_client_waits_for_an_executor_that_is_active(client, executor):
    with pytest.raises(NoResponseError, match='executor is not active'):
        client.wait_until_ready(0.5, lambda: executor.report(DiagnosticStatus.ERROR))
    client.wait_until_ready(WAIT, lambda: executor.report(DiagnosticStatus.OK))


def test_client_tells_how_a_plan_ended_and_shows_its_steps(client, executor, shown):
    executor.script = [
        ('plan', ExecutionStatus.REFUSED, 'not approved'),
        ('other', ExecutionStatus.FAILED, 'no grasp found'),
        ('plan', ExecutionStatus.RUNNING, 'pick cup'),
        *[None] * 5,
        ('plan', ExecutionStatus.SUCCEEDED, 'done'),
    ]
    assert client.wait_for_end('plan', WAIT, executor.go_on, False) == (True, 'done')
    assert set(shown) == {((48, 64, 3), 'pick cup')}
    assert client.wait_for_end('other', WAIT, executor.go_on) == (False, 'no grasp found')


def test_a_refusal_is_an_end_unless_approval_may_follow(client, executor):
    executor.script = [('plan', ExecutionStatus.REFUSED, 'not approved')]
    assert client.wait_for_end('plan', WAIT, executor.go_on) == (False, 'not approved')
    with pytest.raises(NoResponseError, match='not carried the plan out'):
        client.wait_for_end('plan', 0.3, executor.go_on, False)
