"""Camera frames of a recorded bag (MCAP or sqlite3), decoded as the node does; no ROS needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any

import numpy as np

from kimi_ros.agent import Frame
from kimi_ros.nodes.camera_geometry import GeometryWarning
from kimi_ros.nodes.codes import RequestError
from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.frame_buffer import FrameBuffer
from kimi_ros.nodes.frame_decoder import FrameDecoder
from kimi_ros.nodes.poses import PoseError
from kimi_ros.nodes.stamps import NANO, nanoseconds
from kimi_ros.nodes.transform_buffer import TransformBuffer, TransformError

_IMAGE, _COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
_INFO = 'sensor_msgs/msg/CameraInfo'
TRANSFORMS = 'tf2_msgs/msg/TFMessage'
_SAME_TIME = 0.25  # seconds that depth and the camera's other topics may come after an image


class BagError(Exception):
    """A bag that cannot be read, or lacks a topic; the message says what to do."""


@dataclass(frozen=True)
class BagTopics:
    """The topics of a camera in a bag; '' where there is none.

    :ivar image: the only one that must be there.
    """

    image: str = ''
    camera_info: str = ''
    depth: str = ''
    depth_info: str = ''

    @property
    def names(self) -> tuple[str, ...]:
        """All that are there."""
        return tuple(filter(None, (self.image, self.camera_info, self.depth, self.depth_info)))


class Bag:
    """An open bag, a context manager: a folder that `ros2 bag record` wrote, or a single file."""

    def __init__(self, path: str | Path, topics: BagTopics | None = None):
        """Open a bag.

        :param topics: of the camera; what is left out is found by type and name.
        :raises BagError: if it cannot be read, or holds no images.
        """
        try:
            from rosbags.highlevel import AnyReader
            from rosbags.typesys import Stores, get_typestore
        except ImportError:
            raise BagError('bags need the package rosbags: pip install rosbags') from None
        self._path = Path(path)
        try:
            self._reader = AnyReader(
                [self._path], default_typestore=get_typestore(Stores.ROS2_JAZZY)
            )
            self._reader.open()
        except Exception as error:  # of its readers, of sqlite and of the file system
            raise BagError(f'{path} cannot be read as a bag: {error}') from None
        self.topics = self._found(topics or BagTopics())

    def __enter__(self) -> Bag:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    @property
    def seconds(self) -> float:
        """Its length."""
        return float(self._reader.duration) / NANO

    @property
    def is_compressed(self) -> bool:
        """Whether the images are JPEG or PNG."""
        kinds = {c.topic: c.msgtype for c in self._reader.connections}
        return kinds[self.topics.image] == _COMPRESSED

    def messages(self) -> Iterator[tuple[float, str, str, bytes]]:
        """Yield (seconds since the first, topic, type, CDR) of the camera's messages and TF."""
        wanted = [
            c
            for c in self._reader.connections
            if c.topic in self.topics.names or c.msgtype == TRANSFORMS
        ]
        start = self._reader.start_time
        for connection, time, data in self._reader.messages(connections=wanted):
            yield (time - start) / NANO, connection.topic, connection.msgtype, bytes(data)

    def frames(
        self, times: Iterable[float], base_frame: str = 'base_link', distortion: str = 'auto'
    ) -> Iterator[tuple[Frame, list[GeometryWarning]]]:
        """Yield the newest frame at each time, and what keeps its objects from having positions.

        :param times: seconds since the first message, ascending.
        :raises BagError: if there is no image yet, or it cannot be decoded.
        """
        poses = _BagPoses(base_frame)
        buffer = FrameBuffer('', self.topics.image, self.topics.depth)
        decoder = FrameDecoder(poses, base_frame, lambda: distortion)
        messages = self.messages()
        held: list[tuple[float, str, str, bytes]] = []  # read, but later than the moment
        ended = False
        for at in times:
            while not ended and not (held and held[-1][0] > at + _SAME_TIME):
                message = next(messages, None)
                ended = message is None
                held += [message] if message else []
            later = []
            for message in held:
                time, topic, kind, data = message
                # Depth and transforms of the same moment may come after its image.
                follows = topic == self.topics.depth or kind == TRANSFORMS
                late = time - _SAME_TIME if follows else time
                if late <= at:
                    self._put(topic, kind, data, buffer, poses)
                else:
                    later.append(message)
            held = later
            yield self._frame(at, buffer, decoder)

    def _put(
        self, topic: str, kind: str, data: bytes, buffer: FrameBuffer, poses: _BagPoses
    ) -> None:
        message: Any = self._reader.deserialize(data, kind)
        if kind == TRANSFORMS:
            poses.buffer.put(message.transforms, is_static(topic))
        elif topic == self.topics.camera_info:
            buffer.put_info(message)
        elif topic == self.topics.depth_info:
            buffer.put_depth_info(message)
        elif topic == self.topics.depth:
            buffer.put_depth(nanoseconds(message.header.stamp), message, _SAME_TIME / 10)
        else:
            stamp = nanoseconds(message.header.stamp)
            buffer.put_image(stamp, message.header.frame_id, message, _SAME_TIME / 10)

    def _frame(
        self, at: float, buffer: FrameBuffer, decoder: FrameDecoder
    ) -> tuple[Frame, list[GeometryWarning]]:
        latest = buffer.latest()
        if latest is None:
            raise BagError(f'{self._path}: there is no image on {self.topics.image} at {at:g} s')
        try:
            received = buffer.wait_for_frame(lambda: latest.stamp, 1.0, 0.0, Event())
            return decoder.decode(received, buffer)
        except (ImageFormatError, RequestError) as error:
            raise BagError(f'{self._path}: at {at:g} s, {self.topics.image}: {error}') from None

    def _found(self, given: BagTopics) -> BagTopics:
        kinds = {c.topic: c.msgtype for c in self._reader.connections}
        if missing := [name for name in given.names if name not in kinds]:
            raise BagError(f'{self._path} has no topic {missing[0]}: {_listed(kinds)}')
        images = [t for t, k in kinds.items() if k in (_IMAGE, _COMPRESSED)]
        colour = [t for t in images if 'depth' not in t.lower()]
        image = given.image or (colour[0] if len(colour) == 1 else '')
        if not image:
            what = 'several image topics' if colour else 'no image topic'
            raise BagError(
                f'{self._path} has {what}: {_listed(images or kinds)}. Name one: --image TOPIC'
            )
        depths = [t for t in images if t not in colour and kinds[t] == _IMAGE]
        depth = given.depth or (depths[0] if len(depths) == 1 else '')
        info = given.camera_info or _beside(image, kinds)
        depth_info = given.depth_info or (_beside(depth, kinds) if depth else '')
        # Depth with the intrinsics of the image is registered to it.
        return BagTopics(image, info, depth, depth_info if depth_info != info else '')


