"""Scans, how they rest, and pictures of them with their truth."""

import math

import cv2
import numpy as np
import pytest
from scan_files import write_scans

from kimi_ros.sim.scans import (
    DatasetError,
    DrawSettings,
    ScanError,
    draw_dataset,
    load_things,
    open_dataset,
)
from kimi_ros.sim.scans.camera_effects import cheap_camera
from kimi_ros.sim.scans.contact import Landscape, stands_free, underside
from kimi_ros.sim.scans.draw import draw
from kimi_ros.sim.scans.mesh import load_scan
from kimi_ros.sim.scans.sampling import SceneSampler
from kimi_ros.sim.scans.truth import from_json, scan_truth, to_json

WIDTH, HEIGHT = 192, 144


@pytest.fixture(scope='module')
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp('scans')
    write_scans(folder)
    return folder


@pytest.fixture(scope='module', autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        yield


@pytest.fixture(scope='module')
def sampler(scans, _own_cache):
    return SceneSampler(load_things(scans / 'things.yaml'), scans)


@pytest.fixture(scope='module')
def drawn(sampler):
    """Thirty scenes with their frames and truths."""
    scenes = [sampler.sample(seed) for seed in range(30)]
    frames = [draw(scene, WIDTH, HEIGHT) for scene in scenes]
    return [(s, f, scan_truth(s, f)) for s, f in zip(scenes, frames, strict=True)]


def test_a_scan_is_in_metres_and_kept(scans):
    scan = load_scan(scans / 'tea' / 'scan.obj')
    assert scan.size == pytest.approx((0.06, 0.09, 0.14), abs=1e-5)
    assert scan.watertight and scan.closed and scan.original_faces == 12
    assert scan.vertices.min(axis=0) == pytest.approx(-scan.vertices.max(axis=0), abs=1e-6)
    again = load_scan(scans / 'tea' / 'scan.obj')
    assert (again.texture.texels == scan.texture.texels).all()
    assert load_scan(scans / 'tea' / 'scan.obj', scale=0.1).size[2] == pytest.approx(0.014)
    assert load_scan(scans / 'tea' / 'scan.obj', up='x').size == pytest.approx((0.09, 0.14, 0.06))


def test_a_box_rests_on_its_sides_and_mostly_on_the_largest(scans):
    scan = load_scan(scans / 'tea' / 'scan.obj')
    assert len(scan.poses) == 6
    heights = [np.ptp(scan.vertices @ pose.T, axis=0)[2] for pose in scan.poses]
    assert heights[:2] == pytest.approx([0.06, 0.06], abs=1e-4)
    assert heights[4:] == pytest.approx([0.14, 0.14], abs=1e-4)
    assert scan.pose_weights.sum() == pytest.approx(1)


def test_a_glb_is_read_as_well(scans, tmp_path):
    import trimesh
    from PIL import Image

    mesh = trimesh.creation.box((0.1, 0.2, 0.3))
    uv = np.tile([(0.0, 0.0), (1.0, 1.0)], (4, 1))
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=Image.new('RGB', (64, 64), (200, 100, 50))
    )
    mesh.visual = trimesh.visual.TextureVisuals(uv, material=material)
    mesh.export(tmp_path / 'box.glb')
    scan = load_scan(tmp_path / 'box.glb')
    assert scan.size == pytest.approx((0.1, 0.2, 0.3), abs=1e-5)
    assert scan.texture.base[5, 5] == pytest.approx((200, 100, 50), abs=3)


@pytest.mark.parametrize(
    'spoil, said',
    [
        (lambda f: (f / 'label.jpg').unlink(), r'scan\.obj: its texture .*label\.jpg'),
        (lambda f: (f / 'scan.mtl').unlink(), 'no texture'),
        (lambda f: (f / 'scan.obj').write_text('v 0 0 0\n'), 'no triangles'),
        (lambda f: (f / 'scan.obj').unlink(), 'No such file'),
    ],
)
def test_what_is_missing_is_named(tmp_path, spoil, said):
    write_scans(tmp_path)
    spoil(tmp_path / 'tea')
    with pytest.raises(ScanError, match=said):
        load_scan(tmp_path / 'tea' / 'scan.obj')


