"""The node `libero_robot`: an arm of the benchmark LIBERO as a robot on ROS.

It publishes what a real one would: pictures with depth and calibration of the camera that looks at
the table and, below `wrist/`, of the one at the wrist; their poses and the hand's on TF; the arm's
`joint_states`. The action `execute_skill` (kimi_msgs/ExecuteSkill) carries out one skill of
`kimi_ros.sim.libero`; then the arm moves out of the camera's view. What the simulator knows of the
things on the table is on no topic.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Protocol, TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState

from kimi_msgs.action import ExecuteSkill
from kimi_ros.nodes import qos
from kimi_ros.nodes.camera_topics import CameraTopics, keep_rate
from kimi_ros.nodes.parameters import LIBERO_ROBOT_PARAMETERS, declare_parameters
from kimi_ros.nodes.resting_views import NotKeptError, RestingViews
from kimi_ros.nodes.runner import run_node
from kimi_ros.nodes.skill_server import SkillServer, SkillStopped
from kimi_ros.nodes.stamps import nanoseconds
from kimi_ros.nodes.transforms import MovingTransforms
from kimi_ros.sim import GLNotAvailable
from kimi_ros.sim.libero.benchmark import LiberoNotInstalled
from kimi_ros.sim.libero.executor import Executor
from kimi_ros.sim.libero.points import Target
from kimi_ros.sim.libero.robot import CAMERAS, ArmState, Robot
from kimi_ros.sim.libero.stage import Stage

JOINTS = (*(f'panda_joint{i}' for i in range(1, 8)), 'panda_finger_joint1', 'panda_finger_joint2')
"""Names in `joint_states`: angles in radians, and each finger's way in metres."""

_HAND = 'hand'
_T = TypeVar('_T')


class Simulator(Protocol):
    """What the node needs of a `kimi_ros.sim.libero.stage.Stage`."""

    def begin(self, suite: str, task: int, state: int, step_limit: int, verdict: str) -> Robot:
        """Build a scene and return its robot."""

    def run(self, function: Callable[[], _T]) -> _T:
        """Call a function in the thread in which the robot may be used."""

    def close(self) -> None:
        """Free it."""


