"""Deprojection: from a pixel and depth to a position in metres with its covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kimi_ros.agent.frame import Frame
from kimi_ros.agent.lens import Distortion, rays_of
from kimi_ros.agent.plan import DepthStatus

# Metres within which depth is trusted; the fraction of a window that must hold such depth.
DEPTH_RANGE = (0.05, 20.0)
MIN_VALID_SHARE = 0.25


@dataclass(frozen=True)
class Position:
    """A position in metres, or why there is none.

    :ivar xyz: metres in `frame`, or None.
    :ivar covariance: row-major 3x3, square metres, or None.
    :ivar valid_fraction: fraction of the window's pixels with valid depth, 0 to 1.
    """

    status: DepthStatus
    xyz: tuple[float, float, float] | None = None
    covariance: tuple[float, ...] | None = None
    frame: str = ''
    valid_fraction: float = 0.0


def estimate_position(
    frame: Frame, point: tuple[float, float], box: tuple[float, ...] | None
) -> Position:
    """Estimate the position in metres of the visible surface at a point.

    The depth is the median of the valid ones in a small window around the point, else, where that
    is a hole, in the centre of the box. Without a camera pose the position is in the optical frame
    (NO_TRANSFORM).

    :param point: x, y in pixels.
    :param box: x_min, y_min, x_max, y_max in pixels.
    """
    if frame.depth is None:
        return Position(frame.no_depth)
    if frame.intrinsics is None:
        return Position(DepthStatus.NONE)
    status, share = DepthStatus.HOLE, 0.0
    for window in _windows(frame.size, point, box):
        x_min, y_min, x_max, y_max = window
        values = frame.depth[y_min:y_max, x_min:x_max].ravel()
        valid = values[np.isfinite(values) & (values > 0)]
        inside = valid[(valid >= DEPTH_RANGE[0]) & (valid <= DEPTH_RANGE[1])]
        share = inside.size / values.size
        if share >= MIN_VALID_SHARE:
            return _deprojected(frame, frame.intrinsics, point, box, inside.astype(float), share)
        if valid.size / values.size >= MIN_VALID_SHARE:
            status = DepthStatus.OUT_OF_RANGE
    return Position(status, valid_fraction=share)


def deproject(
    pixel: tuple[float, float],
    depth: float,
    intrinsics: np.ndarray,
    sigmas: tuple[float, float, float],
    distortion: Distortion | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the point (3,) in the optical frame, metres, and its covariance (3, 3), square metres.

    X = (u - cx) Z / fx, Y = (v - cy) Z / fy for the pixel without distortion, and the covariance is
    J diag(su^2, sv^2, sz^2) J^T with J the derivative of (X, Y, Z) by (u, v, Z): first-order
    propagation, Hartley and Zisserman, Multiple View Geometry, 2nd edition, 5.2.2. NaN where the
    distortion model does not cover the pixel.

    :param sigmas: standard deviations of u and v in pixels and of the depth in metres.
    """
    u, v = pixel
    # Central differences of a pixel; exact where there is no distortion.
    around = [(u, v), (u + 0.5, v), (u - 0.5, v), (u, v + 0.5), (u, v - 0.5)]
    rays = rays_of(np.array(around, float), intrinsics, distortion)
    (x, y), by_u, by_v = rays[0], rays[1] - rays[2], rays[3] - rays[4]
    jacobian = np.array(
        [[depth * by_u[0], depth * by_v[0], x], [depth * by_u[1], depth * by_v[1], y], [0, 0, 1]]
    )
    return np.array([x, y, 1]) * depth, jacobian @ np.diag(np.square(sigmas)) @ jacobian.T


def depth_sigma(values: np.ndarray, depth: float) -> float:
    """Return the standard deviation of a depth in metres: the larger of two estimates.

    From the data: 1.4826 times the median absolute deviation, the standard deviation of a normal
    distribution with outliers. From the sensor model: 0.0012 + 0.0019 (z - 0.4)^2, the axial
    noise of a structured-light camera; Nguyen, Izadi and Lovell, Modeling Kinect Sensor Noise for
    Improved 3D Reconstruction and Tracking, 3DIMPVT 2012.
    """
    seen = 1.4826 * float(np.median(np.abs(values - depth)))
    return max(seen, 0.0012 + 0.0019 * (depth - 0.4) ** 2)


def _windows(
    size: tuple[int, int], point: tuple[float, float], box: tuple[float, ...] | None
) -> list[tuple[int, int, int, int]]:
    """Return the windows to take depth from, in pixels: around the point, at the box's centre."""
    width, height = size
    sides = (0, 0) if box is None else (box[2] - box[0], box[3] - box[1])
    radius = max(2.0, 0.1 * min(sides))
    x, y = point
    windows = [(x - radius, y - radius, x + radius, y + radius)]
    if box is not None:
        cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        windows.append((cx - sides[0] / 4, cy - sides[1] / 4, cx + sides[0] / 4, cy + sides[1] / 4))
    clipped = []
    for x_min, y_min, x_max, y_max in windows:
        left = min(max(round(x_min), 0), width - 1)
        top = min(max(round(y_min), 0), height - 1)
        right = min(max(round(x_max) + 1, left + 1), width)
        bottom = min(max(round(y_max) + 1, top + 1), height)
        clipped.append((left, top, right, bottom))
    return clipped


def _deprojected(
    frame: Frame,
    intrinsics: np.ndarray,
    point: tuple[float, float],
    box: tuple[float, ...] | None,
    values: np.ndarray,
    share: float,
) -> Position:
    depth = float(np.median(values))
    # A point may lie anywhere on its object: a tenth of the box either way, but a pixel at least.
    sides = (0, 0) if box is None else (box[2] - box[0], box[3] - box[1])
    sigmas = (max(1.0, sides[0] / 10), max(1.0, sides[1] / 10), depth_sigma(values, depth))
    xyz, covariance = deproject(point, depth, intrinsics, sigmas, frame.distortion)
    if not np.isfinite(xyz).all():
        return Position(DepthStatus.OUT_OF_RANGE, valid_fraction=share)
    status, name = DepthStatus.NO_TRANSFORM, frame.frame_id
    if frame.camera_pose is not None:
        pose = np.asarray(frame.camera_pose, float)
        rotation = pose[:3, :3]
        xyz = rotation @ xyz + pose[:3, 3]
        covariance = rotation @ covariance @ rotation.T
        status, name = DepthStatus.OK, frame.position_frame
    x, y, z = map(float, xyz)
    return Position(status, (x, y, z), tuple(map(float, covariance.ravel())), name, share)