class _BagPoses:
    """Where optical frames are, by the transforms of a bag."""

    def __init__(self, base_frame: str):
        self.buffer = TransformBuffer()
        self._base_frame = base_frame

    def lookup(
        self, frame_id: str, stamp: int, timeout: float
    ) -> tuple[np.ndarray | None, GeometryWarning | None]:
        try:
            return self.transform(self._base_frame, frame_id, stamp, timeout), None
        except (TransformError, PoseError) as error:
            text = f'no transform from {frame_id} to {self._base_frame} in the bag ({error})'
            return None, GeometryWarning('transform_missing', text)

    def transform(self, target: str, source: str, stamp: int, timeout: float) -> np.ndarray:
        if target == source:
            return np.eye(4)
        return self.buffer.lookup(target, source, stamp)


def is_static(topic: str) -> bool:
    """Return whether transforms on a topic hold at all times."""
    return topic.endswith('tf_static')


def _beside(topic: str, kinds: dict[str, str]) -> str:
    """Return the camera_info beside an image topic, as image_transport places it, or ''."""
    for levels in (1, 2):  # image/compressed is one level deeper
        name = f'{topic.rsplit("/", levels)[0]}/camera_info'
        if kinds.get(name) == _INFO:
            return name
    return ''


def _listed(topics: Iterable[str]) -> str:
    return 'it has ' + (', '.join(sorted(topics)) or 'no topics')