class LiberoRobot(Node):
    """The arm, its two cameras, and the action that moves it."""

    def __init__(self, simulator: Simulator, **options: Any) -> None:
        """Build the scene that the parameters name, which takes seconds to minutes.

        :param simulator: not begun; the node closes it in the end.
        :param options: of rclpy.node.Node: context, namespace, parameter_overrides, ...
        :raises ValueError: the scene cannot be built; the message says why.
        """
        super().__init__('libero_robot', **options)
        declare_parameters(self, LIBERO_ROBOT_PARAMETERS)
        self._simulator = simulator
        names = ('suite', 'task', 'state', 'step_limit', 'verdict')
        try:
            self._robot = simulator.begin(*(self._value(name) for name in names))
        except (GLNotAvailable, LiberoNotInstalled) as error:
            raise ValueError(str(error)) from None
        self._home = self._robot.arm
        self._robot.on_step = self._on_step
        self._arm_executor = Executor(self._robot)
        frame, depth = self._value('frame_id'), self._value('depth')
        self._frames = dict(zip(CAMERAS, (frame, f'wrist_{frame}'), strict=True))
        self._table = CameraTopics(self, self._frames[CAMERAS[0]], depth)
        self._wrist = CameraTopics(self, self._frames[CAMERAS[1]], depth, 'wrist/')
        self._transforms = MovingTransforms(self, self._value('base_frame'))
        self._joints = self.create_publisher(
            JointState, 'joint_states', qos.STATUS, qos_overriding_options=qos.overridable()
        )
        self._views = RestingViews()
        self._lock = Lock()
        self._moves = True  # then the arm's steps publish, else the timer does
        self._cancelled: Callable[[], bool] = lambda: False
        self._ends = False
        simulator.run(self._come_to_rest)
        self._server = SkillServer(self, self._value('base_frame'), self._act)
        self.get_logger().info(
            f'task {self._value("task")} of {self._value("suite")}, state {self._value("state")}'
        )
        self._timer = self.create_timer(1.0 / self._value('rate'), self._publish_at_rest)

    def make_executor(self) -> MultiThreadedExecutor:
        """Return an executor for this node."""
        return MultiThreadedExecutor(4, context=self.context)

    def drain(self, timeout: float) -> None:
        """Stop the arm after its control step.

        :param timeout: not needed: a control step is short.
        """
        self._ends = True
        self._simulator.run(lambda: None)

    def destroy_node(self) -> None:
        """Free the simulator, too."""
        self.drain(0.0)
        self._simulator.close()
        super().destroy_node()

    # The action.

    def _act(self, goal: ExecuteSkill.Goal, cancelled: Callable[[], bool]) -> str:
        """Carry out a skill; returns why that failed, or ''."""
        if len(goal.boxes) not in (0, 4 * len(goal.targets)):
            return f'boxes must be empty or hold 4 numbers a target, not {len(goal.boxes)} in all'
        try:
            targets = [self._target(goal, index) for index in range(len(goal.targets))]
        except NotKeptError as error:
            return str(error)
        self._cancelled = cancelled
        return self._simulator.run(lambda: self._carry_out(goal.skill, targets))

    def _target(self, goal: ExecuteSkill.Goal, index: int) -> Target:
        pose = goal.targets[index]
        point = pose.pose.position
        box = tuple(float(side) for side in goal.boxes[4 * index : 4 * index + 4])
        seen = len(box) == 4 and all(map(math.isfinite, box))
        return Target(
            self._views.at(nanoseconds(pose.header.stamp)),
            np.array([point.x, point.y, point.z]),
            (box[0], box[1], box[2], box[3]) if seen else None,
        )

    def _carry_out(self, skill: str, targets: Sequence[Target]) -> str:
        """Carry out a skill and take the arm out of the camera's view; in the simulator's thread.

        :raises SkillStopped: it was cancelled.
        """
        with self._lock:
            self._moves = True
            self._views.end(self._now())
        try:
            result = self._arm_executor.execute(skill, targets)
            self._arm_executor.rest(self._home)
        finally:
            self._come_to_rest()
        return '' if result.succeeded else result.reason

    def _on_step(self) -> None:
        """Publish where the arm is after a control step and, now and then, what is seen."""
        if self._ends or self._cancelled():
            raise SkillStopped('the arm stands still where it was')
        self._take_state()
        stamp = self.get_clock().now().to_msg()  # nothing moves until this returns
        self._publish_state(stamp)
        if self._robot.steps % self._value('steps_per_image') == 0:
            for camera, topics in zip(CAMERAS, (self._table, self._wrist), strict=True):
                if topics.wanted():  # what nobody sees is not drawn
                    topics.show(self._robot.observe(camera))
                    topics.publish(stamp)

    # What is published.

    def _come_to_rest(self) -> None:
        """Look once at what the timer publishes from now on; in the simulator's thread."""
        self._take_state()
        table, wrist = (self._robot.observe(camera) for camera in CAMERAS)
        with self._lock:
            self._table.show(table)
            self._wrist.show(wrist)
            self._views.begin(table, self._now())
            self._moves = False

    def _publish_at_rest(self) -> None:
        with self._lock:
            if not self._moves:
                stamp = self.get_clock().now().to_msg()
                self._publish_state(stamp)
                self._table.publish(stamp)
                self._wrist.publish(stamp)
        keep_rate(self._timer, self._value('rate'))

    def _take_state(self) -> None:
        """Ask the arm where it and its cameras are; in the simulator's thread."""
        arm = self._robot.arm
        self._arm = arm
        self._poses = {
            _HAND: _pose_of(arm),
            **{frame: self._robot.calibration(name)[1] for name, frame in self._frames.items()},
        }

    def _publish_state(self, stamp: Time) -> None:
        arm = self._arm
        message = JointState(name=JOINTS)
        message.header.stamp = stamp
        message.position = [*arm.joints.tolist(), arm.opening / 2, arm.opening / 2]
        self._joints.publish(message)
        self._transforms.publish(self._poses, stamp)

    def _now(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _value(self, name: str) -> Any:
        return self.get_parameter(name).value


def _pose_of(arm: ArmState) -> np.ndarray:
    """Return the pose of the point between the fingertips, (4, 4), hand -> base."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = arm.rotation, arm.position
    return pose


def main(args: Sequence[str] | None = None) -> int:
    """Run the robot until it is interrupted."""
    return run_node(lambda: LiberoRobot(Stage()), LiberoRobot.make_executor, args)


if __name__ == '__main__':
    sys.exit(main())
