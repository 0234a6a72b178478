"""Drawing a scene of scanned things: colour, depth and instances, on a CPU."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.scans import raster, shading
from kimi_ros.sim.scans.scene import Room, ScanCamera, ScanObject, ScanScene
from kimi_ros.sim.scans.shadows import LAMP_REACH, SKY_REACH

SUPERSAMPLING = 2
MARGIN = 0.3
"""Share of the image, on every side, in which outlines are still counted."""
SHADOW_SIZE = 384
_FARTHEST_RAY = 1.5  # tangent of the angle to the axis beyond which a lens might fold over
_NEAREST = 0.03

LINEAR = ((np.arange(256) / 255) ** 2.2).astype(np.float32)
"""Linear light of a texel."""


@dataclasses.dataclass(frozen=True)
class ScanFrame:
    """A drawn scene.

    :ivar frame: colour, depth, instances, calibration; its `unoccluded_pixels` are counted within
        the image.
    :ivar visible: float (objects,), the share of each object's whole outline that is seen, 0-1.
    """

    frame: RenderedFrame
    visible: np.ndarray


def draw(scene: ScanScene, width: int, height: int) -> ScanFrame:
    """Draw a scene at this size, in pixels."""
    wide, high = width * SUPERSAMPLING, height * SUPERSAMPLING
    margin = np.array([int(wide * MARGIN), int(high * MARGIN)])
    shape = high + 2 * margin[1], wide + 2 * margin[0]
    w_buffer = np.zeros(shape, np.float32)
    ids = np.full(shape, -1, np.int32)
    stamp = np.zeros(shape, np.uint8)
    lens = _lens(scene.camera, width, height)
    projected, firsts, outlines = [], [0], []
    for mark, item in enumerate(scene.objects, start=1):
        vertices = item.vertices
        points = _project(scene.camera.to_optical(vertices), lens, margin)
        projected.append((vertices, points))
        faces = item.scan.faces
        outlines.append(
            raster.rasterize(
                points, faces, firsts[-1], item.scan.closed, margin, w_buffer, ids, stamp, mark
            )
        )
        firsts.append(firsts[-1] + len(faces))
    inside = ids[margin[1] : margin[1] + high, margin[0] : margin[0] + wide]
    labels = np.searchsorted(np.array(firsts), inside, side='right').astype(np.int16) - 1
    seen = np.bincount(labels.ravel() + 1, minlength=len(scene.objects) + 1)[1:]

    canvas = np.zeros((high, wide, 3), np.float32)
    depth = np.zeros((high, wide), np.float32)
    light = _light(scene)
    eye = scene.camera.pose[:3, 3].astype(np.float32)
    if scene.room is not None:
        _draw_room(scene.room, scene.camera, ids, margin, lens, eye, light, canvas, depth)
    elif scene.backdrop is not None:
        canvas[:] = LINEAR[cv2.resize(scene.backdrop, (wide, high))]
    for item, first, (vertices, points) in zip(scene.objects, firsts, projected, strict=False):
        _shade(item, ids, first, margin, vertices, points, eye, light, canvas)
    mask = inside >= 0
    depth[mask] = 1 / w_buffer[margin[1] : margin[1] + high, margin[0] : margin[0] + wide][mask]

    frame = RenderedFrame(
        _develop(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), scene),
        depth[1::SUPERSAMPLING, 1::SUPERSAMPLING].copy(),
        _second_lowest(labels),
        scene.camera.intrinsics(width, height),
        scene.camera.pose,
        tuple(round(count / SUPERSAMPLING**2) for _, count in outlines),
    )
    whole = np.array([count for count, _ in outlines], float)
    return ScanFrame(frame, seen / np.maximum(whole, 1))


def _lens(camera: ScanCamera, width: int, height: int) -> np.ndarray:
    """Return focal length, cx, cy in supersampled pixels, k1, k2."""
    matrix = camera.intrinsics(width, height)
    half = (SUPERSAMPLING - 1) / 2
    return np.array(
        [
            matrix[0, 0] * SUPERSAMPLING,
            matrix[0, 2] * SUPERSAMPLING + half,
            matrix[1, 2] * SUPERSAMPLING + half,
            *camera.distortion,
        ],
        np.float32,
    )


def _project(optical: np.ndarray, lens: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Return float32 (n, 3): x, y in the buffers and inverse depth, 0 where out of sight."""
    z = np.maximum(optical[:, 2], 1e-6)
    x, y = optical[:, 0] / z, optical[:, 1] / z
    r2 = x * x + y * y
    stretch = lens[0] * (1 + lens[3] * r2 + lens[4] * r2 * r2)
    ok = (optical[:, 2] > _NEAREST) & (r2 < _FARTHEST_RAY**2)
    return np.column_stack(
        [
            x * stretch + lens[1] + margin[0],
            y * stretch + lens[2] + margin[1],
            np.where(ok, 1 / z, 0),
        ]
    ).astype(np.float32)


