"""The transform buffer: trees, time, interpolation, waiting."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from kimi_ros.nodes.poses import from_quaternion
from kimi_ros.nodes.transform_buffer import TransformBuffer, TransformError

SECOND = 1_000_000_000
TURNED = (0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5))  # a quarter turn about z


def transform(parent, child, stamp=0, xyz=(0.0, 0.0, 0.0), quaternion=(0.0, 0.0, 0.0, 1.0)):
    header = SimpleNamespace(
        frame_id=parent, stamp=SimpleNamespace(sec=stamp // SECOND, nanosec=stamp % SECOND)
    )
    moved = SimpleNamespace(**dict(zip('xyz', xyz, strict=True)))
    turned = SimpleNamespace(**dict(zip('xyzw', quaternion, strict=True)))
    parts = SimpleNamespace(translation=moved, rotation=turned)
    return SimpleNamespace(header=header, child_frame_id=child, transform=parts)


@pytest.fixture
def buffer():
    return TransformBuffer()


def test_chain_of_static_transforms_in_both_directions(buffer):
    buffer.put([transform('base', 'neck', xyz=(0, 0, 1), quaternion=TURNED)], static=True)
    buffer.put([transform('neck', 'camera', xyz=(0.5, 0, 0))], static=True)
    found = buffer.lookup('base', 'camera', 7 * SECOND)
    np.testing.assert_allclose(found, from_quaternion((0, 0.5, 1), TURNED), atol=1e-12)
    np.testing.assert_allclose(
        buffer.lookup('camera', 'base', 7 * SECOND), np.linalg.inv(found), atol=1e-12
    )


def test_siblings_meet_at_their_common_ancestor(buffer):
    buffer.put([transform('base', 'left', xyz=(0, 1, 0))], static=True)
    buffer.put([transform('base', 'right', xyz=(0, -1, 0), quaternion=TURNED)], static=True)
    found = buffer.lookup('left', 'right', 0)
    np.testing.assert_allclose(found, from_quaternion((0, -2, 0), TURNED), atol=1e-12)


def test_moving_transforms_are_interpolated(buffer):
    buffer.put([transform('base', 'camera', SECOND)], static=False)
    buffer.put([transform('base', 'camera', 2 * SECOND, (1, 0, 0), TURNED)], static=False)
    half = SECOND + SECOND // 2
    eighth = from_quaternion((0.5, 0, 0), (0, 0, np.sin(np.pi / 8), np.cos(np.pi / 8)))
    np.testing.assert_allclose(buffer.lookup('base', 'camera', half), eighth, atol=1e-12)
    latest = buffer.lookup('base', 'camera', 0)
    np.testing.assert_allclose(latest, from_quaternion((1, 0, 0), TURNED), atol=1e-12)


@pytest.mark.parametrize(
    ('stamp', 'words'), [(SECOND // 2, 'earlier than the oldest'), (3 * SECOND, '1.000 s later')]
)
def test_nothing_is_extrapolated(buffer, stamp, words):
    for number in (1, 2):
        buffer.put([transform('base', 'camera', number * SECOND)], static=False)
    with pytest.raises(TransformError, match=words):
        buffer.lookup('base', 'camera', stamp)


def test_unknown_frames_and_separate_trees_are_named(buffer):
    buffer.put([transform('base', 'arm'), transform('map', 'camera')], static=True)
    with pytest.raises(TransformError, match='no transform of optical received'):
        buffer.lookup('base', 'optical', 0)
    with pytest.raises(TransformError, match='separate trees'):
        buffer.lookup('base', 'camera', 0)


def test_transform_on_its_way_is_waited_for(buffer):
    message = transform('base', 'camera', xyz=(1, 2, 3))
    timer = threading.Timer(0.05, buffer.put, ([message], True))
    timer.start()
    assert buffer.lookup('base', 'camera', 5, timeout=30)[:3, 3].tolist() == [1, 2, 3]
    with pytest.raises(TransformError):
        buffer.lookup('base', 'other', 5, timeout=0.05)


def test_history_is_limited_and_survives_clock_jumps(buffer):
    for number in range(30):
        buffer.put([transform('base', 'camera', number * SECOND)], static=False)
    assert len(buffer._edges['camera'].samples) == 11
    buffer.put([transform('base', 'camera', SECOND, (1, 0, 0))], static=False)
    assert buffer.lookup('base', 'camera', SECOND)[0, 3] == 1


def test_invalid_transforms_are_ignored(buffer):
    buffer.put([transform('base', 'camera', xyz=(1, 0, 0))], static=True)
    nan = float('nan')
    for bad in (
        transform('base', 'camera', xyz=(nan, 0, 0)),
        transform('base', 'camera', quaternion=(0, 0, 0, 0)),
        transform('camera', 'camera'),
        transform('', 'camera'),
    ):
        buffer.put([bad], static=True)
    assert buffer.lookup('base', 'camera', 0)[0, 3] == 1


def test_loop_ends(buffer):
    buffer.put([transform('a', 'b'), transform('b', 'a')], static=True)
    with pytest.raises(TransformError):
        buffer.lookup('base', 'a', 0)
