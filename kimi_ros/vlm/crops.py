"""Overlapping image crops, and stitching their features.

The arithmetic is that of moondream's image_crops.py (vikhyat/moondream, Apache-2.0) with Pillow's
Lanczos filter, which is the reference for resizing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .config import VisionConfig
from .errors import ImageError

# (x / 255 - 0.5) / 0.5 for each of the 256 levels, in fp32.
_NORMALISED = (np.arange(256, dtype=np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(
    0.5
)


@dataclass(frozen=True)
class Crops:
    """The global crop, then the local crops row by row.

    pixels: uint8 (1 + rows * columns, S, S, 3); tiling: (rows, columns). With the tiling (1, 1)
    the only local crop equals the global one.
    """

    pixels: np.ndarray
    tiling: tuple[int, int]

    @property
    def unique(self) -> np.ndarray:
        """The crops without duplicates: uint8 (n, S, S, 3)."""
        return self.pixels[:1] if self.tiling == (1, 1) else self.pixels


def check_image(rgb: np.ndarray) -> np.ndarray:
    """Return `rgb` as a contiguous uint8 (H, W, 3) array, or raise ImageError with a hint."""
    if not isinstance(rgb, np.ndarray):
        raise ImageError(
            f'the image must be a numpy array uint8 (H, W, 3) in RGB, not {type(rgb).__name__}'
        )
    if rgb.ndim == 2 or (rgb.ndim == 3 and rgb.shape[2] == 1):
        raise ImageError(
            f'the image is grayscale, shape {rgb.shape}; three channels are needed: '
            'cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)'
        )
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ImageError(f'the image must have the shape (H, W, 3), RGB; it has {rgb.shape}')
    if rgb.dtype != np.uint8:
        raise ImageError(
            f'the image must be uint8 with values 0-255, not {rgb.dtype}; scale and convert it '
            'first'
        )
    if rgb.size == 0:
        raise ImageError(f'the image is empty, shape {rgb.shape}')
    return np.ascontiguousarray(rgb)


def select_tiling(height: int, width: int, crop_size: int, max_crops: int) -> tuple[int, int]:
    """Rows and columns of windows of crop_size pixels that cover height x width pixels.

    As many as `max_crops` allows at the image's aspect ratio; (1, 1) if a single window covers the
    image in one direction.
    """
    if height <= crop_size or width <= crop_size:
        return (1, 1)
    least_rows = math.ceil(height / crop_size)
    least_columns = math.ceil(width / crop_size)
    if least_rows * least_columns > max_crops:
        shrink = math.sqrt(max_crops / (least_rows * least_columns))
        return (
            max(1, math.floor(least_rows * shrink)),
            max(1, math.floor(least_columns * shrink)),
        )
    rows = max(math.floor(math.sqrt(max_crops * height / width)), least_rows)
    columns = max(math.floor(math.sqrt(max_crops * width / height)), least_columns)
    if rows * columns > max_crops:
        if columns > rows:
            columns = math.floor(max_crops / rows)
        else:
            rows = math.floor(max_crops / columns)
    return (max(1, rows), max(1, columns))


def overlap_crops(rgb: np.ndarray, vision: VisionConfig) -> Crops:
    """Cut uint8 (H, W, 3) into one global crop and a grid of local crops.

    Neighbours overlap by two margins of `vision.overlap_margin` patches. Raises ImageError.
    """
    rgb = check_image(rgb)
    side = vision.crop_size
    margin = vision.overlap_margin * vision.enc_patch_size
    window = side - 2 * margin
    height, width = rgb.shape[:2]
    tiling = select_tiling(height - 2 * margin, width - 2 * margin, window, vision.max_crops)
    rows, columns = tiling
    source = Image.fromarray(rgb)
    pixels = np.empty((1 + rows * columns, side, side, 3), np.uint8)
    pixels[0] = np.asarray(_lanczos(source, side, side))
    if tiling == (1, 1):
        pixels[1] = pixels[0]
        return Crops(pixels, tiling)
    resized = np.asarray(
        _lanczos(source, columns * window + 2 * margin, rows * window + 2 * margin)
    )
    for row in range(rows):
        for column in range(columns):
            top, left = row * window, column * window
            pixels[1 + row * columns + column] = resized[top : top + side, left : left + side]
    return Crops(pixels, tiling)


def _lanczos(image: Image.Image, width: int, height: int) -> Image.Image:
    """Resize as Pillow 13 does, with any version of Pillow.

    Pillow rounds and clips between its two passes, so their order changes the result by up to
    twenty levels. Since version 13 the vertical pass comes first if it removes more than twice as
    many pixels as the horizontal pass; earlier versions never do that.
    """
    shorter = image.height - height
    if shorter > 0 and shorter > 2 * (image.width - width):
        image = image.resize((image.width, height), resample=Image.Resampling.LANCZOS)
    else:
        image = image.resize((width, image.height), resample=Image.Resampling.LANCZOS)
    return image.resize((width, height), resample=Image.Resampling.LANCZOS)


def normalise(pixels: np.ndarray) -> np.ndarray:
    """Normalize uint8 (n, S, S, 3) to the encoder's input, f32 (n, 3, S, S) from -1 to 1."""
    normalised: np.ndarray = _NORMALISED[np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))]
    return normalised


def stitch(features: np.ndarray, tiling: tuple[int, int], margin: int) -> np.ndarray:
    """Stitch the features of overlapping crops into one grid.

    features: (rows * columns, g, g, d); margin in patches. The margin of a crop is dropped except
    at the edge of the image. Returns (H, W, d) with H = rows * (g - 2 margin) + 2 margin and W
    likewise.
    """
    rows, columns = tiling
    grid, depth = features.shape[1], features.shape[3]
    window = grid - 2 * margin
    joined = np.empty(
        (rows * window + 2 * margin, columns * window + 2 * margin, depth), features.dtype
    )
    for index, crop in enumerate(features):
        row, column = divmod(index, columns)
        top = 0 if row == 0 else margin
        left = 0 if column == 0 else margin
        bottom = grid if row == rows - 1 else grid - margin
        right = grid if column == columns - 1 else grid - margin
        y, x = row * window, column * window
        joined[y + top : y + bottom, x + left : x + right] = crop[top:bottom, left:right]
    return joined


def adaptive_average_pool(features: np.ndarray, side: int) -> np.ndarray:
    """Average (H, W, d) down (or up) to (side, side, d).

    Cell i of n averages the inputs from floor(i * N / n) up to, not including, ceil((i + 1) * N /
    n), the rule of torch.nn.AdaptiveAvgPool2d.
    """
    height, width, depth = features.shape
    rows = _pooling_matrix(height, side) @ features.reshape(height, width * depth)
    # The matrix product broadcasts over the rows, which are already pooled.
    pooled: np.ndarray = _pooling_matrix(width, side) @ rows.reshape(side, width, depth)
    return pooled


def _pooling_matrix(length: int, cells: int) -> np.ndarray:
    """Pooling weights f32 (cells, length): row i averages the inputs of cell i."""
    weights = np.zeros((cells, length), np.float32)
    for cell in range(cells):
        start = cell * length // cells
        end = -(-(cell + 1) * length // cells)
        weights[cell, start:end] = 1 / (end - start)
    return weights
