"""Drafts through the real runtime: tokenizer, grammar and stream over a scripted engine."""

import json

import numpy as np
import pytest

from kimi_ros.agent import Status
from kimi_ros.agent.planners import ModelPlanner, PlanRequest
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.fake import FakeEngine
from kimi_ros.vlm.tokenizer import TextTokenizer

CHINESE = (
    '{"status":"ok","say":"我来拿红色的杯子。","steps":[{"skill":"pick","object":"红色的杯子"},'
    '{"skill":"place","object":"红色的杯子","target":"盘子"}]}'
)


SAID = '拿起红色的杯子，放到盘子上。 cup'


@pytest.fixture
def draft(golden_checkpoint, catalogue):
    """Return what becomes of a text that the engine would like to write."""
    config = ModelConfig.from_dict(json.loads((golden_checkpoint / 'config.json').read_text()))
    tokenizer = TextTokenizer.from_file(golden_checkpoint / 'tokenizer.json')

    def make(text, **more):
        engine = FakeEngine(config, tokenizer.encode(text))
        vlm = VisionLanguageModel(engine, tokenizer, name='fake', tasks=('query', 'plan'))
        image = vlm.encode_image(np.zeros((20, 20, 3), np.uint8))
        request = PlanRequest(SAID, 'zh', image=lambda: image)
        return ModelPlanner(vlm, catalogue).draft(request, **more)

    return make


def test_model_planner_streams_and_parses_a_plan(draft, catalogue):
    said = []
    plan = draft(CHINESE, on_text=said.append)
    assert plan == draft(CHINESE)
    assert plan.status is Status.OK and [s.skill for s in plan.steps] == ['pick', 'place']
    assert plan.names(catalogue) == ['红色的杯子', '盘子']
    assert said[0] == '我' and said[-1] == plan.say == '我来拿红色的杯子。'


@pytest.mark.parametrize(
    ('written', 'said'),
    [
        ('我来  拿红色的杯子。', '我来 拿红色的杯子。'),
        ('我来拿红色的杯子6。', '我来这样做：'),
        ('a红色的杯子', '我来这样做：'),
    ],
)
def test_a_sentence_that_the_model_garbled_is_not_said(draft, written, said):
    plan = draft(CHINESE.replace('我来拿红色的杯子。', written))
    assert plan.status is Status.OK and plan.say.startswith(said)
    assert '6' not in plan.say


def test_grammar_excludes_unknown_skills(draft):
    plan = draft(CHINESE.replace('"pick"', '"push"'))
    assert {s.skill for s in plan.steps} <= {'locate', 'pick', 'place', 'describe'}


def test_infeasible_draft_holds_hypothetical_steps(draft):
    infeasible = '{"status":"infeasible","say":"I do not see a cup.","steps":[]}'
    plan = draft(infeasible)
    assert plan.status is Status.INFEASIBLE and plan.say == 'I do not see a cup.'
    # What it would do is there all the same: grounding decides.
    assert plan.doubted
