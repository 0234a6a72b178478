"""Requests: the plan follows from what is there, in both languages and in turn."""

from collections import Counter

import numpy as np
import pytest

from kimi_ros.sim.expression_sampling import Mix, perturbed, sample_expression
from kimi_ros.sim.full.object_classes import PEOPLE
from kimi_ros.sim.referring_expression import LANGUAGES, ReferringExpression
from kimi_ros.sim.tasks import SKILLS, compound_task, make_task, sample_task

BOWL, APPLE, RED_CUP, KNIFE = (
    ReferringExpression('bowl'),
    ReferringExpression('apple'),
    ReferringExpression('cup'),
    ReferringExpression('knife'),
)


def expected_status(task):
    numbers = [len(found) for _, found in task.referents]
    return (
        'infeasible'
        if 0 in numbers
        else 'needs_clarification'
        if max(numbers, default=1) > 1
        else 'ok'
    )


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize('language', LANGUAGES)
def test_the_status_follows_from_the_referents(truths, language, rng):
    counts, named = Counter(), set()
    for objects in truths:
        for _ in range(15):
            task = sample_task(objects, language, rng)
            expected = expected_status(task)
            assert task.plan['status'] == expected
            assert bool(task.plan['steps']) == (expected == 'ok')
            counts[expected] += 1
            named |= {m.relation for m in task.expressions} | {
                m.superlative for m in task.expressions
            }
            named |= {m.size for m in task.expressions} | {f'skill {task.skill}'}
    assert min(counts.values()) > 10 and len(counts) == 3
    assert {'left', 'on', 'largest', 'small', *(f'skill {s}' for s in SKILLS)} <= named


def test_the_referents_are_what_the_plan_names(truths, rng):
    for objects in truths:
        for language in LANGUAGES:
            task = sample_task(objects, language, rng)
            names = {m.name(language): tuple(m.matches(objects)) for m in task.expressions}
            assert dict(task.referents) == names
            for step in task.plan['steps']:
                assert {v for k, v in step.items() if k != 'skill'} <= set(names)
                assert not names or len(step) > 1


def test_both_languages_ask_for_the_same(truths):
    for objects in truths[:10]:
        english = sample_task(objects, 'en', np.random.default_rng(1), compound_share=0)
        chinese = make_task(
            english.skill, objects, english.expressions, 'zh', np.random.default_rng(1)
        )
        assert [f for _, f in chinese.referents] == [f for _, f in english.referents]
        assert chinese.plan['status'] == english.plan['status']
        assert [s['skill'] for s in chinese.plan['steps']] == [
            s['skill'] for s in english.plan['steps']
        ]
        assert [n for n, _ in chinese.referents] == [m.name('zh') for m in english.expressions]


def test_a_missing_thing_is_said_to_be_missing(table, rng):
    task = make_task('pick', table, [ReferringExpression('hand', 'purple')], 'en', rng)
    assert task.plan == {'status': 'infeasible', 'say': 'I do not see a purple hand.', 'steps': []}


def test_missing_is_said_before_more_than_one(table, rng):
    task = make_task('place', table, [RED_CUP, ReferringExpression('box', 'pink')], 'zh', rng)
    assert task.plan == {'status': 'infeasible', 'say': '我没有看到粉色的盒子。', 'steps': []}
    task = make_task('place', table, [RED_CUP, BOWL], 'en', rng)
    assert task.plan['say'] == 'I see more than one cup. Which one?'


def test_what_is_put_somewhere_is_picked_first(table, rng):
    task = make_task('place', table, [APPLE, ReferringExpression('book')], 'en', rng)
    assert task.plan['steps'] == [
        {'skill': 'pick', 'object': 'apple'},
        {'skill': 'place', 'object': 'apple', 'target': 'book'},
    ]
    assert task.plan['say'] == 'I will put the apple on the book.'
    assert make_task('place', table, [APPLE, BOWL], 'zh', rng).plan['say'] == '我把苹果放到碗里。'


@pytest.mark.parametrize('language', LANGUAGES)
def test_one_thing_and_then_another(table, language, rng):
    first = make_task('locate', table, [APPLE], language, rng)
    second = make_task('place', table, [APPLE, ReferringExpression('book')], language, rng)
    both = compound_task(first, second, rng)
    assert both.plan['status'] == 'ok' and both.language == language
    assert both.plan['steps'] == first.plan['steps'] + second.plan['steps']
    assert both.plan['say'].startswith(first.plan['say'])
    assert both.plan['say'].endswith(second.plan['say'])
    assert both.expressions == (APPLE, APPLE, ReferringExpression('book')) and both.skill == 'place'
    assert [found for _, found in both.referents] == [(4,), (0,)]
    said = first.instruction.rstrip('.?!。？！')
    assert second.instruction in both.instruction.partition(said)[2]


