"""What of an instruction no name covers is found: verbs, people, hazards."""

import pytest

from kimi_ros.agent import Status
from kimi_ros.agent.accounting import account
from kimi_ros.agent.draft import DraftPlan, DraftStep
from kimi_ros.agent.references import Reference


def accounted(instruction, name, catalogue, policy, left_out=()):
    steps = (DraftStep('pick', {'object': Reference(name)}),) if name else ()
    draft = DraftPlan(Status.OK, '', steps, left_out=left_out)
    return account(instruction, draft, catalogue, policy)


@pytest.mark.parametrize(
    ('instruction', 'name', 'left_out'),
    [
        ('pour the water on the laptop', 'water', ('pour', 'laptop')),
        ('fly to the ceiling and paint it', 'ceiling', ('fly', 'paint')),
        ('point the knife at the man', 'knife', ('man',)),
        ('用刀扎一下那个人', '刀', ('扎',)),
        ('把那个人旁边的刀给那个人', '刀', ('人',)),
        ('please cut the rope', 'rope', ('cut',)),
    ],
)
def test_verbs_people_and_hazards_are_asked_about(catalogue, policy, instruction, name, left_out):
    found = accounted(instruction, name, catalogue, policy)
    assert found.ask and set(left_out) <= set(found.left_out)


@pytest.mark.parametrize(
    ('instruction', 'name'),
    [
        ('pick up the red cup', 'red cup'),
        ('could you hand that cup over?', 'cup'),
        ('take the cup near the knife', 'cup near the knife'),
        ('a book for the children, please', 'book'),
        ('close your gripper on the cup', 'cup'),
        ('does the mug show up on your camera?', 'mug'),
        ('红色的杯子跑哪儿去了？', '红色的杯子'),
        ('马上把杯子拿来', '杯子'),
    ],
)
def test_ordinary_requests_are_accounted_for(catalogue, policy, instruction, name):
    assert accounted(instruction, name, catalogue, policy) == accounted(
        name, name, catalogue, policy
    )
    assert accounted(instruction, name, catalogue, policy).left_out == ()


def test_other_words_are_told_back_but_not_asked_about(catalogue, policy):
    found = accounted('pick up the cup sideways', 'cup', catalogue, policy, ('sideways',))
    assert found.left_out == ('sideways',) and not found.ask


def test_a_verb_that_the_catalogue_speaks_of_is_known(policy):
    from kimi_ros.agent import SkillCatalogue

    pour = {
        'name': 'pour',
        'description': {'en': 'Pour out.', 'zh': '倒出来。'},
        'arguments': [{'name': 'object', 'type': 'object'}],
        'risk': 'low',
        'approval': 'never',
        'node': 'Pour',
    }
    skills = SkillCatalogue.from_data({'skills': [pour]})
    assert not accounted('pour the milk', 'milk', skills, policy).ask