def _light(scene: ScanScene) -> tuple:
    """Return what `shading.light_point` takes, from the lamps to the frames of the height maps."""
    lamps = np.array([[*lamp.direction, *lamp.color] for lamp in scene.lights], np.float32)
    softness = np.array([lamp.softness for lamp in scene.lights], np.float32)
    meshes = [(item.coarse_vertices, item.scan.coarse_faces) for item in scene.objects]
    points = np.concatenate([vertices for vertices, _ in meshes])
    low, high = points.min(axis=0), points.max(axis=0)
    center, radius = (low + high) / 2, np.linalg.norm(high - low) / 2 * 1.15 + 0.02
    directions = [lamp.direction for lamp in scene.lights] + [np.array([0.0, 0.0, 1.0])]
    shadows = np.full((len(directions), SHADOW_SIZE, SHADOW_SIZE), -1e9, np.float32)
    frames = np.zeros((len(directions), 3, 4), np.float32)
    ceilings = np.empty_like(shadows)
    reaches = [LAMP_REACH * lamp.softness for lamp in scene.lights] + [SKY_REACH]
    for i, direction in enumerate(directions):
        frame, shadow = frames[i], shadows[i]
        aside = np.cross(direction, (0.3, 1.0, 0.2))
        aside /= np.linalg.norm(aside)
        scale = SHADOW_SIZE / 2 / radius
        frame[:, :3] = aside * scale, np.cross(direction, aside) * scale, direction
        frame[:, 3] = np.array([SHADOW_SIZE / 2, SHADOW_SIZE / 2, 0]) - frame[:, :3] @ center
        for vertices, faces in meshes:
            seen = vertices @ frame[:, :3].T + frame[:, 3]
            raster.rasterize_height(np.ascontiguousarray(seen, np.float32), faces, shadow)
        side = 2 * math.ceil(reaches[i] * scale + 1) + 1
        ceilings[i] = cv2.dilate(shadow, np.ones((side, side), np.uint8))
    return (
        lamps, softness, scene.sky.astype(np.float32), scene.ground.astype(np.float32), shadows,
        ceilings, frames,
    )  # fmt: skip


def _shade(item: ScanObject, ids, first, margin, vertices, points, eye, light, canvas) -> None:
    height, width = canvas.shape[:2]
    known = points[points[:, 2] > 0]
    if not len(known):
        return
    low = np.floor(known[:, :2].min(axis=0)).astype(int) - margin
    high = np.ceil(known[:, :2].max(axis=0)).astype(int) + 1 - margin
    low = np.maximum(low, 0) // 2 * 2
    window = np.array([*low, min(high[0], width), min(high[1], height)])
    normals = item.scan.normals @ item.rotation.T.astype(np.float32)
    texture = item.texture
    shading.shade_mesh(
        ids, first, window, margin, points, item.scan.faces, vertices, normals, item.scan.uv,
        texture.texels, texture.sizes, texture.starts, LINEAR, eye, *light, item.gloss, canvas,
    )  # fmt: skip


def _draw_room(room: Room, camera, ids, margin, lens, eye, light, canvas, depth) -> None:
    patterns = [surface.pattern for surface in room.surfaces]
    shading.shade_room(
        ids, margin, lens, camera.pose[:3, :3].astype(np.float32), eye,
        np.array(room.table, np.float32), room.floor, room.wall,
        np.array([[s.size, s.turn, *s.start] for s in room.surfaces], np.float32),
        np.stack([pattern.texels for pattern in patterns]), patterns[0].sizes, patterns[0].starts,
        LINEAR, np.array([s.gain for s in room.surfaces], np.float32), *light, room.gloss, canvas,
        depth,
    )  # fmt: skip


def _second_lowest(labels: np.ndarray) -> np.ndarray:
    """Halve a map of labels: of each four the second lowest, most often the commonest."""
    a, b = labels[::2, ::2], labels[::2, 1::2]
    c, d = labels[1::2, ::2], labels[1::2, 1::2]
    low, high = np.minimum(a, b), np.maximum(a, b)
    return np.minimum(np.maximum(low, np.minimum(c, d)), np.minimum(high, np.maximum(c, d))).astype(
        np.int16
    )


def _develop(linear: np.ndarray, scene: ScanScene) -> np.ndarray:
    """Return uint8 RGB: exposed for the scene's brightness, highlights rolled off."""
    mean = float(np.minimum(linear, 2 * linear.mean() + 1e-6).mean())
    value = linear * (scene.brightness / max(mean, 1e-4))
    knee = 0.75
    over = np.maximum(value - knee, 0)
    value = np.minimum(value, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee)))
    index = (value * 4095).astype(np.uint16)
    return _ENCODED[np.minimum(index, 4095)]


_ENCODED = np.round(255 * (np.arange(4096) / 4095) ** (1 / 2.2)).astype(np.uint8)
