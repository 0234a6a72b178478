"""Lens distortion: from pixels of a distorted image to rays of the pinhole camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from kimi_ros.agent.errors import FrameError

# Numbers of coefficients by the names that sensor_msgs/distortion_models.hpp gives.
DISTORTION_MODELS = {
    'plumb_bob': (4, 5),
    'rational_polynomial': (8, 12, 14),
    'equidistant': (4,),
}
# Pixels between a pixel and its own ray projected back: a larger error means that the pixel lies
# outside the part of the image for which the model can be inverted.
_MAX_ERROR = 0.5
_ITERATE = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 100, 1e-10)


@dataclass(frozen=True, eq=False)
class Distortion:
    """A lens distortion, with OpenCV's models and order of coefficients.

    :ivar model: 'plumb_bob', 'rational_polynomial' or 'equidistant' (fisheye).
    :ivar coefficients: float64 (4,), (5,), (8,), (12,) or (14,), as the model has.
    """

    model: str
    coefficients: np.ndarray

    def __post_init__(self) -> None:
        """Raise FrameError for an unknown model or coefficients that it does not have."""
        counts = DISTORTION_MODELS.get(self.model)
        if counts is None:
            raise FrameError(
                f'distortion model {self.model!r} is not supported: '
                f'use one of {", ".join(DISTORTION_MODELS)}, or rectified images'
            )
        values = np.asarray(self.coefficients, float)
        if values.shape not in [(n,) for n in counts] or not np.isfinite(values).all():
            raise FrameError(
                f'{self.model} distortion needs {" or ".join(map(str, counts))} finite '
                f'coefficients, not {values.tolist()}'
            )

    def undistort(self, pixels: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
        """Return x / z and y / z of the rays through pixels, float64 (N, 2).

        NaN where the model cannot be inverted.

        :param pixels: (N, 2), x and y.
        :param intrinsics: camera matrix (3, 3).
        """
        k, d = np.asarray(intrinsics, float), np.asarray(self.coefficients, float)
        points = np.asarray(pixels, float).reshape(-1, 1, 2)
        if self.model == 'equidistant':
            rays = cv2.fisheye.undistortPoints(points, k, d)
        elif hasattr(cv2, 'undistortPointsIter'):  # OpenCV 4
            rays = cv2.undistortPointsIter(points, k, d, None, None, _ITERATE)
        else:
            rays = cv2.undistortPoints(points, k, d, None, None, None, _ITERATE)
        rays = rays.reshape(-1, 2)
        error = np.linalg.norm(self.distort(rays, k) - points.reshape(-1, 2), axis=1)
        rays[~(error < _MAX_ERROR)] = np.nan
        return rays

    def distort(self, rays: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
        """Return the pixels (N, 2) in which rays x / z, y / z (N, 2) are seen."""
        k, d = np.asarray(intrinsics, float), np.asarray(self.coefficients, float)
        rays = np.asarray(rays, float).reshape(-1, 2)
        points = np.column_stack([rays, np.ones(len(rays))]).reshape(-1, 1, 3)
        origin = np.zeros(3)
        if self.model == 'equidistant':
            pixels, _ = cv2.fisheye.projectPoints(points, origin, origin, k, d)
        else:
            pixels, _ = cv2.projectPoints(points, origin, origin, k, d)
        return pixels.reshape(-1, 2)


def rays_of(
    pixels: np.ndarray, intrinsics: np.ndarray, distortion: Distortion | None = None
) -> np.ndarray:
    """Return x / z and y / z of the rays through pixels, float64 (N, 2).

    :param pixels: (N, 2), x and y.
    :param intrinsics: camera matrix (3, 3).
    """
    if distortion is not None:
        return distortion.undistort(pixels, intrinsics)
    k = np.asarray(intrinsics, float)
    rays: np.ndarray = (np.asarray(pixels, float).reshape(-1, 2) - k[:2, 2]) / (k[0, 0], k[1, 1])
    return rays


def pixels_of(
    rays: np.ndarray, intrinsics: np.ndarray, distortion: Distortion | None = None
) -> np.ndarray:
    """Return the pixels (N, 2) in which rays x / z, y / z (N, 2) are seen."""
    if distortion is not None:
        return distortion.distort(rays, intrinsics)
    k = np.asarray(intrinsics, float)
    pixels: np.ndarray = np.asarray(rays, float).reshape(-1, 2) * (k[0, 0], k[1, 1]) + k[:2, 2]
    return pixels


def ray_map(
    size: tuple[int, int], intrinsics: np.ndarray, distortion: Distortion | None = None
) -> np.ndarray:
    """Return x / z and y / z of the rays through all pixels of an image, float32 (H, W, 2).

    With distortion the rays of every eighth pixel are interpolated: distortion is smooth, and an
    iteration for each pixel of a large image takes a second.

    :param size: (width, height).
    """
    width, height = size
    step = 1 if distortion is None else 8
    columns = np.arange(0, width + step, step, dtype=float)
    rows = np.arange(0, height + step, step, dtype=float)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1)
    rays = rays_of(grid.reshape(-1, 2), intrinsics, distortion).reshape(grid.shape)
    rays = rays.astype(np.float32)
    if step > 1:
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        rays = cv2.remap(rays, x / step, y / step, cv2.INTER_LINEAR)
    return np.ascontiguousarray(rays[:height, :width])
