"""Detection of lost frames, without false alarms."""

import random

import pytest

from kimi_ros.nodes.camera_geometry import GeometryWarning
from kimi_ros.nodes.diagnostics import Level, camera_report
from kimi_ros.nodes.frame_rate import FrameRateMonitor

PERIOD = 0.1
RELATED = {'camera_info': ('/camera_info', True), 'depth/image': ('/depth/image', False)}


def measured_rate(seconds, share, infos=True, stop=None, first_image=0.0):
    """Rate of a 10 Hz camera of whose images a share is received."""
    now = 0.0
    monitor = FrameRateMonitor(lambda: now)
    chance = random.Random(3)
    for frame in range(round(seconds / PERIOD)):
        now = frame * PERIOD
        if stop is not None and now > stop:
            continue
        if infos:
            monitor.add_info()
        if now >= first_image and chance.random() < share:
            monitor.add_image(round((1000 + now) * 1e9))
    now = seconds
    return monitor.rate()


@pytest.mark.parametrize('infos', [True, False])
@pytest.mark.parametrize('share', [0.1, 0.15, 0.3])
def test_loss_is_detected(share, infos):
    rate = measured_rate(20, share, infos)
    assert rate.lossy and rate.published > 2 * rate.received


def test_total_loss_is_detected():
    assert measured_rate(20, 0.0).lossy


@pytest.mark.parametrize('infos', [True, False])
def test_complete_stream_is_not_lossy(infos):
    rate = measured_rate(20, 1.0, infos)
    assert not rate.lossy and rate.received == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize('infos', [True, False])
def test_stopped_camera_is_not_lossy(infos):
    for since in (1, 3, 4.5, 8):
        assert not measured_rate(20, 1.0, infos, stop=20 - since).lossy


@pytest.mark.parametrize('infos', [True, False])
@pytest.mark.parametrize('pause', [0.5, 1, 3, 4.9, 7, 30, 1000])
@pytest.mark.parametrize('since', [0.1, 1, 2.5, 5])
def test_pause_is_not_lossy(pause, since, infos):
    now = 0.0
    monitor = FrameRateMonitor(lambda: now)
    frames = [n * 0.033 for n in range(150)]
    resumed = [frames[-1] + pause + n * 0.033 for n in range(round(since / 0.033))]
    for now in (*frames, *resumed):
        monitor.add_image(round(now * 1e9))
        if infos:
            monitor.add_info()
        assert not monitor.rate().lossy, now


def test_jitter_is_not_lossy():
    now = 0.0
    monitor = FrameRateMonitor(lambda: now)
    chance = random.Random(1)
    for frame in range(300):
        now = frame * PERIOD + chance.uniform(0, 0.06)
        monitor.add_image(round(now * 1e9))
    assert not monitor.rate().lossy


def test_images_that_start_after_camera_info_are_not_lossy():
    for seconds in (0.5, 1.5, 2, 3, 4, 5, 6):
        assert not measured_rate(seconds, 1.0, first_image=1.0).lossy


def test_rate_is_zero_before_the_first_message():
    monitor = FrameRateMonitor()
    assert not monitor.rate().lossy and monitor.rate().received == 0


def test_report_names_the_remedy():
    report = camera_report('left', '/left/image', 0.1, 1.0, measured_rate(20, 0.1), '', (), RELATED)
    assert report.level is Level.WARN
    assert 'FASTDDS_DEFAULT_PROFILES_FILE=' in report.message
    assert 'image_transport:=compressed' in report.message
    assert report.message.index('config/fastdds.xml') < report.message.index('LARGE_DATA')


def test_report_names_missing_topics_for_positions():
    report = camera_report('', '/image', 0.1, 1.0, measured_rate(20, 1.0), '', (), RELATED)
    assert report.message.endswith('no positions: nothing received on /depth/image')
    values = dict(report.values)
    assert values['camera_info'] == 'received on /camera_info'
    assert values['depth/image'] == 'nothing received on /depth/image'


@pytest.mark.parametrize(
    ('age', 'image_error', 'level', 'words'),
    [
        (None, '', Level.ERROR, 'no image received'),
        (0.1, 'encoding', Level.ERROR, 'encoding'),
        (3.0, '', Level.STALE, '3.0 s old'),
        (0.1, '', Level.OK, 'receiving'),
    ],
)
def test_camera_report(age, image_error, level, words):
    report = camera_report('', '/image', age, 1.0, measured_rate(20, 1.0), image_error, (), RELATED)
    assert (report.component, report.level) == ('camera', level) and words in report.message


def test_report_warns_of_missing_positions():
    warnings = [GeometryWarning('camera_uncalibrated', 'calibrate the camera')]
    report = camera_report('', '/image', 0.1, 1.0, measured_rate(20, 1.0), '', warnings, RELATED)
    assert report.level is Level.WARN
    assert report.message == 'no positions: calibrate the camera'
    assert dict(report.values)['warnings'] == 'camera_uncalibrated'


@pytest.mark.parametrize('share', [1.0, 0.3])
def test_numbers_tell_what_was_published_and_losses_what_has_arrived(share):
    """Of a 60 Hz camera, an image a second is taken; the others are left untaken, or lost."""
    now = 0.0
    monitor = FrameRateMonitor(lambda: now)
    for second in range(20):
        now = float(second)
        monitor.add_image(second * 10**9, 60 * second, losses_reported=True)
        if share < 1:
            monitor.add_lost(round(60 * (1 - share)))
    rate = monitor.rate()
    assert rate.published == pytest.approx(60, rel=0.1)
    assert rate.received == pytest.approx(60 * share, rel=0.2)
    assert rate.lossy is (share < 0.5)


def test_another_publisher_starts_numbers_anew():
    now = 0.0
    monitor = FrameRateMonitor(lambda: now)
    for frame in range(100):
        now = frame * PERIOD
        number = 5000 + frame if frame < 50 else frame - 50
        monitor.add_image(frame, number, b'first' if frame < 50 else b'second')
    assert monitor.rate().published == pytest.approx(10, rel=0.1)


def test_losses_from_before_the_first_image_do_not_count():
    monitor = FrameRateMonitor()
    monitor.add_lost(1000)
    monitor.add_image(1, 1001, losses_reported=True)
    monitor.add_image(2, 1002, losses_reported=True)
    assert monitor.rate().received > 0
