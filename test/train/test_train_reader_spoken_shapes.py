"""Shapes of speech of the instruction generator mean what their annotation says."""

import pytest
from generated_examples import LANGUAGES, sample_examples

from kimi_train.reader.language import sentence_corpus
from kimi_train.reader.language.topics_zh import topic_and_comment, without_value_links


@pytest.fixture
def examples(monkeypatch):
    def sample(shape, lang, count=40):
        found = sample_examples(monkeypatch, shape, lang, count, tries=150)
        return [(example, example.reading) for example in found]

    return sample


@pytest.mark.parametrize('lang', LANGUAGES)
def test_the_place_of_a_mishap_belongs_to_its_thing(examples, lang):
    related = 0
    for example, reading in examples('mishap', lang):
        if reading.outcome != 'steps':
            continue
        things = [t for ts in reading.steps[0].things.values() for t in ts]
        assert things, example.text
        related += any(t.relation and t.landmarks for t in things)
    assert related > 3


@pytest.mark.parametrize('lang', LANGUAGES)
def test_a_text_said_apart_is_the_value(examples, lang):
    found = [(e, r) for e, r in examples('text_apart', lang, 15) if r.outcome == 'steps']
    kept = [
        value.words
        for _, reading in found
        for value in reading.steps[0].values.values()
        if isinstance(value.value, str) and value.words
    ]
    assert 2 * len(kept) > len(found) > 3


@pytest.mark.parametrize('lang', LANGUAGES)
def test_the_contrast_of_a_fragment_is_forbidden(examples, lang):
    for example, reading in examples('contrast_fragment', lang, 20):
        assert len(reading.forbidden) == 1 and len(reading.steps) == 1, example.text


@pytest.mark.parametrize('lang', LANGUAGES)
def test_two_things_of_a_fragment_are_two_steps(examples, lang):
    for example, reading in examples('joined_fragment', lang, 20):
        first, second = reading.steps
        assert first.skill == second.skill and first.things != second.things, example.text


@pytest.mark.parametrize('lang', LANGUAGES)
def test_an_act_beside_the_skills_has_none(examples, lang):
    found = examples('near_miss', lang)
    assert {reading.outcome for _, reading in found} == {'no_skill'}
    assert all(reading.verb for _, reading in found)


def test_all_things_of_a_topic_are_meant(examples):
    for example, reading in examples('topic_of_all', 'zh', 20):
        things = [t for step in reading.steps for ts in step.things.values() for t in ts]
        assert reading.outcome != 'steps' or any(t.number == 'all' for t in things), example.text


@pytest.mark.parametrize(
    ('template', 'topic', 'comment'),
    [
        ('把{item}\x01切\x02成{shape}', 'item', '\x01切\x02成{shape}'),
        ('\x01打开\x02{object}', 'object', '\x01打开\x02'),
        ('给{object}\x01缠\x02{n}层', 'object', '\x01缠\x02{n}层'),
        ('\x01打开\x02{object}的盖子', '', ''),
        ('\x01教\x02{person}{topic}', '', ''),
    ],
)
def test_what_can_be_a_chinese_topic(template, topic, comment):
    assert topic_and_comment(template) == (topic, comment)


def test_a_value_follows_its_verb():
    assert without_value_links('\x01切\x02成{shape}', ['shape']) == '\x01切\x02{shape}'
    assert without_value_links('\x01放\x02到{target}', ['shape']) == '\x01放\x02到{target}'


@pytest.mark.parametrize('lang', LANGUAGES)
def test_remarks_reasons_and_questions_are_many_and_none_twice(lang):
    questions = [q for lines in sentence_corpus.spoken_questions(lang).values() for q in lines]
    for lines, least in (
        (sentence_corpus.remarks(lang), 200),
        (sentence_corpus.spoken_reasons(lang), 100),
        (questions, 200),
    ):
        assert len(lines) >= least and len(set(lines)) == len(lines), [
            line for line in set(lines) if lines.count(line) > 1
        ]
