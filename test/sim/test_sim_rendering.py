"""Frames: what is drawn, labelled, measured and told belongs together."""

import colorsys
import dataclasses
import math

import numpy as np
import pytest

from kimi_ros.sim import GLNotAvailable, Renderer, ground_truth, recorded_frames, sample_scene
from kimi_ros.sim.object_classes import HUE_SATURATION_VALUE, NOMINAL_SIZES
from kimi_ros.sim.projection import camera_pose, deproject, intrinsics
from kimi_ros.sim.shapes import make_shapes
from kimi_ros.sim.truth import grasp_point

SEEDS = range(3_000_000, 3_000_012)


@pytest.fixture(scope='module')
def renderer():
    try:
        renderer = Renderer(width=640, height=480)
    except GLNotAvailable as error:
        pytest.skip(str(error))
    with renderer:
        yield renderer


@pytest.fixture(scope='module')
def views(renderer):
    scenes = [sample_scene(seed) for seed in SEEDS]
    return [(scene, renderer.render(scene)) for scene in scenes]


def test_shapes_and_types(views):
    scene, frame = views[0]
    assert frame.rgb.shape == (480, 640, 3) and frame.rgb.dtype == np.uint8
    assert frame.depth.shape == (480, 640) and frame.depth.dtype == np.float32
    assert frame.segmentation.shape == (480, 640) and frame.segmentation.dtype == np.int16
    np.testing.assert_array_equal(frame.intrinsics, intrinsics(scene.camera.fov_y, 640, 480))
    np.testing.assert_array_equal(frame.camera_pose, camera_pose(scene.camera))
    assert set(np.unique(frame.segmentation)) == set(range(-1, len(scene.objects)))


def test_the_same_scene_is_drawn_alike_after_others(renderer, views):
    scene, first = views[0]
    renderer.render(views[1][0])
    again = renderer.render(scene)
    np.testing.assert_array_equal(again.rgb, first.rgb)
    np.testing.assert_array_equal(again.depth, first.depth)
    np.testing.assert_array_equal(again.segmentation, first.segmentation)


def test_what_is_not_asked_for_is_left_out(renderer, views):
    scene, full = views[0]
    plain = renderer.render(scene, depth=False, segmentation=False)
    assert plain.depth is None and plain.segmentation is None
    np.testing.assert_array_equal(plain.rgb, full.rgb)
    with pytest.raises(ValueError, match='segmentation=True'):
        ground_truth(scene, plain)
    # Without a pass of its own, depth comes from the picture with its painted shadows.
    close = renderer.render(scene, segmentation=False)
    assert np.abs(close.depth - full.depth).max() < 0.02


def test_truth_matches_the_masks(views):
    for scene, frame in views:
        truths = ground_truth(scene, frame)
        assert [truth.index for truth in truths] == list(range(len(scene.objects)))
        for truth, item in zip(truths, scene.objects, strict=True):
            mask = frame.segmentation == truth.index
            x_min, y_min, x_max, y_max = truth.box
            x, y = truth.point
            assert (truth.category, truth.color) == (item.category, item.color)
            assert truth.position == item.position
            assert (
                truth.pixels
                == mask.sum()
                == mask[int(y_min) : int(y_max), int(x_min) : int(x_max)].sum()
            )
            assert mask[:, int(x_min)].any() and mask[:, int(x_max) - 1].any()
            assert mask[int(y_min)].any() and mask[int(y_max) - 1].any()
            assert mask[int(y), int(x)]


def drawn(*rows):
    return np.array([[c == '#' for c in row] for row in rows])


@pytest.mark.parametrize(
    ('mask', 'where'),
    [
        (drawn('#####', '#####', '#####'), {(1, 2)}),
        (drawn('#........', '#........', '##.....##', '.#######.', '..#####..'), {(3, 4)}),  # bent
        (drawn('###......', '#########', '###......'), {(1, 1)}),  # thick at one end
        (
            drawn('#######', '#######', '#######', '##...##', '##...##', '#######'),
            {(1, 3)},
        ),  # covered
        (drawn('#'), {(0, 0)}),
        (drawn('#########'), {(0, 4)}),
    ],
)
def test_what_is_pointed_at_is_well_inside(mask, where):
    assert grasp_point(mask) in where
    other = grasp_point(mask[:, ::-1])
    assert (other[0], mask.shape[1] - 1 - other[1]) in where


