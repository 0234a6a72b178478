"""Guidance: a simulated hand that follows the words literally; pace; loss; both languages."""

import re

import numpy as np
import pytest

from kimi_ros.speech.directions import Wording, direction, distance
from kimi_ros.speech.guidance import MIN_INTERVAL, Guide, Offset, State

AXES = {
    'right': (0, 1),
    'left': (0, -1),
    'up': (1, 1),
    'down': (1, -1),
    'forward': (2, 1),
    'back': (2, -1),
}
CHINESE = {'右': 'right', '左': 'left', '上': 'up', '下': 'down', '前': 'forward', '后': 'back'}


def follow(text):
    """Return the movement that a sentence names, in metres; nothing for other sentences."""
    move = np.zeros(3)
    if found := re.fullmatch(r'(\d+) centimetres? (\w+)\.', text):
        amount, way = found.groups()
    elif found := re.fullmatch(r'向(.)(\d+)厘米。', text):
        way, amount = CHINESE[found[1]], found[2]
    else:
        return move
    axis, sign = AXES[way]
    move[axis] = sign * int(amount) / 100
    return move


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_hand_that_follows_the_words_arrives(language):
    """200 scenes; the hand misses each movement by up to a tenth, and depth is noisy."""
    rng, arrived, spoken = np.random.default_rng(0), 0, []
    for _ in range(200):
        target = rng.uniform([-0.4, -0.3, 0.1], [0.4, 0.3, 0.6])
        hand, guide, said_at = np.zeros(3), Guide('book', Wording(language)), []
        for frame in range(600):
            now = frame * 0.1
            seen = target - hand + rng.normal(0, 0.003, 3)
            text = guide.update(Offset(*map(float, seen)), now)
            if text:
                said_at.append(now)
                hand = hand + follow(text) * rng.uniform(0.9, 1.1)
            if guide.state is State.REACHED:
                break
        assert guide.update(Offset(0, 0, 0), now + 10) == ''
        between = np.diff(said_at[:-1]) if guide.state is State.REACHED else np.diff(said_at)
        assert (between >= MIN_INTERVAL - 1e-9).all()
        arrived += guide.state is State.REACHED and np.linalg.norm(target - hand) < 0.03
        spoken.append(len(said_at))
    assert arrived >= 180 and np.median(spoken) < 12


def test_unchanged_words_are_not_repeated_at_once():
    guide = Guide('cup')
    here = Offset(0.2, 0.0, 0.5)
    said = [now for now in np.arange(0, 12, 0.1) if guide.update(here, float(now))]
    assert len(said) == 3 and said[2] - said[1] >= 6


def test_loss_is_said_once_and_the_place_again_when_it_is_found():
    guide = Guide('red book')
    assert 'ahead right, 60 centimetres' in guide.update(Offset(0.2, 0.0, 0.55), 0.0)
    assert guide.update(None, 0.5) == ''
    assert 'lost sight of the red book' in guide.update(None, 1.6)
    assert guide.update(None, 5.0) == '' and guide.state is State.LOST
    assert guide.update(Offset(0.2, 0.0, 0.5), 6.0).startswith('Red book: ahead right')


def test_without_depth_nothing_is_measured_and_nothing_reached():
    guide = Guide('cup')
    assert 'distance unknown' in guide.update(Offset(0.2, 0.0, None), 0.0)
    assert 'cannot measure' in guide.update(Offset(0.0, 0.0, None), 3.0)
    assert guide.state is State.GUIDING


@pytest.mark.parametrize('language, left, up', [
    ('en', 'A little left.', 'A little up.'), ('zh', '向左一点。', '向上一点。'),
])  # fmt: skip
def test_without_depth_only_the_way_is_said(language, left, up):
    guide = Guide('cup', Wording(language))
    guide.update(Offset(-0.2, 0.1, None), 0.0)
    assert guide.update(Offset(-0.2, 0.1, None), 3.0) == left
    assert guide.update(Offset(0.02, 0.1, None), 8.0) == up


@pytest.mark.parametrize(
    'bearing, plain, clock, chinese',
    [
        (0, 'ahead', "twelve o'clock", '正前方'),
        (-25, 'ahead left', "eleven o'clock", '左前方'),
        (62, 'on the right', "two o'clock", '右边'),
        (-90, 'on the left', "nine o'clock", '左边'),
        (179, 'behind you', "six o'clock", '后面'),
    ],
)
def test_directions(bearing, plain, clock, chinese):
    assert direction(bearing, Wording()) == plain
    assert direction(bearing, Wording(clock=True)) == clock
    assert direction(bearing, Wording('zh')) == chinese


@pytest.mark.parametrize(
    'metres, plain, steps',
    [(0.43, '40 centimetres', '1 step'), (1.1, '1 metre', '2 steps'),
     (2.3, '2.5 metres', '3 steps'),
     (7.4, '7 metres', '11 steps'), (None, '', ''), (float('nan'), '', '')],
)  # fmt: skip
def test_distances_are_rounded_and_unknown_ones_not_said(metres, plain, steps):
    assert distance(metres, Wording()) == plain
    assert distance(metres, Wording(units='steps')) == steps
