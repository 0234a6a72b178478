"""Distances of what a box holds, steps, and what stands together: on ways without OpenGL."""

import dataclasses

import numpy as np
import pytest

from kimi_ros.agent.frame import Frame
from kimi_ros.assist.findings import Seen, findings_of
from kimi_ros.assist.free_space import FreeSpace
from kimi_ros.assist.ranging import Extent, extent_of
from kimi_ros.assist.things import load_kinds
from kimi_ros.speech.narration import Side

WIDTH, HEIGHT, FOCAL, EYE = 320, 240, 165.0, 1.4
PITCH = np.radians(20)
KINDS = {kind.name['en']: kind for kind in load_kinds()}
COMPOUNDS = [kind for kind in KINDS.values() if kind.parts]


def scene(ground, blocks=()):
    """Return a frame and the boxes of blocks.

    :param ground: height by metres ahead, steps: ((from, height), ...).
    :param blocks: (left, right, ahead, low, high), metres; walls that face the camera.
    """
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    right, down = (u - WIDTH / 2) / FOCAL, (v - HEIGHT / 2) / FOCAL
    rays = np.stack(
        [right, -down * np.cos(PITCH) - np.sin(PITCH), np.cos(PITCH) - down * np.sin(PITCH)], -1
    )
    depth = np.full((HEIGHT, WIDTH), np.inf)
    ends = [begin for begin, _ in ground[1:]] + [20.0]
    for (begin, height), end in zip(ground, ends, strict=True):
        t = np.where(rays[..., 1] < -1e-3, (height - EYE) / np.minimum(rays[..., 1], -1e-3), np.inf)
        forward = t * rays[..., 2]
        depth = np.where((forward > begin) & (forward < end), np.minimum(depth, t), depth)
    boxes = []
    for low, high, ahead, foot, top in blocks:
        t = ahead / rays[..., 2]
        x, y = rays[..., 0] * t, rays[..., 1] * t + EYE
        hit = (x > low) & (x < high) & (y > foot) & (y < top) & (t < depth)
        depth = np.where(hit, t, depth)
        rows, columns = np.nonzero(hit)
        boxes.append((columns.min(), rows.min(), columns.max() + 1.0, rows.max() + 1.0))
    depth[depth > 10] = 0
    pose = np.eye(4)
    pose[:3, 0] = 0, -1, 0
    pose[:3, 1] = -np.sin(PITCH), 0, -np.cos(PITCH)
    pose[:3, 2] = np.cos(PITCH), 0, -np.sin(PITCH)
    matrix = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame = Frame(rgb, depth=depth.astype(np.float32), intrinsics=matrix, camera_pose=pose)
    return frame, boxes


FLAT = ((0.0, 0.0),)


@pytest.mark.parametrize('height, kind', [(-0.14, 'step down'), (0.14, 'step up')])
def test_kerb_is_a_step_at_its_edge(height, kind):
    frame, _ = scene(((0.0, 0.0), (3.0, height)))
    obstacle = FreeSpace(frame, -EYE).obstacle()
    assert obstacle.kind == kind and obstacle.forward == pytest.approx(3.0, abs=0.3)
    assert FreeSpace(frame, -EYE).lane(0.0, 4.0) is not Side.FREE


def test_floor_is_what_the_person_stands_on_though_most_lies_lower():
    frame, _ = scene(((0.0, 0.0), (1.3, -0.14)))
    space = FreeSpace(frame, -EYE)
    assert space.floor == pytest.approx(-EYE, abs=0.02)
    # Close before a step up nothing of it is seen: it stays where it was.
    frame, _ = scene(((0.0, 0.0), (0.9, 0.14)))
    space = FreeSpace(frame, -EYE)
    assert space.floor == pytest.approx(-EYE, abs=0.02) and not space.floor_seen


def test_distance_is_that_of_the_thing_not_of_what_is_seen_through_it_or_stands_before_it():
    posts = [(-0.5, -0.4, 3.0, 0.0, 1.0), (0.4, 0.5, 3.0, 0.0, 1.0)]
    frame, boxes = scene(FLAT, [*posts, (-4.0, 4.0, 6.0, 0.0, 3.0)])
    around = (boxes[0][0], boxes[0][1], boxes[1][2], boxes[1][3])
    extent = extent_of(frame, around, -EYE)
    assert extent.metres == pytest.approx(3.05, abs=0.1)
    assert (extent.left, extent.right) == pytest.approx((-0.5, 0.5), abs=0.15)

    frame, boxes = scene(FLAT, [(-0.2, 0.2, 2.0, 0.0, 1.0), (-0.8, 0.8, 4.0, 0.0, 1.8)])
    assert extent_of(frame, boxes[1], -EYE).metres == pytest.approx(4.0, abs=0.2)
    frame, boxes = scene(FLAT, [(-2.0, 2.0, 2.0, 0.0, 1.0), (-0.8, 0.8, 4.0, 0.0, 1.8)])
    assert extent_of(frame, boxes[1], -EYE).metres == pytest.approx(4.0, abs=0.2)


def test_what_stands_on_the_road_is_below():
    road = ((0.0, 0.0), (2.0, -0.14))
    frame, (car,) = scene(road, [(-1.0, 1.0, 4.0, -0.14, 1.3)])
    assert extent_of(frame, car, -EYE).below
    frame, (box,) = scene(FLAT, [(-1.0, 1.0, 4.0, 0.0, 1.3)])
    assert not extent_of(frame, box, -EYE).below


def seen(name, right, forward, key='', **more):
    extent = Extent(float(np.hypot(right, forward)), forward, 0.0, right - 0.2, right + 0.2)
    return Seen(f'{name}{key}', KINDS[name], 0.9, dataclasses.replace(extent, **more))


@pytest.mark.parametrize('language, works', [('en', 'roadworks'), ('zh', '施工')])
def test_what_stands_together_is_one_finding(language, works):
    space = FreeSpace(scene(FLAT)[0])
    near = [seen('barrier', 0.0, 4.0), seen('traffic cone', 0.8, 4.5), seen('bicycle', 0.0, 4.0)]
    far = [seen('bicycle', 0.0, 8.0, 'far')]
    found = findings_of([*near, *far], COMPOUNDS, space, language)
    labels = [finding.label for finding in found]
    assert works in labels and len(labels) == 3
    (alone,) = findings_of([seen('barrier', 0.0, 4.0)], COMPOUNDS, space, language)
    assert alone.label == KINDS['barrier'].name[language]


def test_what_is_passed_is_no_hazard_and_what_is_in_the_way_is_one():
    space = FreeSpace(scene(FLAT)[0])

    def hazard(*args, **more):
        (found,) = findings_of([seen(*args, **more)], COMPOUNDS, space, 'en')
        return found.hazard

    assert hazard('chair', 0.0, 3.0) and not hazard('chair', 1.2, 3.0)
    assert hazard('car', 1.1, 3.0) and not hazard('car', 2.5, 3.0)
    assert not hazard('car', 1.1, 3.0, below=True)  # parked behind a kerb
