"""Questions about images: the policy applies."""

from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

from kimi_ros.agent import Agent, Policy, SkillCatalogue
from kimi_ros.nodes.model_loader import ModelBundle
from kimi_ros.resources import share

RGB = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


class Vlm:
    """Records its questions."""

    def __init__(self):
        self.asked = []

    def encode_image(self, rgb, *, cancel=None):
        return rgb

    def query(self, image, question, **_):
        self.asked.append(question)
        return SimpleNamespace(text='Yes, quite so. ')


@pytest.fixture
def bundle():
    vlm = Vlm()
    skills = SkillCatalogue.load(share('config/skills.yaml'))
    return ModelBundle(vlm, Agent(vlm, skills, Policy.load(share('config/policy.yaml'))))


@pytest.mark.parametrize('question', ['Is it safe to cross?', '现在过马路安全吗？'])
def test_deferred_question_is_replaced_by_a_description(bundle, question):
    rule = bundle.agent.policy.rule_for_words(question)
    text = bundle.describe(RGB, question, '', Event())
    assert rule.action == 'defer' and question not in bundle.vlm.asked
    language = 'en' if question.isascii() else 'zh'
    assert text.startswith(rule.say[language]) and text.endswith('Yes, quite so.')


def test_other_questions_reach_the_model_unchanged(bundle):
    assert bundle.describe(RGB, 'Where is the cup?', '', Event()) == 'Yes, quite so.'
    assert bundle.vlm.asked == ['Where is the cup?']


def test_dark_image_is_reported_without_the_model(bundle):
    text = bundle.describe(np.zeros_like(RGB), 'Where is the cup?', 'en', Event())
    assert 'dark' in text and not bundle.vlm.asked
