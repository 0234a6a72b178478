"""The simulator behind a robot: it sets up the scene and detects success. For evaluations alone.

What perceives, plans or acts is given `World.robot` and never a World.
"""

from __future__ import annotations

import os

import numpy as np

from kimi_ros.sim.gl import choose_backend
from kimi_ros.sim.libero.benchmark import Task, require_libero
from kimi_ros.sim.libero.robot import HEIGHT, OWN_STATE, WIDTH, Robot

_SETTLE = 10  # control steps in which things come to rest before a task begins, as is the custom
_WAIT = np.array([0, 0, 0, 0, 0, 0, -1.0])


class _SuccessMonitor:
    """An environment that notes whether the task succeeded, as published evaluations do."""

    def __init__(self, env):
        self.env, self.sim, self.robots = env.env, env.sim, env.robots
        self._step = env.step
        self.done = False

    def step(self, action: np.ndarray) -> tuple:
        observation, reward, done, info = self._step(action)
        self.done = self.done or bool(done)
        return observation, reward, done, info


class World:
    """A task's scene; a context manager.

    :ivar task: the current one.
    :ivar robot: of the episode that was begun last; not set before the first.
    """

    robot: Robot

    def __init__(self, task: Task):
        """Build the scene.

        :param task: of any suite.
        :raises LiberoNotInstalled: without the benchmark.
        :raises GLNotAvailable: where nothing can render.
        """
        require_libero()
        # PyOpenGL takes its platform from here when robosuite imports it.
        os.environ['PYOPENGL_PLATFORM'] = choose_backend()
        from libero.libero.envs.env_wrapper import ControlEnv

        self.task = task
        self._env = ControlEnv(
            bddl_file_name=str(task.file),
            use_camera_obs=False,
            has_offscreen_renderer=True,
            horizon=10_000,  # the robot counts its steps itself
            hard_reset=False,  # the model stays the same: only the state is set
        )
        # What nobody reads need not be computed 500 times a second.
        sensors = self._env.env._observables
        for name in set(sensors) - set(OWN_STATE):
            del sensors[name]

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the simulator."""
        self._env.close()

    def switch_task(self, task: Task) -> bool:
        """Switch to another task if it is of the same scene; tell whether it is.

        A scene is built in seconds to minutes, and the tasks of some suites share one.
        """
        problem = _problem(task)
        if _scene(problem) != _scene(self._env.env.parsed_problem):
            return False
        self.task = task
        self._env.env.parsed_problem = problem
        return True

    def begin(self, number: int) -> Robot:
        """Set the scene to one of the task's initial states and return its robot.

        :param number: of the initial state, as `Task.initial_state` takes it.
        """
        self._env.reset()
        self._env.set_init_state(self.task.initial_state(number))
        for _ in range(_SETTLE):
            self._env.step(_WAIT)
        self._monitor = _SuccessMonitor(self._env)
        self.robot = Robot(self._monitor, self.task.step_limit)
        return self.robot

    def is_done(self) -> bool:
        """Tell whether the benchmark's own success condition held after any control step."""
        return self._monitor.done

    def segmentation(self, camera: str) -> tuple[np.ndarray, dict[int, tuple[str, str]]]:
        """Return the geom of each pixel, int32 (H, W), -1 elsewhere, and the names by geom.

        The names are (body, geom): a drawer is a body of its cabinet.

        :param camera: one of `kimi_ros.sim.libero.robot.CAMERAS`.
        """
        sim = self._env.sim
        drawn = sim.render(camera_name=camera, width=WIDTH, height=HEIGHT, segmentation=True)[::-1]
        import mujoco

        is_geom = drawn[..., 0] == mujoco.mjtObj.mjOBJ_GEOM
        names = {
            number: (
                sim.model.body_id2name(int(sim.model.geom_bodyid[number])) or '',
                sim.model.geom_id2name(number) or '',
            )
            for number in map(int, np.unique(drawn[..., 1][is_geom]))
        }
        return np.where(is_geom, drawn[..., 1], -1).astype(np.int32), names

    def region(self, name: str, least: float = 0.0) -> np.ndarray | None:
        """Return the upper corners of a region of the benchmark.

        :param least: half of each horizontal side, metres, at least.
        :return: float64 (4, 3), metres in the base frame; None where the scene has no such region.
        """
        sim = self._env.sim
        if name not in self._env.env.object_sites_dict:
            return None
        number = sim.model.site_name2id(name)
        half = np.maximum(sim.model.site_size[number], [least, least, 0])
        signs = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T
        corners = signs * half @ sim.data.site_xmat[number].reshape(3, 3).T
        corners += sim.data.site_xpos[number] - self._env.robots[0].base_pos
        return corners[np.argsort(-corners[:, 2], kind='stable')[:4]]

    @property
    def goal(self) -> tuple[tuple[str, ...], ...]:
        """Return the predicates that must hold at the end: ('on', thing, place), ..."""
        return tuple(tuple(state) for state in self._env.env.parsed_problem['goal_state'])


def _problem(task: Task) -> dict:
    from libero.libero.envs.bddl_utils import robosuite_parse_problem

    return robosuite_parse_problem(str(task.file))


def _scene(problem: dict) -> tuple:
    """Return what a scene is built of: where movable things are is an initial state's business."""
    movable = {name for names in problem['objects'].values() for name in names}
    standing = [state for state in problem['initial_state'] if state[1] not in movable]
    built = ('problem_name', 'fixtures', 'regions', 'objects', 'scene_properties')
    return (*(problem[part] for part in built), standing)
