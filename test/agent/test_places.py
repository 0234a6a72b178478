"""Free spots on a table of boxes, whose depth image is computed ray by ray."""

import math

import numpy as np
import pytest

from kimi_ros.agent import Frame
from kimi_ros.agent.grounding import Candidate
from kimi_ros.agent.places import find_place
from kimi_ros.agent.plan import DepthStatus

WIDTH, HEIGHT, FOCAL = 320, 240, 260.0
TABLE = ((0.35, -0.45, -0.04), (1.05, 0.45, 0.0))
FLOOR = ((-5.0, -5.0, -1.0), (9.0, 5.0, -0.7))
BOWL = ((0.60, -0.06, 0.0), (0.72, 0.06, 0.08))
JAR = ((0.60, 0.25, 0.0), (0.70, 0.35, 0.12))
MUG = ((0.45, -0.30, 0.0), (0.53, -0.22, 0.09))
# Optical axes in the base frame: right is -y, down is forward and down, forward is down the slope.
_TILT = math.radians(50)
POSE = np.eye(4)
POSE[:3, 0] = (0, -1, 0)
POSE[:3, 1] = (-math.sin(_TILT), 0, -math.cos(_TILT))
POSE[:3, 2] = (math.cos(_TILT), 0, -math.sin(_TILT))
POSE[:3, 3] = (0.10, 0.0, 0.75)
INTRINSICS = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])


def rays():
    u, v = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return np.stack([(u - WIDTH / 2) / FOCAL, (v - HEIGHT / 2) / FOCAL, np.ones_like(u)], axis=2)


def depth_of(box):
    """Depth along the optical axis to an axis-aligned box, inf beside it (slab method)."""
    directions = rays() @ POSE[:3, :3].T
    with np.errstate(divide='ignore'):
        a = (np.array(box[0]) - POSE[:3, 3]) / directions
        b = (np.array(box[1]) - POSE[:3, 3]) / directions
    near, far = np.minimum(a, b).max(axis=2), np.maximum(a, b).min(axis=2)
    return np.where((near <= far) & (far > 0), near, np.inf)


def frame(*boxes, pose=POSE, depth=True):
    layers = [depth_of(b) for b in (TABLE, FLOOR, *boxes)]
    nearest = np.min(layers, axis=0)
    noise = np.random.default_rng(0).normal(0, 0.001, nearest.shape)
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return Frame(
        rgb,
        depth=(nearest + noise).astype(np.float32) if depth else None,
        intrinsics=INTRINSICS,
        camera_pose=pose,
    )


