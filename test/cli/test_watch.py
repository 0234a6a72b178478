"""`kimi watch`: folders, videos and cameras, recorded without a window."""

import io
import json
import shutil
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest
from PIL import Image

from kimi_ros.agent import Plan, Status
from kimi_ros.cli import watch_loop
from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.main import main
from kimi_ros.cli.watch_loop import Looker, watch_live
from kimi_ros.cli.watch_pictures import Picture, Source, VideoRecorder, open_source
from kimi_ros.resources import ResourceNotFoundError, share
from kimi_ros.sim.recorded import FOLDER

SEEDS = ('2000112', '2000188')  # with and without a red book


@pytest.fixture(scope='module')
def nano():
    try:
        share('models/nano')
    except ResourceNotFoundError:
        pytest.skip('models/nano is not in this checkout')


@pytest.fixture(autouse=True)
def no_display(monkeypatch):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, 'stdin', io.StringIO())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'pictures').mkdir()
    for seed in SEEDS:
        shutil.copy(FOLDER / f'{seed}_rgb.png', tmp_path / 'pictures' / f'{seed}.png')
    (tmp_path / 'pictures' / 'notes.txt').write_text('no picture')
    return tmp_path / 'pictures'


@pytest.fixture
def video(folder, tmp_path):
    """Two seconds of two scenes, one after the other, at ten pictures a second."""
    path = tmp_path / 'table.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (640, 480))
    for seed in SEEDS:
        for _ in range(10):
            writer.write(cv2.imread(str(folder / f'{seed}.png')))
    writer.release()
    return path


def truth(seed, name):
    note = json.loads((FOLDER / f'{seed}.json').read_text())
    (box,) = (o['box'] for o in note['truth'] if f'{o["color"]} {o["category"]}' == name)
    return box


def changed(drawn, plain, box):
    """Tell whether something is drawn around a box."""
    x0, y0, x1, y1 = (round(v) for v in box)
    area = np.s_[max(y0 - 9, 0) : y1 + 9, max(x0 - 9, 0) : x1 + 9]
    return (np.abs(drawn[area].astype(int) - plain[area]).max(-1) > 100).sum() > 200


def frames(path):
    capture = cv2.VideoCapture(str(path))
    found = []
    while True:
        read, bgr = capture.read()
        if not read:
            return found, capture.get(cv2.CAP_PROP_FPS)
        found.append(bgr[..., ::-1])


def test_a_folder_is_recorded_with_plans(nano, folder, tmp_path, capsys):
    out = tmp_path / 'out'
    assert main(['watch', str(folder), 'find the red book', '--out', str(out)]) == 0
    said = capsys.readouterr().out
    assert said.index(f'{SEEDS[0]}:') < said.index('step 1: locate red book')
    assert said.index(f'{SEEDS[1]}:') < said.index('kimi: I do not see a red book.')
    assert sorted(p.stem for p in out.iterdir()) == list(SEEDS)
    plain = np.array(Image.open(folder / f'{SEEDS[0]}.png'))
    drawn = np.array(Image.open(out / f'{SEEDS[0]}.jpg'))
    assert drawn.shape[0] > plain.shape[0]
    assert changed(drawn, plain, truth(SEEDS[0], 'red book'))


def test_without_an_instruction_all_or_the_named_things_get_boxes(nano, folder, tmp_path, capsys):
    picture, out = folder / f'{SEEDS[0]}.png', tmp_path / 'out'
    plain = np.array(Image.open(picture))
    for more, boxed in (
        ([], ('yellow cup', 'red book')),
        (['--names', 'red book, 绿色的勺子'], ()),
    ):
        assert main(['watch', str(picture), '--out', str(out), *more]) == 0
        drawn = np.array(Image.open(out / f'{SEEDS[0]}.jpg'))
        for name in ('yellow cup', 'red book'):
            expected = name in boxed or name == 'red book'
            assert changed(drawn, plain, truth(SEEDS[0], name)) == expected
    assert '我看到red book。我没有看到绿色的勺子。' in capsys.readouterr().out


def test_a_video_is_recorded_with_plans(nano, video, tmp_path, capsys):
    out = tmp_path / 'new' / 'plans.mp4'
    assert main(['watch', str(video), '找到红色的书', '--out', str(out)]) == 0
    found, rate = frames(out)
    plain, _ = frames(video)
    assert len(found) == len(plain) == 20 and rate == 10
    box = truth(SEEDS[0], 'red book')
    assert [changed(d[:480], p, box) for d, p in zip(found, plain, strict=True)] == (
        [True] * 10 + [False] * 10
    )
    said = capsys.readouterr().out
    assert said.count('红色的书在这里') == said.count('我没有看到红色的书') == 1


