"""Cameras, lamps and rooms of many kinds."""

from __future__ import annotations

import math

import numpy as np

from kimi_ros.sim.scans.backdrops import Backdrops
from kimi_ros.sim.scans.patterns import draw_pattern
from kimi_ros.sim.scans.scene import Room, ScanCamera, ScanLight, Surface
from kimi_ros.sim.scans.texture import pyramid


def draw_camera(rng, tilt: tuple[float, float], reach: tuple[float, float]) -> ScanCamera:
    """Return a camera above x = 0 that looks forward and down at a point of z = 0.

    :param tilt: range of its angle below the horizon, degrees.
    :param reach: range of its distance to that point, metres.
    """
    angle = math.radians(rng.uniform(*tilt))
    distance = rng.uniform(*reach)
    pose = np.eye(4)
    roll, yaw = math.radians(rng.normal(0, 2.5)), math.radians(rng.normal(0, 8))
    forward = np.array(
        [math.cos(angle) * math.cos(yaw), math.cos(angle) * math.sin(yaw), -math.sin(angle)]
    )
    right = np.cross(forward, (0, 0, 1.0))
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    pose[:3, 0] = right * math.cos(roll) + down * math.sin(roll)
    pose[:3, 1] = down * math.cos(roll) - right * math.sin(roll)
    pose[:3, 2] = forward
    pose[:3, 3] = 0, rng.uniform(-0.15, 0.15), max(distance * math.sin(angle), 0.15)
    fov = math.radians(rng.uniform(32, 62))
    k1 = rng.normal(0, 0.05) if rng.random() < 0.7 else 0.0
    k1 = float(np.clip(k1, -0.12, 0.12))
    return ScanCamera(0.5 / math.tan(fov / 2), (k1, -0.15 * k1), pose)


def target_of(camera: ScanCamera) -> np.ndarray:
    """Return where the camera's axis meets z = 0, x and y."""
    eye, axis = camera.pose[:3, 3], camera.pose[:3, 2]
    return (eye - eye[2] / axis[2] * axis)[:2]


def draw_lights(rng) -> tuple[tuple[ScanLight, ...], np.ndarray, np.ndarray]:
    """Return one to three lamps, and the light from above and from below."""
    warmth = rng.normal(0, 0.10)
    lamps = []
    for i in range(int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))):
        around, up = rng.uniform(0, 2 * math.pi), math.radians(rng.uniform(28, 85))
        direction = np.array(
            [math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up)]
        )
        strength = rng.uniform(0.4, 1.2) if i == 0 else rng.uniform(0.1, 0.7)
        tint = 1 + (warmth + rng.normal(0, 0.04)) * np.array([1, 0, -1])
        lamps.append(
            ScanLight(direction, strength * tint, math.exp(rng.uniform(*np.log((0.03, 0.4)))))
        )
    sky = rng.uniform(0.25, 0.85) * (1 + rng.normal(0, 0.08) * np.array([-1, 0, 1]))
    return tuple(lamps), sky, sky * rng.uniform(0.2, 0.6)


def draw_room(rng, target: np.ndarray, backdrops: Backdrops) -> Room:
    """Return a room whose table reaches around `target`, x and y."""
    x0, y0 = target - rng.uniform(0.35, 1.1, 2)
    x1, y1 = target + rng.uniform(0.35, 1.1, 2)
    table = float(x0), float(x1), float(y0), float(y1), rng.uniform(0.015, 0.05)
    photographed = rng.random() < 0.4
    surfaces = (
        _surface(rng, (0.25, 1.3)),
        _surface(rng, (0.5, 2.5)),
        _surface(rng, (1.0, 3.0), backdrops if photographed else None),
    )
    gloss = rng.uniform(0, 0.25) if rng.random() < 0.4 else 0.0
    return Room(table, -rng.uniform(0.4, 0.9), x1 + rng.uniform(0.02, 1.5), surfaces, gloss)


def _surface(rng, size: tuple[float, float], photographs: Backdrops | None = None) -> Surface:
    """Return some pattern, or a photograph, which hangs straight."""
    gain = rng.lognormal(0, 0.2) * rng.normal(1, 0.05, 3)
    if photographs is not None:
        # The wall's v runs up.
        image = pyramid(np.ascontiguousarray(photographs.draw_square(rng)[::-1]))
        return Surface(image, rng.uniform(*size), 0.0, tuple(rng.uniform(0, 1, 2)), gain)
    turn = rng.choice([0, math.pi / 2]) + (rng.normal(0, 0.3) if rng.random() < 0.7 else 0)
    return Surface(draw_pattern(rng), rng.uniform(*size), turn, tuple(rng.uniform(0, 1, 2)), gain)
