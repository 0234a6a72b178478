"""From steps to goals by the actions file."""

import math

import pytest

pytest.importorskip('kimi_msgs.msg', reason='kimi_msgs is not built: make setup')

from builtin_interfaces.msg import Time

from kimi_msgs.action import ExecuteSkill
from kimi_msgs.msg import GroundedObject, PlanStep
from kimi_ros.agent import SkillCatalogue
from kimi_ros.eval.libero.instructions import SKILLS_FILE
from kimi_ros.nodes.executor_actions import ActionsError, load_actions
from kimi_ros.resources import share

SKILLS = SkillCatalogue.load(share('config/skills.yaml'))


def thing(object_id, label, x):
    made = GroundedObject(id=object_id, label=label, position_frame='base_link')
    made.position.x, made.depth_status = x, made.DEPTH_OK
    made.box = [1.0, 2.0, 3.0, 4.0]
    return made


THINGS = [thing('o1', 'cup', 0.5), thing('o2', 'bowl', 0.7)]
STEP = PlanStep(
    skill='place', object_ids=['o1', 'o2'],
    arguments_json='{"object": "o1", "target": "o2"}',
)  # fmt: skip


STAMPS = dict.fromkeys((item.id for item in THINGS), Time(sec=7))


@pytest.fixture
def goal(tmp_path):
    """Return the goal that a line of YAML makes of a step."""

    def make(fields, kind='kimi_msgs/action/ExecuteSkill', things=THINGS):
        file = tmp_path / 'actions.yaml'
        file.write_text(f'actions: {{place: {{type: {kind}, name: go, goal: {fields}}}}}')
        return load_actions(file, SKILLS)['place'].goal(STEP, things, STAMPS)

    return make


def test_file_of_the_package_holds_the_skills_of_the_simulated_table():
    actions = load_actions(share('config/executor.yaml'), SKILLS)
    assert set(actions) == {'locate', 'pick', 'place'}
    made = actions['place'].goal(STEP, THINGS, STAMPS)
    assert made.skill == 'place' and list(made.labels) == ['cup', 'bowl']
    assert [p.pose.position.x for p in made.targets] == [0.5, 0.7]
    assert {p.header.frame_id for p in made.targets} == {'base_link'}
    assert made.targets[0].header.stamp.sec == 7 and made.targets[0].pose.orientation.w == 1.0


def test_arm_of_libero_is_told_the_boxes_in_which_its_targets_were_seen():
    if not hasattr(ExecuteSkill.Goal(), 'boxes'):
        pytest.skip('kimi_msgs is older than its sources: make setup')
    skills = SkillCatalogue.load(SKILLS_FILE)
    actions = load_actions(share('config/executor_libero.yaml'), skills)
    assert set(actions) == {skill.name for skill in skills}
    made = actions['place'].goal(STEP, THINGS, STAMPS)
    assert list(made.boxes) == [1, 2, 3, 4, 1, 2, 3, 4]


def test_constants_and_arguments_fill_fields(goal):
    made = goal('{skill: wipe, arguments_json: $target.label}')
    assert made.skill == 'wipe' and made.arguments_json == 'bowl'


@pytest.mark.parametrize(
    ('fields', 'fault'),
    [
        ('{speed: 1}', "no field 'speed'"),
        ('{skill: $place}', r'place: \$place stands for nothing: use \$skill, .*\$target'),
        ('{skill: $target.colour}', 'stands for nothing'),
        ('{skill: $poses.label}', 'stands for nothing'),
        ('{skill: $poses}', 'ExecuteSkill_Goal.skill cannot be list'),
        ('{skill: 3}', 'skill cannot be int'),
    ],
)
def test_what_does_not_fit_is_named(goal, fields, fault):
    with pytest.raises(ActionsError, match=fault):
        goal(fields)


def test_skill_that_the_catalogue_does_not_have_is_named(tmp_path):
    file = tmp_path / 'actions.yaml'
    file.write_text('actions: {fly: {type: kimi_msgs/action/ExecuteSkill, name: go, goal: {}}}')
    with pytest.raises(ActionsError, match='fly: the skills file has no such skill'):
        load_actions(file, SKILLS)


def test_unknown_type_says_what_to_install(goal):
    with pytest.raises(ActionsError, match='install and source the package no_such_msgs'):
        goal('{}', kind='no_such_msgs/action/Fly')


def test_object_without_position_is_named(goal):
    lost = GroundedObject(id='o1', label='cup', depth_status=GroundedObject.DEPTH_HOLE)
    lost.position.x = math.nan
    with pytest.raises(ActionsError, match='the position of cup is not known'):
        goal('{targets: $poses}', things=[lost, THINGS[1]])
