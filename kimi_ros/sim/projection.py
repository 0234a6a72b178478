"""The pinhole camera: intrinsics, pose, projection and its inverse, in numpy only."""

import math

import numpy as np

from kimi_ros.sim.scene import SceneCamera


def intrinsics(fov_y: float, width: int, height: int) -> np.ndarray:
    """Camera matrix, float64 (3, 3), for pixel centres at whole numbers (as in ROS).

    fx = fy = height / 2 / tan(fov_y / 2); the axis meets the middle of the image, which lies at
    ((width - 1) / 2, (height - 1) / 2).
    """
    focal = height / 2 / math.tan(fov_y / 2)
    return np.array(
        [
            [focal, 0.0, (width - 1) / 2],
            [0.0, focal, (height - 1) / 2],
            [0.0, 0.0, 1.0],
        ]
    )


def camera_pose(camera: SceneCamera) -> np.ndarray:
    """Optical frame (x right, y down, z forward) -> base frame, float64 (4, 4)."""
    cos_yaw, sin_yaw = math.cos(camera.yaw), math.sin(camera.yaw)
    cos_pitch, sin_pitch = math.cos(camera.pitch), math.sin(camera.pitch)
    pose = np.eye(4)
    pose[:3, 0] = sin_yaw, -cos_yaw, 0.0
    pose[:3, 1] = -cos_yaw * sin_pitch, -sin_yaw * sin_pitch, -cos_pitch
    pose[:3, 2] = cos_yaw * cos_pitch, sin_yaw * cos_pitch, -sin_pitch
    pose[:3, 3] = camera.position
    return pose


def project(points: np.ndarray, matrix: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Base-frame points (n, 3) -> (n, 3): pixel u, pixel v, depth in metres along the axis."""
    optical = (points - pose[:3, 3]) @ pose[:3, :3]
    pixels = optical @ matrix.T
    return np.column_stack([pixels[:, :2] / pixels[:, 2:], optical[:, 2]])


def deproject(
    pixels: np.ndarray, depth: np.ndarray, matrix: np.ndarray, pose: np.ndarray
) -> np.ndarray:
    """The inverse of `project`: pixels (n, 2) and depth (n,) in metres -> base frame (n, 3)."""
    pixels = np.asarray(pixels, float)
    rays = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(matrix).T
    return (rays * np.asarray(depth, float)[:, None]) @ pose[:3, :3].T + pose[:3, 3]
