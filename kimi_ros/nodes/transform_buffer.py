"""A small transform buffer, for machines without tf2_ros: the ROS wheels on PyPI lack it.

It holds what /tf and /tf_static say and answers one question: where one frame is in another at a
time. Semantics as in tf2: each frame has one parent, transforms are interpolated in time and never
extrapolated, a static transform holds at all times, a stamp of 0 asks for the latest.
"""

from __future__ import annotations

from bisect import bisect, bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Condition, Event
from typing import Any

import numpy as np

from kimi_ros.nodes.poses import from_quaternion
from kimi_ros.nodes.waiting import wait_cancellable

_HISTORY = 10_000_000_000  # nanoseconds that transforms are kept, as tf2 does


class TransformError(Exception):
    """A transform is not known; says which and why."""


@dataclass(order=True)
class _Sample:
    stamp: int
    translation: np.ndarray = field(compare=False)
    quaternion: np.ndarray = field(compare=False)  # x y z w, unit length


@dataclass
class _Edge:
    """Where one frame is in its parent."""

    parent: str
    static: bool
    samples: list[_Sample] = field(default_factory=list)


class TransformBuffer:
    """Holds the last ten seconds of transforms. Thread-safe."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._edges: dict[str, _Edge] = {}

    def put(self, transforms: Iterable[Any], static: bool) -> None:
        """Add geometry_msgs/TransformStamped messages; ill-formed ones are ignored."""
        with self._changed:
            for message in transforms:
                self._put(message, static)
            self._changed.notify_all()

    def lookup(self, target: str, source: str, stamp: int, timeout: float = 0.0) -> np.ndarray:
        """Return the transform from `source` to `target`, float64 (4, 4).

        :param stamp: nanoseconds; 0 for the latest.
        :param timeout: seconds to wait for it.
        :raises TransformError: if it is unknown at that time.
        """
        target, source = target.lstrip('/'), source.lstrip('/')
        with self._changed:

            def known() -> bool:
                try:
                    self._lookup(target, source, stamp)
                except TransformError:
                    return False
                return True

            wait_cancellable(self._changed, known, Event(), timeout)
            return self._lookup(target, source, stamp)

    def _put(self, message: Any, static: bool) -> None:
        child, parent = message.child_frame_id.lstrip('/'), message.header.frame_id.lstrip('/')
        moved, turned = message.transform.translation, message.transform.rotation
        translation = np.array([moved.x, moved.y, moved.z])
        quaternion = np.array([turned.x, turned.y, turned.z, turned.w])
        length = np.linalg.norm(quaternion)
        if not child or not parent or child == parent:
            return
        if not np.isfinite(translation).all() or not length > 1e-6:
            return
        stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        sample = _Sample(stamp, translation, quaternion / length)
        edge = self._edges.get(child)
        if edge is None or edge.parent != parent or edge.static != static or static:
            self._edges[child] = _Edge(parent, static, [sample])
            return
        if edge.samples and stamp < edge.samples[-1].stamp - _HISTORY:  # time has jumped back
            edge.samples.clear()
        insort(edge.samples, sample)
        oldest = edge.samples[-1].stamp - _HISTORY
        del edge.samples[: bisect_left(edge.samples, oldest, key=lambda s: s.stamp)]

    def _lookup(self, target: str, source: str, stamp: int) -> np.ndarray:
        up, down = self._ancestors(source), self._ancestors(target)
        common = next((frame for frame in up if frame in down), None)
        if common is None:
            missing = [f for f in (target, source) if f not in self._frames()]
            why = (
                f'no transform of {" and ".join(missing)} received'
                if missing
                else ('they are in separate trees')
            )
            raise TransformError(f'no transform from {source} to {target}: {why}')
        to_common, from_common = self._chain(up, common, stamp), self._chain(down, common, stamp)
        return np.asarray(np.linalg.inv(from_common) @ to_common)

    def _frames(self) -> set[str]:
        return set(self._edges) | {edge.parent for edge in self._edges.values()}

    def _ancestors(self, frame: str) -> list[str]:
        """Return the frame and its ancestors, up to the root."""
        chain = [frame]
        while chain[-1] in self._edges and self._edges[chain[-1]].parent not in chain:
            chain.append(self._edges[chain[-1]].parent)
        return chain

    def _chain(self, chain: list[str], ancestor: str, stamp: int) -> np.ndarray:
        """Return the transform from the first frame of the chain to one of its ancestors."""
        pose = np.eye(4)
        for frame in chain[: chain.index(ancestor)]:
            pose = self._at(frame, stamp) @ pose
        return pose

    def _at(self, frame: str, stamp: int) -> np.ndarray:
        edge = self._edges[frame]
        samples = edge.samples
        if edge.static or stamp == 0:
            return _matrix(samples[-1])
        index = bisect(samples, stamp, key=lambda s: s.stamp)
        if index and samples[index - 1].stamp == stamp:
            return _matrix(samples[index - 1])
        if index in (0, len(samples)):
            edge_stamp = samples[-1 if index else 0].stamp
            relation = 'later than the latest' if index else 'earlier than the oldest'
            raise TransformError(
                f'the transform from {frame} to {edge.parent} is wanted '
                f'{abs(stamp - edge_stamp) / 1e9:.3f} s {relation} one received'
            )
        return _interpolated(samples[index - 1], samples[index], stamp)


def _matrix(sample: _Sample) -> np.ndarray:
    return from_quaternion(sample.translation, sample.quaternion)


def _interpolated(before: _Sample, after: _Sample, stamp: int) -> np.ndarray:
    """Interpolate translation linearly and rotation spherically (slerp; Shoemake 1985)."""
    t = (stamp - before.stamp) / (after.stamp - before.stamp)
    cosine = float(before.quaternion @ after.quaternion)
    end = after.quaternion if cosine >= 0 else -after.quaternion
    angle = np.arccos(min(1.0, abs(cosine)))
    if angle < 1e-6:
        weights = 1 - t, t
    else:
        weights = np.sin((1 - t) * angle) / np.sin(angle), np.sin(t * angle) / np.sin(angle)
    quaternion = weights[0] * before.quaternion + weights[1] * end
    return from_quaternion((1 - t) * before.translation + t * after.translation, quaternion)
