"""Spots on the table: what is asked can be done, and the truth tells good spots from bad ones."""

import dataclasses

import numpy as np
import pytest

from kimi_ros.sim import GLNotAvailable, Renderer, ground_truth, sample_scene
from kimi_ros.sim.placement import RELATIONS, free_spot, sample_placement, spot_errors


@pytest.fixture(scope='module')
def views():
    """Scenes with their frames and truths."""
    try:
        renderer = Renderer(320, 240)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        scenes = [sample_scene(seed, 'full') for seed in range(12)]
        frames = [renderer.render(scene) for scene in scenes]
    return [(s, f, ground_truth(s, f)) for s, f in zip(scenes, frames, strict=True)]


def tasks(views, language='en'):
    for number, (scene, frame, objects) in enumerate(views):
        rng = np.random.default_rng(number)
        task = sample_placement(objects, scene, frame, language, rng)
        if task is not None:
            yield task, scene, frame, objects


def test_requests_are_drawn_in_both_languages_about_the_same_things(views):
    english, chinese = ([t for t, *_ in tasks(views, language)] for language in ('en', 'zh'))
    assert len(english) >= 6
    for one, other in zip(english, chinese, strict=True):
        assert (one.relation, one.thing, one.landmarks) == (
            other.relation,
            other.thing,
            other.landmarks,
        )
        words = RELATIONS[one.relation]
        assert words[0] in one.instruction and words[1] in other.instruction


def test_a_possible_task_has_a_spot_without_errors(views):
    found = 0
    for task, scene, frame, objects in tasks(views):
        if not task.possible:
            continue
        spots = [(x, y, 0.0) for x in np.arange(0.1, 1.4, 0.03) for y in np.arange(-0.8, 0.8, 0.03)]
        marks = [objects[i].index for i in task.landmarks]
        thing = objects[task.thing].index
        assert any(
            not spot_errors(scene, frame, task.relation, thing, marks, spot) for spot in spots
        )
        found += 1
    assert found >= 4


def test_the_other_side_a_taken_spot_and_the_floor_are_errors(views):
    for task, scene, frame, objects in tasks(views):
        landmark = objects[task.landmarks[0]]
        marks = [objects[i].index for i in task.landmarks]
        thing = objects[task.thing].index
        taken = (*landmark.position[:2], 0.0)
        errors = spot_errors(scene, frame, task.relation, thing, marks, taken)
        assert any('taken' in e for e in errors)
        floor = spot_errors(scene, frame, task.relation, thing, marks, (0.5, 5.0, -0.7))
        assert any('edge' in e for e in floor) and any('not on the table' in e for e in floor)


def test_a_crowded_table_has_no_spot(views):
    scene, frame, objects = views[0]
    thing, landmark = 0, 1
    small = dataclasses.replace(scene.table, half_width=0.02, x_range=(0.3, 0.34))
    crowded = dataclasses.replace(scene, table=small)
    assert free_spot(objects, crowded, frame, 'left_of', thing, (landmark,)) is False
