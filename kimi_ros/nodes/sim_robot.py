"""The node `sim_robot`: a simulated table with a robot at it, whose camera shows what was done.

The topics are those of `sim_camera`; the action `execute_skill` (kimi_msgs/ExecuteSkill) picks,
places and points by position alone. Every step takes `step_seconds`, in which it can be cancelled.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from threading import Event, Lock

import numpy as np
from rclpy.executors import MultiThreadedExecutor
from std_msgs.msg import String

from kimi_msgs.action import ExecuteSkill
from kimi_ros.nodes import qos
from kimi_ros.nodes.parameters import SIM_ROBOT_PARAMETERS, declare_parameters
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.sim_camera import SimCamera
from kimi_ros.nodes.skill_server import SkillServer, SkillStopped
from kimi_ros.sim import GLNotAvailable, RenderedFrame, Renderer, sample_scene
from kimi_ros.sim.executor import SimulatedRobot

_OUT_OF_VIEW = (-5.0, 0.0, 5.0)  # where what the hand holds is drawn
_SKILLS = ('locate', 'pick', 'place')
_POLL_PERIOD = 0.05  # seconds


class SimRobot(SimCamera):
    """A camera over a table, and a hand; publishes what the hand did on `sim/state` as JSON."""

    def __init__(self) -> None:
        self._changed = Lock()
        super().__init__('sim_robot')
        declare_parameters(self, SIM_ROBOT_PARAMETERS)
        self._state = self.create_publisher(
            String, 'sim/state', qos.LATCHED, qos_overriding_options=qos.overridable()
        )
        self._publish_state('')
        self._server = SkillServer(self, self._value('base_frame'), self._execute)

    def make_executor(self) -> MultiThreadedExecutor:
        """Return an executor for this node."""
        return MultiThreadedExecutor(3, context=self.context)

    def _first_view(self, seed: int) -> tuple[RenderedFrame, int]:
        self._scene = sample_scene(seed, 'full')  # the world that can be acted in
        self._robot = SimulatedRobot(self._scene)
        try:
            return self._draw(), seed
        except GLNotAvailable as error:
            raise ValueError(f'the simulated robot draws with OpenGL: {error}') from None

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

    def _execute(self, goal: ExecuteSkill.Goal, cancelled: Callable[[], bool]) -> str:
        """Take the time of a step, then move the hand; returns why that failed, or ''."""
        if goal.skill not in _SKILLS:
            return f'the simulated robot can {", ".join(_SKILLS)}, not {goal.skill}'
        pause = Event()
        for _ in range(round(self._value('step_seconds') / _POLL_PERIOD)):
            if cancelled():
                raise SkillStopped('nothing was moved')
            pause.wait(_POLL_PERIOD)
        point = goal.targets[-1].pose.position  # to place is to go to the target
        with self._changed:
            done = getattr(self._robot, goal.skill)((point.x, point.y, point.z))
            self._camera.show(self._draw())
            self._publish_state(goal.skill)
        return '' if done.succeeded else done.reason

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
