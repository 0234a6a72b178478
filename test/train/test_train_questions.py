"""Questions say what is true of the scene, in the words the agent uses."""

import json

import numpy as np
import pytest

from kimi_ros.agent.prompts import plan_prompt
from kimi_ros.sim.language import Description
from kimi_ros.sim.tasks import make_task
from kimi_train.nano.checkpoint import load_start
from kimi_train.nano.questions import SKILLS, QuestionWriter

RED_CUP = Description('cup', 'red')


@pytest.fixture(scope='module')
def words(start):
    model, tokenizer = load_start(start)
    return QuestionWriter(model.config, tokenizer), tokenizer


def test_points_go_from_left_to_right_and_end(words, scene):
    writer, _ = words
    question = writer.locate(scene, RED_CUP, 'en', boxes=False)
    xs = [question.next_coords[i] for i in sorted(question.next_coords)]
    assert xs == pytest.approx([0.15, 0.6, 0.75, 0.6])
    assert question.next_ids[question.last] == writer.tokens.eos_id
    assert question.looks[question.last] == []


def test_what_is_not_there_has_no_points(words, scene):
    writer, _ = words
    question = writer.locate(scene, Description('ball', 'red'), 'zh', boxes=True)
    assert not question.next_coords and not question.next_sizes
    assert question.next_ids == {question.last: writer.tokens.eos_id}


@pytest.mark.parametrize(
    ('what', 'status'),
    [
        (RED_CUP, 'needs_clarification'),
        (Description('book', 'blue'), 'ok'),
        (Description('ball', 'green'), 'infeasible'),
        (Description('cup', 'red', 'left', Description('book', 'blue')), 'ok'),
    ],
)
@pytest.mark.parametrize('language', ['en', 'zh'])
def test_a_plan_fits_the_scene(scene, what, status, language):
    task = make_task('pick', scene, [what], language, np.random.default_rng(0))
    assert task.plan['status'] == status
    assert bool(task.plan['steps']) == (status == 'ok')


def test_a_plan_is_asked_for_as_the_planner_asks(words, scene):
    writer, tokenizer = words
    question = writer.plan(scene, 'zh', np.random.default_rng(3))
    answer = [question.next_ids[i] for i in sorted(question.next_ids)][:-1]
    plan = json.loads(tokenizer.decode(answer))
    assert list(plan) == ['status', 'say', 'steps']
    prompt = tokenizer.decode(question.ids)
    assert plan_prompt('', SKILLS).rstrip() in prompt
