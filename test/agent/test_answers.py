"""Yes/no answers are read by whole words and clauses, and are unclear otherwise."""

import pytest

from kimi_ros.agent.answers import (
    IDENTITY_ANSWERS,
    PRESENCE_ANSWERS,
    Verdict,
    parse_yes_no,
)


@pytest.mark.parametrize(
    ('text', 'verdict'),
    [
        ('Yes', Verdict.YES),
        ('yes.', Verdict.YES),
        ('"Yes", it is a red cup.', Verdict.YES),
        ('是的', Verdict.YES),
        ('是。', Verdict.YES),
        ('有，在左边。', Verdict.YES),
        ('No', Verdict.NO),
        ('No, it is a ball.', Verdict.NO),
        ('no, there is none', Verdict.NO),
        ('没有。', Verdict.NO),
        ('不是，是一个球。', Verdict.NO),
        ('', Verdict.UNCLEAR),
        ('...', Verdict.UNCLEAR),
        ('Not sure.', Verdict.UNCLEAR),
        ('No idea, maybe.', Verdict.UNCLEAR),
        ("No, I'm not sure.", Verdict.UNCLEAR),
        ('Nothing', Verdict.UNCLEAR),
        ('yesterday', Verdict.UNCLEAR),
        ("yes'm", Verdict.UNCLEAR),
        ('Yes or no?', Verdict.UNCLEAR),
        ('Yes, but it is not red.', Verdict.UNCLEAR),
        ('A red cup.', Verdict.UNCLEAR),
        ('是不是红色我不知道', Verdict.UNCLEAR),
        ('对不起，我看不清。', Verdict.UNCLEAR),
        ('有可能', Verdict.UNCLEAR),
        ('是吗', Verdict.UNCLEAR),
        ('不知道', Verdict.UNCLEAR),
        ('没有，有', Verdict.UNCLEAR),
    ],
)
def test_parse_yes_no(text, verdict):
    assert parse_yes_no(text) is verdict


def test_parse_yes_no_in_another_language_is_unclear():
    assert parse_yes_no('Yes', 'zh') is Verdict.UNCLEAR
    assert parse_yes_no('是', 'en') is Verdict.UNCLEAR


@pytest.mark.parametrize('answers', [PRESENCE_ANSWERS, IDENTITY_ANSWERS])
@pytest.mark.parametrize('language', ['en', 'zh'])
def test_answers_taught_in_training_are_understood(answers, language):
    yes, no = answers[language]
    assert parse_yes_no(yes, language) is Verdict.YES
    assert parse_yes_no(no, language) is Verdict.NO
