"""The newest picture, what belongs to it, and how long one waits for it."""

import threading

import pytest

from kimi_ros.nodes.codes import Code, NodeError
from kimi_ros.nodes.frames import CameraSlot

MS = 1_000_000
TOLERANCE = 0.02


@pytest.fixture
def slot():
    return CameraSlot('', '/image')


def fresh(slot, now, max_age=1.0, patience=0.0, cancel=None):
    return slot.fresh(lambda: now, max_age, patience, cancel or threading.Event())


def test_newest_picture_with_its_depth_in_either_order(slot):
    slot.put_info('info')
    slot.put_image(0, 'optical', 'image 0', TOLERANCE)
    slot.put_depth(5 * MS, 'depth 0', TOLERANCE)
    found = fresh(slot, 10 * MS)
    assert (found.image, found.depth, found.info) == ('image 0', 'depth 0', 'info')
    slot.put_depth(100 * MS, 'depth 1', TOLERANCE)
    slot.put_image(100 * MS, 'optical', 'image 1', TOLERANCE)
    found = fresh(slot, 110 * MS)
    assert (found.stamp, found.image, found.depth) == (100 * MS, 'image 1', 'depth 1')


def test_picture_whose_depth_is_on_the_way_gives_way_to_the_last_whole_pair(slot):
    slot.put_image(0, 'optical', 'image 0', TOLERANCE)
    slot.put_depth(0, 'depth 0', TOLERANCE)
    slot.put_image(100 * MS, 'optical', 'image 1', TOLERANCE)
    assert fresh(slot, 110 * MS).image == 'image 0'
    assert slot.newest().image == 'image 1'
    # But not to one that is too old itself.
    assert fresh(slot, 1050 * MS).image == 'image 1'


@pytest.mark.parametrize('lag', [1, 3])
@pytest.mark.parametrize('late', ['depth', 'image'])
def test_one_that_always_lags_behind_the_other_still_finds_it(slot, late, lag):
    for number in range(6):
        for what in ('depth', 'image'):
            taken = number - lag * (what == late)
            if taken < 0:
                continue
            stamp, message = taken * 100 * MS, f'{what} {taken}'
            if what == 'depth':
                slot.put_depth(stamp, message, TOLERANCE)
            else:
                slot.put_image(stamp, 'optical', message, TOLERANCE)
        if number >= lag:
            found = fresh(slot, number * 100 * MS)
            whole = number - lag
            assert (found.image, found.depth) == (f'image {whole}', f'depth {whole}')


def test_depth_of_another_moment_is_called_stale(slot):
    slot.put_depth(0, 'depth', TOLERANCE)
    slot.put_image(500 * MS, 'optical', 'image', TOLERANCE)
    found = fresh(slot, 500 * MS)
    assert found.depth is None and found.depth_stale


def test_depth_known_to_come_is_waited_for_a_moment(slot):
    slot.put_image(0, 'optical', 'first image', TOLERANCE)
    slot.put_depth(5000 * MS, 'depth of a later one', TOLERANCE)
    slot.put_image(5100 * MS, 'optical', 'image', TOLERANCE)
    late = threading.Timer(0.02, slot.put_depth, (5100 * MS, 'depth', TOLERANCE))
    late.start()
    found = fresh(slot, 5100 * MS, patience=10.0)
    late.join()
    assert (found.image, found.depth) == ('image', 'depth')


def test_without_depth_nothing_is_stale(slot):
    slot.put_image(0, 'optical', 'image', TOLERANCE)
    found = fresh(slot, 0)
    assert found.depth is None and not found.depth_stale


@pytest.mark.parametrize(
    ('stamp', 'code', 'words'),
    [
        (None, Code.NO_FRAME, 'no picture has come on /image'),
        (0, Code.STALE_FRAME, '5.0 s old, more than 1 s'),
        (20_000 * MS, Code.STALE_FRAME, '15.0 s in the future'),
    ],
)
def test_nothing_fresh_is_named(slot, stamp, code, words):
    if stamp is not None:
        slot.put_image(stamp, 'optical', 'image', TOLERANCE)
    with pytest.raises(NodeError, match=words) as caught:
        fresh(slot, 5_000 * MS, patience=0.05)
    assert caught.value.code is code


def test_a_fresh_picture_ends_the_wait(slot):
    slot.put_image(0, 'optical', 'old', TOLERANCE)
    timer = threading.Timer(0.05, slot.put_image, (5_000 * MS, 'optical', 'new', TOLERANCE))
    timer.start()
    assert fresh(slot, 5_000 * MS, patience=60).image == 'new'


def test_cancel_ends_the_wait(slot):
    cancel = threading.Event()
    threading.Timer(0.05, cancel.set).start()
    with pytest.raises(NodeError) as caught:
        fresh(slot, 0, patience=60, cancel=cancel)
    assert caught.value.code is Code.CANCELLED


def test_cleared_slot_is_empty(slot):
    slot.put_image(0, 'optical', 'image', TOLERANCE)
    slot.clear()
    assert slot.newest() is None