@pytest.mark.parametrize(
    ('source', 'out', 'words'),
    [
        ('nowhere', 'out', 'there is no nowhere'),
        ('empty', 'out', 'has no pictures'),
        ('broken.mp4', 'out', 'cannot be read as a video'),
        ('63', 'out', 'camera 63 cannot be opened'),
        ('/dev/video63', 'out', 'camera /dev/video63 cannot be opened'),
        ('http://me:secret@127.0.0.1:9/live', 'out', 'http://127.0.0.1:9/live cannot be opened'),
        ('broken.png', 'out', 'broken.png cannot be read'),
        ('pictures', 'plan.gif', 'give a video (.mp4'),
        ('pictures', '', 'record with --out'),
    ],
)
def test_what_cannot_be_watched(folder, tmp_path, monkeypatch, capfd, source, out, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'broken.mp4').write_bytes(b'no video')
    (tmp_path / 'broken.png').write_bytes(b'no picture')
    monkeypatch.setattr('kimi_ros.cli.watch._make_look', lambda arguments: look)
    assert main(['watch', source, *(['--out', out] if out else [])]) == 1
    shown = capfd.readouterr().err
    assert words in shown and 'Traceback' not in shown and 'secret' not in shown
    assert '[ WARN' not in shown and '[ERROR' not in shown


