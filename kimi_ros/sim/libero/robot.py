"""A LIBERO environment as a robot: calibrated RGB-D cameras, an arm, a gripper - and no more.

Poses and points are in the robot's base frame: x forward, y left, z up, metres. What the simulator
knows of the things on the table never leaves this module: `Robot.step` passes the arm's own state
on, by an allow-list.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np

from kimi_ros.sim.projection import intrinsics
from kimi_ros.sim.rendered_frame import RenderedFrame

CAMERAS = ('agentview', 'robot0_eye_in_hand')
"""The camera that looks at the table and the one at the wrist."""

WIDTH, HEIGHT = 640, 480
MAX_TRANSLATION = 0.05
"""Metres along an axis that an action of 1 asks for in one control step."""
MAX_ROTATION = 0.5
"""Radians about an axis that an action of 1 asks for in one control step."""

OWN_STATE = ('robot0_eef_pos', 'robot0_eef_quat', 'robot0_gripper_qpos', 'robot0_joint_pos')
"""What the environment may tell: the arm's own sensors."""
_OPTICAL = np.diag([1.0, -1.0, -1.0])  # MuJoCo's cameras look along -z, y up


class OutOfSteps(RuntimeError):
    """The control steps that a task may take are used up."""


@dataclasses.dataclass(frozen=True)
class ArmState:
    """The arm's own state.

    :ivar position: float64 (3,), of the point between the fingertips, metres in the base frame.
    :ivar rotation: float64 (3, 3), hand -> base; the fingers close along the hand's y axis and
        point along its z axis.
    :ivar opening: metres between the fingers, 0 to 0.08.
    :ivar joints: float64 (7,), angles in radians.
    """

    position: np.ndarray
    rotation: np.ndarray
    opening: float
    joints: np.ndarray


class Robot:
    """An arm with two cameras; see the module.

    :ivar steps: control steps so far.
    :ivar on_step: called after each; what it raises ends the skill that moves the arm.
    """

    def __init__(self, env, step_limit: int):
        """Take an environment as it is.

        :param env: an environment of LIBERO that has been reset.
        :param step_limit: control steps before OutOfSteps is raised.
        """
        self._env = env
        self._origin = np.array(env.robots[0].base_pos, float)
        self._limit = step_limit
        self._observation = own_state(env.env._get_observations())
        self.steps = 0
        self.on_step: Callable[[], None] = lambda: None

    @property
    def arm(self) -> ArmState:
        """Return the state after the last control step."""
        seen = self._observation
        return ArmState(
            seen['robot0_eef_pos'] - self._origin,
            _rotation(seen['robot0_eef_quat']),
            float(abs(np.subtract(*seen['robot0_gripper_qpos']))),
            seen['robot0_joint_pos'],
        )

    def step(self, action: np.ndarray) -> None:
        """Take one control step of 50 ms.

        :param action: (7,), each clipped to -1 to 1: the hand's translation (3) in units of
            MAX_TRANSLATION and its rotation vector (3) in units of MAX_ROTATION, both along the
            base frame's axes, and the gripper's command, where -1 opens and 1 closes.
        :raises OutOfSteps: when the task's control steps are used up.
        """
        if self.steps >= self._limit:
            raise OutOfSteps(f'the {self._limit} control steps of the task are used up')
        observation, *_ = self._env.step(np.clip(action, -1, 1))
        self._observation = own_state(observation)
        self.steps += 1
        self.on_step()

    def observe(self, camera: str = CAMERAS[0]) -> RenderedFrame:
        """Take an image, uint8 (480, 640, 3), with depth, calibration and pose in the base frame.

        :param camera: one of CAMERAS.
        :raises ValueError: for another camera.
        """
        if camera not in CAMERAS:
            raise ValueError(f'{camera!r} is no camera: give one of {", ".join(CAMERAS)}')
        sim = self._env.sim
        rgb, buffer = sim.render(camera_name=camera, width=WIDTH, height=HEIGHT, depth=True)
        # Rows come bottom up.
        rgb, depth = np.ascontiguousarray(rgb[::-1]), self._metres(buffer[::-1])
        return RenderedFrame(rgb, depth, None, *self.calibration(camera))

    def calibration(self, camera: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a camera's intrinsics, (3, 3) in pixels, and its pose now, (4, 4).

        The pose takes points of the optical frame to the base frame.
        """
        sim = self._env.sim
        number = sim.model.camera_name2id(camera)
        pose = np.eye(4)
        pose[:3, :3] = sim.data.cam_xmat[number].reshape(3, 3) @ _OPTICAL
        pose[:3, 3] = sim.data.cam_xpos[number] - self._origin
        field_of_view = math.radians(float(sim.model.cam_fovy[number]))
        return intrinsics(field_of_view, WIDTH, HEIGHT), pose

    def _metres(self, buffer: np.ndarray) -> np.ndarray:
        """Return metres along the optical axis of a z-buffer in 0-1; 0 where nothing was hit."""
        model = self._env.sim.model
        far = model.vis.map.zfar * model.stat.extent
        near = model.vis.map.znear * model.stat.extent
        depth = near / (1 - buffer * (1 - near / far))
        return np.where(buffer < 1, depth, 0).astype(np.float32)


def own_state(observation: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what a robot's own sensors tell, float64: all about the things is left out."""
    return {name: np.array(observation[name], float) for name in OWN_STATE}


def _rotation(quaternion: np.ndarray) -> np.ndarray:
    """Return the rotation matrix of a quaternion (x, y, z, w)."""
    x, y, z, w = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
