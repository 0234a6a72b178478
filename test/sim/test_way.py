"""Ways: the same one for a seed, with a path that can be walked; and what is drawn is what is."""

import numpy as np
import pytest

from kimi_ros.sim import GLNotAvailable
from kimi_ros.sim.projection import deproject
from kimi_ros.sim.seeds import FIRST_EVALUATION_SEED
from kimi_ros.sim.way import WayObject, WayRenderer, sample_way

WAYS = [sample_way(FIRST_EVALUATION_SEED + number) for number in range(24)]


def test_a_seed_is_always_the_same_way_and_another_one_is_not():
    assert sample_way(WAYS[3].seed) == WAYS[3] != sample_way(WAYS[3].seed + 3)


def test_ways_hold_all_that_they_are_for():
    assert {way.place for way in WAYS} == {'street', 'corridor'}
    kinds = {item.kind for way in WAYS for item in way.objects}
    assert kinds >= {'traffic cone', 'barrier', 'bicycle', 'pole', 'person', 'car', 'kerb'}
    assert kinds >= {'stairs', 'door', 'chair'}
    stairs = {o.down for way in WAYS for o in way.objects if o.kind == 'stairs'}
    assert stairs == {True, False}


def test_path_is_free_and_on_the_ground():
    for way in WAYS:
        points = np.array(way.path)
        assert way.path[-1][0] >= way.length - 0.3
        assert not way.blocked(points, 0.3).any()
        heights = way.ground(points)
        steps = np.abs(np.diff(heights)) > 0.1
        assert np.isfinite(heights).all()
        assert steps.sum() == sum(o.kind == 'kerb' for o in way.objects)


def test_distances_are_to_the_outline():
    bar = WayObject('barrier', (2.0, 1.0, 0.0), np.pi / 2, (0.4, 1.2, 1.0), (1, 1, 1))
    assert bar.distance(2.0, 2.2) == pytest.approx(1.0)  # turned: 1.2 along x, 0.4 along y
    assert bar.distance(2.5, 1.1) == 0
    assert bar.nearest(0.0, 1.0) == pytest.approx((1.4, 1.0))


def test_lane_ends_at_what_stands_in_it_and_at_a_kerb():
    way = next(w for w in WAYS if any(o.kind == 'kerb' for o in w.objects))
    kerb = min(o.position[0] for o in way.objects if o.kind == 'kerb')
    y = way.path_at(kerb)
    seen = way.first_obstacle(kerb - 1.5, y, 0.0, 0.0, 4.0, 0.6)
    assert seen == pytest.approx(1.5, abs=0.15)
    assert way.first_obstacle(kerb - 1.0, y, 0.0, 0.0, 0.5, 0.6) is None


@pytest.mark.parametrize('number', [0, 1, 2, 9])
def test_depth_and_segmentation_are_those_of_the_layout(number):
    way = WAYS[number]
    try:
        renderer = WayRenderer(way, 160, 120, shadows=False)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        labels = set()
        for x in np.arange(0.0, way.length, 3.0):
            view = renderer.render(float(x), way.path_at(float(x)))
            rows, columns = np.nonzero(view.depth > 0)
            pixels = np.column_stack([columns, rows])
            points = deproject(pixels, view.depth[rows, columns], view.intrinsics, view.camera_pose)
            for index in np.unique(view.segmentation[view.segmentation >= 0]):
                item = way.objects[index]
                own = view.segmentation[rows, columns] == index
                if own.any() and item.kind not in ('tree', 'pole', 'stairs'):  # crown, arm, rails
                    assert item.distances(points[own, :2]).max() < 0.15, item.kind
                    labels.add(item.kind)
            near = (np.abs(points[:, 1]) < 1.1) & (np.abs(points[:, 2]) < 0.2)
            low = points[near & (view.segmentation[rows, columns] == -1)]
            off = np.abs(way.ground(low[:, :2]) - low[:, 2])
            assert len(low) > 100 and np.quantile(off, 0.97) < 0.02  # the rest: faces of kerbs
    assert labels
    with pytest.raises(RuntimeError, match='closed'):
        renderer.render(0.0, 0.0)
