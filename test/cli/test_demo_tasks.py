"""What the demo asks about a scene."""

from dataclasses import dataclass

from kimi_ros.eval.demo_tasks import demo_tasks


@dataclass(frozen=True)
class Thing:
    kind: str
    color: str
    box: tuple = (0, 0, 1, 1)


SCENE = (Thing('cup', 'red'), Thing('cup', 'red'), Thing('book', 'blue'), Thing('ball', 'green'))


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
