"""The noun of "one" is that of the turn before."""

import pytest

from kimi_ros.reader import Reading, Span, Step, Thing
from kimi_ros.reader.ellipsis import fill_ellipsis, has_ellipsis


def span(text, words, turn=0):
    return Span(text.index(words), text.index(words) + len(words), turn)


def reading(text, words, head, **more):
    return Reading(
        'steps', (Step('pick', None, {'object': (Thing(span(text, words), head, **more),)}),)
    )


@pytest.mark.parametrize(
    ('before', 'noun', 'text', 'words', 'number'),
    [
        ('pick up the red mug', 'mug', 'the other one as well', 'other one', 'other'),
        ('把红色的杯子拿起来', '杯子', '另一个也拿起来', '另一个', 'other'),
        ('把红色的杯子拿起来', '杯子', '再拿那个', '那个', 'one'),
    ],
)
def test_a_phrase_without_a_noun_takes_that_of_the_turn_before(before, noun, text, words, number):
    previous = reading(before, noun, span(before, noun))
    head = span(text, 'one') if 'one' in text else span(text, words)
    now = reading(text, words, head)
    assert has_ellipsis(now, (text, before))
    (found,) = fill_ellipsis(now, (text, before), previous).steps[0].things['object']
    assert (found.words, found.number) == (span(before, noun, 1), number)


def test_attributes_are_those_of_this_turn():
    before, text = 'pick up the red mug', 'and the blue one'
    previous = reading(before, 'red mug', span(before, 'mug'))
    now = reading(text, 'blue one', span(text, 'one'), attributes=(span(text, 'blue'),))
    (found,) = fill_ellipsis(now, (text, before), previous).steps[0].things['object']
    assert found.head == span(before, 'mug', 1)
    assert (found.words, found.attributes) == (span(text, 'blue one'), (span(text, 'blue'),))


@pytest.mark.parametrize('noun', ['phone', 'stone', '个人电脑'])
def test_a_noun_stays(noun):
    text = f'take {noun}'
    assert not has_ellipsis(reading(text, noun, span(text, noun)), (text, 'take the cup'))
