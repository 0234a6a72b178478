"""The action `execute_skill` (kimi_msgs/ExecuteSkill) of a simulated robot."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from kimi_msgs.action import ExecuteSkill


class SkillStopped(Exception):
    """A skill was cancelled, and the robot stands still; the message says where that leaves it."""


class SkillServer:
    """Carries out one goal at a time; another one that comes meanwhile fails."""

    def __init__(
        self,
        node: Node,
        base_frame: str,
        act: Callable[[ExecuteSkill.Goal, Callable[[], bool]], str],
    ):
        """Create the action server.

        :param base_frame: in which targets must be given.
        :param act: carries out a goal whose targets are in that frame; returns why that failed, or
            ''. It is given what tells whether to stop, and then raises SkillStopped.
        """
        self._logger = node.get_logger()
        self._base_frame, self._act = base_frame, act
        self._busy = Lock()
        self._server = ActionServer(
            node,
            ExecuteSkill,
            'execute_skill',
            self._execute,
            callback_group=ReentrantCallbackGroup(),
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def _execute(self, handle: Any) -> ExecuteSkill.Result:
        goal = handle.request
        handle.publish_feedback(ExecuteSkill.Feedback(state=f'{goal.skill} begins'))
        try:
            reason = self._reason(goal, lambda: handle.is_cancel_requested)
        except SkillStopped as stopped:
            end = handle.canceled if handle.is_cancel_requested else handle.abort
            reason = f'cancelled: {stopped}'
        except Exception as error:  # the robot has to be there for the next goal
            end, reason = handle.abort, f'{type(error).__name__}: {error}'
            self._logger.error(f'{goal.skill} failed: {reason}')
        else:
            end = handle.abort if reason else handle.succeed
        result = ExecuteSkill.Result(error_msg=reason)
        result.error_code = result.FAILED if reason else result.NONE
        end()
        return result

    def _reason(self, goal: ExecuteSkill.Goal, cancelled: Callable[[], bool]) -> str:
        """Carry a goal out; return why that failed, or ''."""
        base = self._base_frame
        if not goal.targets:
            return f'{goal.skill} came without a target, and this robot does nothing without one'
        if any(pose.header.frame_id != base for pose in goal.targets):
            return f'targets must be given in {base}'
        if not self._busy.acquire(blocking=False):
            return 'the robot is still busy with another step'
        try:
            return self._act(goal, cancelled)
        finally:
            self._busy.release()
