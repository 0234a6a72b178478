"""Names hold only words that were said, or what those are called in training."""

import re

import pytest

from kimi_ros.agent.vocabulary import as_said, as_taught, name_pattern, unsaid_words


@pytest.mark.parametrize(
    ('said', 'names', 'others'),
    [
        (
            ['Put the biggest mug beside the blue plate'],
            ['mug', 'biggest mug', 'largest cup', 'blue plate', 'cup next to the blue plate'],
            ['red cup', 'laptop', 'smallest mug', 'mug,', ''],
        ),
        (['bring me two glasses'], ['glass', 'glasses'], ['bottle']),
        (['do it again', 'pick up the giraffe'], ['giraffe'], ['phone']),
        (['拿那个红马克杯'], ['红色的马克杯', '红色的杯子', '红马克杯'], ['蓝色的杯子', 'cup']),
        (['把iphone放到碗里'], ['iphone', '碗'], ['手机', 'phone']),
    ],
)
def test_name_pattern(said, names, others):
    pattern = re.compile(f'^{name_pattern(said)}$')
    assert [n for n in names if not pattern.match(n)] == []
    assert [n for n in others if pattern.match(n)] == []


def test_name_pattern_of_words_that_mean_something_in_expressions():
    assert re.fullmatch(name_pattern(["find the t-shirt's box (c++)"]), "t-shirt's box")


@pytest.mark.parametrize(
    ('name', 'said', 'shown'),
    [
        ('largest cup', 'pick up the biggest mug', 'biggest mug'),
        ('cup next to the plate', 'grab the mug beside the plate', 'mug beside the plate'),
        ('red cup', 'pick up the red cup', 'red cup'),
        ('红色的杯子', '拿那个红色的马克杯', '红色的马克杯'),
        ('手机', '拿电话', '电话'),
    ],
)
def test_as_said_and_as_taught(name, said, shown):
    assert as_said(name, [said]) == shown
    assert unsaid_words(shown, [said]) == []
    assert as_taught(shown) == name


def test_unsaid_words():
    assert unsaid_words('red sponge', ['pick up the red cup']) == ['sponge']
    assert unsaid_words('蓝杯子', ['拿杯子']) == ['蓝']
