"""Names of things: that they mean what is true, and when nobody would argue about them."""

from dataclasses import replace

import pytest

from kimi_ros.sim.full.object_classes import CATEGORIES, COLORS, PEOPLE, SIZES
from kimi_ros.sim.referring_expression import (
    CATEGORY_ZH,
    COLOR_ZH,
    NEXT_TO_DISTANCE,
    SIZE_ZH,
    SUPERLATIVES,
    ReferringExpression,
    related,
)

BOOK, BOWL, CUP = (
    ReferringExpression('book'),
    ReferringExpression('bowl'),
    ReferringExpression('cup', 'red'),
)


@pytest.mark.parametrize(
    ('meaning', 'found', 'en', 'zh'),
    [
        (CUP, [1, 2], 'red cup', '红色的杯子'),
        (ReferringExpression('cup', 'red', 'small'), [1], 'small red cup', '红色的小杯子'),
        (ReferringExpression(color='red'), [1, 2], 'red object', '红色的东西'),
        (ReferringExpression('cup', superlative='largest'), [2], 'largest cup', '最大的杯子'),
        (ReferringExpression('cup', superlative='smallest'), [1], 'smallest cup', '最小的杯子'),
        (ReferringExpression('cup', superlative='leftmost'), [1], 'leftmost cup', '最左边的杯子'),
        (ReferringExpression('cup', superlative='rightmost'), [2], 'rightmost cup', '最右边的杯子'),
        (ReferringExpression('cup', superlative='nearest'), [2], 'nearest cup', '最近的杯子'),
        (ReferringExpression('cup', superlative='farthest'), [1], 'farthest cup', '最远的杯子'),
        (ReferringExpression('banana', superlative='largest'), [], 'largest banana', '最大的香蕉'),
        (
            ReferringExpression('cup', relation='on', other=BOOK),
            [1],
            'cup on the book',
            '书上的杯子',
        ),
        (
            ReferringExpression('apple', relation='in', other=BOWL),
            [4],
            'apple in the bowl',
            '碗里的苹果',
        ),
        (
            ReferringExpression('apple', relation='on', other=BOWL),
            [],
            'apple on the bowl',
            '碗上的苹果',
        ),
        (
            ReferringExpression('cup', relation='right', other=BOWL),
            [2],
            'cup right of the bowl',
            '碗右边的杯子',
        ),
        (
            ReferringExpression('picture', relation='next', other=BOWL),
            [5],
            'picture next to the bowl',
            '碗旁边的图片',
        ),
        (ReferringExpression('banana'), [], 'banana', '香蕉'),
        (ReferringExpression('car', 'pink'), [], 'pink toy car', '粉色的玩具车'),
        (
            ReferringExpression('book', relation='left', other=CUP),
            [],
            'book left of the red cup',
            '红色的杯子左边的书',
        ),
    ],
)
def test_what_is_meant_is_what_is_true(table, meaning, found, en, zh):
    assert meaning.matches(table) == found
    assert (meaning.name('en'), meaning.name('zh')) == (en, zh)


def test_those_meant_come_from_left_to_right(table):
    assert CUP.matches(table[::-1]) == [4, 3]


def test_people_are_meant_only_by_their_names(table):
    people = tuple(
        replace(table[0], category=category, color='', index=10 + i)
        for i, category in enumerate(PEOPLE)
    )
    assert ReferringExpression().matches(people) == []
    assert [ReferringExpression(category).matches(people) for category in PEOPLE] == [[0], [1]]


def test_who_nearly_shares_a_superlative_is_meant_too(table):
    near = replace(table[2], index=8, box=(304.0, 10.0, 324.0, 30.0))
    assert ReferringExpression('cup', superlative='rightmost').matches((*table, near)) == [2, 6]
    far = replace(near, box=(330.0, 10.0, 350.0, 30.0))
    assert ReferringExpression('cup', superlative='rightmost').matches((*table, far)) == [6]


def cup_at(cup, x, **more):
    return replace(cup, index=8, box=(x, 10.0, x + 20, 30.0), **more)


@pytest.mark.parametrize(
    ('meaning', 'shift', 'clear'),
    [
        (ReferringExpression('cup', superlative='rightmost'), 0, True),  # both are meant
        (
            ReferringExpression('cup', superlative='rightmost'),
            9,
            False,
        ),  # is that one further right?
        (ReferringExpression('cup', superlative='rightmost'), 40, True),
        (ReferringExpression('picture', relation='left', other=BOWL), 0, True),
        (
            ReferringExpression('cup', relation='right', other=ReferringExpression('picture')),
            -75,
            False,
        ),
        (
            ReferringExpression('cup', relation='right', other=ReferringExpression('picture')),
            -40,
            True,
        ),
    ],
)
def test_what_is_on_the_edge_is_not_clear(table, meaning, shift, clear):
    objects = (*table, cup_at(table[2], 300.0 + shift))
    assert meaning.is_clear_cut(objects) is clear


@pytest.mark.parametrize(
    ('away', 'holds', 'clear'),
    [
        (NEXT_TO_DISTANCE - 0.04, True, True),
        (NEXT_TO_DISTANCE - 0.02, True, False),
        (NEXT_TO_DISTANCE + 0.02, False, False),
        (NEXT_TO_DISTANCE + 0.04, False, True),
    ],
)
def test_next_to_ends_somewhere_and_not_sharply(table, away, holds, clear):
    bowl, picture = table[3], replace(table[5], position=(0.5, -away, 0.05))
    what = ReferringExpression('picture', relation='next', other=BOWL)
    assert related(picture, 'next', bowl) is related(bowl, 'next', picture) is holds
    assert bool(what.matches((bowl, picture))) is holds
    assert what.is_clear_cut((bowl, picture)) is clear


def test_a_relation_to_one_of_several_is_not_clear(table):
    assert not ReferringExpression('book', relation='left', other=CUP).is_clear_cut(table)
    assert ReferringExpression(
        'book', relation='left', other=ReferringExpression('knife')
    ).is_clear_cut(table)


def test_the_largest_is_of_another_size_by_name(table):
    largest = ReferringExpression('book', superlative='largest')

    def pair(one, other):
        return [
            replace(table[0], index=i, size=(0.1 * scale,) * 3)
            for i, scale in enumerate((one, other))
        ]

    for low, high in SIZES.values():
        for scale in (low, (low + high) / 2, high):
            objects = pair(low, scale)
            assert not largest.is_clear_cut(objects) or len(largest.matches(objects)) == 2
    ranges = list(SIZES.values())
    for (_, small), (large, _) in zip(ranges, ranges[1:], strict=False):
        objects = pair(small, large)
        assert largest.is_clear_cut(objects) and largest.matches(objects) == [1]


def test_every_kind_and_colour_has_a_chinese_name():
    assert set(CATEGORY_ZH) == set(CATEGORIES) and set(COLOR_ZH) == set(COLORS)
    assert set(SIZE_ZH) == set(SIZES)
    for names in (CATEGORY_ZH, COLOR_ZH, SUPERLATIVES):
        assert len(set(names.values())) == len(names)
