"""Instructions that the demo generates for a scene."""

from kimi_ros.eval.demo_tasks import demo_tasks
from kimi_ros.sim import ObjectTruth


def thing(category, color):
    return ObjectTruth(0, category, color, (0, 0, 1, 1), (0, 0), 1, (0.5, 0.0, 0.0))


SCENE = (thing('cup', 'red'), thing('cup', 'red'), thing('book', 'blue'), thing('ball', 'green'))


def test_things_that_a_name_means_alone_come_first():
    for seed in range(50):
        english, chinese = demo_tasks(SCENE, seed)
        assert (english.language, chinese.language) == ('en', 'zh')
        for task in (english, chinese):
            assert task.plan['status'] == 'ok'
        assert english.referents[0][1] != chinese.referents[0][1]
        assert set(english.referents[0][1] + chinese.referents[0][1]) == {2, 3}


def test_where_nothing_is_alone_asking_is_right():
    english, chinese = demo_tasks(SCENE[:2], 0)
    assert {t.plan['status'] for t in (english, chinese)} == {'needs_clarification'}


def test_same_seed_same_words():
    assert demo_tasks(SCENE, 5) == demo_tasks(SCENE, 5)
    assert len({demo_tasks(SCENE, s)[0].instruction for s in range(30)}) > 5


def test_people_are_not_asked_for():
    for seed in range(20):
        for task in demo_tasks((*SCENE[2:], thing('hand', ''), thing('person', '')), seed):
            assert task.expressions[0].category in ('book', 'ball') and task.plan['status'] == 'ok'
