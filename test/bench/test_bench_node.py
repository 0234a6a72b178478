"""Instructions of the node benchmark."""

from bench.node import instructions
from kimi_ros.sim import ObjectTruth


def truth(index, kind, color):
    x = 100.0 * index
    return ObjectTruth(index, kind, color, (x, 0, x + 50, 50), (x + 25, 25), 100, (0.5, 0.1, 0.0))


def test_instructions_for_one_and_three_steps():
    things = [truth(0, 'plate', 'green'), truth(1, 'box', 'red'), truth(2, 'ball', 'blue')]
    asked = instructions(things)
    assert list(asked) == [1, 3]
    for english, chinese in asked.values():
        assert 'red box' in english and '盒子' in chinese
    for said in asked[1]:
        assert 'ball' not in said and '球' not in said
    english, chinese = asked[3]
    assert 'blue ball' in english and 'green plate' in english
    assert '球' in chinese and '盘子' in chinese
    assert instructions(things) == asked
