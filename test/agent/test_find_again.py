"""Where the objects of a plan are in a new frame."""

from dataclasses import replace

import numpy as np
import pytest

from kimi_ros.agent import Agent, DepthStatus, Frame, GroundedObject

LEFT, RIGHT = (0.10, 0.40, 0.20, 0.55), (0.70, 0.40, 0.80, 0.55)
CENTERS = {'left': (96.0, 228.0), 'right': (480.0, 228.0)}


@pytest.fixture
def agent(kit, catalogue, policy):
    return Agent(kit.FakeVlm({}, {'cup': [LEFT, RIGHT]}), catalogue, policy, planner='model')


def cup(point, **fields):
    return GroundedObject('o7', 'cup on the left', 1.0, True, point, None, **fields)


@pytest.mark.parametrize('side', ['left', 'right'])
def test_of_two_the_one_nearest_to_where_it_is_expected_is_taken(agent, frame, side):
    x, y = CENTERS[side]
    (found,) = agent.find_objects([cup((x + 40, y - 20))], frame)
    assert found.id == 'o7' and found.label == 'cup on the left'
    assert found.point == pytest.approx(CENTERS[side], abs=2)


def test_metres_count_more_than_pixels(agent, kit):
    depth = np.full((480, 640), 1.0, np.float32)
    intrinsics = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
    frame = Frame(kit.picture(), depth=depth, intrinsics=intrinsics)
    both = agent.find_objects(
        [cup(CENTERS['left']), replace(cup(CENTERS['right']), id='o8')], frame
    )
    assert {item.depth_status for item in both} == {DepthStatus.NO_TRANSFORM}
    right = next(item for item in both if item.id == 'o8')
    # It was seen on the left, and then put where the right one is.
    expected = cup(CENTERS['left'], position=right.position, position_frame=right.position_frame)
    (found,) = agent.find_objects([expected], frame)
    assert found.point == right.point and found.position == right.position


def test_what_is_gone_is_left_out(agent, frame):
    assert agent.find_objects([replace(cup(CENTERS['left']), label='bowl')], frame) == ()
