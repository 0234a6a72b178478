"""Truths to ask about: of rendered scenes, and of one table set by hand."""

import pytest

from kimi_ros.sim import GLNotAvailable, ObjectTruth, Renderer, sample_scene, visible_truth


def truth(index, category, color, x, y, **more):
    values = dict(size=(0.1, 0.1, 0.1), size_name='medium', distance=1.0)
    return ObjectTruth(
        index,
        category,
        color,
        (x, 10.0, x + 20, 30.0),
        (x + 10, 20.0),
        400,
        (0.5, y, 0.05),
        **values | more,
    )


@pytest.fixture(scope='session')
def table():
    """Six things; their places are not their indices, as where something is hidden altogether."""
    return (
        truth(1, 'book', 'blue', 0, 0.3, distance=0.9),
        truth(2, 'cup', 'red', 2, 0.3, support=1, size_name='small', size=(0.07, 0.07, 0.07)),
        truth(4, 'cup', 'red', 300, -0.3, size_name='large', size=(0.13, 0.13, 0.13), distance=0.7),
        truth(5, 'bowl', 'white', 150, 0.0, distance=1.2),
        truth(6, 'apple', 'green', 155, 0.0, support=5, relation='in', distance=1.19),
        truth(7, 'picture', 'black', 220, -0.1, shows=('banana', 'yellow')),
    )


@pytest.fixture(scope='session')
def truths():
    """What thirty tables show, people and crowds among it."""
    try:
        renderer = Renderer(160, 120)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        scenes = [sample_scene(seed, 'full') for seed in range(30)]
        return [visible_truth(s, renderer.render(s, depth=False)) for s in scenes]
