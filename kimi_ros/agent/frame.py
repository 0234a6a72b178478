"""A camera frame: image, depth, intrinsics and pose, validated once on construction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kimi_ros.agent.errors import FrameError
from kimi_ros.agent.lens import Distortion, pixels_of, rays_of
from kimi_ros.agent.plan import DepthStatus, Reason

# Grey levels. Dark: the 99th percentile is below a covered lens's noise. Blank: no contrast.
_DARK = 12
_CONTRAST = 1.5


@dataclass(frozen=True, eq=False)
class Frame:
    """An image with its geometry.

    :ivar rgb: uint8 (H, W, 3).
    :ivar stamp: seconds.
    :ivar frame_id: the optical frame: x right, y down, z forward.
    :ivar depth: float (H, W), metres along the optical axis, registered to `rgb`; 0, NaN or
        infinite where invalid; or None.
    :ivar intrinsics: camera matrix (3, 3) in pixels of `rgb`, pixel centres at whole numbers; or
        None.
    :ivar distortion: of the lens; None for a rectified image.
    :ivar camera_pose: (4, 4), takes points of the optical frame to `position_frame`; or None.
    :ivar position_frame: the frame that positions are wanted in.
    :ivar no_depth: why `depth` is None: NONE, or STALE where one exists but belongs to another
        image.
    """

    rgb: np.ndarray
    stamp: float = 0.0
    frame_id: str = 'camera_optical_frame'
    depth: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    camera_pose: np.ndarray | None = None
    position_frame: str = 'base_link'
    no_depth: DepthStatus = DepthStatus.NONE
    distortion: Distortion | None = None

    def __post_init__(self) -> None:
        """Raise FrameError for invalid or inconsistent data."""
        rgb = self.rgb
        if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.ndim != 3:
            raise FrameError('rgb must be a uint8 array (height, width, 3)')
        if rgb.shape[2] != 3 or 0 in rgb.shape:
            raise FrameError(f'rgb has the shape {rgb.shape}, not (height, width, 3)')
        if self.depth is not None:
            if not np.issubdtype(self.depth.dtype, np.floating):
                raise FrameError(
                    f'depth is {self.depth.dtype}: convert it to float metres '
                    '(16UC1 holds millimetres)'
                )
            if self.depth.shape != rgb.shape[:2]:
                raise FrameError(
                    f'depth is {self.depth.shape}, the image {rgb.shape[:2]}: use the depth that '
                    'the camera driver registers to the colour image'
                )
        if self.intrinsics is not None:
            matrix = _matrix(self.intrinsics, 3, 'intrinsics')
            if matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
                raise FrameError('intrinsics have no focal length: the camera is not calibrated')
        if self.camera_pose is not None:
            pose = _matrix(self.camera_pose, 4, 'camera_pose')
            rotation = pose[:3, :3]
            if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3):
                raise FrameError('the left upper 3x3 of camera_pose is not a rotation')

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Return x / z and y / z of the rays through pixels, float64 (N, 2); needs intrinsics.

        NaN for pixels that the distortion model does not cover.

        :param pixels: (N, 2), x and y.
        """
        return rays_of(pixels, self._camera_matrix(), self.distortion)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Return the pixels (N, 2) of points (N, 3) in the optical frame; needs intrinsics."""
        points = np.asarray(points, float).reshape(-1, 3)
        return pixels_of(points[:, :2] / points[:, 2:], self._camera_matrix(), self.distortion)

    def _camera_matrix(self) -> np.ndarray:
        if self.intrinsics is None:
            raise FrameError('the frame has no intrinsics')
        return self.intrinsics


def detect_camera_problem(rgb: np.ndarray) -> str:
    """Return the reason code of an image that is dark or blank, else ''."""
    # Every fourth row and column is enough, at a sixteenth of the cost.
    grey = rgb[::4, ::4].astype(np.float32).mean(axis=2)
    if np.percentile(grey, 99) < _DARK:
        return Reason.DARK
    return Reason.BLANK if grey.std() < _CONTRAST else ''


def _matrix(value: np.ndarray, side: int, name: str) -> np.ndarray:
    matrix = np.asarray(value, float)
    if matrix.shape != (side, side) or not np.isfinite(matrix).all():
        raise FrameError(f'{name} must be {side}x{side} finite numbers')
    return matrix
