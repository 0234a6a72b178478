"""Lost frames are noticed, and nothing else is taken for a loss."""

import random

import pytest

from kimi_ros.nodes.diagnostics import Level, camera_report
from kimi_ros.nodes.rates import RateMonitor

PERIOD = 0.1
BESIDE = {'camera_info': ('/camera_info', True), 'depth/image': ('/depth/image', False)}


def watched(seconds, share, infos=True, stop=None, first_image=0.0):
    """A camera of 10 Hz watched for so long, of which a share of the images arrives."""
    now = 0.0
    monitor = RateMonitor(lambda: now)
    chance = random.Random(3)
    for frame in range(round(seconds / PERIOD)):
        now = frame * PERIOD
        if stop is not None and now > stop:
            continue
        if infos:
            monitor.info()
        if now >= first_image and chance.random() < share:
            monitor.image(round((1000 + now) * 1e9))
    now = seconds
    return monitor.rate()


@pytest.mark.parametrize('infos', [True, False])
@pytest.mark.parametrize('share', [0.1, 0.15, 0.3])
def test_loss_is_noticed(share, infos):
    rate = watched(20, share, infos)
    assert rate.lossy and rate.published > 2 * rate.received


def test_loss_of_everything_is_noticed():
    assert watched(20, 0.0).lossy


@pytest.mark.parametrize('infos', [True, False])
def test_what_arrives_is_no_loss(infos):
    rate = watched(20, 1.0, infos)
    assert not rate.lossy and rate.received == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize('infos', [True, False])
def test_camera_that_stopped_is_no_loss(infos):
    for since in (1, 3, 4.5, 8):
        assert not watched(20, 1.0, infos, stop=20 - since).lossy


def test_images_that_come_a_second_later_than_camera_info_are_no_loss():
    for seconds in (0.5, 1.5, 2, 3, 4, 5, 6):
        assert not watched(seconds, 1.0, first_image=1.0).lossy


def test_nothing_is_known_before_anything_came():
    monitor = RateMonitor()
    assert not monitor.rate().lossy and monitor.rate().received == 0


def test_report_names_the_remedy():
    report = camera_report('left', '/left/image', 0.1, 1.0, watched(20, 0.1), '', BESIDE)
    assert report.level is Level.WARN
    assert 'FASTDDS_DEFAULT_PROFILES_FILE=' in report.message
    assert 'image_transport:=compressed' in report.message
    assert report.message.index('config/fastdds.xml') < report.message.index('LARGE_DATA')


def test_report_tells_what_positions_lack():
    report = camera_report('', '/image', 0.1, 1.0, watched(20, 1.0), '', BESIDE)
    assert report.message.endswith('no positions, as nothing arrives on /depth/image')
    values = dict(report.values)
    assert values['camera_info'] == 'arrives on /camera_info'
    assert values['depth/image'] == 'nothing arrives on /depth/image'


@pytest.mark.parametrize(
    ('age', 'trouble', 'level', 'words'),
    [
        (None, '', Level.ERROR, 'no picture has come'),
        (0.1, 'encoding', Level.ERROR, 'encoding'),
        (3.0, '', Level.STALE, '3.0 s old'),
        (0.1, '', Level.OK, 'arrive'),
    ],
)
def test_report_of_a_camera(age, trouble, level, words):
    report = camera_report('', '/image', age, 1.0, watched(20, 1.0), trouble, BESIDE)
    assert (report.part, report.level) == ('camera', level) and words in report.message
