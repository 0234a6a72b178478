"""Where things are by their names: all of them, with relations; nothing is planned."""

import pytest

from kimi_ros.agent import Agent
from kimi_ros.agent.overview import overview

LEFT, RIGHT, BOWL = (0.10, 0.40, 0.20, 0.55), (0.70, 0.40, 0.80, 0.55), (0.40, 0.40, 0.55, 0.55)


@pytest.fixture
def vlm(kit):
    things = {'cup': [LEFT, RIGHT], 'bowl': [BOWL], '杯子': [LEFT], 'cup left of the bowl': [LEFT]}
    return kit.FakeVlm({}, things)


@pytest.fixture
def agent(vlm, catalogue, policy):
    return Agent(vlm, catalogue, policy, planner='model')


def test_all_of_a_kind_are_found_and_called_as_they_were_asked_for(agent, vlm, frame):
    found = agent.locate(['cup', 'bowl', 'kettle', '杯子'], frame)
    assert [o.label for o in found] == ['cup', 'cup', 'bowl', '杯子']
    assert len({o.id for o in found}) == 4 and all(o.verified for o in found)
    assert found[0].box == pytest.approx((64, 192, 128, 264))
    assert vlm.encoded == 1


def test_relation_tells_two_apart(agent, frame):
    (found,) = agent.locate(['cup left of the bowl'], frame)
    assert found.label == 'cup left of the bowl' and found.point[0] < 200


def test_missing_landmark_means_that_nothing_is_found(agent, frame):
    assert agent.locate(['cup left of the kettle'], frame) == ()


def test_an_overview_asks_about_an_image_that_is_encoded_once(agent, vlm, frame):
    vlm.description = 'I see a cup, a bowl and a kettle.'
    plan = overview(agent, frame)
    assert plan.say == vlm.description and vlm.encoded == 1
    assert [o.label for o in plan.objects] == ['cup', 'cup', 'bowl']
