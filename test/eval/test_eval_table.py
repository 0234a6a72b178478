"""On the full table: whoever knows is right, and whoever takes things for others is not."""

import json

import pytest

from kimi_ros.cli.main import main
from kimi_ros.eval.acting import carry_out, feasible_task, goal_of
from kimi_ros.eval.other_skills import elsewhere
from kimi_ros.eval.referring import FORMS, form_of, referent, unseen_pair
from kimi_ros.sim.catalogues import SHIPPED, TAUGHT, UNTAUGHT
from kimi_ros.sim.executor import Table
from kimi_ros.sim.full.catalogue import HELD_OUT
from kimi_ros.sim.meaning import Meaning

N = 8


def figures_of(capsys, suite, *words):
    assert main(['eval', suite, '--n', str(N), '--json', *words]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture
def worlds(rendered):
    return [rendered('full', False, number) for number in range(N)]


def naming(at):
    """What is asked where a suite asks for one thing."""

    def asked(world, language):
        thing = at(world, language)
        places = [i for i, o in enumerate(world.objects) if thing and o.box == thing.box]
        return {}, {thing.name: places} if thing else {}

    return asked


@pytest.mark.parametrize('suite, figure', [('points', 'in_mask'), ('boxes', 'iou50')])
def test_the_one_thing_meant(suite, figure, model_knowing, capsys):
    model_knowing(naming(referent))
    right = figures_of(capsys, suite)
    assert right[figure] == 1 and right['table'] == 'full'
    model_knowing(naming(referent), astray=True)
    assert figures_of(capsys, suite)[figure] < 0.2


def test_each_form_of_description_is_counted(model_knowing, capsys):
    model_knowing(naming(referent))
    said = figures_of(capsys, 'points', '--lang', 'zh')
    asked = [said['intervals'][f'in_mask_{form}']['questions'] for form in FORMS]
    assert sum(asked) == said['intervals']['in_mask']['questions'] == N
    assert sum(number > 0 for number in asked) >= 3


@pytest.mark.parametrize(
    'what, form',
    [
        (Meaning('cup'), 'kind'),
        (Meaning(color='red'), 'color'),
        (Meaning('cup', 'red', 'small'), 'size'),
        (Meaning('cup', 'red', superlative='largest'), 'superlative'),
        (Meaning('cup', relation='left', other=Meaning('box')), 'relation'),
    ],
)
def test_what_a_description_uses(what, form):
    assert form_of(what) == form


def test_both_languages_mean_the_same_thing(worlds):
    for world in worlds:
        english, chinese = (referent(world, language) for language in ('en', 'zh'))
        assert english.box == chinese.box and english.form == chinese.form
        english, chinese = (feasible_task(world, language) for language in ('en', 'zh'))
        assert english.meant == chinese.meant and english.skill == chinese.skill
        english, chinese = (elsewhere(world, language) for language in ('en', 'zh'))
        assert english[1].signatures == chinese[1].signatures


def test_pairs_that_were_never_seen_together(model_knowing, rendered, capsys):
    model_knowing(naming(unseen_pair))
    said = figures_of(capsys, 'pairs')
    assert said['in_mask'] == 1 and said['intervals']['in_mask']['questions'] > N / 2
    model_knowing(naming(unseen_pair), astray=True)
    assert figures_of(capsys, 'pairs')['in_mask'] == 0
    names = {Meaning(*pair).name('en') for pair in HELD_OUT}
    for number in range(N):
        thing = unseen_pair(rendered('full', True, number), 'en')
        assert thing is None or thing.name in names


def test_other_catalogues_are_read(model_knowing, about_task, capsys):
    def right(world, language):
        return about_task(elsewhere(world, language)[0])

    model_knowing(right)
    for language in ('en', 'zh'):
        assert figures_of(capsys, 'catalogues', '--lang', language)['exact'] == 1
    model_knowing(right, astray=True)
    assert figures_of(capsys, 'catalogues')['exact'] < 0.5


def test_the_shipped_skills_are_no_answer_elsewhere(model_knowing, about_task, capsys):
    def remembered(world, language):
        plans, names = about_task(elsewhere(world, language)[0])
        step = {'skill': 'locate', 'object': next(iter(names), '')}
        return dict.fromkeys(plans, {'status': 'ok', 'say': '', 'steps': [step]}), names

    model_knowing(remembered)
    assert figures_of(capsys, 'catalogues')['exact'] < 0.3


def test_every_other_catalogue_has_a_skill_that_no_training_names(worlds):
    asked = 0
    for world in worlds:
        task, catalogue = elsewhere(world, 'en')
        assert catalogue.own and set(catalogue.own) <= set(UNTAUGHT)
        assert not set(catalogue.own) & {*TAUGHT, *(name for name, _ in SHIPPED)}
        known = dict(catalogue.signatures)
        for step in task.plan['steps']:
            assert tuple(key for key in step if key != 'skill') == known[step['skill']]
        asked += task.skill in catalogue.own
    assert 0 < asked < len(worlds)


def test_plans_are_carried_out_and_the_end_is_judged(model_knowing, about_task, capsys):
    def right(world, language):
        return about_task(feasible_task(world, language))

    model_knowing(right)
    said = figures_of(capsys, 'closed-loop')
    assert said['success'] == said['success_acting'] == said['success_leaving'] == 1
    model_knowing(right, astray=True)
    said = figures_of(capsys, 'closed-loop')
    assert said['success_acting'] == 0 and said['success_leaving'] == 1


def test_who_does_nothing_succeeds_where_nothing_is_to_be_done(model_knowing, about_task, capsys):
    def nothing(world, language):
        plans, names = about_task(feasible_task(world, language))
        return dict.fromkeys(plans, {'status': 'refused', 'say': 'No.', 'steps': []}), names

    model_knowing(nothing)
    said = figures_of(capsys, 'closed-loop')
    assert said['success_acting'] == 0 and said['success_leaving'] == 1


def test_who_always_acts_fails_where_nothing_is_to_be_done(model_knowing, about_task, capsys):
    def pick_the_first(world, language):
        task = feasible_task(world, language)
        plans, _ = about_task(task)
        step = {'skill': 'locate', 'object': 'thing'}
        return dict.fromkeys(plans, {'status': 'ok', 'say': '', 'steps': [step]}), {'thing': [0]}

    model_knowing(pick_the_first)
    assert figures_of(capsys, 'closed-loop')['success_leaving'] == 0


def test_an_action_that_fails_ends_the_plan(worlds):
    world = worlds[0]
    table = Table(world.scene, world.frame)
    where = table.metres(world.objects[0].point)
    assert carry_out(table, [('pick', (9.0, 9.0, 9.0)), ('locate', where)])
    assert table.located == -1
    assert carry_out(table, [('locate', None)]) and table.located == -1
    assert not carry_out(table, [('locate', where)])
    assert table.located == world.objects[0].index


def test_the_goal_is_in_the_scenes_indices(worlds):
    skills = set()
    for world in worlds:
        task = feasible_task(world, 'en')
        goal = goal_of(task, world)
        assert (goal.skill == 'none') == (task.plan['status'] != 'ok')
        for places, what in zip((goal.things, goal.targets), task.meant, strict=False):
            assert goal.skill == 'none' or len(places) == 1
            for place in places:
                assert what.kind in ('', world.scene.objects[place].kind)
        skills.add(goal.skill)
    assert len(skills) > 2


@pytest.mark.parametrize('suite', ['pairs', 'closed-loop'])
def test_what_only_the_full_table_has_is_not_asked_on_the_small_one(suite, capsys):
    assert main(['eval', suite, '--table', 'small', '--model', '/nowhere']) == 1
    assert f'{suite} asks about what is not on the small table' in capsys.readouterr().err


def test_the_small_table_is_asked_for(model_knowing, rendered, capsys):
    model_knowing(naming(referent))
    said = figures_of(capsys, 'points', '--table', 'small')
    assert said['in_mask'] == 1 and said['table'] == 'small'
    assert said['intervals']['in_mask_size']['questions'] == 0  # its sizes have no names
    assert rendered('small', False, 0).scene != rendered('full', False, 0).scene
