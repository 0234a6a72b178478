"""Asks the node `kimi` where things are, without waiting for it; one question at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from kimi_msgs.srv import Locate
from kimi_ros.assist.sight import Located
from kimi_ros.nodes.stamps import nanoseconds, seconds

_LOST = 30.0  # seconds, after which an answer is not expected any more


@dataclass(frozen=True)
class Answer:
    """What kimi saw.

    :ivar stamp: of its image, seconds.
    :ivar error: why it saw nothing, or ''.
    """

    found: tuple[Located, ...]
    stamp: float
    error: str = ''


class LocateClient:
    """A client of ~/locate. Thread-safe."""

    def __init__(self, node: Node, kimi: str, camera: str, group: CallbackGroup):
        """Create the client.

        :param kimi: name of the node `kimi`.
        :param camera: name of the camera that it looks with.
        """
        self._name, self._camera = f'{kimi}/locate', camera
        self._client: Any = node.create_client(Locate, self._name, callback_group=group)
        self._lock = Lock()
        self._future: Any = None
        self._asked_at = float('-inf')

    @property
    def busy(self) -> bool:
        """Whether an answer is expected, or waits to be taken."""
        return self._future is not None

    @property
    def ready(self) -> bool:
        """Whether kimi is there."""
        return bool(self._client.service_is_ready())

    def ask(self, names: Sequence[str]) -> None:
        """Ask where these things are in the newest image."""
        request = Locate.Request(names=list(names), camera=self._camera)
        with self._lock:
            self._asked_at = time.monotonic()
            self._future = self._client.call_async(request)

    def take(self) -> Answer | None:
        """Return the answer once it is there."""
        with self._lock:
            future = self._future
            if future is None:
                return None
            if not future.done():
                if time.monotonic() - self._asked_at < _LOST:
                    return None
                self._future = None
                return Answer((), 0.0, f'{self._name} gave no answer in {_LOST:g} s')
            self._future = None
        if (error := future.exception()) is not None:
            return Answer((), 0.0, f'{self._name}: {error}')
        response = future.result()
        stamp = seconds(nanoseconds(response.header.stamp))
        return Answer(tuple(map(_located, response.objects)), stamp, response.error_msg)


def _located(item: Any) -> Located:
    box = tuple(float(v) for v in item.box)
    if math.isnan(box[0]):
        x, y = (float(v) for v in item.point)
        box = x - _SPOT, y - _SPOT, x + _SPOT, y + _SPOT
    return Located(item.label, (box[0], box[1], box[2], box[3]), item.score, item.verified)


_SPOT = 12.0  # pixels: half a side of the box around a thing that has only a point
