"""Situations of the instruction generator mean what their annotation says."""

import pytest
from generated_examples import LANGUAGES, sample_examples

from kimi_train.reader.language.questions import question_templates
from kimi_train.reader.language.sentence_templates import sentence_templates


@pytest.fixture
def examples(monkeypatch):
    def sample(situation, lang, count=40):
        found = sample_examples(monkeypatch, situation, lang, count, tries=100)
        return [(example, example.reading) for example in found]

    return sample


def words(example, thing):
    text = (example.text, *example.history)[thing.words.turn]
    return text[thing.words.start : thing.words.end]


@pytest.mark.parametrize('lang', LANGUAGES)
def test_the_means_is_no_object(examples, lang):
    means = {'en': ('button', 'remote', 'lever'), 'zh': ('开关', '按钮', '遥控器', '拉杆')}[lang]
    seen = 0
    for example, reading in examples('instrument', lang):
        named = [words(example, t) for s in reading.steps for ts in s.things.values() for t in ts]
        used = [word for word in means if word in example.text]
        seen += bool(used)
        assert len(reading.steps) <= 1
        assert not used or set(used) - set(named), example.text
    assert seen > 5


@pytest.mark.parametrize('lang', LANGUAGES)
def test_what_is_taken_from_somewhere_is_what_is_put(examples, lang):
    kinds = set()
    for example, reading in examples('take_and_put', lang):
        if reading.outcome != 'steps':
            continue
        kinds.add(len(reading.steps))
        things = [next(iter(step.things.values()))[0] for step in reading.steps if step.things]
        put = reading.steps[-1]
        assert any(t.words == things[0].words for ts in put.things.values() for t in ts), example
    assert kinds == {1, 2}


@pytest.mark.parametrize('lang', LANGUAGES)
def test_questions_keep_their_place(examples, lang):
    for example, reading in examples('placed_question', lang):
        assert reading.outcome == 'answer'
        (thing,) = reading.question.things
        assert thing.relation and thing.landmarks, example.text


@pytest.mark.parametrize('lang', LANGUAGES)
def test_prohibitions_and_anecdotes_ask_for_nothing(examples, lang):
    for _, reading in examples('leave_alone', lang):
        assert (reading.outcome, reading.steps) == ('nothing', ())
        assert len(reading.forbidden) == 1
    for _, reading in examples('anecdote', lang):
        assert (reading.outcome, reading.forbidden) == ('nothing', ())


@pytest.mark.parametrize('lang', LANGUAGES)
def test_a_pronoun_without_antecedent_is_unclear(examples, lang):
    assert {r.outcome for _, r in examples('dangling_pronoun', lang)} == {'unclear'}


@pytest.mark.parametrize('lang', LANGUAGES)
def test_the_thing_of_a_condition_is_the_object(examples, lang):
    found = [(e, r) for e, r in examples('state_condition', lang) if r.steps]
    assert found
    for example, reading in found:
        (step,) = reading.steps
        condition = step.condition.thing
        assert any(t.words == condition.words for ts in step.things.values() for t in ts), example


@pytest.mark.parametrize('lang', LANGUAGES)
def test_what_is_meant_for_somebody_is_delivered(examples, lang):
    for _, reading in examples('meant_for', lang, 10):
        assert reading.outcome == 'steps'
        assert len(reading.steps[0].things) >= 1


@pytest.mark.parametrize('lang', LANGUAGES)
def test_questions_about_a_place_say_what_is_asked_for(lang):
    asked = sentence_templates(lang)['what_words']
    for template in question_templates(lang)['relation']:
        assert any(word in template for word in asked), template
