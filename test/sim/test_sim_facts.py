"""Facts to ask for: true by the scene, as often yes as no, and nothing that is on the edge."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from kimi_ros.sim.facts import MAX_COUNT, sample_attribute, sample_count, sample_relation
from kimi_ros.sim.full.object_classes import COLORS, PEOPLE, SIZES
from kimi_ros.sim.referring_expression import NEXT_TO_DISTANCE, NEXT_TO_MARGIN, RELATIONS, center_x

ROUNDS = 30


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def many(draw, truths, rng):
    """What is drawn about every table, many times over, with the table."""
    for objects in truths:
        for _ in range(ROUNDS):
            found = draw(objects, rng)
            if found is not None:
                yield objects, found


def share(true):
    return sum(true) / len(true)


def metres(one, other):
    return np.hypot(*np.subtract(one.position, other.position)[:2])


def test_numbers_are_counted(truths, rng):
    for objects, (what, found) in many(sample_count, truths, rng):
        those = [
            o
            for o in objects
            if o.category not in PEOPLE
            and what.category in ('', o.category)
            and what.color in ('', o.color)
        ]
        assert sorted(found) == sorted(objects.index(o) for o in those)
        assert what.category not in PEOPLE and len(found) <= MAX_COUNT


def test_every_number_that_there_is_is_as_likely(table, rng):
    # None, one (book), two (cups, red ones) and six: everything.
    counts = Counter(len(sample_count(table, rng)[1]) for _ in range(600))
    assert set(counts) == {0, 1, 2, 6} and min(counts.values()) > 0.7 * 600 / 4
    lots = [replace(o, index=10 + i) for i, o in enumerate(table * 2)]
    assert max(len(sample_count(lots, rng)[1]) for _ in range(100)) <= MAX_COUNT


def test_relations_are_true_by_the_scene(truths, rng):
    asked = []
    for objects, (i, relation, j, true) in many(sample_relation, truths, rng):
        one, other = objects[i], objects[j]
        holds = {
            'left': center_x(one) < center_x(other),
            'right': center_x(one) > center_x(other),
            'on': (one.support, one.relation) == (other.index, 'on'),
            'in': (one.support, one.relation) == (other.index, 'in'),
            'next': one.support == other.support == -1 and metres(one, other) < NEXT_TO_DISTANCE,
        }
        assert holds[relation] == true
        asked.append((relation, true))
    assert {relation for relation, _ in asked} == set(RELATIONS)
    assert 0.45 < share([true for _, true in asked]) < 0.55
    for relation in RELATIONS:
        assert 0.35 < share([true for r, true in asked if r == relation]) < 0.65, relation


def test_no_relation_is_nearly_so(truths, rng):
    for objects, (i, relation, j, _) in many(sample_relation, truths, rng):
        one, other = objects[i], objects[j]
        if relation in ('left', 'right'):
            apart = abs(center_x(one) - center_x(other)) / max(o.box[2] for o in objects)
            assert apart >= 0.05
        elif relation == 'next' and one.support == other.support:
            assert abs(metres(one, other) - NEXT_TO_DISTANCE) >= NEXT_TO_MARGIN


def test_who_stands_nearly_next_to_a_thing_is_not_said_to_be_elsewhere(table, rng):
    near = replace(table[0], position=(0.5, NEXT_TO_DISTANCE + 0.02, 0.05))
    objects = (table[3], table[5], near)  # a bowl, a picture next to it, a book perhaps
    asked = {sample_relation(objects, rng) for _ in range(200)}
    next_to = {(i, j): true for i, relation, j, true in asked if relation == 'next'}
    assert next_to == {(0, 1): True, (1, 0): True, (2, 1): False}


def test_relations_are_between_things_with_names_of_their_own(truths, rng):
    for objects, (i, _, j, _) in many(sample_relation, truths, rng):
        for place in (i, j):
            named = [
                o
                for o in objects
                if (o.category, o.color) == (objects[place].category, objects[place].color)
            ]
            assert len(named) == 1 and named[0].category not in PEOPLE
        assert i != j


def test_where_two_stand_in_a_line_there_is_no_side_to_ask_for(table, rng):
    book, cup = table[0], replace(table[1], support=-1, position=(0.9, -0.3, 0.05))
    person = replace(
        table[2], category='person', color=''
    )  # at the right edge, and never asked for
    assert {sample_relation((book, cup, person), rng) for _ in range(20)} == {None}
    beside = replace(cup, box=(40.0, 10.0, 60.0, 30.0))
    assert {sample_relation((book, beside, person), rng)[1] for _ in range(20)} == {'left', 'right'}
    assert sample_relation(table[1:3], rng) is None  # two red cups
    assert sample_relation((), rng) is None


def test_attributes_are_true_by_the_scene(truths, rng):
    sizes, colors = [], []
    for objects, (what, index, attribute, true) in many(sample_attribute, truths, rng):
        thing = objects[index]
        assert what.matches(objects) == [index] and thing.category not in PEOPLE
        if attribute in SIZES:
            assert true == (thing.size_name == attribute)
            sizes.append(true)
        else:
            # The colour must not be told in the question.
            assert true == (thing.color == attribute) and attribute in COLORS and not what.color
            colors.append(true)
    assert min(len(sizes), len(colors)) > 50
    assert 0.4 < share(sizes) < 0.6 and 0.45 < share(colors) < 0.55


def test_of_what_has_no_size_by_name_no_size_is_asked(table, rng):
    plain = [replace(table[0], size_name=''), replace(table[5], category='knife')]
    asked = {sample_attribute(plain, rng)[2] for _ in range(80)}
    assert not asked & set(SIZES) and len(asked) > 5
    assert sample_attribute(table[1:3], rng) is None
