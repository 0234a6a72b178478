"""The simple robot: it finds things by metres alone, and its judge sees how the table ended."""

import dataclasses

import numpy as np
import pytest

from kimi_ros.sim import GLNotAvailable, Renderer, Scene, Thing, ground_truth, sample_scene
from kimi_ros.sim.executor import Goal, Table, judge
from kimi_ros.sim.full.catalogue import NOMINAL_SIZES


def thing(kind, x, y, height=0.0, **more):
    size = NOMINAL_SIZES[kind]
    return Thing(kind, 'red', (x, y, height + size[2] / 2), 0.0, size, (1.0, 0.0, 0.0), **more)


@pytest.fixture
def scene():
    base = sample_scene(1, 'full')
    things = (thing('ball', 0.4, 0.0), thing('box', 0.5, 0.3), thing('book', 0.5, -0.3),
              thing('apple', 0.5, -0.3, 0.04, support=2), thing('hand', 0.8, 0.0))
    return dataclasses.replace(base, objects=things)


def test_within_two_centimetres_and_not_three(scene: Scene):
    top = np.array([0.4, 0.0, 0.09])
    assert Table(scene).pick(top + (0, 0, 0.017)).done
    assert Table(scene).pick(top + (0, 0, 0.030)).reason == 'nothing there'
    table = Table(scene)
    table.pick(top + (0, 0, 0.030))
    assert judge(scene, table, Goal('pick', (0,)))


def test_picked_and_placed_in_the_box(scene):
    table = Table(scene)
    assert table.pick((0.4, 0.0, 0.09)).index == 0
    assert not judge(scene, table, Goal('pick', (0,)))
    assert judge(scene, table, Goal('pick', (1,)))
    assert table.place((0.5, 0.3, 0.007)).done
    assert table.things[0].relation == 'in' and table.held == -1
    assert not judge(scene, table, Goal('place', (0,), (1,)))
    assert judge(scene, table, Goal('place', (0,), (2,)))
    assert judge(scene, table, Goal('none'))


def test_what_stands_on_a_thing_falls(scene):
    table = Table(scene)
    outcome = table.pick((0.5, -0.3 - 0.0725, 0.02))
    assert outcome.index == 2 and not outcome.done and table.disturbed == {3}
    assert any('fell' in w for w in judge(scene, table, Goal('pick', (2,))))


def test_a_hand_is_not_picked_and_a_full_one_picks_nothing(scene):
    table = Table(scene)
    assert table.pick((0.86, 0.0, 0.049)).reason == 'alive'
    assert judge(scene, table, Goal('none')) == ('a hand was touched',)
    table.pick((0.4, 0.0, 0.09))
    assert table.pick((0.5, -0.3, 0.11)).reason == 'the hand is full'


def test_places_must_be_places(scene):
    with pytest.raises(ValueError, match='finite'):
        Table(scene).pick((0.1, float('nan'), 0.2))
    with pytest.raises(ValueError, match='depth'):
        Table(scene).metres((3, 4))


def test_a_pixel_finds_what_it_shows():
    scene = sample_scene(3, 'full')
    try:
        renderer = Renderer(320, 240)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        frame = renderer.render(scene)
    table = Table(scene, frame)
    for truth in ground_truth(scene, frame):
        assert table.locate(table.metres(truth.point)).index == truth.index
        assert not judge(scene, table, Goal('locate', (truth.index,)))
