"""What people ask of a service robot, in the instruction generator."""

import functools

import pytest
from generated_examples import LANGUAGES, sample_examples

from kimi_train.reader.language.sentence_templates import sentence_templates


@pytest.fixture
def examples(monkeypatch):
    return functools.partial(sample_examples, monkeypatch, count=8, tries=200)


def first_things(reading):
    return [next(iter(step.things.values()))[0] for step in reading.steps if step.things]


@pytest.mark.parametrize('lang', LANGUAGES)
def test_errands_are_about_one_thing_or_unsupported(examples, lang):
    for example in examples('errand', lang):
        steps = example.reading.steps
        assert (len(steps) > 1) == (example.reading.outcome == 'steps'), example
        spans = [{t.words for ts in step.things.values() for t in ts} for step in steps]
        assert not steps or spans[-1] & spans[-2], example  # what was found is what is brought


@pytest.mark.parametrize('lang', LANGUAGES)
def test_talk_is_no_skill_and_names_its_verb(examples, lang):
    for example in examples('unsupported_talk', lang):
        assert example.reading.outcome == 'no_skill'
        verb = example.reading.verb
        assert example.text[verb.start : verb.end]


@pytest.mark.parametrize('lang', LANGUAGES)
def test_the_handle_is_no_object(examples, lang):
    for example in examples('by_handle', lang):
        (step,) = example.reading.steps
        thing = step.things[next(iter(step.things))][0]
        named = example.text[thing.words.start : thing.words.end]
        assert not named.endswith(('handle', 'knob', 'grip', '的把手', '旋钮')), example.text


@pytest.mark.parametrize('lang', LANGUAGES)
def test_a_value_taken_back_is_not_the_value(examples, lang):
    for example in examples('value_correction', lang):
        (step,) = example.reading.steps
        before = [example.text[: v.words.start] for v in step.values.values() if v.words]
        assert any(text.endswith(sentence_templates(lang)['correction']) for text in before), (
            example
        )


@pytest.mark.parametrize('lang', LANGUAGES)
def test_a_place_in_front_is_that_of_the_thing(examples, lang):
    for example in examples('fronted_source', lang):
        (thing,) = first_things(example.reading)
        assert thing.relation
        assert thing.landmarks[0].words.start < thing.words.start, example.text
