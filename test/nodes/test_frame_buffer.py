"""The frame buffer: matching images with depth, and waiting for a frame."""

import threading
from contextlib import contextmanager

import pytest

from kimi_ros.nodes.codes import ErrorCode, RequestError
from kimi_ros.nodes.frame_buffer import FrameBuffer

MS = 1_000_000
TOLERANCE = 0.02


@pytest.fixture
def buffer():
    return FrameBuffer('', '/image')


def wait_for_frame(buffer, now, max_age=1.0, timeout=0.0, cancel=None, after=-1):
    cancel = cancel or threading.Event()
    return buffer.wait_for_frame(lambda: now, max_age, timeout, cancel, after)


def test_latest_image_is_matched_with_depth_in_either_order(buffer):
    buffer.put_info('info')
    buffer.put_image(0, 'optical', 'image 0', TOLERANCE)
    buffer.put_depth(5 * MS, 'depth 0', TOLERANCE)
    found = wait_for_frame(buffer, 10 * MS)
    assert (found.image, found.depth, found.info) == ('image 0', 'depth 0', 'info')
    buffer.put_depth(100 * MS, 'depth 1', TOLERANCE)
    buffer.put_image(100 * MS, 'optical', 'image 1', TOLERANCE)
    found = wait_for_frame(buffer, 110 * MS)
    assert (found.stamp, found.image, found.depth) == (100 * MS, 'image 1', 'depth 1')


def test_last_matched_frame_is_preferred_while_depth_is_pending(buffer):
    buffer.put_image(0, 'optical', 'image 0', TOLERANCE)
    buffer.put_depth(0, 'depth 0', TOLERANCE)
    buffer.put_image(100 * MS, 'optical', 'image 1', TOLERANCE)
    assert wait_for_frame(buffer, 110 * MS).image == 'image 0'
    assert buffer.latest().image == 'image 1'
    # But not to one that is too old itself.
    assert wait_for_frame(buffer, 1050 * MS).image == 'image 1'


def test_frame_from_before_a_moment_is_not_taken(buffer):
    for number in (1, 2):
        buffer.put_image(number * 100 * MS, 'optical', f'image {number}', TOLERANCE)
    assert wait_for_frame(buffer, 250 * MS, after=150 * MS).image == 'image 2'
    with pytest.raises(RequestError, match='no image newer than the moment'):
        wait_for_frame(buffer, 250 * MS, after=200 * MS)


@pytest.mark.parametrize('lag', [1, 3])
@pytest.mark.parametrize('late', ['depth', 'image'])
def test_lagging_topic_is_matched(buffer, late, lag):
    for number in range(8):
        for what in ('depth', 'image'):
            taken = number - lag * (what == late)
            if taken < 0:
                continue
            stamp, message = taken * 100 * MS, f'{what} {taken}'
            if what == 'depth':
                buffer.put_depth(stamp, message, TOLERANCE)
            else:
                buffer.put_image(stamp, 'optical', message, TOLERANCE)
        if number >= 2 * lag:  # with the first depth image, images begin to wait for theirs
            found = wait_for_frame(buffer, number * 100 * MS)
            matched = number - lag
            assert (found.image, found.depth) == (f'image {matched}', f'depth {matched}')


def test_depth_with_another_stamp_is_stale(buffer):
    buffer.put_depth(0, 'depth', TOLERANCE)
    buffer.put_image(500 * MS, 'optical', 'image', TOLERANCE)
    found = wait_for_frame(buffer, 500 * MS)
    assert found.depth is None and found.depth_stale


def test_pending_depth_is_waited_for(buffer):
    buffer.put_image(0, 'optical', 'first image', TOLERANCE)
    buffer.put_depth(5000 * MS, 'depth of a later one', TOLERANCE)
    buffer.put_image(5100 * MS, 'optical', 'image', TOLERANCE)
    late = threading.Timer(0.02, buffer.put_depth, (5100 * MS, 'depth', TOLERANCE))
    late.start()
    found = wait_for_frame(buffer, 5100 * MS, timeout=10.0)
    late.join()
    assert (found.image, found.depth) == ('image', 'depth')


def test_without_depth_nothing_is_stale(buffer):
    buffer.put_image(0, 'optical', 'image', TOLERANCE)
    found = wait_for_frame(buffer, 0)
    assert found.depth is None and not found.depth_stale


