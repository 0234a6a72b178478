"""Decoding a camera frame for the agent, and checking it without decoding for diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kimi_ros.agent import DepthStatus, Frame
from kimi_ros.nodes.camera_geometry import (
    GeometryWarning,
    depth_warning,
    intrinsics_of,
    is_rectified,
)
from kimi_ros.nodes.compressed_depth import decompressed_depth
from kimi_ros.nodes.errors import ImageFormatError
from kimi_ros.nodes.frame_buffer import CameraFrame
from kimi_ros.nodes.images import (
    check_compressed,
    check_depth,
    check_image,
    decode_compressed,
    to_depth,
    to_rgb,
)

# (frame_id, stamp in nanoseconds, seconds to wait) -> pose (4, 4) or None, and why there is none.
PoseLookup = Callable[[str, int, float], tuple[np.ndarray | None, GeometryWarning | None]]
_TRANSFORM_TIMEOUT = 0.2  # seconds: a moving camera's transform arrives a little after its image
_DEPTH_STALE = GeometryWarning(
    'depth_stale',
    "no depth image has the image's stamp: use depth and colour of one driver, or raise "
    'depth_tolerance',
)


class FrameDecoder:
    """Turns camera frames as received into frames as the agent takes them."""

    def __init__(self, camera_pose: PoseLookup, base_frame: str, distortion: Callable[[], str]):
        """Create a decoder.

        :param camera_pose: of an optical frame in `base_frame`.
        :param distortion: returns the parameter `distortion`.
        """
        self._camera_pose = camera_pose
        self._base_frame = base_frame
        self._distortion = distortion

    def decode(self, received: CameraFrame, topic: str) -> tuple[Frame, list[GeometryWarning]]:
        """Return the frame, and what keeps its objects from having positions.

        :param topic: of the image.
        :raises ImageFormatError: if the image cannot be decoded.
        """
        compressed = hasattr(received.image, 'format')
        rgb = decode_compressed(received.image) if compressed else to_rgb(received.image)
        height, width = rgb.shape[:2]
        depth, warnings = self._depth(received, width, height, to_depth)
        intrinsics = intrinsics_of(received.info, width, height, self._rectified(topic))
        pose, pose_warning = self._camera_pose(
            received.frame_id, received.stamp, _TRANSFORM_TIMEOUT
        )
        frame = Frame(
            rgb,
            stamp=received.stamp / 1e9,
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

    def check(self, received: CameraFrame, topic: str) -> tuple[str, list[GeometryWarning]]:
        """Return what is wrong with the image, or '', and the warnings, without decoding."""
        try:
            compressed = hasattr(received.image, 'format')
            width, height = (check_compressed if compressed else check_image)(received.image)
        except ImageFormatError as error:
            return str(error), []
        if not received.has_depth:
            return '', []
        _, warnings = self._depth(received, width, height, check_depth)
        intrinsics = intrinsics_of(received.info, width, height, self._rectified(topic))
        # The latest transform: that of the image's time may still be on its way.
        _, pose_warning = self._camera_pose(received.frame_id, 0, 0.0)
        return '', [*warnings, *(w for w in (intrinsics.warning, pose_warning) if w)]

    def _depth(
        self, received: CameraFrame, width: int, height: int, read: Callable[[Any], Any]
    ) -> tuple[Any, list[GeometryWarning]]:
        """Return what `read` makes of the depth, or None, and the warnings."""
        depth = received.depth
        if depth is None:
            return None, [_DEPTH_STALE] if received.depth_stale else []
        try:
            if hasattr(depth, 'format'):
                depth = decompressed_depth(depth)
            if warning := depth_warning(depth, width, height):
                return None, [warning]
            return read(depth), []
        except ImageFormatError as error:
            return None, [GeometryWarning('depth_format', str(error))]

    def _rectified(self, topic: str) -> bool:
        return is_rectified(topic, self._distortion())