def test_a_dense_mesh_is_made_light_and_looks_the_same(scans, tmp_path, monkeypatch):
    from kimi_ros.sim.scans import mesh

    full = load_scan(scans / 'beans' / 'scan.obj')
    monkeypatch.setattr(mesh, 'MAX_FACES', 60)
    light = mesh._read(scans / 'beans' / 'scan.obj', 'z', 1.0)
    assert len(full.faces) > 90 and len(light.faces) <= 62
    assert light.size == pytest.approx(full.size, rel=0.1)
    assert 0 <= light.uv.min() and light.uv.max() <= 1


def test_things_come_to_rest_on_what_is_below(scans):
    tea, tub = (load_scan(scans / i / 'scan.obj') for i in ('tea', 'tub'))
    table = Landscape((-0.4, -0.4), (0.4, 0.4))
    below = underside(tub, np.eye(3))
    rest = table.rest(below, 0, 0)
    assert rest.z == pytest.approx(0.05, abs=0.002) and stands_free(rest, below)
    table.put(below, 0, 0, rest.z, 0)
    # A small box stands on the tub's floor, of 4 mm; a large one on its rim, at 10 cm.
    small = underside(load_scan(scans / 'tea' / 'scan.obj', scale=0.4), np.eye(3))
    inside = table.rest(small, 0, 0)
    assert inside.owners == (0,) and inside.stable
    assert inside.z == pytest.approx(0.004 + 0.4 * 0.07, abs=0.003)
    lying = underside(tea, tea.poses[0].astype(float))
    large = underside(load_scan(scans / 'tea' / 'scan.obj', scale=2.0), tea.poses[0].astype(float))
    assert table.rest(large, 0, 0).z == pytest.approx(0.1 + 0.06, abs=0.003)
    assert not stands_free(table.rest(lying, 0.05, 0), lying)
    assert stands_free(table.rest(lying, 0.25, 0), lying)
    assert table.rest(lying, 0.39, 0) is None


def test_boxes_are_where_things_project_to(drawn):
    checked = 0
    for scene, frame, truths in drawn:
        for truth in truths:
            item = scene.objects[truth.index]
            optical = scene.camera.to_optical(item.vertices.astype(float))
            xy = optical[:, :2] / optical[:, 2:]
            r2 = (xy**2).sum(axis=1, keepdims=True)
            k1, k2 = scene.camera.distortion
            matrix = frame.frame.intrinsics
            xy = xy * (1 + k1 * r2 + k2 * r2 * r2) * matrix[0, 0] + matrix[:2, 2]
            low, high = xy.min(axis=0), xy.max(axis=0)
            x0, y0, x1, y1 = truth.box
            # A pixel's centre is at a whole number, its edges half a pixel beside.
            assert x0 >= low[0] - 0.7 and y0 >= low[1] - 0.7
            assert x1 - 1 <= high[0] + 0.7 and y1 - 1 <= high[1] + 0.7
            if truth.visible > 0.97:
                assert (x0, y0) == pytest.approx(low, abs=1.6)
                assert (x1 - 1, y1 - 1) == pytest.approx(high, abs=1.6)
                checked += 1
    assert checked > 15


def test_truth_fits_the_instance_map(drawn):
    hidden = 0
    for _, frame, truths in drawn:
        labels = frame.frame.segmentation
        assert labels.shape == (HEIGHT, WIDTH)
        assert {t.index for t in truths} == set(np.unique(labels)) - {-1}
        for truth in truths:
            x, y = truth.point
            assert labels[int(y), int(x)] == truth.index
            assert truth.pixels == (labels == truth.index).sum()
            assert 0 < truth.visible <= 1 and 0 <= truth.occluded <= 1
            hidden += truth.visible < 0.9
            if truth.thing and not truth.distractor:
                assert truth.category in ('tea box', 'bean can', 'tub')
            assert from_json(to_json(truth)) == from_json(to_json(from_json(to_json(truth))))
    assert hidden


def test_depth_is_the_distance_along_the_axis(drawn):
    scene, frame, truths = next(d for d in drawn if d[0].setting == 'table' and d[2])
    depth, matrix, pose = frame.frame.depth, frame.frame.intrinsics, frame.frame.camera_pose
    free = frame.frame.segmentation < 0
    rows, columns = np.nonzero(free)
    k1, k2 = scene.camera.distortion
    points = np.column_stack([columns, rows]).astype(float)[:, None]
    rays = cv2.undistortPoints(points, matrix, np.array([k1, k2, 0, 0]))[:, 0]
    rays = np.column_stack([rays, np.ones(len(rays))])
    height = (rays * depth[rows, columns, None]) @ pose[2, :3] + pose[2, 3]
    on_table = np.abs(height) < 0.004
    assert on_table.mean() > 0.2
    assert height[~on_table].max(initial=1) > 0.01 or on_table.all()


