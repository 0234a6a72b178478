"""The guided search: what words move, and one search on the rendered table with perfect eyes."""

from dataclasses import replace

import numpy as np
import pytest

from kimi_ros.assist.sight import Located
from kimi_ros.eval.guiding import guide, movement
from kimi_ros.sim import GLNotAvailable, Renderer, sample_scene
from kimi_ros.sim.seeds import FIRST_EVALUATION_SEED


@pytest.mark.parametrize(
    'sentence, language, expected',
    [
        ('25 centimetres forward.', 'en', (0, 0, 0.25)),
        ('1 centimetre left.', 'en', (-0.01, 0, 0)),
        ('Red book: ahead, 60 centimetres.', 'en', (0, 0, 0)),
        ('向下5厘米。', 'zh', (0, -0.05, 0)),
        ('红色的书在正前方，60厘米。', 'zh', (0, 0, 0)),
    ],
)
def test_hand_does_what_the_words_say_and_nothing_else(sentence, language, expected):
    assert movement(sentence, language) == pytest.approx(expected)


def test_search_ends_at_the_thing_that_the_eyes_see():
    scene = sample_scene(FIRST_EVALUATION_SEED + 3)
    try:
        renderer = Renderer(320, 240)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        labels = renderer.render(scene).segmentation
        index = int(np.bincount(labels[labels >= 0]).argmax())

        def locate(name, frame):
            view = renderer.render(_seen_from(scene, frame))
            rows, columns = np.nonzero(view.segmentation == index)
            if not rows.size:
                return []
            box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            return [Located(name, tuple(map(float, box)), 0.9)]

        went = guide(locate, scene, index, 'thing', 'zh', renderer)
    assert went.reached and went.distance <= 0.02, went
    assert '在你手下' in went.sentences[-1][1]


def _seen_from(scene, frame):
    position = tuple(map(float, frame.camera_pose[:3, 3]))
    return replace(scene, camera=replace(scene.camera, position=position))