def test_every_object_is_clearly_visible(renderer, views):
    for scene, frame in views:
        for truth in ground_truth(scene, frame):
            x_min, y_min, x_max, y_max = truth.box
            assert truth.pixels >= 250
            assert 0 < x_min and 0 < y_min and x_max < 640 and y_max < 480
            assert 45 <= x_max - x_min <= 153
            alone = dataclasses.replace(scene, objects=(scene.objects[truth.index],))
            whole = (renderer.render(alone, depth=False).segmentation == 0).sum()
            assert truth.pixels >= 0.75 * whole


def test_lifted_pixels_lie_on_the_object(views):
    for scene, frame in views:
        for index, item in enumerate(scene.objects):
            rows, columns = np.nonzero(frame.segmentation == index)
            points = deproject(
                np.column_stack([columns, rows]),
                frame.depth[rows, columns],
                frame.intrinsics,
                frame.camera_pose,
            )
            inside = (points - item.position) @ item.pose[:3, :3]
            half = np.array(item.size) / 2 + 0.003
            if item.category == 'cup':
                half[0] = item.size[0] * 0.65 + 0.003  # the handle reaches farther on one side
            assert (np.abs(inside) <= half).all()
            middle = np.median(points, axis=0)
            assert np.linalg.norm(middle[:2] - item.position[:2]) < 0.06


def test_the_table_is_at_height_zero(views):
    scene, frame = views[0]
    row = 470
    columns = np.nonzero(frame.segmentation[row] == -1)[0]
    points = deproject(
        np.column_stack([columns, np.full(len(columns), row)]),
        frame.depth[row, columns],
        frame.intrinsics,
        frame.camera_pose,
    )
    assert np.abs(points[:, 2]).max() < 0.002


def test_colours_are_told_apart_by_hue(views):
    for scene, frame in views:
        for index, item in enumerate(scene.objects):
            red, green, blue = np.median(frame.rgb[frame.segmentation == index], axis=0) / 255
            hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
            if item.color == 'black':
                assert value < 0.15
            elif item.color == 'white':
                assert saturation < 0.2 and value > 0.3
            elif item.category != 'book':
                wanted = HUE_SATURATION_VALUE[item.color][0]
                assert abs((hue - wanted + 0.5) % 1 - 0.5) < 0.03 and saturation > 0.6


def test_sizes_of_the_meshes_are_the_catalogue_s():
    for category, parts in make_shapes().items():
        points = np.concatenate([part.mesh.vertices for part in parts])
        np.testing.assert_allclose(np.ptp(points, axis=0), NOMINAL_SIZES[category], atol=0.003)
        assert points[:, 2].min() == pytest.approx(0)
        for part in parts:
            assert np.isfinite(part.mesh.normals).all()


def test_two_renderers_and_a_closed_one(renderer, views):
    scene, frame = views[2]
    small = Renderer(width=64, height=48)
    assert small.render(scene).rgb.shape == (48, 64, 3)
    np.testing.assert_array_equal(renderer.render(scene).rgb, frame.rgb)
    small.close()
    small.close()
    with pytest.raises(RuntimeError, match='closed'):
        small.render(scene)
    np.testing.assert_array_equal(renderer.render(scene).rgb, frame.rgb)


@pytest.mark.parametrize('size', [(0, 480), (640, 100_000)])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(ValueError, match='4096'):
        Renderer(*size)


def test_recorded_frames_are_what_would_be_rendered(renderer):
    records = recorded_frames()
    assert 4 <= len(records) <= 6
    for record in records:
        scene = sample_scene(record.seed)
        frame = renderer.render(scene)
        assert record.frame.rgb.shape == (480, 640, 3)
        # Another OpenGL may draw edges and shades a little differently.
        difference = np.abs(record.frame.rgb.astype(int) - frame.rgb)
        assert (difference > 8).mean() < 0.02
        assert np.median(np.abs(record.frame.depth - frame.depth)) <= 0.001
        assert (record.frame.segmentation != frame.segmentation).mean() < 0.01
        np.testing.assert_allclose(record.frame.intrinsics, frame.intrinsics)
        np.testing.assert_allclose(record.frame.camera_pose, frame.camera_pose)
        # NaN, where nothing was measured, is as recorded, too.
        recorded, rendered = record.truth, ground_truth(scene, record.frame)
        np.testing.assert_equal(
            list(map(dataclasses.asdict, recorded)), list(map(dataclasses.asdict, rendered))
        )
        assert math.isclose(record.truth[0].position[2], scene.objects[0].position[2])
