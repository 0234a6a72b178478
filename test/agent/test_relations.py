import numpy as np
import pytest

from kimi_ros.agent import Frame
from kimi_ros.agent.grounding import Candidate
from kimi_ros.agent.relations import (
    Geometry,
    Order,
    holds,
    parse_order,
    select_by_order,
    select_by_relation,
)

SIZE = (640, 480)


def thing(x_min, y_min, x_max, y_max):
    box = (float(x_min), float(y_min), float(x_max), float(y_max))
    return Candidate(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), box, 0.9)


@pytest.fixture
def flat():
    """A frame without depth."""
    return Geometry(Frame(np.zeros((SIZE[1], SIZE[0], 3), np.uint8)))


def deep(depth_of):
    """A frame whose depth is 1 m, but within these boxes."""
    depth = np.full((SIZE[1], SIZE[0]), 1.0)
    for candidate, metres in depth_of.items():
        x_min, y_min, x_max, y_max = map(int, candidate.box)
        depth[y_min:y_max, x_min:x_max] = metres
    matrix = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    rgb = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    return Geometry(Frame(rgb, depth=depth, intrinsics=matrix))


LEFT, MIDDLE, RIGHT = (thing(x, 200, x + 60, 260) for x in (50, 300, 500))


def test_sides_are_those_of_the_image(flat):
    assert select_by_relation([LEFT, MIDDLE, RIGHT], 'left_of', [MIDDLE], flat) == [LEFT]
    assert select_by_relation([LEFT, MIDDLE, RIGHT], 'right_of', [LEFT], flat) == [MIDDLE, RIGHT]


def test_a_landmark_is_never_its_own_neighbour(flat):
    again = thing(302, 201, 361, 261)
    assert select_by_relation([again], 'next_to', [MIDDLE], flat) == []


def test_next_to_means_the_nearest_and_none_that_is_far(flat):
    near, far = thing(370, 200, 430, 260), thing(20, 20, 80, 80)
    assert select_by_relation([near, far], 'next_to', [MIDDLE], flat) == [near]
    assert select_by_relation([far], 'next_to', [MIDDLE], flat) == []
    assert select_by_relation([far], 'nearest_to', [MIDDLE], flat) == [far]


def test_two_as_near_are_both_returned(flat):
    a, b = thing(370, 200, 430, 260), thing(230, 200, 290, 260)
    assert select_by_relation([a, b], 'next_to', [MIDDLE], flat) == [a, b]


def test_on_takes_what_stands_on_it_and_what_lies_flat_on_it(flat):
    table = thing(100, 200, 600, 460)
    standing, lying, above = (
        thing(300, 150, 340, 230),
        thing(200, 300, 240, 340),
        thing(9, 9, 40, 40),
    )
    assert select_by_relation([standing, lying, above], 'on', [table], flat) == [standing, lying]


def test_between_needs_two_landmarks_and_a_place_in_their_middle(flat):
    assert holds(MIDDLE, 'between', [LEFT, RIGHT], flat)
    assert not holds(LEFT, 'between', [MIDDLE, RIGHT], flat)
    assert not holds(thing(300, 10, 330, 30), 'between', [LEFT, RIGHT], flat)


def test_depth_decides_about_front_and_behind_where_the_image_would_mislead():
    # Lower in the image, and yet farther away: it lies on a lower shelf.
    low, high = thing(200, 300, 260, 360), thing(300, 100, 360, 160)
    geometry = deep({low: 1.5, high: 0.8})
    assert holds(high, 'in_front_of', [low], geometry)
    assert holds(low, 'behind', [high], geometry)


def test_without_depth_the_lower_edge_decides(flat):
    assert holds(thing(0, 300, 60, 400), 'in_front_of', [thing(0, 100, 60, 200)], flat)


def test_an_unknown_relation_is_an_error(flat):
    with pytest.raises(ValueError, match='inside_out'):
        holds(LEFT, 'inside_out', [RIGHT], flat)


@pytest.mark.parametrize(
    ('words', 'order'),
    [
        ('smaller', Order('smallest')),
        ('the biggest', Order('largest')),
        ('left', Order('leftmost')),
        ('second from the left', Order('leftmost', 2)),
        ('third', Order('leftmost', 3)),
        ('last', Order('leftmost', -1)),
        ('second from the right', Order('rightmost', 2)),
        ('closest', Order('nearest')),
        ('top', Order('topmost')),
        ('middle', Order('middle')),
        ('最左边的', Order('leftmost')),
        ('离我最近的', Order('nearest')),
        ('小一点的', Order('smallest')),
        ('左起第二个', Order('leftmost', 2)),
        ('从右数第3个', Order('rightmost', 3)),
        ('最后一个', Order('leftmost', -1)),
        ('中间的', Order('middle')),
        ('red', None),
    ],
)
def test_orders_are_read_in_both_languages(words, order):
    assert parse_order(words) == order


def test_ranks_count_along_the_order(flat):
    things = [RIGHT, LEFT, MIDDLE]
    assert select_by_order(things, Order('leftmost'), flat) == [LEFT]
    assert select_by_order(things, Order('leftmost', 2), flat) == [MIDDLE]
    assert select_by_order(things, Order('rightmost'), flat) == [RIGHT]
    assert select_by_order(things, Order('leftmost', -1), flat) == [RIGHT]
    assert select_by_order(things, Order('leftmost', 4), flat) == []
    assert select_by_order(things, Order('middle'), flat) == [MIDDLE]


def test_the_middle_one_of_a_stack_is_that_of_its_height(flat):
    top, middle, bottom = (
        thing(x, y, x + 80, y + 30) for x, y in ((120, 60), (90, 120), (110, 180))
    )
    assert select_by_order([bottom, top, middle], Order('middle'), flat) == [middle]


def test_the_middle_of_none_is_none(flat):
    assert select_by_order([], Order('middle'), flat) == []


def test_a_lead_in_doubt_returns_both(flat):
    a, b = thing(100, 100, 160, 160), thing(105, 200, 165, 260)
    assert select_by_order([a, b], Order('leftmost'), flat) == [a, b]


def test_size_is_metric_where_depth_is_known(flat):
    near, far = thing(100, 200, 200, 300), thing(400, 200, 460, 260)
    assert select_by_order([near, far], Order('largest'), flat) == [near]
    # Smaller in the image, but three times as far away.
    assert select_by_order([near, far], Order('largest'), deep({near: 0.5, far: 1.5})) == [far]


def test_nearest_is_by_distance_where_depth_is_known():
    low, high = thing(200, 300, 260, 360), thing(300, 100, 360, 160)
    assert select_by_order([low, high], Order('nearest'), deep({low: 1.5, high: 0.8})) == [high]
