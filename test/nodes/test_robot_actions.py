"""Goals to a robot's action server: success, failure, time, and that stopping really stops it."""

import threading
import time
from types import SimpleNamespace

import pytest

pytest.importorskip('kimi_msgs.action', reason='kimi_msgs is not built: make setup')

from kimi_msgs.action import ExecuteSkill
from kimi_msgs.msg import PlanStep
from kimi_ros.nodes.executor_actions import SkillAction
from kimi_ros.nodes.plan_execution import FailedError, Stop, StoppedError
from kimi_ros.nodes.robot_actions import RobotActions

STEP = PlanStep(skill='pick', arguments_json='{}')


class Server:
    """An action server that does what its attributes say."""

    def __init__(self, node, group):
        from rclpy.action import ActionServer, CancelResponse, GoalResponse

        self.accepts, self.seconds, self.error, self.answer_after = True, 0.0, '', 0.0
        self.began = self.ended = self.cancelled = 0

        def accept(_):
            time.sleep(self.answer_after)
            return GoalResponse.ACCEPT if self.accepts else GoalResponse.REJECT

        self._server = ActionServer(
            node, ExecuteSkill, 'arm', self._execute, callback_group=group, goal_callback=accept,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )  # fmt: skip

    def _execute(self, handle):
        self.began += 1
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and not handle.is_cancel_requested:
            time.sleep(0.01)
        self.ended += 1
        if handle.is_cancel_requested:
            self.cancelled += 1
            handle.canceled()
        else:
            handle.succeed()
        return ExecuteSkill.Result(error_code=950 if self.error else 0, error_msg=self.error)


@pytest.fixture
def arm(environment):
    """Return a server, and what sends steps to it."""
    import rclpy
    from rclpy.callback_groups import ReentrantCallbackGroup
    from rclpy.executors import MultiThreadedExecutor

    context = rclpy.Context()
    context.init()
    node = rclpy.create_node('arm_and_executor', context=context)
    group = ReentrantCallbackGroup()
    server = Server(node, group)
    skills = {'pick': SimpleNamespace(limits={'timeout_s': 2.0})}
    action = SkillAction(ExecuteSkill, 'arm', {'skill': '$skill'})
    robot = RobotActions(node, {'pick': action}, skills, group)
    executor = MultiThreadedExecutor(6, context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield server, robot
    executor.shutdown()
    thread.join(5.0)
    node.destroy_node()
    context.try_shutdown()


def test_step_ends_when_the_action_has_succeeded(arm):
    server, robot = arm
    server.seconds = 0.3
    robot.carry_out(STEP, [], None, Stop())
    assert server.ended == 1 and not server.cancelled


def test_error_and_rejection_are_named(arm):
    server, robot = arm
    server.error = 'no grasp found'
    with pytest.raises(FailedError, match='pick failed: no grasp found'):
        robot.carry_out(STEP, [], None, Stop())
    server.accepts = False
    with pytest.raises(FailedError, match='arm rejected the goal'):
        robot.carry_out(STEP, [], None, Stop())


def test_too_slow_an_action_is_cancelled(arm):
    server, robot = arm
    server.seconds = 30.0
    with pytest.raises(FailedError, match='more than 2 s'):
        robot.carry_out(STEP, [], None, Stop())
    assert server.cancelled == 1


@pytest.mark.parametrize('answer_after', [0.0, 1.0])
def test_robot_has_stopped_when_stopping_is_reported(arm, answer_after):
    """Also if it accepts the goal only after it was told to stop."""
    server, robot = arm
    server.seconds, server.answer_after = 30.0, answer_after
    stop = Stop()
    threading.Timer(0.5, stop.set, ['told to stop']).start()
    with pytest.raises(StoppedError, match='told to stop'):
        robot.carry_out(STEP, [], None, stop)
    assert (server.began, server.cancelled) == (1, 1)
