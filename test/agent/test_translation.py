"""Chinese names for models that understand English only."""

import pytest

from kimi_ros.agent.naming import Naming, UnknownWordError
from kimi_ros.agent.references import parse_reference
from kimi_ros.agent.translation import to_english


@pytest.mark.parametrize(
    ('name', 'english'),
    [
        ('红色的杯子', 'red cup'),
        ('那把吉他', 'guitar'),
        ('玻璃杯', 'glass'),
        ('玻璃瓶', 'glass bottle'),
        ('笔记本电脑', 'laptop'),
        ('大红苹果', 'large red apple'),
        ('克莱因瓶', None),
    ],
)
def test_to_english(name, english):
    assert to_english(name) == english


def test_naming_in_the_models_language_and_words():
    cup = parse_reference('红色的杯子')
    assert Naming(('en',)).name(cup) == 'red cup'
    assert Naming(('en', 'zh')).name(cup) == '红色的杯子'
    assert Naming(taught=True).name(parse_reference('red mug')) == 'red cup'
    with pytest.raises(UnknownWordError) as caught:
        Naming(('en',)).name(parse_reference('克莱因瓶'))
    assert caught.value.name == '克莱因瓶'


@pytest.mark.parametrize(
    ('text', 'phrase'),
    [
        ('biggest mug beside the blue plate', 'largest cup next to the blue plate'),
        ('盘子左边的最大的马克杯', '盘子左边的最大的杯子'),
    ],
)
def test_naming_a_whole_phrase_as_it_is_taught(text, phrase):
    assert Naming(taught=True).phrase(parse_reference(text)) == phrase