@pytest.mark.parametrize(
    ('stamp', 'code', 'words'),
    [
        (None, ErrorCode.NO_FRAME, 'no image received on /image'),
        (0, ErrorCode.STALE_FRAME, '5.0 s old .max_frame_age is 1 s'),
        (20_000 * MS, ErrorCode.STALE_FRAME, '15.0 s in the future'),
    ],
)
def test_missing_or_old_image_is_reported(buffer, stamp, code, words):
    if stamp is not None:
        buffer.put_image(stamp, 'optical', 'image', TOLERANCE)
    with pytest.raises(RequestError, match=words) as caught:
        wait_for_frame(buffer, 5_000 * MS, timeout=0.05)
    assert caught.value.code is code


def test_new_image_ends_the_wait(buffer):
    buffer.put_image(0, 'optical', 'old', TOLERANCE)
    timer = threading.Timer(0.05, buffer.put_image, (5_000 * MS, 'optical', 'new', TOLERANCE))
    timer.start()
    assert wait_for_frame(buffer, 5_000 * MS, timeout=60).image == 'new'


def test_cancel_ends_the_wait(buffer):
    cancel = threading.Event()
    threading.Timer(0.05, cancel.set).start()
    with pytest.raises(RequestError) as caught:
        wait_for_frame(buffer, 0, timeout=60, cancel=cancel)
    assert caught.value.code is ErrorCode.CANCELLED


def test_cleared_buffer_is_empty(buffer):
    buffer.put_image(0, 'optical', 'image', TOLERANCE)
    buffer.clear()
    assert buffer.latest() is None


def held(buffer):
    """Number of messages that the buffer keeps in memory."""
    matched = 2 if buffer._matched else 0
    return len(buffer._images) + len(buffer._depths) + matched


def test_memory_without_depth_is_one_image(buffer):
    for number in range(20):
        buffer.put_image(number * 33 * MS, 'optical', 'image', TOLERANCE)
        assert held(buffer) == 1


def test_memory_with_depth_is_the_latest_pair_and_what_waits(buffer):
    for number in range(20):
        buffer.put_image(number * 33 * MS, 'optical', 'image', TOLERANCE)
        buffer.put_depth(number * 33 * MS, 'depth', TOLERANCE)
        assert held(buffer) <= 4
    for number in range(40, 100):  # the depth camera has stopped
        buffer.put_image(number * 33 * MS, 'optical', 'image', TOLERANCE)
    assert held(buffer) <= 3


def source(paced, put):
    """What a buffer enters while it waits: `put()` is called first, as messages are taken."""

    @contextmanager
    def wanted():
        put()
        yield paced

    return wanted


def test_newest_messages_are_taken_before_a_frame_is_chosen():
    buffer = FrameBuffer('', '/image', wanted=source(True, lambda: put(900)))

    def put(stamp):
        buffer.put_image(stamp * MS, 'optical', f'image {stamp}', TOLERANCE)

    put(100)
    assert wait_for_frame(buffer, 950 * MS).image == 'image 900'


@pytest.mark.parametrize(('paced', 'chosen'), [(True, 'image 900'), (False, 'image 100')])
def test_depth_of_the_last_look_is_not_enough_where_messages_rest(paced, chosen):
    late = []

    def take():
        buffer.put_image(900 * MS, 'optical', 'image 900', TOLERANCE)
        late.append(threading.Timer(0.02, buffer.put_depth, (900 * MS, 'depth 900', TOLERANCE)))
        late[-1].start()

    buffer = FrameBuffer('', '/image', wanted=source(paced, take))
    buffer.put_image(100 * MS, 'optical', 'image 100', TOLERANCE)
    buffer.put_depth(100 * MS, 'depth 100', TOLERANCE)
    found = wait_for_frame(buffer, 950 * MS, timeout=10.0)
    late[0].join()
    assert found.image == chosen and found.depth


def test_settling_waits_for_the_depth_of_the_latest_image(buffer):
    buffer.put_depth(0, 'depth', TOLERANCE)
    buffer.put_image(500 * MS, 'optical', 'image', TOLERANCE)
    late = threading.Timer(0.02, buffer.put_depth, (500 * MS, 'late depth', TOLERANCE))
    late.start()
    buffer.settle(10.0)
    late.join()
    assert buffer.latest().depth == 'late depth'
    buffer.put_image(900 * MS, 'optical', 'image', TOLERANCE)
    buffer.settle(0.01)
    assert buffer.latest().depth_stale
