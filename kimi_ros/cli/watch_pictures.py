"""Pictures for `kimi watch`: where they come from, and where they are recorded."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.pictures import make_folder, read_picture, write_picture

PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
VIDEOS = ('.mp4', '.mkv', '.avi')
STILL_SECONDS = 2.0  # that a picture which stands alone is shown
_RATE = 30.0  # pictures a second, where a camera or a file does not say
_WHOLE = 0.9  # of the pictures that a file announces: with fewer it is cut short
_PATIENCE = 10_000  # ms for a camera in the network to answer
_BAR = 4  # a video's frame is a quarter higher than the picture, for the text below it
_GREY = 32


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture.

    :ivar rgb: uint8 (H, W, 3).
    :ivar name: the file's name without its ending, or the number of the frame.
    :ivar seconds: since the start, in the source's own time.
    """

    rgb: np.ndarray
    name: str
    seconds: float


@dataclass(frozen=True)
class Source:
    """Pictures one after the other.

    :ivar live: a camera: what is not read is lost.
    :ivar rate: pictures a second; 0 for pictures that stand alone.
    """

    pictures: Iterator[Picture]
    live: bool
    rate: float


def open_source(text: str) -> Source:
    """Open a camera (a number, a device or an address), a video file, a folder, or a picture.

    Raises CommandError where it cannot be opened; so does its iterator where it fails later.
    """
    if text.isdecimal() or text.startswith('/dev/'):
        return _open_camera(text)
    if '://' in text:
        return _open_network_camera(text)
    path = Path(text)
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.suffix.lower() in PICTURES)
        if not files:
            raise CommandError(f'{path} has no pictures ({", ".join(PICTURES)})')
        return Source(_stills(files), False, 0.0)
    if not path.is_file():
        raise CommandError(
            f'there is no {text}: give the number of a camera (0) or its address (rtsp://...), a '
            'video file, or a folder of pictures'
        )
    if path.suffix.lower() in PICTURES:
        return Source(_stills([path]), False, 0.0)
    return _open_video(path)


def _stills(files: list[Path]) -> Iterator[Picture]:
    for number, file in enumerate(files):
        yield Picture(read_picture(file), file.stem, number * STILL_SECONDS)


def _open_camera(text: str) -> Source:
    with _quiet():
        if text.isdecimal():
            capture = cv2.VideoCapture(int(text))
        else:
            capture = cv2.VideoCapture(text, cv2.CAP_V4L2)
        opened = capture.isOpened()
    if not opened:
        there = ', '.join(sorted(map(str, Path('/dev').glob('video*')))) or 'none'
        raise CommandError(
            f'camera {text} cannot be opened. Cameras of this machine: {there}. Is another program '
            'using it, and may you read it (group video)?'
        )
    lost = f'camera {text} delivers no more pictures: is it still plugged in?'
    return _live(capture, lost)


def _open_network_camera(address: str) -> Source:
    shown = re.sub('//[^/]*@', '//', address)  # without a password
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _PATIENCE, cv2.CAP_PROP_READ_TIMEOUT_MSEC]
    with _quiet():
        capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, [*timeouts, _PATIENCE])
        opened = capture.isOpened()
    if not opened:
        raise CommandError(
            f'{shown} cannot be opened: is the camera reachable from here, and do path, user and '
            'password belong to it? Try the address in a video player.'
        )
    return _live(capture, f'{shown} delivers no more pictures: is the network still there?')


def _live(capture: cv2.VideoCapture, lost: str) -> Source:
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not one of those before
    return Source(_frames(capture, _rate(capture), lost), True, _rate(capture))


def _open_video(path: Path) -> Source:
    with _quiet():
        capture = cv2.VideoCapture(str(path))
        opened = capture.isOpened()
    if not opened:
        raise CommandError(f'{path} cannot be read as a video')
    return Source(_frames(capture, _rate(capture), '', path), False, _rate(capture))


def _rate(capture: cv2.VideoCapture) -> float:
    rate = capture.get(cv2.CAP_PROP_FPS)
    return rate if 1 <= rate <= 240 else _RATE


