"""How people speak of the table: templates that can be filled, and words that can be read."""

import string
from collections import Counter

import numpy as np
import pytest

from kimi_ros.sim.full.object_classes import CONTAINERS
from kimi_ros.sim.language import (
    add_politeness,
    caption,
    preposition,
    requests,
    scene_description,
    verbalize,
    with_article,
)
from kimi_ros.sim.referring_expression import LANGUAGES, ReferringExpression

HOLDS = {
    'locate': ['object'],
    'pick': ['object'],
    'place': ['object', 'target', 'where'],
    'describe': [],
    'openings': [],
    'endings': [],
}
ASKED = [(ask, language) for ask in HOLDS for language in LANGUAGES]
BOWL, BOOK, CUP = (
    ReferringExpression('bowl'),
    ReferringExpression('book', 'blue'),
    ReferringExpression('cup', 'red'),
)


def placeholders(template):
    """The names that a template is to be filled with, in their order."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def test_there_is_something_of_every_sort():
    assert {ask: list(by) for ask, by in requests().items()} == {
        ask: list(LANGUAGES) for ask in HOLDS
    }


@pytest.mark.parametrize(('ask', 'language'), ASKED)
def test_every_template_has_its_placeholders_once(ask, language):
    for template in requests()[ask][language]:
        assert sorted(placeholders(template)) == HOLDS[ask], template
        assert template == template.strip() and '  ' not in template
        assert all(f'{{{name}}}' in template for name in HOLDS[ask])  # no !r, no :>3


@pytest.mark.parametrize(('ask', 'language'), ASKED)
def test_no_template_is_written_twice(ask, language):
    lines = requests()[ask][language]
    assert len(lines) >= 40
    assert [line for line, times in Counter(lines).items() if times > 1] == []


@pytest.mark.parametrize(('ask', 'language'), ASKED)
def test_templates_are_in_their_language(ask, language):
    for template in requests()[ask][language]:
        chinese = any('\u4e00' <= letter <= '\u9fff' for letter in template)
        assert chinese == (language == 'zh'), template


def test_where_a_thing_goes_stands_before_the_place_or_in_chinese_after_it():
    assert all('{where} {target}' in line for line in requests()['place']['en'])
    assert all('{target}{where}' in line for line in requests()['place']['zh'])


@pytest.mark.parametrize(('ask', 'language'), ASKED[:8])
def test_templates_can_be_filled(ask, language):
    rng = np.random.default_rng(0)
    words = {
        'object': verbalize(CUP, language, rng),
        'target': verbalize(BOWL, language, rng),
        'where': preposition(BOWL, language),
    }
    for template in requests()[ask][language]:
        said = add_politeness(template.format(**words), language, rng)
        assert '{' not in said and '}' not in said
        for name in HOLDS[ask]:
            assert words[name] in said


@pytest.mark.parametrize('language', LANGUAGES)
def test_what_is_polite_stands_before_or_after(language):
    request = {'en': 'find the red cup', 'zh': '找到红色的杯子'}[language]
    rng = np.random.default_rng(0)
    said = Counter(add_politeness(request, language, rng) for _ in range(400))
    assert 0.5 < said[request] / 400 < 0.8
    ways = {(line.startswith(request), line.endswith(request)) for line in said}
    assert ways == {(True, True), (False, True), (True, False), (False, False)}
    assert all(request in line for line in said)


def test_who_asks_politely_is_not_made_to_twice_nor_a_question_ended_like_an_order():
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert add_politeness('please find it', 'en', rng).startswith('please find it')
        assert add_politeness('where is it?', 'en', rng).endswith('where is it?')


@pytest.mark.parametrize('language', LANGUAGES)
def test_a_thing_is_spoken_of_in_many_ways(language):
    rng = np.random.default_rng(0)
    ways = {verbalize(CUP, language, rng) for _ in range(200)}
    assert len(ways) >= 8 and any(CUP.name(language) in way for way in ways)
    where = ReferringExpression('cup', relation='on', other=BOOK)
    for way in {verbalize(where, language, rng) for _ in range(60)}:
        assert not way.startswith(('a ', 'that ')), 'which one is meant must be said'
        assert '桌' not in way and 'table' not in way


def test_things_go_into_what_holds_them_and_onto_the_rest():
    for category in CONTAINERS:
        assert (
            preposition(ReferringExpression(category), 'en'),
            preposition(ReferringExpression(category), 'zh'),
        ) == ('in', '里')
    assert (preposition(BOOK, 'en'), preposition(BOOK, 'zh')) == ('on', '上')


def test_names_have_articles():
    assert with_article('orange cup') == 'an orange cup' and with_article('cup') == 'a cup'


def test_a_table_is_described_from_left_to_right(table):
    few = (table[2], table[5], table[0])
    assert caption(few, 'short') == 'A blue book, a black picture and a red cup on a table.'
    assert caption(few, 'normal') == (
        'There are 3 objects on the table: a blue book, a black picture and a red cup.'
    )
    assert scene_description(few, 'en') == 'I see a blue book, a black picture and a red cup.'
    assert scene_description(few, 'zh') == '我看到蓝色的书、黑色的图片、红色的杯子。'
