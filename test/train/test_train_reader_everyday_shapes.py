"""Shapes of everyday talk mean what their annotation says."""

import pytest
from generated_examples import LANGUAGES, sample_examples


@pytest.mark.parametrize('lang', LANGUAGES)
@pytest.mark.parametrize(
    ('shape', 'outcome'),
    [('refused_request', 'nothing'), ('vague_object', 'unclear'), ('topic_question', 'answer')],
)
def test_what_requests_nothing_has_no_steps(monkeypatch, lang, shape, outcome):
    examples = sample_examples(monkeypatch, shape, lang, 30, tries=100)
    assert examples
    for example in examples:
        assert (example.reading.outcome, example.reading.steps) == (outcome, ()), example.text
        assert '{' not in example.text, example.text


@pytest.mark.parametrize('lang', LANGUAGES)
@pytest.mark.parametrize('shape', ['next_share', 'changed_ending'])
def test_a_further_request_keeps_the_skill_of_the_first(monkeypatch, lang, shape):
    turns, verbs = [], []
    for example in sample_examples(monkeypatch, shape, lang, 30, tries=100):
        if example.reading.outcome != 'steps':
            continue
        (step,) = example.reading.steps
        if step.verb:
            said = step.verb.text_in((example.text, *example.history))
            assert said in example.history[0], example.text
            verbs.append(step.verb.turn)
        things = [t.words.turn for ts in step.things.values() for t in ts]
        values = [v.words.turn for v in step.values.values() if v.words]
        assert len(example.history) == 1
        turns += things + values
    assert (1 if lang == 'en' else 0) in verbs  # Chinese says the verb again
    assert 0 in turns
    assert 1 in turns or shape == 'next_share'
