"""The managed node: transitions, and what it does in each state."""

import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from lifecycle_msgs.msg import State, Transition  # noqa: E402
from lifecycle_msgs.srv import ChangeState, GetState  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402

from kimi_msgs.action import Instruct  # noqa: E402
from kimi_msgs.srv import Describe  # noqa: E402
from kimi_ros.nodes import qos  # noqa: E402

PICK = 'pick up the red cup'
WAIT = 60.0


class Managed:
    """A node without autostart, and a lifecycle manager."""

    def __init__(self, graph, name):
        self.graph, self.name = graph, f'/{name}/kimi'
        self.actions = ActionClient(
            graph.node,
            Instruct,
            f'{self.name}/instruct',
            goal_service_qos_profile=qos.INSTRUCTIONS,
            result_service_qos_profile=qos.INSTRUCTIONS,
        )
        self.states = []

    def change(self, transition):
        request = ChangeState.Request(transition=Transition(id=transition))
        return self.graph.call(ChangeState, f'{self.name}/change_state', request).success

    def state(self):
        return self.graph.call(GetState, f'{self.name}/get_state', GetState.Request())

    def send(self, instruction):
        self.graph.until(self.actions.server_is_ready, 'the action')
        future = self.actions.send_goal_async(
            Instruct.Goal(instruction=instruction),
            lambda message: self.states.append(message.feedback.state),
        )
        return self.graph.result(future, 'the goal response')

    def plan(self, camera):
        """Send images and goals until one is about an image; the first may be lost."""
        for _ in range(20):
            camera.send()
            result = self.result(self.send(PICK))
            if result.error_code != Instruct.Result.NO_FRAME:
                break
        return result.error_code

    def result(self, handle):
        return self.graph.result(handle.get_result_async(), 'the result').result


def test_transitions_load_subscribe_cancel_and_free(graph, start):
    process = start(
        'scripted_node',
        {'autostart': False, 'max_frame_age': 60.0},
        *('-r', '__ns:=/managed'),
    )
    node = Managed(graph, 'managed')
    image = '/managed/image'
    assert node.state().current_state.id == State.PRIMARY_STATE_UNCONFIGURED
    assert not node.send(PICK).accepted and not graph.node.count_subscribers(image)
    answer = graph.call(Describe, '/managed/kimi/describe', Describe.Request())
    assert answer.error_code and 'not active' in answer.error_msg
    assert node.change(Transition.TRANSITION_CONFIGURE)
    assert not node.send(PICK).accepted and not graph.node.count_subscribers(image)
    for _ in range(2):
        assert node.change(Transition.TRANSITION_ACTIVATE)
        camera = graph.camera('/managed')
        assert node.plan(camera) == Instruct.Result.NONE
        # Nobody subscribes to the annotated image, so it is not drawn.
        drawn = node.result(node.send(f'{PICK}, undrawable'))
        assert drawn.error_code == Instruct.Result.NONE
        assert 'visualization failed' not in process.log.read_text()
        node.states.clear()
        handle = node.send(f'slowly {PICK}')
        graph.until(lambda: Instruct.Feedback.THINKING in node.states, 'the plan to begin')
        result = handle.get_result_async()
        assert node.change(Transition.TRANSITION_DEACTIVATE)
        assert graph.result(result, 'the result').result.error_code == Instruct.Result.CANCELLED
        graph.until(lambda: not graph.node.count_subscribers(image), 'the end of the subscription')
        assert not node.send(PICK).accepted
    assert node.change(Transition.TRANSITION_CLEANUP)
    assert node.change(Transition.TRANSITION_CONFIGURE)
    assert node.change(Transition.TRANSITION_ACTIVATE)
    assert node.plan(camera) == Instruct.Result.NONE
    assert node.change(Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert node.state().current_state.id == State.PRIMARY_STATE_FINALIZED


def test_configuring_fails_where_the_model_is_missing(graph, start):
    process = start(
        'kimi_ros.nodes.kimi_node',
        {'autostart': False, 'model': '/nowhere/model'},
        *('-r', '__ns:=/unmanaged'),
    )
    node = Managed(graph, 'unmanaged')
    assert not node.change(Transition.TRANSITION_CONFIGURE)
    assert node.state().current_state.id == State.PRIMARY_STATE_UNCONFIGURED
    assert '/nowhere/model' in process.log.read_text()


def test_nodes_compose_in_one_process(graph, start):
    process = start('composed_nodes', {})
    for name in ('first', 'second'):
        camera, node = graph.camera(f'/{name}'), Managed(graph, name)
        assert node.plan(camera) == Instruct.Result.NONE
    process.stop()
    assert process.ended() == 0 and 'Traceback' not in process.log.read_text()
