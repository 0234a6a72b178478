"""What will be done is told in plain words, also where it was asked for in others."""

import pytest

from kimi_ros.agent import SkillCatalogue
from kimi_ros.agent.planners import PlanRequest, make_planner
from kimi_ros.resources import share


@pytest.fixture(scope='module')
def planner():
    return make_planner('reader', None, SkillCatalogue.load(share('config/skills.yaml')))


@pytest.mark.parametrize(
    ('said', 'told'),
    [
        ('put the red cup in the bowl', 'I will put the red cup in the bowl.'),
        ("I'd rather you took the red cup", 'I will take the red cup.'),
        ("I'd like the cup to be in the bowl", 'I will put the cup in the bowl.'),
        ('could the red cup be put in the bowl', 'I will put the red cup in the bowl.'),
        ('would you mind handing me the cup', 'I will hand you the cup.'),
        ('I need the blue cup please', 'I will pick up the blue cup.'),
        ('把红色的杯子拿起来', '我来把红色的杯子拿起来。'),
        ('我想要那个红色的杯子', '我来把那个红色的杯子拿起来。'),
        ('红色的杯子应该放到碗里', '我来把红色的杯子放到碗里。'),
    ],
)
def test_wishes_and_passives_are_told_as_what_will_be_done(planner, said, told):
    language = 'en' if said.isascii() else 'zh'
    assert planner.draft(PlanRequest(said, language)).say == told


def test_a_skill_that_takes_nothing_is_told_as_its_file_says(planner):
    said = planner.draft(PlanRequest('describe what you see', 'en')).say
    assert said == 'I will do this: say what is in view.'
