"""Noun phrases are taken apart: head, attributes, order, relation, landmark."""

import pytest

from kimi_ros.agent.references import Reference, parse_reference, place_reference


@pytest.mark.parametrize(
    ('text', 'name', 'order', 'relation', 'landmarks'),
    [
        ('red cup', 'red cup', '', '', []),
        ('the red cup', 'red cup', '', '', []),
        ('largest red cup left of the blue plate', 'red cup', 'largest', 'left_of', ['blue plate']),
        ('cup to the right of my kettle', 'cup', '', 'right_of', ['kettle']),
        ('cup beside the pan', 'cup', '', 'next_to', ['pan']),
        ('book between the cup and the plate', 'book', '', 'between', ['cup', 'plate']),
        ('mug that is on the shelf', 'mug', '', 'on', ['shelf']),
        ('knife with the yellow grip', 'knife with the yellow grip', '', '', []),
        ('红色的杯子', '红色的杯子', '', '', []),
        ('最大的红色的杯子', '红色的杯子', '最大的', '', []),
        ('蓝色的盘子左边的红色的杯子', '红色的杯子', '', 'left_of', ['蓝色的盘子']),
        ('黑色的碗里的笔', '笔', '', 'in', ['黑色的碗']),
        ('离我最近的椅子', '椅子', '离我最近的', '', []),
    ],
)
def test_parse_reference(text, name, order, relation, landmarks):
    found = parse_reference(text)
    assert found.text == text and found.name == name
    assert (found.order, found.relation) == (order, relation)
    assert [mark.text for mark in found.landmarks] == landmarks
    assert found.is_plain == (not order and not relation) and not found.is_place
    assert found.head and found.head in name


def test_place_reference_has_no_head_and_is_judged_by_its_landmarks():
    place = place_reference('left_of', (Reference('front door', 'door'),), 'left of the front door')
    assert place.is_place and place.nouns == ('front door',)


def test_without_place_keeps_the_head_with_its_attributes():
    phrase = parse_reference('smallest red cup left of the plate')
    assert phrase.without_place.text == 'red cup' and phrase.without_place.is_plain
