"""The annotated picture: marks where they belong, text that can be read, never question marks."""

from dataclasses import replace

import numpy as np
import pytest

from kimi_ros.agent import GroundedObject, Plan, PlanStep, Status
from kimi_ros.agent.drawing import draw_plan
from kimi_ros.agent.text_rendering import PillowTextRenderer, find_text_renderer, renderable_text

BOX, POINT = (200.0, 150.0, 300.0, 260.0), (250.0, 205.0)


def plan(label='red cup', say='I will pick up the red cup.', **more):
    item = GroundedObject('o1', label, 0.91, True, POINT, BOX)
    made = Plan('1', 'pick up the red cup', 'en', Status.OK, say, objects=(item,))
    return replace(made, steps=(PlanStep('pick', ('o1',), '{"object": "o1"}'),), **more)


@pytest.mark.parametrize('text_renderer', [find_text_renderer(), PillowTextRenderer()])
def test_draw_plan_marks_objects_at_their_pixels(text_renderer):
    rgb = np.full((480, 640, 3), 100, np.uint8)
    drawn = draw_plan(rgb, plan(), text_renderer)
    assert drawn.dtype == np.uint8 and drawn.shape[0] > 480 and drawn.shape[1] == 640
    changed = (drawn[:480] != rgb).any(axis=2)
    assert changed[205, 250] and changed[200, 200] and changed[200, 300] and changed[260, 250]
    assert changed[120:149, 200:260].mean() > 0.5  # the label above the box
    assert not changed[170:185, 215:235].any() and not changed[300:, :].any()
    assert (rgb == 100).all()
    assert len(np.unique(drawn[480:].reshape(-1, 3), axis=0)) > 2  # words, not only a bar


def test_draw_plan_handles_every_status_and_shape():
    for status in Status:
        for shape in ((1, 1, 3), (48, 64, 3), (1080, 1920, 3)):
            drawn = draw_plan(np.zeros(shape, np.uint8), plan(status=status, say='x ' * 400))
            assert drawn.shape[1] == shape[1] and drawn.shape[0] > shape[0]


def test_labels_do_not_overlap():
    first = GroundedObject('o1', 'red cup', 0.9, True, POINT, BOX)
    second = replace(first, id='o2', label='cup')
    rgb = np.full((480, 640, 3), 100, np.uint8)
    one, two = (
        draw_plan(rgb, replace(plan(), objects=objects))[:480]
        for objects in ((first,), (first, second))
    )
    # The first label's ground is as large with a second label, which finds room below the box.
    yellow = [(p[:145] == (240, 228, 66)).all(axis=2).sum() for p in (one, two)]
    assert yellow[0] == yellow[1] > 500
    assert (two[262:] != rgb[262:]).any() and not (one[265:] != rgb[265:]).any()


def test_renderable_text_keeps_chinese_whole():
    assert renderable_text('红色的杯子 cup', PillowTextRenderer()) == ''
    assert renderable_text('红色的杯子', find_text_renderer()) in ('', '红色的杯子')
    assert renderable_text('cup \U0001f600!', find_text_renderer()) == 'cup !'
    rgb = np.full((480, 640, 3), 100, np.uint8)
    drawn = draw_plan(rgb, plan(label='红色的杯子', say='我来拿红色的杯子。'), PillowTextRenderer())
    assert (drawn[:480] != rgb).any(axis=2)[205, 250]
