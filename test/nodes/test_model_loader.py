"""Questions about images: the policy applies."""

import contextlib
import threading
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

from kimi_ros.agent import Agent, Frame, Policy, SkillCatalogue
from kimi_ros.agent.errors import InstructionTooLongError, InvalidDraftError
from kimi_ros.nodes.codes import ErrorCode, RequestError
from kimi_ros.nodes.model_loader import ModelBundle, ModelLoader, load_bundle
from kimi_ros.resources import ResourceNotFoundError, share

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


@pytest.fixture(scope='module')
def nano():
    try:
        share('models/nano')
    except ResourceNotFoundError:
        pytest.skip('models/nano is not in this checkout')
    return load_bundle('nano', 'cpu', 1, '', '', planner='model')


@pytest.mark.parametrize('words', ['pick up the red cup ', '杯'])
def test_length_limit_is_that_of_the_model_in_tokens_and_characters(nano, words):
    with pytest.raises(InstructionTooLongError, match='tokens .* characters') as caught:
        nano.check_length((words * 2000)[:2000])
    fitting = int(str(caught.value).split('about ')[1].split()[0])
    nano.check_length((words * 2000)[: int(0.9 * fitting)])
    with pytest.raises(InstructionTooLongError):
        nano.check_length((words * 2000)[: int(1.1 * fitting)])


def test_longest_instruction_is_read(nano):
    words = 'pick up the red cup and then ' * 100
    fitting = next(n for n in range(2000, 0, -20) if _fits(nano, words[:n]))
    # PromptTooLong would pass through; what a small model makes of such a text is another matter.
    with contextlib.suppress(InvalidDraftError):
        assert nano.plan(Frame(RGB), words[:fitting], '').say


def _fits(bundle, text):
    try:
        bundle.check_length(text)
    except InstructionTooLongError:
        return False
    return True


def test_another_planner_has_its_own_limit(bundle):
    bundle.check_length('pick up the red cup ' * 100)


class Loaded:
    """A bundle that knows whether it was freed."""

    def __init__(self):
        self.closed = threading.Event()

    def close(self):
        self.closed.set()


def test_loader_hands_out_the_bundle_and_frees_it():
    loaded = Loaded()
    loader = ModelLoader(lambda: loaded)
    assert loader.get(Event()) is loaded and loader.ready
    loader.close()
    assert loaded.closed.is_set() and not loader.ready
    with pytest.raises(RequestError, match='unloaded'):
        loader.get(Event())


def test_model_that_is_closed_while_it_loads_is_freed():
    loaded, go = Loaded(), threading.Event()
    loader = ModelLoader(lambda: go.wait(30) and loaded)
    loader.close()
    go.set()
    assert loaded.closed.wait(30) and not loader.ready


def test_failed_loading_is_reported():
    reasons = []
    loader = ModelLoader(lambda: 1 / 0, reasons.append)
    loader.wait()
    assert 'division by zero' in loader.error and reasons == [loader.error]
    with pytest.raises(RequestError) as caught:
        loader.get(Event())
    assert caught.value.code is ErrorCode.MODEL_FAILED


def test_waiting_for_the_model_can_be_cancelled():
    go, cancel = threading.Event(), Event()
    loader = ModelLoader(lambda: go.wait(30))
    cancel.set()
    with pytest.raises(RequestError) as caught:
        loader.get(cancel)
    go.set()
    assert caught.value.code is ErrorCode.CANCELLED
