import numpy as np
import pytest

from kimi_ros.sim.libero.grasp import find_grasps
from kimi_ros.sim.libero.points import HeightMap, Target, cloud, pixel_of, shape_at, top_middle
from kimi_ros.sim.projection import intrinsics
from kimi_ros.sim.rendered_frame import RenderedFrame

WIDTH, HEIGHT = 320, 240


def frame_of(heights) -> RenderedFrame:
    """A camera one metre over the table that looks straight down on `heights(x, y)`."""
    matrix = intrinsics(np.radians(45), WIDTH, HEIGHT)
    pose = np.eye(4)
    # x of the picture is -y of the base, y of the picture is -x.
    pose[:3, :3] = [[0, -1, 0], [-1, 0, 0], [0, 0, -1]]
    pose[:3, 3] = 0.5, 0, 1
    depth = np.ones((HEIGHT, WIDTH), np.float32)
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    for _ in range(3):  # the ray's foot moves with its depth
        right = (columns - matrix[0, 2]) / matrix[0, 0] * depth
        below = (rows - matrix[1, 2]) / matrix[1, 1] * depth
        depth = (1 - heights(0.5 - below, -right)).astype(np.float32)
    return RenderedFrame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), depth, None, matrix, pose)


def box_at(x, y, width_x, width_y, height):
    def heights(px, py):
        inside = (np.abs(px - x) < width_x / 2) & (np.abs(py - y) < width_y / 2)
        return np.where(inside, height, 0.0)

    return heights


def bowl_at(x, y, radius, height):
    def heights(px, py):
        away = np.hypot(px - x, py - y)
        return np.where((away < radius) & (away > radius - 0.008), height, 0.0) + np.where(
            away <= radius - 0.008, 0.01, 0.0
        )

    return heights


def seen(frame, x, y, height, half):
    corner = pixel_of(frame, (x + half, y + half, 0)), pixel_of(frame, (x - half, y - half, 0))
    return Target(frame, np.array([x, y, height]), tuple(map(float, (*corner[0], *corner[1]))))


def grasps_of(frame, target):
    shape = shape_at(target)
    return find_grasps(cloud(frame).reshape(-1, 3), shape.points, shape.support)


def test_the_shape_of_a_box_is_its_extent_over_the_table():
    frame = frame_of(box_at(0.5, 0.1, 0.04, 0.10, 0.05))
    shape = shape_at(seen(frame, 0.5, 0.1, 0.05, 0.07))
    assert shape.support == pytest.approx(0, abs=0.005)
    assert shape.high - shape.low == pytest.approx([0.04, 0.10, 0], abs=0.01)
    assert shape.middle == pytest.approx([0.5, 0.1, 0.05], abs=0.01)


def test_what_stands_apart_in_the_same_box_is_not_part_of_the_shape():
    first, second = (box_at(0.5, y, 0.04, 0.04, 0.05) for y in (0.1, 0.0))
    frame = frame_of(lambda x, y: np.maximum(first(x, y), second(x, y)))
    shape = shape_at(seen(frame, 0.5, 0.1, 0.05, 0.13))
    assert shape.low[1] > 0.07


def test_a_long_thing_is_held_across():
    frame = frame_of(box_at(0.5, 0.0, 0.03, 0.16, 0.04))
    best = grasps_of(frame, seen(frame, 0.5, 0.0, 0.04, 0.1))[0]
    # The fingers close along x, the narrow way.
    assert abs(np.sin(best.yaw)) > 0.9
    assert best.width == pytest.approx(0.03, abs=0.012)
    assert best.position[:2] == pytest.approx([0.5, 0.0], abs=0.03)


def test_a_bowl_is_held_at_its_rim():
    frame = frame_of(bowl_at(0.5, 0.0, 0.07, 0.05))
    best = grasps_of(frame, seen(frame, 0.5, 0.0, 0.01, 0.09))[0]
    assert np.hypot(*(best.position[:2] - [0.5, 0])) == pytest.approx(0.066, abs=0.012)
    assert best.position[2] < 0.05


def test_what_is_too_wide_is_not_grasped():
    def disc(x, y):
        return np.where(np.hypot(x - 0.5, y) < 0.08, 0.05, 0.0)

    frame = frame_of(disc)
    assert grasps_of(frame, seen(frame, 0.5, 0.0, 0.05, 0.1)) == []


def test_fingers_find_no_room_between_things_that_stand_close():
    boxes = [box_at(0.5, y, 0.2, 0.05, 0.06) for y in (-0.056, 0.0, 0.056)]
    frame = frame_of(lambda x, y: np.max([b(x, y) for b in boxes], axis=0))
    across = [g for g in grasps_of(frame, seen(frame, 0.5, 0.0, 0.06, 0.028))]
    assert across == []


def test_a_height_map_knows_where_its_cells_are():
    points = np.array([[0.5, 0.1, 0.2], [0.5, 0.1, 0.1]])
    around = HeightMap(points, (0.48, 0.1), 0.1, yaw=0.4)
    row, column = around.cells(points)[0]
    assert around.heights[row, column] == pytest.approx(0.2)
    assert around.position(row, column) == pytest.approx([0.5, 0.1], abs=0.003)


def test_the_middle_of_a_bowl_is_that_of_its_rim():
    frame = frame_of(bowl_at(0.5, 0.02, 0.07, 0.05))
    middle = top_middle(shape_at(seen(frame, 0.5, 0.02, 0.01, 0.09)))
    assert middle == pytest.approx([0.5, 0.02, 0.05], abs=0.008)


def test_a_knob_beside_a_plate_does_not_move_the_plates_middle():
    plate, knob = box_at(0.5, 0.0, 0.18, 0.18, 0.03), box_at(0.39, 0.0, 0.05, 0.03, 0.06)
    frame = frame_of(lambda x, y: np.maximum(plate(x, y), knob(x, y)))
    middle = top_middle(shape_at(seen(frame, 0.47, 0.0, 0.03, 0.13)))
    assert middle == pytest.approx([0.5, 0.0, 0.03], abs=0.012)
