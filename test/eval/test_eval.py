"""Evaluation counts what is right, on scenes that training refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest

from kimi_ros.agent import Frame, GroundedObject, Plan, PlanStep, Status
from kimi_ros.cli.main import main
from kimi_ros.eval.demo_tasks import demo_tasks
from kimi_ros.eval.held_out_scenes import FIRST_EVALUATION_SEED, HeldOutScene, held_out_scenes
from kimi_ros.eval.metrics import wilson
from kimi_ros.eval.plan_checks import plan_errors
from kimi_ros.sim import GLNotAvailable, ObjectTruth
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.sim.tasks import make_task

CUP, BOOK = (20, 10), (60, 30)


@pytest.fixture
def world():
    segmentation = np.full((48, 80), -1)
    segmentation[5:15, 15:25], segmentation[25:35, 55:65] = 0, 1
    objects = (
        ObjectTruth(0, 'cup', 'red', (15, 5, 25, 15), CUP, 100, (0.5, 0.1, 0.0)),
        ObjectTruth(1, 'book', 'blue', (55, 25, 65, 35), BOOK, 100, (0.5, -0.1, 0.0)),
    )
    return HeldOutScene(0, Frame(np.zeros((48, 80, 3), np.uint8)), segmentation, objects)


def task_for(world, skill, *expressions):
    return make_task(skill, world.objects, expressions, 'en', np.random.default_rng(0))


def plan_of(*steps):
    """A plan of (skill, points): each point an object of its own."""
    objects, made = [], []
    for skill, *points in steps:
        ids = []
        for point in points:
            ids.append(f'o{len(objects) + 1}')
            objects.append(GroundedObject(ids[-1], 'thing', 0.9, True, point, None))
        made.append(PlanStep(skill, tuple(ids)))
    return Plan('1', '', 'en', Status.OK, '', objects=tuple(objects), steps=tuple(made))


def test_a_plan_is_right_when_every_mark_is_on_its_object(world):
    task = task_for(
        world, 'place', ReferringExpression('cup', 'red'), ReferringExpression('book', 'blue')
    )
    assert not plan_errors(plan_of(('pick', CUP), ('place', CUP, BOOK)), task, world)
    assert plan_errors(plan_of(('pick', CUP), ('place', CUP, CUP)), task, world)
    assert plan_errors(plan_of(('pick', (0, 0)), ('place', CUP, BOOK)), task, world)
    assert plan_errors(plan_of(('pick', CUP)), task, world)


def test_what_is_not_there_must_be_said(world):
    task = task_for(world, 'pick', ReferringExpression('ball', 'red'))
    done = plan_of(('pick', CUP))
    assert plan_errors(done, task, world) == ['ok instead of infeasible']
    assert not plan_errors(replace(done, status=Status.INFEASIBLE), task, world)


def test_the_interval_holds_the_mean_and_narrows():
    few, many = wilson(3, 4), wilson(300, 400)
    assert few[0] < many[0] < 0.75 < many[1] < few[1]
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)  # Wilson's own arithmetic


def test_the_demo_asks_the_same_of_a_seed_everywhere(world):
    first, second = (demo_tasks(world.objects, 5) for _ in range(2))
    assert first == second
    assert {t.language for t in first} == {'en', 'zh'}


def test_what_a_catalogue_calls_its_arguments_does_not_matter(world):
    task = task_for(
        world, 'place', ReferringExpression('cup', 'red'), ReferringExpression('book', 'blue')
    )
    step = {'skill': 'glue', 'item': 'red cup', 'goal': 'blue book'}
    task = replace(task, plan={**task.plan, 'steps': [step]})
    assert not plan_errors(plan_of(('glue', CUP, BOOK)), task, world)
    assert plan_errors(plan_of(('glue', BOOK, CUP)), task, world)
    assert plan_errors(plan_of(('place', CUP, BOOK)), task, world)


@pytest.mark.parametrize('table', ['full', 'small'])
@pytest.mark.parametrize('language', ['en', 'zh'])
def test_nano_sees_what_it_was_taught_on_scenes_it_never_saw(capsys, table, language):
    try:
        (one,) = held_out_scenes(0, 1, table)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    assert one.seed + FIRST_EVALUATION_SEED == 2_000_000 and one.scene.seed == 2_000_000
    words = ['--n', '40', '--lang', language, '--table', table]
    assert main(['eval', 'points', *words, '--json']) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last['suite'], last['lang'], last['table']) == ('points', language, table)
    assert last['in_mask'] > 0.7


@pytest.mark.parametrize('words', [['--n', '0'], ['--model', '/nowhere']])
def test_what_cannot_be_examined_is_said(words, capsys):
    assert main(['eval', 'points', *words]) == 1
    assert 'kimi: ' in capsys.readouterr().err
