"""What camera_info and depth messages say about an image's geometry, and what is wrong with them.

A plan can do without positions, but never silently: every problem is a warning with a code, which
becomes a reason code of the plan, and a message with the remedy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kimi_ros.agent.errors import FrameError
from kimi_ros.agent.lens import DISTORTION_MODELS, Distortion

# Values of the parameter `distortion`.
DISTORTION_MODES = ('auto', 'apply', 'ignore')


@dataclass(frozen=True)
class GeometryWarning:
    """Why there are no positions, or only in the optical frame.

    :ivar code: reason code of a plan: 'camera_info_missing', 'depth_size', 'transform_missing', ...
    :ivar message: in words, with the remedy.
    """

    code: str
    message: str


@dataclass(frozen=True)
class Intrinsics:
    """Camera matrix and distortion of an image.

    :ivar matrix: float64 (3, 3), pixels of the image; None where unknown.
    :ivar distortion: None for a rectified image.
    :ivar warning: why `matrix` is None.
    """

    matrix: np.ndarray | None = None
    distortion: Distortion | None = None
    warning: GeometryWarning | None = None


def is_rectified(topic: str, mode: str) -> bool:
    """Return whether the images on a topic are free of distortion.

    :param topic: image topic; by convention those of rectified images are called image_rect,
        image_rect_color and the like.
    :param mode: the parameter `distortion`.
    """
    if mode != 'auto':
        return mode == 'ignore'
    parts = topic.removesuffix('/compressed').split('/')
    return any(p.startswith('image_rect') for p in parts)


def intrinsics_of(info: Any, width: int, height: int, rectified: bool) -> Intrinsics:
    """Return the intrinsics that a sensor_msgs/CameraInfo gives for images of this size.

    Binning and region of interest are allowed for. Of rectified images the projection matrix P
    counts, of others the camera matrix K and the distortion D.
    """
    if info is None:
        return _unknown(
            'camera_info_missing', 'no camera_info received: start it, or remap camera_info'
        )
    numbers = np.concatenate([np.asarray(info.k, float), np.asarray(info.p, float)])
    if not np.isfinite(numbers).all():
        return _unknown(
            'camera_info_invalid',
            'camera_info holds NaN or infinite values: repair the calibration file of the camera',
        )
    size, binning, offset = _image_area(info)
    if size not in ((width, height), (0, 0)):
        return _unknown(
            'camera_info_size',
            f'camera_info is for images of {size[0]}x{size[1]}, but they are {width}x{height}: '
            'publish the camera_info that belongs to the images (image_proc resizes both)',
        )
    projection = np.asarray(info.p, float).reshape(3, 4)[:, :3]
    use_projection = rectified and projection[0, 0] > 0 and projection[1, 1] > 0
    matrix = projection.copy() if use_projection else np.array(info.k, float).reshape(3, 3)
    if matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        return _unknown(
            'camera_uncalibrated',
            'camera_info has no focal length: calibrate the camera (ros2 run camera_calibration '
            "cameracalibrator) and give the driver's camera_info_url",
        )
    matrix[:2, 2] -= offset
    matrix[:2] /= np.array(binning, float)[:, None]
    if rectified:
        return Intrinsics(matrix)
    return _with_distortion(matrix, info)


def depth_warning(depth: Any, width: int, height: int) -> GeometryWarning | None:
    """Return why a depth image cannot be used with an image of this size, or None."""
    if (depth.width, depth.height) == (width, height):
        return None
    return GeometryWarning(
        'depth_size',
        f'the depth image is {depth.width}x{depth.height}, the colour image {width}x{height}: use '
        "the depth topic that the camera driver registers to the colour image ('aligned' depth)",
    )


def _image_area(info: Any) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Return size of the published images, binning (x, y) and offset of the region (x, y)."""
    binning = max(1, info.binning_x), max(1, info.binning_y)
    roi = info.roi
    width, height = (roi.width or info.width), (roi.height or info.height)
    return (width // binning[0], height // binning[1]), binning, (roi.x_offset, roi.y_offset)


def _with_distortion(matrix: np.ndarray, info: Any) -> Intrinsics:
    coefficients = np.asarray(info.d, float)
    if not coefficients.any() and np.isfinite(coefficients).all():
        return Intrinsics(matrix)
    try:
        counts = DISTORTION_MODELS.get(info.distortion_model, ())
        kept = max((n for n in counts if n <= len(coefficients)), default=len(coefficients))
        if not coefficients[kept:].any():  # some drivers pad with zeros
            coefficients = coefficients[:kept]
        return Intrinsics(matrix, Distortion(info.distortion_model, coefficients))
    except FrameError as error:
        return _unknown(
            'distortion_unsupported',
            f'{error}. To ignore the distortion, set the parameter distortion to ignore',
        )


def _unknown(code: str, message: str) -> Intrinsics:
    return Intrinsics(warning=GeometryWarning(code, message))
