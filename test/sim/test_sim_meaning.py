"""Names of the full table's things, and that they mean what is true."""

import pytest

from kimi_ros.sim import ThingTruth
from kimi_ros.sim.full.catalogue import COLORS, KINDS
from kimi_ros.sim.full.words import COLOR_ZH, KIND_ZH, Meaning, preposition


def truth(index, kind, color, x, y, **more):
    values = dict(size=(0.1, 0.1, 0.1), size_name='medium', material='', support=-1,
                  relation='on', occluded=0.0, text='', shows=('', ''), hazard='', distance=1.0)
    return ThingTruth(index, kind, color, (x, 10.0, x + 20, 30.0), (x + 10, 20.0), 400,
                      (0.5, y, 0.05), **values | more)


# Their places in the list are not their indices, as where something is hidden altogether.
THINGS = (
    truth(1, 'book', 'blue', 0, 0.3, distance=0.9),
    truth(2, 'cup', 'red', 2, 0.3, support=1, size_name='small', size=(0.07, 0.07, 0.07)),
    truth(4, 'cup', 'red', 300, -0.3, size_name='large', size=(0.13, 0.13, 0.13), distance=0.7),
    truth(5, 'bowl', 'white', 150, 0.0, distance=1.2),
    truth(6, 'apple', 'green', 155, 0.0, support=5, relation='in', distance=1.19),
    truth(7, 'picture', 'black', 220, -0.1, shows=('banana', 'yellow')),
)
BOOK, BOWL, CUP = Meaning('book'), Meaning('bowl'), Meaning('cup', 'red')


@pytest.mark.parametrize(('meaning', 'found', 'en', 'zh'), [
    (CUP, [1, 2], 'red cup', '红色的杯子'),
    (Meaning('cup', 'red', 'small'), [1], 'small red cup', '红色的小杯子'),
    (Meaning('cup', superlative='largest'), [2], 'largest cup', '最大的杯子'),
    (Meaning('cup', superlative='leftmost'), [1], 'leftmost cup', '最左边的杯子'),
    (Meaning('cup', superlative='nearest'), [2], 'nearest cup', '最近的杯子'),
    (Meaning('cup', relation='on', other=BOOK), [1], 'cup on the book', '书上的杯子'),
    (Meaning('apple', relation='in', other=BOWL), [4], 'apple in the bowl', '碗里的苹果'),
    (Meaning('apple', relation='on', other=BOWL), [], 'apple on the bowl', '碗上的苹果'),
    (Meaning('cup', relation='right', other=BOWL), [2], 'cup right of the bowl', '碗右边的杯子'),
    (Meaning('picture', relation='next', other=BOWL), [5], 'picture next to the bowl',
     '碗旁边的图片'),
    (Meaning('banana'), [], 'banana', '香蕉'),
    (Meaning('book', relation='left', other=CUP), [], 'book left of the red cup',
     '红色的杯子左边的书'),
])
def test_what_is_meant_is_what_is_true(meaning, found, en, zh):
    assert meaning.matches(THINGS) == found
    assert (meaning.name('en'), meaning.name('zh')) == (en, zh)


def test_every_kind_and_colour_has_a_chinese_name():
    assert set(KIND_ZH) == set(KINDS) and set(COLOR_ZH) == set(COLORS)
    assert preposition(Meaning('pan'), 'en') == 'in' and preposition(BOOK, 'zh') == '上'
