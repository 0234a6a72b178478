"""The managed nodes under a lifecycle manager that does what Nav2's does, without bonds."""

import pytest

pytest.importorskip('rclpy', reason='no ROS here: make setup')

from lifecycle_msgs.msg import State, Transition  # noqa: E402
from lifecycle_msgs.srv import ChangeState, GetState  # noqa: E402

from kimi_ros.nodes.client import KimiClient  # noqa: E402
from kimi_ros.nodes.codes import ErrorCode  # noqa: E402

NAMES = ('kimi', 'executor')
# A transition, the state that it must lead to, and whether the last node goes first.
CONFIGURE = Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE, False
ACTIVATE = Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE, False
DEACTIVATE = Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE, True
CLEANUP = Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED, True
SHUTDOWN = Transition.TRANSITION_UNCONFIGURED_SHUTDOWN, State.PRIMARY_STATE_FINALIZED, True
COMMANDS = {
    'startup': (CONFIGURE, ACTIVATE),
    'pause': (DEACTIVATE,),
    'resume': (ACTIVATE,),
    'reset': (DEACTIVATE, CLEANUP),
    'shutdown': (DEACTIVATE, CLEANUP, SHUTDOWN),
}


@pytest.fixture
def command(graph, start):
    """Return the function that has the manager carry out a command on all nodes."""
    modules = {'kimi': 'scripted_node', 'executor': 'kimi_ros.nodes.executor_node'}
    parameters = {'kimi': {'max_frame_age': 60.0}, 'executor': {}}
    for name in NAMES:
        start(modules[name], {'autostart': False} | parameters[name], '-r', '__ns:=/fleet')

    def run(name):
        for transition, state, backwards in COMMANDS[name]:
            for node in reversed(NAMES) if backwards else NAMES:
                prefix, request = f'/fleet/{node}', ChangeState.Request()
                request.transition.id = transition
                done = graph.call(ChangeState, f'{prefix}/change_state', request)
                assert done.success, (name, transition, node)
                now = graph.call(GetState, f'{prefix}/get_state', GetState.Request(), resend=True)
                assert now.current_state.id == state, (name, transition, node)

    return run


def test_nodes_obey_every_command_of_the_manager(graph, command):
    def plan():
        """Send images until there is a plan; the code of the last result."""
        camera = graph.camera('/fleet')
        for _ in range(20):
            camera.send()
            result = client.instruct('pick up the red cup')
            if result.code is not ErrorCode.NO_FRAME:
                break
        return result.code

    def subscribers():
        return graph.node.count_subscribers('/fleet/image')

    with KimiClient('fleet/kimi') as client:
        command('startup')
        client.wait_until_ready(60.0, components=('model',))
        assert plan() is ErrorCode.NONE
        command('pause')
        graph.until(lambda: not subscribers(), 'the camera to be free')
        command('resume')
        assert plan() is ErrorCode.NONE
        command('reset')
        graph.until(lambda: not subscribers(), 'the camera to be free')
        command('startup')
        assert plan() is ErrorCode.NONE
        command('shutdown')
