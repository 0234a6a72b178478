"""Decoding a camera frame for the agent, and checking it without decoding for diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from kimi_ros.agent import DepthStatus, Frame
from kimi_ros.nodes.camera_geometry import (
    GeometryWarning,
    Intrinsics,
    depth_warning,
    intrinsics_of,
    is_rectified,
)
from kimi_ros.nodes.compressed_depth import decompressed_depth
from kimi_ros.nodes.depth_registration import register_depth
from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.frame_buffer import CameraFrame, FrameBuffer
from kimi_ros.nodes.images import (
    check_compressed,
    check_depth,
    check_image,
    decode_compressed,
    to_depth,
    to_rgb,
)
from kimi_ros.nodes.stamps import seconds
from kimi_ros.nodes.transform_buffer import TransformError

_TRANSFORM_TIMEOUT = 0.2  # seconds: a moving camera's transform arrives a little after its image
_DEPTH_STALE = GeometryWarning(
    'depth_stale',
    "no depth image has the image's stamp: use depth and colour of one driver, or raise "
    'depth_tolerance',
)


class Poses(Protocol):
    """Where optical frames are; `kimi_ros.nodes.transforms.CameraPoseLookup`."""

    def lookup(
        self, frame_id: str, stamp: int, timeout: float
    ) -> tuple[np.ndarray | None, GeometryWarning | None]:
        """Return optical frame -> base frame, (4, 4), or None and the reason."""

    def transform(self, target: str, source: str, stamp: int, timeout: float) -> np.ndarray:
        """Return the transform from `source` to `target`, (4, 4), or raise TransformError."""


class FrameDecoder:
    """Turns camera frames as received into frames as the agent takes them."""

    def __init__(self, poses: Poses, base_frame: str, distortion: Callable[[], str]):
        """Create a decoder.

        :param poses: of optical frames.
        :param base_frame: in which positions are wanted.
        :param distortion: returns the parameter `distortion`.
        """
        self._poses = poses
        self._base_frame = base_frame
        self._distortion = distortion

    def decode(
        self, received: CameraFrame, buffer: FrameBuffer
    ) -> tuple[Frame, list[GeometryWarning]]:
        """Return the frame, and what keeps its objects from having positions.

        :raises ImageFormatError: if the image cannot be decoded.
        """
        compressed = hasattr(received.image, 'format')
        rgb = decode_compressed(received.image) if compressed else to_rgb(received.image)
        size = rgb.shape[1], rgb.shape[0]
        intrinsics = intrinsics_of(received.info, *size, self._rectified(buffer.topic))
        depth, warnings = self._depth(received, buffer, size, intrinsics, read=True)
        pose, pose_warning = self._poses.lookup(
            received.frame_id, received.stamp, _TRANSFORM_TIMEOUT
        )
        frame = Frame(
            rgb,
            stamp=seconds(received.stamp),
            frame_id=received.frame_id,
            depth=depth,
            intrinsics=intrinsics.matrix,
            distortion=intrinsics.distortion,
            camera_pose=pose,
            position_frame=self._base_frame,
            no_depth=DepthStatus.STALE if received.depth_stale else DepthStatus.NONE,
        )
        if received.has_depth:
            warnings += [w for w in (intrinsics.warning, pose_warning) if w]
        return frame, warnings

    def check(
        self, received: CameraFrame, buffer: FrameBuffer
    ) -> tuple[str, list[GeometryWarning]]:
        """Return what is wrong with the image, or '', and the warnings, without decoding."""
        try:
            compressed = hasattr(received.image, 'format')
            size = (check_compressed if compressed else check_image)(received.image)
        except ImageFormatError as error:
            return str(error), []
        if not received.has_depth:
            return '', []
        intrinsics = intrinsics_of(received.info, *size, self._rectified(buffer.topic))
        _, warnings = self._depth(received, buffer, size, intrinsics, read=False)
        # The latest transform: that of the image's time may still be on its way.
        _, pose_warning = self._poses.lookup(received.frame_id, 0, 0.0)
        return '', [*warnings, *(w for w in (intrinsics.warning, pose_warning) if w)]

    def _depth(
        self,
        received: CameraFrame,
        buffer: FrameBuffer,
        size: tuple[int, int],
        intrinsics: Intrinsics,
        *,
        read: bool,
    ) -> tuple[np.ndarray | None, list[GeometryWarning]]:
        """Return the depth in the colour image, or None, and the warnings.

        :param size: (width, height) of the image.
        :param read: False only checks, and returns no depth.
        """
        depth = received.depth
        if depth is None:
            return None, [_DEPTH_STALE] if received.depth_stale else []
        try:
            if hasattr(depth, 'format'):
                depth = decompressed_depth(depth)
            if depth.header.frame_id not in ('', received.frame_id):
                return self._registered(depth, received, buffer, size, intrinsics, read)
            if warning := depth_warning(depth, *size):
                return None, [warning]
            if not read:
                check_depth(depth)
            return to_depth(depth) if read else None, []
        except ImageFormatError as error:
            return None, [GeometryWarning('depth_format', str(error))]

    def _registered(
        self,
        depth: Any,
        received: CameraFrame,
        buffer: FrameBuffer,
        size: tuple[int, int],
        intrinsics: Intrinsics,
        read: bool,
    ) -> tuple[np.ndarray | None, list[GeometryWarning]]:
        """Return the depth of another optical frame, registered to the image."""
        own = intrinsics_of(
            received.depth_info, depth.width, depth.height, self._rectified(buffer.depth_topic)
        )
        if intrinsics.matrix is None:  # which has a warning of its own
            return None, []
        if own.warning is not None:
            return None, [_unregistered(depth, received, own.warning.message)]
        stamp, timeout = (received.stamp, _TRANSFORM_TIMEOUT) if read else (0, 0.0)
        try:
            transform = self._poses.transform(
                received.frame_id, depth.header.frame_id, stamp, timeout
            )
        except TransformError as error:
            return None, [_unregistered(depth, received, str(error))]
        if not read:
            check_depth(depth)
            return None, []
        assert own.matrix is not None  # there is no warning
        registered = register_depth(
            to_depth(depth),
            own.matrix,
            own.distortion,
            transform,
            size,
            intrinsics.matrix,
            intrinsics.distortion,
        )
        return registered, []

    def _rectified(self, topic: str) -> bool:
        return is_rectified(topic, self._distortion())


def _unregistered(depth: Any, received: CameraFrame, reason: str) -> GeometryWarning:
    return GeometryWarning(
        'depth_unregistered',
        f'depth is measured in {depth.header.frame_id}, the image in {received.frame_id}: use the '
        "depth topic that the camera driver registers to the colour image ('aligned' depth), or "
        f'publish what registering it here needs, depth/camera_info and TF ({reason})',
    )