def test_everything_rests_on_something(drawn):
    relations = set()
    for scene, _, _ in drawn:
        if scene.setting != 'table':
            continue
        for item in scene.objects:
            bottom = item.vertices[:, 2].min()
            relations.add((item.support >= 0, item.relation))
            if item.support < 0:
                assert bottom == pytest.approx(0, abs=0.004)
            else:
                below = scene.objects[item.support]
                assert bottom < below.vertices[:, 2].max() + 0.004
                away = math.dist(item.position[:2], below.position[:2])
                assert away < 0.15
    assert (False, 'on') in relations and len(relations) > 1


def test_a_seed_is_a_picture(sampler):
    one, other = (draw(sampler.sample(7), 96, 72).frame for _ in range(2))
    assert (one.rgb == other.rgb).all() and (one.segmentation == other.segmentation).all()
    assert (draw(sampler.sample(8), 96, 72).frame.rgb != one.rgb).any()


def test_shadows_are_dark_and_labels_are_on_the_things(scans):
    from kimi_ros.sim.scans.checks import check_things, contact_sheet

    path = scans / 'sheet.png'
    checked = check_things(load_things(scans / 'things.yaml'), scans)
    assert [c.problems for c in checked[:2]] == [(), ()]
    contact_sheet(checked, path)
    sheet = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(int)
    tea, beans = sheet[:144, :192], sheet[:144, 192:384]
    green = tea[..., 1] - tea[..., 0]
    red = beans[..., 0] - beans[..., 1]
    assert (green > 40).sum() > 400 and (red > 60).sum() > 400
    plain = tea[20:124, :, :].reshape(-1, 3)
    grey = plain[np.ptp(plain, axis=1) < 20].mean(axis=1)
    assert np.percentile(grey, 2) < 0.75 * np.median(grey)


def test_effects_change_colours_and_nothing_else():
    rgb = np.zeros((72, 96, 3), np.uint8)
    rgb[20:50, 30:70] = 200, 120, 60
    changes = []
    for seed in range(20):
        out = cheap_camera(rgb, np.random.default_rng(seed))
        assert out.shape == rgb.shape and out.dtype == np.uint8
        bright = out.astype(int).sum(axis=2)
        assert bright[25:45, 35:65].mean() > bright[:15].mean() + 60
        changes.append(np.abs(out.astype(int) - rgb).mean())
    assert min(changes) > 0.3 and np.std(changes) > 1
    same = cheap_camera(rgb, np.random.default_rng(0), 0.0)
    assert (same == rgb).all()


def test_a_dataset_goes_on_after_a_stop(scans, tmp_path):
    out = tmp_path / 'set'

    def settings(pictures, **more):
        return DrawSettings(scans, scans / 'things.yaml', pictures, size=(96, 72), **more)

    draw_dataset(out, settings(2))
    first = sorted((out / 'pictures').iterdir())
    assert [p.name for p in first if p.suffix == '.json'] == ['0000000.json', '0000001.json']
    kept = first[0].stat().st_mtime_ns
    (out / 'pictures' / '0000001.json').unlink()
    counts = []
    draw_dataset(out, settings(3), report=counts.append)
    assert counts == [1, 2, 3] and first[0].stat().st_mtime_ns == kept
    data = open_dataset(out)
    assert len(data) == 3 and data.size == (96, 72)
    assert data.things['beans'].hazard == 'hot'
    for picture in data:
        assert picture.rgb.shape == (72, 96, 3) and picture.instances.shape == (72, 96)
        for truth in picture.objects:
            assert (picture.instances == truth.index).sum() == truth.pixels
        asked = picture.visible_truth()
        assert all(t.visible >= 0.25 and t.thing for t in asked)
        assert len(asked) + len(picture.doubtful()) == len(picture.objects)
    with pytest.raises(DatasetError, match='effects'):
        draw_dataset(out, settings(3, effects=0.5))
    with pytest.raises(DatasetError, match='no dataset'):
        open_dataset(tmp_path)
