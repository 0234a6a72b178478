"""Other colours and other prints on a scan's shape."""

from __future__ import annotations

import cv2
import numpy as np

from kimi_ros.sim.full.object_classes import HUE_SATURATION_VALUE
from kimi_ros.sim.scans.texture import Pyramid

NEW_COLORS = ('red', 'orange', 'yellow', 'green', 'blue', 'purple')
"""Colours that a scan may be given: those that are a hue."""
_COARSENED = 512
_COLORED = 80
"""Saturation, of 255, above which a texel has a hue."""


def hue_share(texture: Pyramid) -> float:
    """Return how much of a texture has a hue, 0-1."""
    return float((_hsv(texture, 64)[:, 1] > _COLORED).mean())


def recolored(texture: Pyramid, color: str) -> Pyramid:
    """Return the texture with what has a hue in another colour, one of `NEW_COLORS`."""
    texture = coarser(texture, _COARSENED)
    hsv = _hsv(texture).astype(np.float32)
    colored = hsv[:, 1] > _COLORED
    if not colored.any():
        return texture
    hue, saturation, value = HUE_SATURATION_VALUE[color]
    main = hsv[colored]
    angle = main[:, 0] * (2 * np.pi / 180)
    middle = np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()) * 180 / (2 * np.pi)
    # Near the border between coloured and grey the change fades in.
    share = np.clip((hsv[:, 1] - _COLORED / 2) / _COLORED, 0, 1)
    hsv[:, 0] += (hue * 180 - middle) * (share > 0)
    gains = saturation * 255 / np.median(main[:, 1]), 0.9 * value * 255 / np.median(main[:, 2])
    for channel, gain in zip((1, 2), gains, strict=True):
        hsv[:, channel] *= 1 + (gain - 1) * share
    hsv[:, 0] %= 180
    hsv = np.clip(hsv, 0, (179, 255, 255)).astype(np.uint8)
    return Pyramid(cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0], texture.sizes)


def coarser(texture: Pyramid, size: int) -> Pyramid:
    """Return the pyramid without its levels above `size`."""
    kept = int((texture.sizes > size).sum())
    return Pyramid(texture.texels[int(texture.starts[kept]) :], texture.sizes[kept:])


def _hsv(texture: Pyramid, size: int | None = None) -> np.ndarray:
    """Return uint8 (n, 3): of all levels, or of the one that has `size` texels a side."""
    texels = texture.texels
    if size is not None:
        level = int(np.abs(texture.sizes - size).argmin())
        start = int(texture.starts[level])
        texels = texels[start : start + int(texture.sizes[level]) ** 2]
    return cv2.cvtColor(np.ascontiguousarray(texels)[None], cv2.COLOR_RGB2HSV)[0]
