"""The robot's actions: sending a goal, waiting for its end, and cancelling it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Time
from rclpy.action import ActionClient
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from kimi_msgs.msg import GroundedObject, PlanStep
from kimi_ros.agent import SkillCatalogue
from kimi_ros.nodes.executor_actions import SkillAction
from kimi_ros.nodes.plan_execution import FailedError, Stop, StoppedError

ANSWER_TIMEOUT = 5.0  # seconds that a server has to appear, and to answer
_CANCEL_TIMEOUT = 5.0  # seconds that a cancelled action has to end
_STEP_TIMEOUT = 60.0  # seconds, where the skill has no limit timeout_s
_POLL_PERIOD = 0.05
_STATUS = {value: name.lower() for name, value in vars(GoalStatus).items() if 'STATUS_' in name}


class RobotActions:
    """Carries out steps by the action that is named for each skill."""

    def __init__(
        self,
        node: Node,
        actions: Mapping[str, SkillAction],
        catalogue: SkillCatalogue,
        group: CallbackGroup,
    ):
        """Create a client for each action.

        :param catalogue: of the skills, for their `timeout_s`.
        """
        self._actions = actions
        self._catalogue = catalogue
        self._ending: Any = Future()  # of the action that was told to end
        self._ending.set_result(None)
        self._clients: dict[str, Any] = {
            skill: ActionClient(node, action.kind, action.name, callback_group=group)
            for skill, action in actions.items()
        }

    def destroy(self) -> None:
        """Destroy the clients."""
        for client in self._clients.values():
            client.destroy()

    def carry_out(
        self,
        step: PlanStep,
        objects: Sequence[GroundedObject],
        stamps: Mapping[str, Time],
        stop: Stop,
    ) -> None:
        """Send a step's goal and wait until it has succeeded.

        :raises StoppedError: once the action has been told to end, and did.
        :raises FailedError: naming what went wrong; also where an action that was told to end did
            not, until it has.
        :raises ActionsError: no goal can be made of the step.
        """
        action, client = self._actions[step.skill], self._clients[step.skill]
        if not self._ending.done():
            raise FailedError('the action that was told to end has not ended: it may still move')
        goal = action.goal(step, objects, stamps)
        missing = f'there is no action server {action.name}'
        wait(client.server_is_ready, stop, ANSWER_TIMEOUT, missing)
        limit = float(self._catalogue[step.skill].limits.get('timeout_s', _STEP_TIMEOUT))
        accepted = client.send_goal_async(goal)
        try:
            wait(accepted.done, stop, ANSWER_TIMEOUT, f'no answer from {action.name}')
            if not accepted.result().accepted:
                raise FailedError(f'{action.name} rejected the goal')
            result = accepted.result().get_result_async()
            wait(result.done, stop, limit, f'{step.skill} took more than {limit:g} s')
        except (StoppedError, FailedError) as error:
            self._ending = _cancel(accepted)
            if not self._ending.done():
                raise FailedError(
                    f'{error}; {action.name} did not end: it may still move'
                ) from error
            raise
        answer = result.result()
        if answer.status != GoalStatus.STATUS_SUCCEEDED or getattr(answer.result, 'error_code', 0):
            reason = getattr(answer.result, 'error_msg', '') or _STATUS[answer.status]
            raise FailedError(f'{step.skill} failed: {reason}')


def wait(done: Callable[[], bool], stop: Stop, timeout: float, failure: str) -> None:
    """Wait until `done()` is true.

    :param timeout: seconds.
    :raises StoppedError: it was called off.
    :raises FailedError: with `failure`, after the timeout.
    """
    deadline = time.monotonic() + timeout
    while not done():
        stop.check()
        if time.monotonic() > deadline:
            raise FailedError(failure)
        stop.wait(_POLL_PERIOD)
    stop.check()


def _cancel(accepted: Any) -> Any:
    """Cancel a goal that was sent, also one that is accepted only now, and let it end.

    Returns a future that is done once it has.
    """
    deadline = time.monotonic() + _CANCEL_TIMEOUT

    def wait_for(future: Any) -> None:
        while not future.done() and time.monotonic() < deadline:
            time.sleep(_POLL_PERIOD)

    wait_for(accepted)
    if not accepted.done():  # the server hangs: cancel if it ever accepts
        accepted.add_done_callback(_cancel_accepted)
        return accepted
    if not accepted.result().accepted:
        return accepted
    accepted.result().cancel_goal_async()
    result = accepted.result().get_result_async()
    wait_for(result)
    return result


def _cancel_accepted(future: Any) -> None:
    if future.result().accepted:
        future.result().cancel_goal_async()
