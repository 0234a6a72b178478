"""Questions say what is true of the scene, in the words the agent uses."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from kimi_ros.agent.prompts import plan_prompt
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.sim.skill_catalogues import DEFAULT_SKILLS
from kimi_ros.sim.tasks import make_task
from kimi_train.nano.batches import (
    COUNTING_HEAD,
    POINTING_HEAD,
    ROW_LENGTH,
    attention_targets,
    pack_questions,
)
from kimi_train.nano.checkpoint import load_start
from kimi_train.nano.losses import attention_losses
from kimi_train.nano.questions import QuestionWriter

from .conftest import thing

RED_CUP = ReferringExpression('cup', 'red')
NOTHINGS = np.full((12, 12), -1, np.int8)


@pytest.fixture(scope='module')
def words(start):
    model, tokenizer = load_start(start)
    return QuestionWriter(model.config, tokenizer), tokenizer


def test_points_go_from_left_to_right_and_end(words, scene):
    writer, _ = words
    question = writer.locate(scene, RED_CUP, 'en', boxes=False)
    xs = [question.target_coords[i] for i in sorted(question.target_coords)]
    assert xs == pytest.approx([0.15, 0.6, 0.75, 0.6])
    assert question.target_ids[question.last_position] == writer.tokens.eos_id
    assert question.attention[question.last_position] == []


def test_points_are_where_one_would_touch_and_boxes_about_their_middles(words, scene):
    writer, _ = words
    bent = [replace(item, point=(item.point[0] + 0.03, item.point[1] - 0.02)) for item in scene]
    point = writer.locate(bent, RED_CUP, 'en', boxes=False)
    assert list(point.target_coords.values()) == pytest.approx([0.18, 0.58, 0.78, 0.58])
    box = writer.locate(bent, RED_CUP, 'en', boxes=True)
    assert list(box.target_coords.values()) == pytest.approx([0.15, 0.6, 0.75, 0.6])


def test_what_is_bent_is_asked_for_by_itself(words):
    writer, _ = words
    ball = thing(0, 'ball', 'red', (0, 0, 0.2, 0.2))
    spoon = replace(thing(1, 'spoon', 'red', (0.4, 0, 1, 1)), point=(0.5, 0.3))
    question = writer.grasp_point([ball, spoon], 'en', np.random.default_rng(0))
    assert list(question.target_coords.values()) == [0.5, 0.3]
    assert writer.grasp_point([ball], 'en', np.random.default_rng(0)) is None


def test_a_point_is_read_off_one_patch_and_a_box_off_all_of_them(words):
    writer, _ = words
    pen = thing(0, 'pen', 'red', (0.0, 0.0, 0.5, 1.0))
    instance_map = np.array([[0, -1], [0, -1]], np.int8)
    attention = attention_targets(instance_map, [pen])
    for boxes, seen in ((False, [0, 0, 0, 1, 0]), (True, [0, 0.5, 0, 0.5, 0])):
        question = writer.locate([pen], ReferringExpression('pen'), 'en', boxes)
        packed = pack_questions([[question]], [attention])
        for place in question.target_coords:
            at = (packed.attention[:, 2] == POINTING_HEAD) & (packed.attention[:, 3] == place)
            first, second = packed.target_attention[at].tolist()
            assert first == [0, 0.5, 0, 0.5, 0] and second == seen


def test_a_head_that_counts_may_look_anywhere_on_a_thing(words):
    writer, _ = words
    pens = [thing(0, 'pen', 'red', (0, 0, 0.5, 1)), thing(1, 'pen', 'red', (0.5, 0.5, 1, 1))]
    instance_map = np.array([[0, -1], [0, 1]], np.int8)
    question = writer.locate(pens, ReferringExpression('pen'), 'en', boxes=False)
    packed = pack_questions([[question]], [attention_targets(instance_map, pens)])
    third = 1 / 3

    def far(*shares: float) -> float:
        seen = torch.tensor([shares]).clamp(min=1e-9).log().expand(len(packed.attention), -1)
        return attention_losses(packed, seen)['count1'].item()

    # BOS, the first pen's upper patch, nothing, its lower patch, the second pen.
    anywhere = far(third, third, 0, 0, third), far(third, 0.1, 0, third - 0.1, third)
    assert anywhere == pytest.approx((0, 0), abs=1e-6)
    assert far(0.5, 0.5, 0, 0, 0) > far(0.5, 0.3, 0, 0, 0.2) > 0.05
    assert far(third, third, third, 0, 0) > far(third, third, 0.1, 0, third - 0.1) > 0.05


def test_a_number_is_not_lost_among_the_words_of_plans(words, scene):
    writer, _ = words
    rng = np.random.default_rng(0)
    number, plan = writer.count(scene, 'en', rng), writer.plan(scene, 'en', rng)
    packed = pack_questions([[number], [plan]], [attention_targets(NOTHINGS, scene)] * 2)
    for row, answer in enumerate((number, plan)):
        weight = packed.weight[row][packed.target_ids[row] >= 0]
        assert weight.sum() == pytest.approx(len(answer.target_ids) ** 0.5)
        assert weight.unique().numel() == 1


def test_more_things_are_counted_more_finely(words):
    writer, _ = words
    pens = [thing(i, 'pen', 'red', (i / 2, 0, i / 2 + 0.5, 1)) for i in range(2)]
    cup = thing(2, 'cup', 'red', (0, 0, 0.1, 0.1))
    questions = [
        writer.locate([*pens, cup], ReferringExpression(category), 'en', True)
        for category in ('pen', 'cup')
    ]
    packed = pack_questions(
        [questions], [attention_targets(np.array([[0, 1], [0, 2]]), [*pens, cup])]
    )
    counted = packed.attention[:, 2] == COUNTING_HEAD

    def far(objects: int) -> float:
        """Return the loss where what counts so many things sees a tenth less of BOS."""
        seen = packed.target_attention.clone()
        at = counted & (seen[:, 0] * (objects + 1) - 1).abs().lt(1e-3)
        seen[at, 0] *= 0.9
        return attention_losses(packed, seen.clamp(min=1e-9).log())['count1'].item()

    assert far(2) > 1.4 * far(1) > 0


def test_what_is_not_there_has_no_points(words, scene):
    writer, _ = words
    question = writer.locate(scene, ReferringExpression('ball', 'red'), 'zh', boxes=True)
    assert not question.target_coords and not question.target_sizes
    assert question.target_ids == {question.last_position: writer.tokens.eos_id}


@pytest.mark.parametrize(
    ('what', 'status'),
    [
        (RED_CUP, 'needs_clarification'),
        (ReferringExpression('book', 'blue'), 'ok'),
        (ReferringExpression('ball', 'green'), 'infeasible'),
        (
            ReferringExpression(
                'cup', 'red', relation='left', other=ReferringExpression('book', 'blue')
            ),
            'ok',
        ),
    ],
)
@pytest.mark.parametrize('language', ['en', 'zh'])
def test_a_plan_fits_the_scene(scene, what, status, language):
    task = make_task('pick', scene, [what], language, np.random.default_rng(0))
    assert task.plan['status'] == status
    assert bool(task.plan['steps']) == (status == 'ok')


def written(question):
    """The ids of the answer, without the end."""
    return [question.target_ids[i] for i in sorted(question.target_ids)][:-1]


def test_a_plan_is_asked_for_as_the_planner_asks(words, scene):
    writer, tokenizer = words
    catalogues = set()
    for seed in range(40):
        question = writer.plan(scene, ('en', 'zh')[seed % 2], np.random.default_rng(seed))
        plan = json.loads(tokenizer.decode(written(question)))
        assert list(plan) == ['status', 'say', 'steps']
        asked = tokenizer.decode(question.ids[: question.last_position - len(written(question))])
        catalogue = asked[asked.index('Skills: ') : asked.index(' Task: ')]
        catalogues.add(catalogue)
        for step in plan['steps']:
            assert f'{step["skill"]}({", ".join(list(step)[1:])})' in catalogue
    assert plan_prompt('', DEFAULT_SKILLS.signatures).split(' Task')[0] in catalogues
    assert len(catalogues) > 10


def test_things_are_counted(words, scene):
    writer, tokenizer = words
    numbers = set()
    for seed in range(30):
        question = writer.count(scene, 'en', np.random.default_rng(seed))
        said = tokenizer.decode(written(question))
        assert int(said) == len(question.counted[question.decided])
        numbers.add(said)
    assert numbers == {'0', '1', '2', '3'}


def test_many_are_counted_more_often_than_few(words, scene):
    writer, _ = words
    asked = Counter()
    for seed in range(200):
        question = writer.count(scene, 'zh', np.random.default_rng(seed))
        asked[len(question.counted[question.decided])] += 1
    assert asked[3] > asked[2] > asked[0] > 0


def test_where_a_thing_stands_to_another_is_looked_up_there_first(words, scene):
    writer, tokenizer = words
    red = [
        {**vars(thing), 'color': color}
        for thing, color in zip(scene, ('red', 'black', 'blue'), strict=True)
    ]
    scene = [type(scene[0])(**thing) for thing in red]
    answers = set()
    for seed in range(20):
        question = writer.relation(scene, 'en', np.random.default_rng(seed))
        answers.add(tokenizer.decode(written(question)))
        (one,), (other,) = (
            question.attention[question.decided],
            question.first_hop[question.decided],
        )
        assert one != other
    assert answers == {'Yes', 'No'}


def test_rows_lose_no_question(words, scene):
    writer, _ = words
    rng = np.random.default_rng(0)
    images = [
        [writer.short(scene, rng) for _ in range(9)] + [writer.long(scene, rng)] for _ in range(2)
    ]
    packed = pack_questions(images, [attention_targets(NOTHINGS, scene)] * 2)
    assert (packed.question_type >= 0).sum() == 20
    assert (
        len(packed.attention) == len(packed.target_attention)
        and (packed.attention[:, 0].diff() >= 0).all()
    )
    for index, group in enumerate(images):
        ids = packed.ids[packed.image == index][packed.segment[packed.image == index] >= 0]
        assert sorted(ids.tolist()) == sorted(i for d in group for i in d.ids)
    assert packed.ids.shape[1] == max(
        ROW_LENGTH, *(len(d.ids) for group in images for d in group)
    ) or (packed.ids.shape[1] < ROW_LENGTH)
