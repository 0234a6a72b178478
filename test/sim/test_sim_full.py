"""The full table: a function of the seed, with what it promises on it, and its truth."""

import hashlib
import json
import pickle

import numpy as np
import pytest

from kimi_ros.sim import (
    GLNotAvailable,
    HeldOutSeedError,
    Renderer,
    ThingTruth,
    ground_truth,
    sample_scene,
)
from kimi_ros.sim.full.catalogue import COLORS, HELD_OUT, KINDS, PEOPLE, colors_of
from kimi_ros.sim.full.layout import apart, footprint
from kimi_ros.sim.seeds import check_training

FINGERPRINTS = {
    0: '146813a40d970eef',
    1: 'abd7c8a2fef96ba7',
    42: 'fe8d4354dbdb4085',
    123456: 'a3263615df0a00d9',
    2000000: '748f8a3ea39d3d4e',
}


def fingerprint(seed, **options):
    text = json.dumps(sample_scene(seed, 'full', **options).to_dict(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.fixture(scope='module')
def scenes():
    return [sample_scene(seed, 'full') for seed in range(150)]


@pytest.fixture(scope='module')
def views(scenes):
    try:
        renderer = Renderer(320, 240)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        yield [(s, renderer.render(s, alone=True)) for s in scenes[:20]]


@pytest.mark.parametrize('seed', FINGERPRINTS)
def test_a_seed_always_means_the_same_scene(seed):
    assert fingerprint(seed) == FINGERPRINTS[seed]


def test_everything_promised_is_on_some_table(scenes):
    things = [t for s in scenes for t in s.objects]
    assert len(KINDS) >= 14 and len(COLORS) >= 10
    assert {t.kind for t in things} == set(KINDS)
    assert {t.color for t in things} == {*COLORS, ''}
    assert {t.size_name for t in things} == {'small', 'medium', 'large'}
    assert {t.hazard for t in things} == {'', 'sharp', 'fragile', 'hot'}
    assert {t.relation for t in things} == {'on', 'in', 'beside'}
    assert any(t.relation == 'on' and t.support >= 0 for t in things)
    assert any(t.shows[0] for t in things) and any(t.text for t in things)


def test_a_tenth_of_the_pairs_is_kept_from_training(scenes):
    pairs = [(k, c) for k in KINDS if k not in PEOPLE for c in colors_of(k)]
    assert set(pairs) >= HELD_OUT and 0.09 < len(HELD_OUT) / len(pairs) < 0.11
    for scene in scenes:
        for thing in scene.objects:
            assert not HELD_OUT & {(thing.kind, thing.color), thing.shows}
    asked = sample_scene(2_000_000, 'full', held_out=True)
    assert any((t.kind, t.color) in HELD_OUT for t in asked.objects)
    with pytest.raises(HeldOutSeedError):
        sample_scene(5, 'full', held_out=True)


def test_unknown_worlds_and_held_out_seeds_are_refused():
    with pytest.raises(ValueError, match='small, full'):
        sample_scene(0, 'moon')
    check_training(range(0, 10))
    with pytest.raises(HeldOutSeedError, match='examinations'):
        check_training(range(1_999_999, 2_000_001))


def test_things_rest_on_something_and_stand_apart(scenes):
    for scene in scenes:
        ground = []
        for thing in scene.objects:
            if thing.relation == 'beside':
                continue
            if thing.support < 0:
                assert thing.bottom == pytest.approx(0, abs=1e-5)
                ground.append(footprint(thing))
            else:
                under = scene.objects[thing.support]
                assert under.bottom < thing.bottom <= under.top + 1e-5
        for i, one in enumerate(ground):
            assert all(apart(one, other) > 0 for other in ground[:i])


def test_truth_says_what_is_hidden(views):
    for scene, frame in views:
        for truth in ground_truth(scene, frame):
            assert isinstance(truth, ThingTruth)
            assert 0 <= truth.occluded < 1
            assert truth.pixels <= frame.alone[truth.index]
    assert any(t.occluded > 0.2 for s, f in views for t in ground_truth(s, f))
    assert any(t.occluded == 0 for s, f in views for t in ground_truth(s, f))


def test_drawing_does_not_depend_on_what_was_drawn_before(scenes, views):
    scene, frame = views[3]
    with Renderer(320, 240) as fresh:
        again = fresh.render(scene, alone=True)
    np.testing.assert_array_equal(again.rgb, frame.rgb)
    np.testing.assert_array_equal(again.segmentation, frame.segmentation)
    assert again.alone == frame.alone
    assert pickle.loads(pickle.dumps(scene)) == scene
