"""Views: pictures of scanned things as the encoder sees them, augmented anew each time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from PIL import Image

from kimi_ros.sim.scans import SEEN
from kimi_ros.sim.truth import grasp_point
from kimi_train.nano.scenes import assign_patches

ZOOM = (0.76, 1.4)
STRETCH = 0.1  # standard deviation of the logarithm of width to height: cameras have many formats
OCCLUDED_SHARE = 0.25  # of views: something of another picture lies before the things
LEAST_PIXELS = 60  # of 384 x 288


class Picture(Protocol):
    """A picture of scanned things, as `kimi_ros.sim.scans.open_dataset` returns it."""

    setting: str
    rgb: np.ndarray
    instances: np.ndarray
    objects: Sequence


@dataclass(frozen=True)
class View:
    """A picture at the encoder's size.

    :ivar rgb: uint8 (S, S, 3).
    :ivar owners: int8 (g, g), the place in `objects` of what most of a patch shows, -1 for nothing.
    :ivar objects: what shows, with boxes and points in 0-1 and what is still visible of each.
    :ivar on_table: whether things stand and lie somewhere; else they hang before a photograph.
    """

    rgb: np.ndarray
    owners: np.ndarray
    objects: list
    on_table: bool = True

    @property
    def known(self) -> list[int]:
        """Return the places of the objects that one may ask about: those clearly seen."""
        return [i for i, o in enumerate(self.objects) if is_clear(o) and not o.distractor]


def is_clear(thing) -> bool:
    """Return whether enough of it shows."""
    return thing.visible >= SEEN and thing.pixels >= LEAST_PIXELS


def plain_view(picture: Picture, crop_size: int, patch_size: int) -> View:
    """Return a picture as it is."""
    return _view(picture, picture.rgb, picture.instances, picture.objects, crop_size, patch_size)


def augmented_view(
    picture: Picture,
    other: Callable[[], Picture],
    rng,
    camera: Callable,
    crop_size: int,
    patch_size: int,
) -> View:
    """Return a picture zoomed, shifted, partly hidden, and as a cheap camera would take it.

    It is never mirrored: print would not be readable.

    :param other: returns a picture of which a part may lie before the things.
    :param camera: what a camera does to a picture, `cheap_camera(rgb, rng)`.
    """
    height, width = picture.rgb.shape[:2]
    matrix = _zoom(width, height, rng)
    rgb = cv2.warpAffine(
        picture.rgb,
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    instances = cv2.warpAffine(
        picture.instances.astype(np.int16),
        matrix,
        (width, height),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=-1,
    )
    if rng.random() < OCCLUDED_SHARE:
        _occlude(rgb, instances, other().rgb, rng)
    area = abs(np.linalg.det(matrix[:, :2]))
    objects = [_moved(thing, instances, matrix, area) for thing in picture.objects]
    shown = [o for o in objects if o]
    return _view(picture, camera(rgb, rng), instances, shown, crop_size, patch_size)


def _zoom(width: int, height: int, rng) -> np.ndarray:
    """Return the affine map (2, 3) of a random zoom, stretch and shift within the picture."""
    zoom = np.exp(rng.uniform(*np.log(ZOOM)))
    stretch = np.exp(rng.normal(0, STRETCH) / 2)
    scale = np.array([zoom * stretch, zoom / stretch])
    size = np.array([width, height])
    # Where the picture becomes larger than the view, what is cut off; where smaller, what is free.
    shift = rng.random(2) * size * (1 - scale)
    return np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]], np.float32)


def _occlude(rgb: np.ndarray, instances: np.ndarray, other: np.ndarray, rng) -> None:
    """Lay an ellipse out of another picture over this one."""
    height, width = rgb.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    middle = int(rng.integers(width)), int(rng.integers(height))
    axes = tuple(int(a) for a in rng.uniform(0.05, 0.17, 2) * width)
    cv2.ellipse(mask, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    hidden = mask.astype(bool)
    rgb[hidden] = np.roll(other, tuple(rng.integers(1, (height, width))), (0, 1))[hidden]
    instances[hidden] = -1


def _moved(thing, instances: np.ndarray, matrix: np.ndarray, area: float):
    """Return the truth about a thing in the changed picture, None where it does not show."""
    mask = instances == thing.index
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    x, y = matrix @ np.array([*thing.point, 1])
    if not (0 <= x < mask.shape[1] and 0 <= y < mask.shape[0] and mask[int(y), int(x)]):
        row, column = grasp_point(mask[y0:y1, x0:x1])
        x, y = x0 + column + 0.5, y0 + row + 0.5
    return dataclasses.replace(
        thing,
        box=(float(x0), float(y0), float(x1), float(y1)),
        point=(float(x), float(y)),
        pixels=len(rows),
        visible=thing.visible * min(1.0, len(rows) / max(thing.pixels * area, 1)),
    )


def _view(
    picture: Picture,
    rgb: np.ndarray,
    instances: np.ndarray,
    objects: Sequence,
    crop: int,
    patch: int,
) -> View:
    height, width = instances.shape
    grid = crop // patch
    # Nearest positions, as in the resized picture.
    rows, columns = (np.arange(crop) * n // crop for n in (height, width))
    blocks = instances[rows][:, columns].reshape(grid, patch, grid, patch)
    blocks = blocks.swapaxes(1, 2).reshape(grid, grid, -1)
    covers = np.stack([(blocks == o.index).mean(-1) for o in objects]) if objects else None
    owners = np.full((grid, grid), -1, np.int8) if covers is None else assign_patches(covers)
    image = Image.fromarray(rgb).resize((crop, crop), Image.Resampling.LANCZOS)
    scaled = [thing.normalized(width, height) for thing in objects]
    return View(np.asarray(image), owners, scaled, picture.setting == 'table')
