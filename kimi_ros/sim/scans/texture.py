"""Textures as pyramids of halved pictures, packed for the rasteriser."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

MAX_SIZE = 1024


@dataclasses.dataclass(frozen=True)
class Pyramid:
    """A square texture and its halvings down to 8 texels, one after the other.

    :ivar texels: uint8 (t, 3), sRGB.
    :ivar sizes: int64 (levels,), texels a side.
    """

    texels: np.ndarray
    sizes: np.ndarray

    def __post_init__(self):
        # All alike, mapped from a file or not: otherwise Numba compiles for each kind.
        self.texels.setflags(write=False)

    @property
    def starts(self) -> np.ndarray:
        """int64 (levels,), where each level starts in `texels`."""
        return np.concatenate([[0], np.cumsum(self.sizes**2)[:-1]]).astype(np.int64)

    @property
    def base(self) -> np.ndarray:
        """The finest level, uint8 (size, size, 3)."""
        size = int(self.sizes[0])
        return self.texels[: size * size].reshape(size, size, 3)


def pyramid(image: np.ndarray, corners: np.ndarray | None = None) -> Pyramid:
    """Return the pyramid of a texture of any size.

    :param image: uint8 (H, W, 3).
    :param corners: float (m, 3, 2), the faces' places in it (v down). Where none is, texels are
        filled from the nearest that are used, so that no seam shows the atlas's background.
    """
    size = 8
    while size < min(MAX_SIZE, max(image.shape[:2])):
        size *= 2
    if max(image.shape[:2]) > 2 * size:  # finer than anybody will see, and slow to mask
        image = cv2.resize(image, (2 * size, 2 * size), interpolation=cv2.INTER_AREA)
    if corners is None:
        image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    else:
        image = _filled(image, corners, size)
    levels = [image]
    while size > 8:
        size //= 2
        levels.append(cv2.resize(levels[-1], (size, size), interpolation=cv2.INTER_AREA))
    sizes = np.array([len(level) for level in levels], np.int64)
    return Pyramid(np.concatenate([level.reshape(-1, 3) for level in levels]), sizes)


def _filled(image: np.ndarray, corners: np.ndarray, size: int) -> np.ndarray:
    """Return the texture at `size` texels a side, with nothing of the atlas's background in it."""
    height, width = image.shape[:2]
    used = np.zeros((height, width), np.uint8)
    places = np.round((corners * (width, height) - 0.5) * 16).astype(np.int32)
    for triangle in places:
        cv2.fillConvexPoly(used, triangle, 1, shift=4)
    if used.all() or not used.any():
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    # Scanners blend the background into the outermost texels of a chart.
    inner = cv2.erode(used, np.ones((3, 3), np.uint8))
    used = inner if inner.mean() > 0.5 * used.mean() else used
    share = cv2.resize(used * np.uint8(255), (size, size), interpolation=cv2.INTER_AREA)
    sums = cv2.resize(image * used[..., None], (size, size), interpolation=cv2.INTER_AREA)
    known = share > 24
    means = sums * (255 / np.maximum(share, 1)[..., None])
    small = np.clip(np.round(means), 0, 255).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        1 - known.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(known)
    nearest = np.zeros(labels.max() + 1, np.int64)
    nearest[labels[rows, columns]] = np.arange(len(rows))
    return small[rows[nearest[labels]], columns[nearest[labels]]]
