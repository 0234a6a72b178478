"""The skills file: what it may hold, and what is said about what it may not."""

import copy

import pytest

from kimi_ros.agent import Risk, SkillCatalogue
from kimi_ros.agent.errors import CatalogueError

PUSH = {
    'name': 'push',
    'description': {'en': 'Push.', 'zh': '推。'},
    'arguments': [
        {'name': 'object', 'type': 'object'},
        {'name': 'distance', 'type': 'number', 'unit': 'm', 'minimum': 0, 'maximum': 0.5},
        {'name': 'hand', 'type': 'enum', 'values': ['left', 'right']},
        {'name': 'note', 'type': 'string', 'max_length': 20},
        {'name': 'gently', 'type': 'bool'},
    ],
    'preconditions': ['visible(object)', 'hand_empty'],
    'effects': ['not located(object)'],
    'limits': {'timeout_s': 10, 'reach_m': 0.8},
    'risk': 'medium',
    'approval': 'always',
    'action': 'push_object',
}


def test_shipped_catalogue_loads(catalogue):
    assert catalogue.signatures() == [
        ('locate', ['object']),
        ('pick', ['object']),
        ('place', ['object', 'target']),
        ('describe', []),
    ]
    assert catalogue['pick'].risk is Risk.LOW and catalogue['describe'].describes


def test_catalogue_reads_every_argument_type():
    (push,) = SkillCatalogue.from_data({'skills': [PUSH]})
    assert [a.type for a in push.arguments] == ['object', 'number', 'enum', 'string', 'bool']
    assert push.action == 'push_object' and push.limits['reach_m'] == 0.8
    assert [str(p) for p in push.preconditions] == ['visible(object)', 'hand_empty']
    assert str(push.effects[0]) == 'not located(object)'


def test_catalogue_hash_is_of_the_content():
    first = SkillCatalogue.from_data({'skills': [PUSH]})
    changed = copy.deepcopy(PUSH)
    assert SkillCatalogue.from_data({'skills': [changed]}).hash == first.hash
    changed['limits']['timeout_s'] = 11
    assert SkillCatalogue.from_data({'skills': [changed]}).hash != first.hash


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'name': 'Push it'}, r'skills\[0\] "Push it": name: .*lower-case'),
        ({'risk': 'some'}, r"push\": risk: 'some' is not one of none, low, medium, high"),
        ({'approval': 'maybe'}, 'approval: .* never, risky, always'),
        ({'description': {'en': 'Push.'}}, 'description: "zh" is missing'),
        ({'colour': 'red'}, "unknown key 'colour'"),
        ({'preconditions': ['flying(object)']}, r"preconditions\[0\]: 'flying' is not one of"),
        ({'preconditions': ['visible']}, 'takes 1 arguments, not 0'),
        ({'preconditions': ['visible(hand)']}, '"hand" is not an argument'),
        ({'effects': ['__import__("os")']}, 'is not like'),
        ({'limits': {'timeout_s': -1}}, 'limits.timeout_s: -1 must be'),
        ({'limits': {'speed': 1}}, "unknown key 'speed'"),
        ({'node': 'Push'}, 'either "node"'),
        ({'arguments': [{'name': 'x', 'type': 'thing'}]}, r'arguments\[0\] "x": type'),
        ({'arguments': [{'name': 'x', 'type': 'number'}]}, 'needs maximum, minimum, unit'),
        (
            {'arguments': [{'name': 'skill', 'type': 'bool'}], 'preconditions': [], 'effects': []},
            '"skill"',
        ),
    ],
)
def test_invalid_entry_is_reported(tmp_path, change, message):
    import yaml

    path = tmp_path / 'skills.yaml'
    path.write_text(yaml.safe_dump({'skills': [{**PUSH, **change}]}), encoding='utf-8')
    with pytest.raises(CatalogueError, match=message) as caught:
        SkillCatalogue.load(path)
    assert str(path) in str(caught.value)


def test_invalid_file_is_reported(tmp_path):
    with pytest.raises(CatalogueError, match='cannot be read'):
        SkillCatalogue.load(tmp_path / 'none.yaml')
    path = tmp_path / 'broken.yaml'
    path.write_text('skills: [', encoding='utf-8')
    with pytest.raises(CatalogueError, match='not YAML'):
        SkillCatalogue.load(path)
    with pytest.raises(CatalogueError, match='occurs 2 times'):
        SkillCatalogue.from_data({'skills': [PUSH, PUSH]})


def test_optional_argument_may_be_omitted():
    import jsonschema

    from kimi_ros.agent.schema import plan_schema

    force = {'name': 'force', 'type': 'number', 'unit': 'N', 'minimum': 0, 'maximum': 9}
    entry = {**PUSH, 'arguments': [PUSH['arguments'][0], {**force, 'optional': True}]}
    skills = SkillCatalogue.from_data({'skills': [entry]})
    assert [a.optional for a in skills['push'].arguments][-1]
    plan = {'status': 'ok', 'say': '', 'steps': [{'skill': 'push', 'object': 'box'}]}
    jsonschema.validate(plan, plan_schema(skills))
    plan['steps'][0]['force'] = 10
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plan, plan_schema(skills))
    about_it = {**entry, 'arguments': [{**PUSH['arguments'][0], 'optional': True}]}
    with pytest.raises(CatalogueError, match='"object" is not an argument'):
        SkillCatalogue.from_data({'skills': [about_it]})