def candidate(box):
    rows, columns = np.nonzero(np.isfinite(depth_of(box)))
    corners = (columns.min(), rows.min(), columns.max(), rows.max())
    center = (corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2
    return Candidate(center, tuple(map(float, corners)), 0.9)


def gap(position, box, radius):
    """Metres between a disc on the table and a box."""
    outside = [
        max(low - x, 0.0, x - high)
        for x, low, high in zip(position[:2], box[0][:2], box[1][:2], strict=True)
    ]
    return math.hypot(*outside) - radius


@pytest.mark.parametrize(
    ('relation', 'is_there'),
    [
        ('left_of', lambda x, y: y > 0.06 and abs(x - 0.66) < 0.2),
        ('right_of', lambda x, y: y < -0.06 and abs(x - 0.66) < 0.2),
        ('in_front_of', lambda x, y: x < 0.60 and abs(y) < 0.2),
        ('behind', lambda x, y: x > 0.72 and abs(y) < 0.3),
        ('next_to', lambda x, y: math.hypot(x - 0.66, y) < 0.45),
    ],
)
def test_sides_of_a_bowl_are_free_of_everything_else(relation, is_there):
    view = frame(BOWL, JAR, MUG)
    place = find_place(view, relation, [candidate(BOWL)], candidate(MUG))
    assert place.position.status is DepthStatus.OK
    assert place.position.frame == 'base_link'
    x, y, z = place.position.xyz
    assert abs(z) < 0.01
    assert is_there(x, y)
    for other in (BOWL, JAR):
        assert gap((x, y), other, 0.04) > 0
    assert TABLE[0][0] + 0.04 < x < TABLE[1][0] - 0.04
    assert abs(y) < TABLE[1][1] - 0.04


def test_a_thing_of_eight_millimetres_is_in_the_way():
    knife = ((0.50, 0.14, 0.0), (0.80, 0.17, 0.008))
    free = find_place(frame(BOWL, MUG), 'left_of', [candidate(BOWL)], candidate(MUG))
    assert gap(free.position.xyz, knife, 0.04) < 0  # where the knife will lie
    place = find_place(frame(BOWL, MUG, knife), 'left_of', [candidate(BOWL)], candidate(MUG))
    assert gap(place.position.xyz, knife, 0.04) > 0


def test_point_is_where_the_position_is_seen():
    view = frame(BOWL, MUG)
    place = find_place(view, 'left_of', [candidate(BOWL)], candidate(MUG))
    optical = POSE[:3, :3].T @ (np.array(place.position.xyz) - POSE[:3, 3])
    pixel = INTRINSICS @ optical
    assert np.allclose(pixel[:2] / pixel[2], place.point, atol=0.5)


def test_between_is_in_the_middle_of_both():
    place = find_place(frame(BOWL, JAR, MUG), 'between', [candidate(BOWL), candidate(JAR)])
    assert 0.06 < place.position.xyz[1] < 0.25


def test_no_room_is_no_place():
    wall = ((0.40, 0.09, 0.0), (1.0, 0.44, 0.10))
    assert find_place(frame(BOWL, wall), 'left_of', [candidate(BOWL)]) is None


def test_nothing_is_put_beyond_the_edge():
    last = ((0.60, 0.36, 0.0), (0.72, 0.44, 0.08))
    assert find_place(frame(last), 'left_of', [candidate(last)]) is None


def test_a_thing_too_large_for_the_gap_does_not_fit():
    near = ((0.60, 0.20, 0.0), (0.72, 0.30, 0.08))
    large = ((0.40, -0.40, 0.0), (0.58, -0.20, 0.05))
    view = frame(BOWL, near, large)
    assert find_place(view, 'between', [candidate(BOWL), candidate(near)], candidate(large)) is None


def test_on_a_tray_is_on_its_free_part():
    tray = ((0.55, -0.25, 0.0), (0.85, 0.20, 0.02))
    cup = ((0.62, -0.20, 0.02), (0.74, 0.02, 0.12))
    place = find_place(frame(tray, cup), 'on', [candidate(tray)])
    x, y, z = place.position.xyz
    assert abs(z - 0.02) < 0.01
    assert gap((x, y), cup, 0.05) > 0
    assert 0.55 < x < 0.85 and -0.25 < y < 0.20


def test_in_a_container_is_its_middle():
    place = find_place(frame(BOWL), 'in', [candidate(BOWL)])
    assert abs(place.position.xyz[1]) < 0.02


def test_the_place_that_the_thing_leaves_is_free():
    tray = ((0.55, -0.10, 0.0), (0.75, 0.10, 0.02))
    cup = ((0.60, -0.05, 0.02), (0.70, 0.05, 0.08))
    view = frame(tray, cup)
    assert find_place(view, 'on', [candidate(tray)]) is None
    assert find_place(view, 'on', [candidate(tray)], candidate(cup)) is not None


def test_without_a_pose_positions_are_in_the_optical_frame():
    place = find_place(frame(BOWL, MUG, pose=None), 'right_of', [candidate(BOWL)], candidate(MUG))
    assert place.position.status is DepthStatus.NO_TRANSFORM
    base = POSE[:3, :3] @ np.array(place.position.xyz) + POSE[:3, 3]
    assert base[1] < -0.06 and abs(base[2]) < 0.01


def test_without_depth_the_spot_is_beside_the_box_and_on_no_other():
    view = frame(BOWL, JAR, depth=False)
    place = find_place(view, 'left_of', [candidate(BOWL)], obstacles=[candidate(JAR)])
    bowl, jar = candidate(BOWL).box, candidate(JAR).box
    assert place.point[0] < bowl[0]
    assert not (jar[0] <= place.point[0] <= jar[2] and jar[1] <= place.point[1] <= jar[3])
    assert place.position.status is DepthStatus.NONE
    assert place.position.xyz is None


def test_without_depth_the_edge_of_the_image_is_an_edge():
    corner = Candidate((20.0, 100.0), (0.0, 80.0, 40.0, 120.0), 0.9)
    assert find_place(frame(depth=False), 'left_of', [corner]) is None
