"""A search: which of several is followed, and what is said of one that the model doubts."""

import numpy as np
import pytest

from kimi_ros.agent.frame import Frame
from kimi_ros.assist.search import Search
from kimi_ros.assist.sight import Located
from kimi_ros.speech.directions import Wording

WIDTH, HEIGHT, FOCAL = 320, 240, 300.0
LEFT, RIGHT = (60.0, 100.0, 100.0, 140.0), (220.0, 100.0, 260.0, 140.0)


def frame(stamp, metres=0.5):
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (HEIGHT // 5, WIDTH // 5, 3), np.uint8).repeat(5, 0).repeat(5, 1)
    matrix = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    return Frame(rgb, stamp, depth=np.full((HEIGHT, WIDTH), metres, np.float32), intrinsics=matrix)


def first_words(located, language='en', hand=(0.0, 0.0, 0.0)):
    """Return what is said in the two images after the model's answer."""
    search = Search('book', Wording(language), hand)
    search.see(frame(0.0), 0.0)
    search.located(located, 0.0, 0.1)
    return [search.see(frame(t), t).say for t in (0.2, 0.4)]


def test_thing_that_the_model_confirms_is_preferred():
    denied, confirmed = Located('book', LEFT, 0.9, False), Located('book', RIGHT, 0.3, True)
    first, _ = first_words([denied, confirmed])
    assert first == 'I see 2. Book: ahead right, 50 centimetres.'


@pytest.mark.parametrize('language, maybe', [('en', 'Maybe: Book'), ('zh', '可能是：book')])
def test_doubt_is_said_before_the_first_words_and_when_it_is_reached(language, maybe):
    sure, doubted = (Located('book', RIGHT, 0.9, verified) for verified in (True, False))
    assert first_words([doubted], language)[0].startswith(maybe)
    assert 'Maybe' not in first_words([sure])[0]
    at_hand = (80.0 / FOCAL / 2, 0.0, 0.5)
    reached, certain = (first_words([item], language, at_hand)[1] for item in (doubted, sure))
    assert reached == ('可能是：' if language == 'zh' else 'Maybe: ') + certain
    assert '手下' in reached or 'under your hand' in reached
