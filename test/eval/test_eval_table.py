"""On the full table: whoever knows is right, and whoever takes things for others is not."""

import json

import pytest

from kimi_ros.cli.main import main
from kimi_ros.eval.execution import execute, goal_of, sample_executable_task
from kimi_ros.eval.referring import (
    EXPRESSION_TYPES,
    expression_type_of,
    held_out_pair,
    localization_sample,
)
from kimi_ros.eval.unseen_skills import task_with_other_skills
from kimi_ros.sim.executor import SimulatedRobot
from kimi_ros.sim.full.object_classes import HELD_OUT
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.sim.skill_catalogues import DEFAULT_SIGNATURES, HELD_OUT_SKILLS, TRAINING_SKILLS

N = 8


def figures_of(capsys, suite, *words):
    assert main(['eval', suite, '--n', str(N), '--json', *words]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture
def held_out_scenes(rendered):
    return [rendered('full', False, number) for number in range(N)]


def naming(at):
    """What is asked where a suite asks for one thing."""

    def question(world, language):
        thing = at(world, language)
        places = [i for i, o in enumerate(world.objects) if thing and o.box == thing.box]
        return {}, {thing.name: places} if thing else {}

    return question


@pytest.mark.parametrize('suite, compute_metric', [('points', 'in_mask'), ('boxes', 'iou50')])
def test_the_one_thing_meant(suite, compute_metric, model_knowing, capsys):
    model_knowing(naming(localization_sample))
    correct = figures_of(capsys, suite)
    assert correct[compute_metric] == 1 and correct['table'] == 'full'
    model_knowing(naming(localization_sample), astray=True)
    assert figures_of(capsys, suite)[compute_metric] < 0.2


def test_each_form_of_description_is_counted(model_knowing, capsys):
    model_knowing(naming(localization_sample))
    said = figures_of(capsys, 'points', '--lang', 'zh')
    question = [
        said['intervals'][f'in_mask_{expression_type}']['questions']
        for expression_type in EXPRESSION_TYPES
    ]
    assert sum(question) == said['intervals']['in_mask']['questions'] == N
    assert sum(number > 0 for number in question) >= 3


@pytest.mark.parametrize(
    'what, expression_type',
    [
        (ReferringExpression('cup'), 'kind'),
        (ReferringExpression(color='red'), 'color'),
        (ReferringExpression('cup', 'red', 'small'), 'size'),
        (ReferringExpression('cup', 'red', superlative='largest'), 'superlative'),
        (ReferringExpression('cup', relation='left', other=ReferringExpression('box')), 'relation'),
    ],
)
def test_what_a_description_uses(what, expression_type):
    assert expression_type_of(what) == expression_type


def test_both_languages_mean_the_same_thing(held_out_scenes):
    for world in held_out_scenes:
        english, chinese = (localization_sample(world, language) for language in ('en', 'zh'))
        assert english.box == chinese.box and english.expression_type == chinese.expression_type
        english, chinese = (sample_executable_task(world, language) for language in ('en', 'zh'))
        assert english.expressions == chinese.expressions and english.skill == chinese.skill
        english, chinese = (task_with_other_skills(world, language) for language in ('en', 'zh'))
        assert english[1].signatures == chinese[1].signatures


def test_pairs_that_were_never_seen_together(model_knowing, rendered, capsys):
    model_knowing(naming(held_out_pair))
    said = figures_of(capsys, 'pairs')
    assert said['in_mask'] == 1 and said['intervals']['in_mask']['questions'] > N / 2
    model_knowing(naming(held_out_pair), astray=True)
    assert figures_of(capsys, 'pairs')['in_mask'] == 0
    names = {ReferringExpression(*pair).name('en') for pair in HELD_OUT}
    for number in range(N):
        thing = held_out_pair(rendered('full', True, number), 'en')
        assert thing is None or thing.name in names


def test_other_catalogues_are_read(model_knowing, about_task, capsys):
    def correct(world, language):
        return about_task(task_with_other_skills(world, language)[0])

    model_knowing(correct)
    for language in ('en', 'zh'):
        assert figures_of(capsys, 'catalogues', '--lang', language)['exact'] == 1
    model_knowing(correct, astray=True)
    assert figures_of(capsys, 'catalogues')['exact'] < 0.5


def test_the_shipped_skills_are_no_answer_elsewhere(model_knowing, about_task, capsys):
    def remembered(world, language):
        plans, names = about_task(task_with_other_skills(world, language)[0])
        step = {'skill': 'locate', 'object': next(iter(names), '')}
        return dict.fromkeys(plans, {'status': 'ok', 'say': '', 'steps': [step]}), names

    model_knowing(remembered)
    assert figures_of(capsys, 'catalogues')['exact'] < 0.3


def test_every_other_catalogue_has_a_skill_that_no_training_names(held_out_scenes):
    question = 0
    for world in held_out_scenes:
        task, catalogue = task_with_other_skills(world, 'en')
        assert catalogue.custom and set(catalogue.custom) <= set(HELD_OUT_SKILLS)
        assert not set(catalogue.custom) & {
            *TRAINING_SKILLS,
            *(name for name, _ in DEFAULT_SIGNATURES),
        }
        known = dict(catalogue.signatures)
        for step in task.plan['steps']:
            assert tuple(key for key in step if key != 'skill') == known[step['skill']]
        question += task.skill in catalogue.custom
    assert 0 < question < len(held_out_scenes)


def test_plans_are_carried_out_and_the_end_is_judged(model_knowing, about_task, capsys):
    def correct(world, language):
        return about_task(sample_executable_task(world, language))

    model_knowing(correct)
    said = figures_of(capsys, 'closed-loop')
    assert said['success'] == said['success_acting'] == said['success_leaving'] == 1
    model_knowing(correct, astray=True)
    said = figures_of(capsys, 'closed-loop')
    assert said['success_acting'] == 0 and said['success_leaving'] == 1


def test_who_does_nothing_succeeds_where_nothing_is_to_be_done(model_knowing, about_task, capsys):
    def nothing(world, language):
        plans, names = about_task(sample_executable_task(world, language))
        return dict.fromkeys(plans, {'status': 'refused', 'say': 'No.', 'steps': []}), names

    model_knowing(nothing)
    said = figures_of(capsys, 'closed-loop')
    assert said['success_acting'] == 0 and said['success_leaving'] == 1


def test_who_always_acts_fails_where_nothing_is_to_be_done(model_knowing, about_task, capsys):
    def pick_the_first(world, language):
        task = sample_executable_task(world, language)
        plans, _ = about_task(task)
        name = task.referents[0][0]  # only what was said may be planned about
        step = {'skill': 'locate', 'object': name}
        return dict.fromkeys(plans, {'status': 'ok', 'say': '', 'steps': [step]}), {name: [0]}

    model_knowing(pick_the_first)
    assert figures_of(capsys, 'closed-loop')['success_leaving'] == 0


def test_an_action_that_fails_ends_the_plan(held_out_scenes):
    world = held_out_scenes[0]
    table = SimulatedRobot(world.scene, world.frame)
    where = table.deproject_pixel(world.objects[0].point)
    assert execute(table, [('pick', (9.0, 9.0, 9.0)), ('locate', where)])
    assert table.located == -1
    assert execute(table, [('locate', None)]) and table.located == -1
    assert not execute(table, [('locate', where)])
    assert table.located == world.objects[0].index


def test_the_goal_is_in_the_scenes_indices(held_out_scenes):
    skills = set()
    for world in held_out_scenes:
        task = sample_executable_task(world, 'en')
        goal = goal_of(task, world)
        assert (goal.skill == 'none') == (task.plan['status'] != 'ok')
        for places, what in zip((goal.things, goal.targets), task.expressions, strict=False):
            assert goal.skill == 'none' or len(places) == 1
            for place in places:
                assert what.category in ('', world.scene.objects[place].category)
        skills.add(goal.skill)
    assert len(skills) > 2


@pytest.mark.parametrize('suite', ['pairs', 'closed-loop'])
def test_what_only_the_full_table_has_is_not_asked_on_the_small_one(suite, capsys):
    assert main(['eval', suite, '--table', 'small', '--model', '/nowhere']) == 1
    assert f'{suite} does not apply to the small table' in capsys.readouterr().err


def test_the_small_table_is_asked_for(model_knowing, rendered, capsys):
    model_knowing(naming(localization_sample))
    said = figures_of(capsys, 'points', '--table', 'small')
    assert said['in_mask'] == 1 and said['table'] == 'small'
    assert said['intervals']['in_mask_size']['questions'] == 0  # its sizes have no names
    assert rendered('small', False, 0).scene != rendered('full', False, 0).scene
