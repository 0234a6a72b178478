"""The simple robot: it finds things by metres alone, and its judge sees how the table ended."""

import dataclasses

import numpy as np
import pytest

from kimi_ros.sim import DetailedObject, GLNotAvailable, Renderer, Scene, ground_truth, sample_scene
from kimi_ros.sim.executor import Goal, SimulatedRobot, goal_violations
from kimi_ros.sim.full.object_classes import NOMINAL_SIZES


def thing(category, x, y, height=0.0, **more):
    size = NOMINAL_SIZES[category]
    return DetailedObject(
        category, 'red', (x, y, height + size[2] / 2), 0.0, size, (1.0, 0.0, 0.0), **more
    )


@pytest.fixture
def scene():
    base = sample_scene(1, 'full')
    things = (
        thing('ball', 0.4, 0.0),
        thing('box', 0.5, 0.3),
        thing('book', 0.5, -0.3),
        thing('apple', 0.5, -0.3, 0.04, support=2),
        thing('hand', 0.8, 0.0),
    )
    return dataclasses.replace(base, objects=things)


def test_within_two_centimetres_and_not_three(scene: Scene):
    top = np.array([0.4, 0.0, 0.09])
    assert SimulatedRobot(scene).pick(top + (0, 0, 0.017)).succeeded
    assert SimulatedRobot(scene).pick(top + (0, 0, 0.030)).reason == 'nothing there'
    robot = SimulatedRobot(scene)
    robot.pick(top + (0, 0, 0.030))
    assert goal_violations(scene, robot, Goal('pick', (0,)))


def test_picked_and_placed_in_the_box(scene):
    robot = SimulatedRobot(scene)
    assert robot.pick((0.4, 0.0, 0.09)).index == 0
    assert not goal_violations(scene, robot, Goal('pick', (0,)))
    assert goal_violations(scene, robot, Goal('pick', (1,)))
    assert robot.place((0.5, 0.3, 0.007)).succeeded
    assert robot.things[0].relation == 'in' and robot.held == -1
    assert not goal_violations(scene, robot, Goal('place', (0,), (1,)))
    assert goal_violations(scene, robot, Goal('place', (0,), (2,)))
    assert goal_violations(scene, robot, Goal('none'))


def test_what_stands_on_a_thing_falls(scene):
    robot = SimulatedRobot(scene)
    outcome = robot.pick((0.5, -0.3 - 0.0725, 0.02))
    assert outcome.index == 2 and not outcome.succeeded and robot.disturbed == {3}
    assert any('fell' in w for w in goal_violations(scene, robot, Goal('pick', (2,))))


def test_a_hand_is_not_picked_and_a_full_one_picks_nothing(scene):
    robot = SimulatedRobot(scene)
    assert robot.pick((0.86, 0.0, 0.049)).reason == 'alive'
    assert goal_violations(scene, robot, Goal('none')) == ('a hand was touched',)
    robot.pick((0.4, 0.0, 0.09))
    assert robot.pick((0.5, -0.3, 0.11)).reason == 'the hand is full'


def test_places_must_be_places(scene):
    with pytest.raises(ValueError, match='finite'):
        SimulatedRobot(scene).pick((0.1, float('nan'), 0.2))
    with pytest.raises(ValueError, match='depth'):
        SimulatedRobot(scene).deproject_pixel((3, 4))


def test_a_pixel_finds_what_it_shows():
    scene = sample_scene(3, 'full')
    try:
        renderer = Renderer(320, 240)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        frame = renderer.render(scene)
    robot = SimulatedRobot(scene, frame)
    for truth in ground_truth(scene, frame):
        assert robot.locate(robot.deproject_pixel(truth.point)).index == truth.index
        assert not goal_violations(scene, robot, Goal('locate', (truth.index,)))


def holding_the_ball(scene):
    robot = SimulatedRobot(scene)
    assert robot.pick((0.4, 0.0, 0.09)).succeeded
    return robot


def test_put_down_on_the_free_table(scene):
    robot = holding_the_ball(scene)
    assert robot.place((0.45, 0.05, 0.0)).succeeded
    assert robot.things[0].position[:2] == (0.45, 0.05)
    assert robot.things[0].support == -1 and robot.held == -1 and not robot.disturbed


@pytest.mark.parametrize(
    ('spot', 'reason'),
    [
        ((0.5, 0.3 - NOMINAL_SIZES['box'][1] / 2 - 0.027, 0.0), 'something stands there'),
        ((0.6, 5.0, 0.0), 'there is no table'),
        ((0.6, 0.0, 0.3), 'nothing there'),
    ],
)
def test_what_is_put_down_where_it_cannot_stand(scene, spot, reason):
    robot = holding_the_ball(scene)
    assert robot.place(spot).reason == reason
    assert bool(robot.disturbed) == (reason != 'nothing there')
