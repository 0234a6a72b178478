"""Questions go by the rules, too."""

from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

from kimi_ros.agent import Agent, Policy, SkillCatalogue
from kimi_ros.nodes.mind import Mind
from kimi_ros.resources import share

RGB = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


class Vlm:
    """Says what it was asked."""

    def __init__(self):
        self.asked = []

    def encode_image(self, rgb, *, cancel=None):
        return rgb

    def query(self, image, question, **_):
        self.asked.append(question)
        return SimpleNamespace(text='Yes, quite so. ')


@pytest.fixture
def mind():
    vlm = Vlm()
    skills = SkillCatalogue.load(share('config/skills.yaml'))
    return Mind(vlm, Agent(vlm, skills, Policy.load(share('config/policy.yaml'))))


@pytest.mark.parametrize('question', ['Is it safe to cross?', '现在过马路安全吗？'])
def test_question_that_a_person_must_judge_is_not_put_to_the_model(mind, question):
    rule = mind.agent.policy.rule_for_words(question)
    text = mind.describe(RGB, question, '', Event())
    assert rule.action == 'defer' and question not in mind.vlm.asked
    language = 'en' if question.isascii() else 'zh'
    assert text.startswith(rule.say[language]) and text.endswith('Yes, quite so.')


def test_other_questions_are_put_as_they_are(mind):
    assert mind.describe(RGB, 'Where is the cup?', '', Event()) == 'Yes, quite so.'
    assert mind.vlm.asked == ['Where is the cup?']


def test_of_a_dark_picture_only_that_is_said(mind):
    text = mind.describe(np.zeros_like(RGB), 'Where is the cup?', 'en', Event())
    assert 'dark' in text and not mind.vlm.asked
