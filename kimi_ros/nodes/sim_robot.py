"""The node `sim_robot`: a simulated table with a robot at it, whose camera shows what was done.

The topics are those of `sim_camera`; the action `execute_skill` (kimi_msgs/ExecuteSkill) picks,
places and points by position alone.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from kimi_msgs.action import ExecuteSkill
from kimi_ros.nodes import qos
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.sim_camera import SimCamera
from kimi_ros.sim import RenderedFrame, Renderer, sample_scene
from kimi_ros.sim.executor import SimulatedRobot

_OUT_OF_VIEW = (-5.0, 0.0, 5.0)  # where what the hand holds is drawn
_SKILLS = ('locate', 'pick', 'place')


class SimRobot(SimCamera):
    """A camera over a table, and a hand; publishes what the hand did on `sim/state` as JSON."""

    def __init__(self) -> None:
        self._changed = Lock()
        super().__init__('sim_robot')
        self._state = self.create_publisher(String, 'sim/state', qos.LATCHED)
        self._publish_state('')
        self._server = ActionServer(
            self,
            ExecuteSkill,
            'execute_skill',
            self._execute,
            callback_group=ReentrantCallbackGroup(),
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def make_executor(self) -> MultiThreadedExecutor:
        """Return an executor for this node."""
        return MultiThreadedExecutor(3, context=self.context)

    def _render(self, seed: int) -> dict[str, Image | CameraInfo]:
        self._scene = sample_scene(seed)
        self._robot = SimulatedRobot(self._scene)
        frame = self._draw()
        messages = self._messages_of(frame)
        self._publish_pose(frame)
        self.get_logger().info(f'publishing scene {seed} at {self._value("rate"):g} Hz')
        return messages

    def _draw(self) -> RenderedFrame:
        """Return what the camera sees now.

        A context of OpenGL belongs to its thread, and each action has one of its own.
        """
        things = tuple(
            dataclasses.replace(thing, position=_OUT_OF_VIEW)
            if index == self._robot.held
            else thing
            for index, thing in enumerate(self._robot.things)
        )
        with Renderer(self._value('width'), self._value('height')) as renderer:
            return renderer.render(dataclasses.replace(self._scene, objects=things))

    def _execute(self, handle: Any) -> ExecuteSkill.Result:
        goal, base = handle.request, self._value('base_frame')
        handle.publish_feedback(ExecuteSkill.Feedback(state=f'{goal.skill} begins'))
        reason = ''
        if goal.skill not in _SKILLS:
            reason = f'the simulated robot can {", ".join(_SKILLS)}, not {goal.skill}'
        elif not goal.targets or any(p.header.frame_id != base for p in goal.targets):
            reason = f'targets must be given in {base}'
        else:
            point = goal.targets[-1].pose.position  # to place is to go to the target
            with self._changed:
                done = getattr(self._robot, goal.skill)((point.x, point.y, point.z))
                reason = '' if done.succeeded else done.reason
                self._messages = self._messages_of(self._draw())
        self._publish_state(goal.skill)
        result = ExecuteSkill.Result(error_msg=reason)
        result.error_code = result.FAILED if reason else result.NONE
        if handle.is_cancel_requested:
            handle.canceled()
        elif reason:
            handle.abort()
        else:
            handle.succeed()
        return result

    def _publish_state(self, skill: str) -> None:
        """Publish what the hand holds and what rests on what, by the objects' indices."""
        robot = self._robot
        state = {
            'skill': skill,
            'held': robot.held,
            'located': robot.located,
            'fallen': sorted(robot.disturbed),
            'supports': [thing.support for thing in robot.things],
            'positions': np.round([t.position for t in robot.things], 3).tolist(),
        }
        self._state.publish(String(data=json.dumps(state)))


def main(args: Sequence[str] | None = None) -> int:
    """Run the robot until it is interrupted."""
    return run_node(SimRobot, SimRobot.make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
