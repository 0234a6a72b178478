"""Requests about the full table: the plan follows from what is there."""

from collections import Counter

import numpy as np
import pytest

from kimi_ros.sim import GLNotAvailable, Renderer, ground_truth, sample_scene
from kimi_ros.sim.full.tasks import make_task, some_task
from kimi_ros.sim.full.words import Meaning


@pytest.fixture(scope='module')
def truths():
    try:
        renderer = Renderer(160, 120)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        scenes = [sample_scene(seed, 'full') for seed in range(30)]
        yield [ground_truth(s, renderer.render(s, depth=False)) for s in scenes]


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_the_status_follows_from_the_referents(truths, language):
    rng, counts, named = np.random.default_rng(0), Counter(), set()
    for objects in truths:
        for _ in range(15):
            task = some_task(objects, language, rng)
            numbers = [len(found) for _, found in task.referents]
            expected = ('infeasible' if 0 in numbers else
                        'needs_clarification' if max(numbers, default=1) > 1 else 'ok')
            assert task.plan['status'] == expected
            assert bool(task.plan['steps']) == (expected == 'ok')
            counts[expected] += 1
            named |= {m.relation for m in task.meant} | {m.superlative for m in task.meant}
    assert min(counts.values()) > 10 and len(counts) == 3
    assert {'left', 'on', 'largest'} <= named


def test_both_languages_ask_for_the_same(truths):
    for objects in truths[:10]:
        english = some_task(objects, 'en', np.random.default_rng(1))
        skill = english.plan['steps'][-1]['skill'] if english.plan['steps'] else 'pick'
        if english.meant:
            meant = english.meant if skill == 'place' else english.meant[:1]
            chinese = make_task(skill, objects, meant, 'zh', np.random.default_rng(1))
            assert [f for _, f in chinese.referents] == [
                f for _, f in english.referents[:len(meant)]]
            assert chinese.referents[0][0] == meant[0].name('zh')


def test_a_missing_thing_is_said_to_be_missing(truths):
    absent = Meaning('hand', 'purple')
    task = make_task('pick', truths[0], [absent], 'en', np.random.default_rng(0))
    assert task.plan == {'status': 'infeasible', 'say': 'I do not see a purple hand.', 'steps': []}