@pytest.mark.parametrize(
    ('second', 'status', 'about'),
    [
        (KNIFE, 'infeasible', 'a knife'),
        (RED_CUP, 'needs_clarification', 'one cup'),
    ],
)
def test_two_things_of_which_one_cannot_be_done(table, second, status, about, rng):
    one, other = (make_task('locate', table, [m], 'en', rng) for m in (APPLE, second))
    for pair in ((one, other), (other, one)):
        plan = compound_task(*pair, rng).plan
        assert plan['status'] == status and about in plan['say'] and plan['steps'] == []


def test_a_full_hand_is_not_asked_to_pick_again(truths, rng):
    several = 0
    for objects in truths:
        for _ in range(10):
            task = sample_task(objects, 'en', rng, compound_share=1.0)
            steps = [s['skill'] for s in task.plan['steps']]
            held = False
            for skill in steps:
                assert not (held and skill == 'pick') and (held or skill != 'place')
                held = {'pick': True, 'place': False}.get(skill, held)
            several += len(steps) > 1 and steps != ['pick', 'place']
    assert several > 20


def test_nobody_would_argue_about_what_is_asked_for(truths, rng):
    forms = Counter()
    for objects in truths:
        for _ in range(20):
            what = sample_expression(objects, rng)
            assert what.is_clear_cut(objects)
            assert what.category not in PEOPLE
            forms[
                'relation'
                if what.relation
                else 'superlative'
                if what.superlative
                else 'size'
                if what.size
                else 'color'
                if not what.category
                else 'kind'
                if not what.color
                else 'name'
            ] += 1
    assert len(forms) == 6 and min(forms.values()) > 5


def test_the_share_of_what_is_not_there_is_as_asked_for(truths, rng):
    def missing(mix):
        return sum(
            not sample_expression(objects, rng, mix).matches(objects)
            for objects in truths
            for _ in range(10)
        )

    assert missing(Mix(absent=0, relation=0)) == 0
    assert missing(Mix(absent=0.5)) > 3 * 30


def test_what_is_wrong_is_another_thing_that_could_be(rng):
    for true in (
        ReferringExpression('banana', 'yellow'),
        ReferringExpression('cup', 'red'),
        ReferringExpression('knife'),
    ):
        for _ in range(40):
            other = perturbed(true, rng)
            assert other != true and other.category not in PEOPLE
            if other.category == 'apple':
                assert other.color in ('', 'red', 'yellow', 'green')
    assert perturbed(ReferringExpression('knife'), rng).color == ''


def test_languages_ask_for_the_same(truths):
    both = 0
    for number, objects in enumerate(truths * 8):
        english, chinese = (
            sample_task(objects, language, np.random.default_rng(number), compound_share=0.6)
            for language in LANGUAGES
        )
        assert (english.expressions, english.required_skills) == (
            chinese.expressions,
            chinese.required_skills,
        )
        both += len(english.required_skills) > 2
    assert both > 10


def test_in_turn_are_different_things(table, truths, rng):
    both = 0
    for objects in (table, *truths):
        for _ in range(15):
            task = sample_task(objects, 'en', rng, compound_share=1.0)
            things = [i for _, found in task.referents for i in found]
            if task.plan['status'] == 'ok':
                assert len(set(things)) == len(things)
                both += len(task.required_skills) > 2
                # What the second is found by has not been moved by the first.
                marks = [
                    i
                    for what in task.expressions[1:]
                    if what.other
                    for i in what.other.matches(objects)
                ]
                assert not set(things[:1]) & set(marks)
    assert both > 10


def test_nothing_is_put_where_it_lies_nor_under_itself(table, truths, rng):
    placed = 0
    for objects in (*[table] * 10, *truths):
        for _ in range(10):
            task = sample_task(objects, 'en', rng, Mix(absent=0), compound_share=0)
            if task.skill != 'place' or task.plan['status'] != 'ok':
                continue
            thing, place = (objects[found[0]] for _, found in task.referents)
            assert thing.support != place.index and place.support != thing.index
            placed += 1
    assert placed > 20


def test_a_request_needs_its_skills_also_where_it_cannot_be_done(table, rng):
    first = make_task('place', table, [KNIFE, BOWL], 'en', rng)
    second = make_task('locate', table, [ReferringExpression('cup', 'red')], 'en', rng)
    assert first.plan['steps'] == [] and first.required_skills == ('pick', 'place')
    assert compound_task(second, first, rng).required_skills == ('locate', 'pick', 'place')
