"""What a cheap camera does to a picture: exposure, colours, haze, blur, noise, compression."""

from __future__ import annotations

import cv2
import numpy as np


def cheap_camera(rgb: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Return the picture as some cheap camera would have taken it; boxes and masks stay true.

    :param rgb: uint8 (H, W, 3).
    :param strength: 0 for none, 1 for what webcams and phones do on bad days.
    :return: uint8 (H, W, 3).
    """
    if strength <= 0:
        return rgb
    image = rgb.astype(np.float32) / 255
    if rng.random() < 0.25:
        image = _blurred(image, rng, strength)
    image = _lit(image, rng, strength)
    image = _toned(image, rng, strength)
    if rng.random() < 0.3:
        image = _rescaled(image, rng, strength)
    if rng.random() < 0.6:
        image = _noisy(image, rng, strength)
    if rng.random() < 0.35:
        image = _sharpened(image, rng, strength)
    out = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return _compressed(out, rng, strength) if rng.random() < 0.7 else out


def _lit(image: np.ndarray, rng, strength: float) -> np.ndarray:
    """Exposure, white balance, and now and then light that falls off to one side."""
    cast = 0.22 if rng.random() < 0.2 else 0.09
    gains = np.exp(strength * (rng.normal(0, 0.22) + rng.normal(0, cast, 3)))
    image = image * gains.astype(np.float32)
    if rng.random() < 0.3:
        height, width = image.shape[:2]
        dx, dy = rng.normal(0, 0.35 * strength, 2)
        slope = dx * np.linspace(-1, 1, width) + (dy * np.linspace(-1, 1, height))[:, None]
        image = image * np.exp(slope).astype(np.float32)[..., None]
    return image


def _toned(image: np.ndarray, rng, strength: float) -> np.ndarray:
    """Gamma, saturation, contrast and haze."""
    image = np.clip(image, 0, 1) ** np.float32(np.exp(strength * rng.normal(0, 0.25)))
    grey = image @ np.array([0.299, 0.587, 0.114], np.float32)
    image = grey[..., None] + (image - grey[..., None]) * np.float32(
        1 + strength * rng.uniform(-0.6, 0.6)
    )
    middle = float(grey.mean())
    image = middle + (image - middle) * np.float32(np.exp(strength * rng.normal(0, 0.15)))
    if rng.random() < 0.15:
        haze = strength * rng.uniform(0.05, 0.35)
        image = image * (1 - haze) + haze * rng.uniform(0.5, 1.0)
    return image.astype(np.float32)


def _blurred(image: np.ndarray, rng, strength: float) -> np.ndarray:
    """Out of focus, or moved along some line."""
    if rng.random() < 0.6:
        return cv2.GaussianBlur(image, (0, 0), 0.3 + strength * rng.uniform(0, 1.4))
    length = max(2, int(round(strength * rng.uniform(2, 7))))
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    angle = rng.uniform(0, np.pi)
    dx, dy = length / 2 * np.cos(angle), length / 2 * np.sin(angle)
    ends = [(int(round(length + s * dx)), int(round(length + s * dy))) for s in (-1, 1)]
    cv2.line(kernel, *ends, 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)


def _rescaled(image: np.ndarray, rng, strength: float) -> np.ndarray:
    """Taken at a lower resolution and enlarged."""
    height, width = image.shape[:2]
    share = 1 - strength * rng.uniform(0.1, 0.5)
    small = max(1, int(width * share)), max(1, int(height * share))
    ways = (cv2.INTER_LINEAR, cv2.INTER_AREA, cv2.INTER_CUBIC)
    down, up = ways[int(rng.integers(2))], ways[int(rng.choice([0, 2]))]
    return cv2.resize(
        cv2.resize(image, small, interpolation=down), (width, height), interpolation=up
    )


def _noisy(image: np.ndarray, rng, strength: float) -> np.ndarray:
    """Grain of the sensor, finer or coarser, more of it where it is dark."""
    height, width = image.shape[:2]
    grain = rng.standard_normal((height, width, 3), np.float32)
    if rng.random() < 0.4:
        grain = 1.6 * cv2.GaussianBlur(grain, (0, 0), 0.8)
    if rng.random() < 0.3:
        grain = np.repeat(grain[..., :1], 3, axis=2)
    level = strength * rng.uniform(0.004, 0.045)
    return image + grain * level * (1.3 - 0.6 * np.clip(image, 0, 1))


def _sharpened(image: np.ndarray, rng, strength: float) -> np.ndarray:
    soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 1.6))
    return image + (image - soft) * np.float32(strength * rng.uniform(0.2, 1.4))


def _compressed(rgb: np.ndarray, rng, strength: float) -> np.ndarray:
    quality = int(100 - strength * (100 - rng.uniform(25, 90)))
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, data = cv2.imencode('.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), flags)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
