"""Which instructions need the turns before them."""

import pytest

from kimi_ros.agent.planners.follow_up import refers_back


@pytest.mark.parametrize(
    'instruction',
    [
        'the other one, too',
        'and the blue cup',
        'put it on the plate',
        'pick it up',
        'the red one',
        'the one on the left',
        'do the same with the bowl',
        'what about the knife?',
        'now put that down',
        'no, the green box',
        'put them in the bowl',
        '另一个也要',
        '把它放到盘子里',
        '红色的',
        '左边的那个',
        '那个呢？',
        '然后把杯子放下',
        '不对，是绿色的盒子',
        '棕榈树也一样',
    ],
)
def test_refers_back(instruction):
    assert refers_back(instruction)


@pytest.mark.parametrize(
    'instruction',
    [
        'pick up the red cup',
        'take the cup and put it on the plate',
        'find the orange plate',
        'give me one cup',
        'put the cup to the left of the bowl',
        'which objects are there?',
        'find that red cup',
        '拿起红色的杯子',
        '把杯子拿起来，放到盘子里',
        '找到那个红色的杯子',
        '你看到什么？',
        '拿起杯子，把它放到碗里',
    ],
)
def test_stands_alone(instruction):
    assert not refers_back(instruction)