def test_a_video_that_is_cut_short_is_reported(video, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('kimi_ros.cli.watch._make_look', lambda arguments: look)
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    out = tmp_path / 'out.mp4'
    assert main(['watch', str(video), '--out', str(out)]) == 1
    assert 'is damaged' in capsys.readouterr().err
    assert 5 < len(frames(out)[0]) < 15  # what could be read is kept


def look(picture, instruction, cancel=None):
    """Say what was asked."""
    return Plan('1', instruction, 'en', Status.ANSWER, f'about {picture.name}')


class Camera:
    """A camera that delivers eight pictures and is then unplugged."""

    def __init__(self, *_):
        self.left = 8

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def get(self, what):
        return 30.0 if what == cv2.CAP_PROP_FPS else 0.0

    def set(self, what, value):
        return True

    def read(self):
        time.sleep(0.05)
        self.left -= 1
        return self.left >= 0, np.full((48, 64, 3), 100, np.uint8)

    def release(self):
        pass


def test_a_camera_that_vanishes_ends_the_watch_and_keeps_the_recording(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr('kimi_ros.cli.watch._make_look', lambda arguments: look)
    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    out = tmp_path / 'out.mp4'
    assert main(['watch', '0', 'find it', '--out', str(out)]) == 1
    monkeypatch.undo()
    shown = capsys.readouterr()
    assert 'camera 0 delivers no more pictures' in shown.err
    assert 'kimi: about frame_' in shown.out
    assert 8 < len(frames(out)[0]) < 60  # as many as the time it took at 30 a second


class _Stream(BaseHTTPRequestHandler):
    """Thirty JPEGs one after the other, as cameras in a network send them."""

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=next')
        self.end_headers()
        jpeg = cv2.imencode('.jpg', np.full((48, 64, 3), (0, 0, 255), np.uint8))[1].tobytes()
        head = f'--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n'
        for _ in range(30):
            self.wfile.write(head.encode() + jpeg + b'\r\n')

    def log_message(self, *_):
        pass


def test_a_camera_in_the_network_is_watched_until_it_sends_no_more():
    with ThreadingHTTPServer(('127.0.0.1', 0), _Stream) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            source = open_source(f'http://127.0.0.1:{server.server_port}/live')
            assert source.live
            seen = []
            with pytest.raises(CommandError, match='delivers no more pictures'):
                for picture in source.pictures:
                    seen.append(picture.rgb)
        finally:
            server.shutdown()
    assert len(seen) > 20 and seen[0].shape == (48, 64, 3)
    assert np.abs(seen[0][0, 0].astype(int) - (255, 0, 0)).max() < 10


class FakeWindow:
    """A window whose keys are pressed by a test, each once its condition holds."""

    def __init__(self, *keys):
        self.keys, self.shown = list(keys), []
        self.until = time.monotonic() + 60

    def show(self, rgb, wait):
        self.shown.append(rgb)
        assert time.monotonic() < self.until
        time.sleep(0.002)
        if self.keys and self.keys[0][0](self):
            return self.keys.pop(0)[1]
        return ''


def stills(count):
    return (Picture(np.full((40, 60, 3), n, np.uint8), f'p{n}', 2.0 * n) for n in range(count))


def test_keys_pause_save_and_quit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watch_loop, 'STILL_SECONDS', 0.05)
    marks = []

    def long_after_a_pause(window):
        marks.append(len(window.shown))
        return len(marks) > 40

    def planned(window):
        return window.shown[-1].shape[0] > 40

    window = FakeWindow(
        (planned, ' '), (long_after_a_pause, 's'), (planned, ' '),
        (lambda w: w.shown[-1][0, 0, 0] == 2 and planned(w), 'q'),
    )  # fmt: skip
    watch_live(Source(stills(5), False, 0.0), look, window, None, '')
    assert not window.keys
    values = [shown[0, 0, 0] for shown in window.shown]
    assert set(values[: marks[-1]]) == {0} and set(values) == {0, 1, 2}
    (saved,) = (tmp_path / 'out').iterdir()
    assert Image.open(saved).size[1] > 40 and 'saved: out' in capsys.readouterr().err


def test_a_picture_shows_no_plan_of_the_one_before(monkeypatch):
    monkeypatch.setattr(watch_loop, 'STILL_SECONDS', 0.01)
    go = threading.Event()

    def slow(picture, instruction, cancel):
        assert picture.name != 'p1' or go.wait(60)
        return look(picture, instruction)

    def planned(window):
        heights = [shown.shape[0] for shown in window.shown if shown[0, 0, 0] == 1]
        if len(heights) == 5:
            assert set(heights) == {40}
            go.set()
        return go.is_set() and heights[-1] > 40

    watch_live(Source(stills(2), False, 0.0), slow, FakeWindow((planned, 'q')), None, '')


def test_typed_instructions_are_planned_and_wrong_ones_reported(monkeypatch, capsys):
    asked, looked = [], threading.Semaphore(0)

    def terminal():
        looked.acquire()
        yield 'find the cup\n'
        looked.acquire()
        yield 'x' * 100_000 + '\n'
        yield '\n'

    def slow(picture, instruction, cancel):
        asked.append(instruction)
        looked.release()
        return look(picture, instruction)

    monkeypatch.setattr(sys, 'stdin', terminal())
    window = FakeWindow((lambda w: len(asked) > 2, 'q'))
    watch_live(Source(stills(1), False, 0.0), slow, window, None, '')
    assert asked == ['', 'find the cup', '']
    assert 'kimi: ' in capsys.readouterr().err


def test_the_newest_picture_is_looked_at_and_a_failure_is_raised():
    seen, go = [], threading.Semaphore(0)

    def slow(picture, instruction, cancel):
        seen.append(picture.name)
        go.acquire()
        if picture.name == 'p4':
            raise ValueError('the model has failed')
        return look(picture, instruction)

    looker = Looker(slow, '')
    looker.start()
    for picture in stills(5):
        looker.show(picture)
        while not seen:
            time.sleep(0.001)
    go.release()
    go.release()
    looker.join(20)
    assert seen == ['p0', 'p4'] and looker.latest.picture.name == 'p0'
    with pytest.raises(ValueError, match='the model has failed'):
        watch_live(Source(stills(5), False, 0.0), fail, FakeWindow(), None, '')


def fail(picture, instruction, cancel):
    raise ValueError('the model has failed')


def test_a_recorded_video_holds_each_picture_until_the_next(tmp_path):
    recorder = VideoRecorder(tmp_path / 'a.mp4', Source(iter(()), False, 0.0))
    for picture in stills(2):
        drawn = np.full((60, 60, 3), 200 * int(picture.name[1]), np.uint8)
        recorder.shown(picture, drawn, picture.seconds)
    recorder.close()
    found, rate = frames(tmp_path / 'a.mp4')
    levels = [frame[:40].mean() > 100 for frame in found]
    assert len(found) == 4 * rate and levels == [False] * int(2 * rate) + [True] * int(2 * rate)


def test_pictures_are_turned_as_they_are_meant(tmp_path):
    picture = Image.new('RGB', (30, 20))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn it by a quarter
    picture.save(tmp_path / 'a.jpg', exif=exif)
    (turned,) = open_source(str(tmp_path)).pictures
    assert turned.rgb.shape == (30, 20, 3)
