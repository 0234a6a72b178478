"""Doors of boxes, seen from above, and the hand that shuts them."""

import numpy as np
import pytest

from kimi_ros.sim.libero.doors import along, find_door
from kimi_ros.sim.libero.points import Shape
from kimi_ros.sim.libero.skills.close import _behind
from kimi_ros.sim.libero.skills.inside import _tilted

HIGH = 0.19


def block(x, y):
    """Return the upper side of a block that fills two ranges, as points."""
    grid = np.meshgrid(np.arange(*x, 0.003), np.arange(*y, 0.003))
    return np.column_stack([*(axis.ravel() for axis in grid), np.full(grid[0].size, HIGH)])


def oven(opened=None):
    """Return a box that opens to the right, its door hanging at its near corner."""
    parts = [block((0.5, 0.8), (0.25, 0.45))]
    if opened is not None:
        panel = block((0.0, 0.24), (-0.008, 0.008))
        x, y = along(np.array([np.cos(opened), np.sin(opened)]), 0), panel[:, :2]
        turned = np.column_stack([y @ [x[0], -x[1]], y @ [x[1], x[0]]])
        parts.append(np.column_stack([turned + [0.5, 0.245], panel[:, 2]]))
    return Shape(np.concatenate(parts), 0.0)


@pytest.mark.parametrize('degrees', [-75, -90, -115])
def test_an_open_door_is_found_with_the_way_in_which_it_shuts(degrees):
    door = find_door(oven(np.radians(degrees)))
    assert door.hinge == pytest.approx([0.5, 0.25], abs=0.015)
    assert door.width == pytest.approx(0.24, abs=0.02)
    assert np.degrees(door.angle) == pytest.approx(-degrees, abs=6)
    assert door.inward == pytest.approx([0, 1], abs=0.05)


def test_a_box_without_an_open_door_has_none():
    assert find_door(oven()) is None


def test_fingers_start_outside_the_door_and_end_before_the_opening():
    door = find_door(oven(np.radians(-90)))
    assert _behind(door, 0, 0.03)[0] < 0.48
    x, y, z = _behind(door, door.angle, 0.03)
    assert 0.6 < x < 0.75 and 0.2 < y < 0.23 and z < HIGH


def test_a_tilted_hand_points_in_and_down_and_closes_along_the_opening():
    rotation = _tilted(np.array([0, 1.0, 0]), np.eye(3))
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert rotation[1, 2] > 0.8 and rotation[2, 2] < -0.4
    assert abs(rotation[0, 1]) == pytest.approx(1)