def _frames(
    capture: cv2.VideoCapture, rate: float, lost: str, path: Path | None = None
) -> Iterator[Picture]:
    """Yield the frames of a camera, which only ends where it fails, or of a file."""
    announced, number = capture.get(cv2.CAP_PROP_FRAME_COUNT), 0
    try:
        while True:
            with _quiet():
                read, bgr = capture.read()
            if not read:
                break
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            yield Picture(rgb, f'frame_{number:06d}', number / rate)
            number += 1
    finally:
        capture.release()
    if path is None:
        raise CommandError(lost)
    if number < max(1, _WHOLE * announced):
        raise CommandError(
            f'{path} could be read up to picture {number} of {announced:.0f}: it is damaged'
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV from writing of what is reported in words."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


class FolderRecorder:
    """Writes every picture that a plan was made for, with the plan, as a JPEG."""

    def __init__(self, folder: Path):
        self._folder = folder
        make_folder(folder)

    def planned(self, picture: Picture, drawn: np.ndarray) -> None:
        """Write a picture with its plan, uint8 (H, W, 3)."""
        write_picture(self._folder / f'{picture.name}.jpg', drawn)

    def shown(self, picture: Picture, drawn: np.ndarray, seconds: float) -> None:
        """Take what is shown: nothing of it is kept."""

    def close(self) -> None:
        """Do nothing more."""


class VideoRecorder:
    """Writes all that is shown as a video that lasts as long as it was watched."""

    def __init__(self, path: Path, source: Source):
        self._path = path
        self._rate = source.rate or _RATE
        self._last_for = 1 / source.rate if source.rate else STILL_SECONDS
        self._writer: cv2.VideoWriter | None = None
        self._last: np.ndarray | None = None
        self._size, self._written, self._seconds = (0, 0), 0, 0.0
        make_folder(path.parent)

    def planned(self, picture: Picture, drawn: np.ndarray) -> None:
        """Take a picture with its plan, which is shown as well."""

    def shown(self, picture: Picture, drawn: np.ndarray, seconds: float) -> None:
        """Write a picture as drawn, uint8 (H', W', 3), from that second of the video on."""
        if self._writer is None:
            self._open(*picture.rgb.shape[:2])
        self._write_until(seconds)
        self._last = cv2.cvtColor(_fitted(drawn, self._size), cv2.COLOR_RGB2BGR)
        self._seconds = seconds

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._write_until(self._seconds + self._last_for)
            self._writer.release()

    def _write_until(self, seconds: float) -> None:
        while self._last is not None and self._written < round(seconds * self._rate):
            self._writer.write(self._last)
            self._written += 1

    def _open(self, height: int, width: int) -> None:
        # Even numbers, which codecs want.
        self._size = (width // 2 * 2, (height + height // _BAR) // 2 * 2)
        codec = cv2.VideoWriter_fourcc(*('MJPG' if self._path.suffix == '.avi' else 'mp4v'))
        with _quiet():
            self._writer = cv2.VideoWriter(str(self._path), codec, self._rate, self._size)
        if not self._writer.isOpened():
            raise CommandError(f'{self._path} cannot be written as a video')


def open_recorder(out: Path, source: Source) -> FolderRecorder | VideoRecorder:
    """Return what records into a video file or a folder; CommandError where that cannot be."""
    if out.suffix.lower() in VIDEOS:
        return VideoRecorder(out, source)
    if out.suffix or out.is_file():
        raise CommandError(f'--out {out}: give a video ({", ".join(VIDEOS)}) or a folder')
    return FolderRecorder(out)


def _fitted(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a picture scaled down to fit into (width, height), on grey."""
    height, width = rgb.shape[:2]
    scale = min(1.0, size[0] / width, size[1] / height)
    if scale < 1:
        shape = max(1, int(width * scale)), max(1, int(height * scale))
        rgb = cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA)
    canvas = np.full((size[1], size[0], 3), _GREY, np.uint8)
    canvas[: rgb.shape[0], : rgb.shape[1]] = rgb
    return canvas
